//! The default log: conformance, kills at random moments, damage at every place, failing disks.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::Duration;

use tpc_actors::bus::Position;
use tpc_actors::bus::log::{EventLog, FjallLog, LogError, LogOptions, Records, conformance};
use tpc_actors::placement::CpuSet;
use tpc_actors::prelude::*;

/// An empty directory for one test.
fn directory(name: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = std::fs::remove_dir_all(&path);
    path
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap().map(Result::unwrap) {
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}

#[test]
fn the_default_log_conforms() {
    let path = directory("conforms");
    conformance::check(|| FjallLog::open(&path)).unwrap();
}

#[test]
fn a_log_is_opened_once_at_a_time() {
    let path = directory("once");
    let first = FjallLog::open(&path).unwrap();
    assert!(FjallLog::open(&path).is_err());
    drop(first);
    FjallLog::open(&path).unwrap();
}

/// The CPUs of each of this process's threads of the engine, as the kernel tells them.
#[cfg(target_os = "linux")]
fn engine_cpus() -> Vec<String> {
    let threads = std::fs::read_dir("/proc/self/task").unwrap().map(|entry| entry.unwrap().path());
    let is_engine = |path: &PathBuf| {
        std::fs::read_to_string(path.join("comm")).is_ok_and(|name| name.starts_with("fjall"))
    };
    let status = |path: PathBuf| std::fs::read_to_string(path.join("status")).ok();
    let cpus = |status: String| {
        let line = status.lines().find_map(|line| line.strip_prefix("Cpus_allowed_list:"));
        line.map(|cpus| cpus.trim().to_owned())
    };
    threads.filter(is_engine).filter_map(status).filter_map(cpus).collect()
}

#[cfg(target_os = "linux")]
#[test]
fn the_engine_s_thread_stays_where_it_is_told_to() {
    let last = CpuSet::allowed().iter().next_back().unwrap();
    let path = directory("on");
    let _log = FjallLog::open_on(&path, &CpuSet::from_iter([last])).unwrap();
    assert!(engine_cpus().contains(&last.to_string()), "{:?}", engine_cpus());
    assert!(FjallLog::open_on(&path, &CpuSet::allowed()).is_err(), "it is open already");
}

// What follows runs in a process of its own, so that it can be killed and its disk can fail.

#[core_actor(event = u64)]
struct Source {
    next: u64,
}

#[core_actor]
impl Source {
    #[init]
    fn new() -> Self {
        Self { next: 0 }
    }

    /// Every event is its own number.
    #[handler]
    fn burst(&mut self, cx: &mut Ctx<Self>, count: u64) {
        for _ in 0..count {
            cx.publish(self.next);
            self.next += 1;
        }
    }
}

const LOG: &str = "TPC_TEST_LOG";

/// Publishes until it is killed or its log fails, and says what has become durable.
#[test]
#[ignore = "the other tests run it in a process of its own"]
fn child() {
    let path = std::env::var_os(LOG).expect("the log's directory");
    let system = System::builder().cores(1).start().unwrap();
    let log = FjallLog::open(path).unwrap();
    system.log_events::<u64>(log, LogOptions::new().keep_events(20_000)).unwrap();
    let source = system.spawn::<Source>(()).wait().unwrap();
    let mut durable = system.events::<u64>().capacity(1 << 16).durable().subscribe();
    let mut out = std::io::stdout();
    while source.burst(7).wait().is_ok() {
        let mut last = None;
        loop {
            match if last.is_none() { durable.next_wait() } else { durable.try_next() } {
                Some(Delivery::Event { position, .. }) => last = Some(position),
                Some(Delivery::Gap(gap)) => panic!("{gap}"),
                None if last.is_some() => break,
                None => {
                    let failed = system.log_status::<u64>().unwrap().failed;
                    writeln!(out, "\nfailed {}", failed.unwrap_or_default()).unwrap();
                    std::process::exit(0);
                }
            }
        }
        let Position { epoch, seq, .. } = last.unwrap();
        writeln!(out, "\ndurable {epoch} {seq}").unwrap();
        out.flush().unwrap();
    }
}

/// Goes on with a log of its own when that has failed, and says what is accepted nevertheless.
#[test]
#[ignore = "the other tests run it in a process of its own"]
fn stubborn_child() {
    let mut log = FjallLog::open(std::env::var_os(LOG).expect("the log's directory")).unwrap();
    let epoch = log.begin_epoch().unwrap();
    let mut failed = false;
    for seq in 0..40_u64 {
        let mut records = Records::default();
        records.push_with(|bytes| bytes.extend_from_slice(&seq.to_le_bytes()));
        let appended = log.append(Position::new(0, epoch, seq), &records);
        let synced = log.sync();
        if failed {
            assert!(appended.is_err() && synced.is_err(), "accepted after a failure");
        } else if let Err(error) = appended.and(synced.map(drop)) {
            failed = true;
            println!("\nfailed {error}");
        } else {
            println!("\ndurable {epoch} {seq}");
        }
    }
}

struct Running {
    process: Child,
    lines: std::io::Lines<BufReader<ChildStdout>>,
    acknowledged: Option<Position>,
    failed: Option<String>,
}

impl Running {
    /// Runs the child.
    fn start(path: &Path) -> Self {
        Self::start_test("child", path, &[])
    }

    /// Runs a test where calls for the journal fail with this fault, as `strace` injects it.
    fn start_failing(name: &str, path: &Path, fault: &str) -> Self {
        let inject = format!("inject={fault}");
        let journal = journal(path);
        let journal = journal.to_str().unwrap();
        let wrapper = ["strace", "-f", "-qq", "-o", "/dev/null", "-P", journal, "-e", &inject];
        Self::start_test(name, path, &wrapper)
    }

    /// Runs a test in a process of its own, under `wrapper` if that is not empty.
    fn start_test(name: &str, path: &Path, wrapper: &[&str]) -> Self {
        let this = std::env::current_exe().unwrap();
        let this = this.to_str().unwrap();
        let test = [this, name, "--exact", "--ignored", "--nocapture"];
        let command: Vec<_> = wrapper.iter().chain(&test).collect();
        let mut process = Command::new(command[0])
            .args(&command[1..])
            .env(LOG, path)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("this test, or `strace` around it");
        let lines = BufReader::new(process.stdout.take().unwrap()).lines();
        Self { process, lines, acknowledged: None, failed: None }
    }

    /// Reads one line; false at the end.
    fn read(&mut self) -> bool {
        let Some(Ok(line)) = self.lines.next() else { return false };
        let words: Vec<_> = line.split(' ').collect();
        match words[..] {
            ["durable", epoch, seq] => {
                assert_eq!(self.failed, None, "acknowledged after a failure");
                let position = Position::new(0, epoch.parse().unwrap(), seq.parse().unwrap());
                self.acknowledged = Some(position);
            }
            ["failed", ..] => self.failed = Some(line),
            _ => {}
        }
        true
    }

    fn kill(mut self) -> Option<Position> {
        self.process.kill().unwrap();
        // A line that was being written may be torn; the pipe has whole ones before it.
        while let Some(Ok(line)) = self.lines.next() {
            let words: Vec<_> = line.split(' ').collect();
            if let ["durable", epoch, seq] = words[..]
                && let (Ok(epoch), Ok(seq)) = (epoch.parse(), seq.parse())
            {
                self.acknowledged = self.acknowledged.max(Some(Position::new(0, epoch, seq)));
            }
        }
        self.process.wait().unwrap();
        self.acknowledged
    }
}

/// Opens the log and checks it: acknowledged events are there, and every event is what its position says.
fn check(path: &Path, acknowledged: Option<Position>) {
    let mut log = FjallLog::open(path).unwrap();
    let Some(acknowledged) = acknowledged else { return };
    let bounds = log.bounds(0).unwrap().unwrap();
    assert!(bounds.next > acknowledged, "{acknowledged} was acknowledged; {bounds:?}");
    let from = Position::new(0, acknowledged.epoch, 0).max(bounds.first);
    let mut expected = from;
    let each = &mut |position: Position, record: &[u8]| {
        assert_eq!(position, expected, "without a hole");
        assert_eq!(record, position.seq.to_le_bytes(), "an event that was never published");
        expected = position.next();
    };
    log.read_from(from, usize::MAX, each).unwrap();
    assert_eq!(expected, bounds.next);
}

#[test]
fn a_hundred_kills_lose_nothing_that_was_acknowledged() {
    let path = directory("kills");
    let mut epochs = 0;
    let mut random = 0x9e37_79b9_7f4a_7c15_u64;
    for round in 0..100 {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        let mut child = Running::start(&path);
        while child.acknowledged.is_none() && child.read() {}
        std::thread::sleep(Duration::from_micros((random >> 33) % 20_000));
        let acknowledged = child.kill();
        let epoch = acknowledged.expect("it wrote something").epoch;
        assert!(epoch > epochs, "epoch {epoch} in round {round}, after {epochs}");
        epochs = epoch;
        check(&path, acknowledged);
    }
}

/// Two acknowledged groups and their log, as it is on the disk after the first and after the second.
fn two_groups(name: &str) -> (PathBuf, PathBuf) {
    let (first, second) = (directory(&format!("{name}-1")), directory(&format!("{name}-2")));
    let mut log = FjallLog::open(&second).unwrap();
    let epoch = log.begin_epoch().unwrap();
    assert_eq!(epoch, 1);
    for group in 0..2_u64 {
        let mut records = Records::default();
        for n in 0..3 {
            records.push(&(group * 3 + n).to_le_bytes());
        }
        log.append(Position::new(0, epoch, group * 3), &records).unwrap();
        log.sync().unwrap();
        if group == 0 {
            copy(&second, &first);
        }
    }
    drop(log);
    (first, second)
}

fn journal(path: &Path) -> PathBuf {
    let files = std::fs::read_dir(path.join("db")).unwrap().map(|entry| entry.unwrap().path());
    let mut journals: Vec<_> =
        files.filter(|path| path.extension().is_some_and(|extension| extension == "jnl")).collect();
    assert_eq!(journals.len(), 1, "{journals:?}");
    journals.pop().unwrap()
}

/// What can be read of the two groups; `None` when the log says that it is damaged.
fn found(path: &Path) -> Option<Vec<u64>> {
    let mut log = FjallLog::open(path).ok()?;
    let mut found = Vec::new();
    let each = &mut |position: Position, record: &[u8]| {
        let event = u64::from_le_bytes(record.try_into().unwrap());
        assert_eq!(event, position.seq, "wrong data");
        found.push(event);
    };
    match log.read_from(Position::new(0, 0, 0), 100, each) {
        Ok(()) => Some(found),
        Err(LogError::Poisoned) => panic!("reading is always possible"),
        Err(_) => None,
    }
}

/// Where the last group stands in the journal.
fn last_group(first: &Path, second: &Path) -> (Vec<u8>, std::ops::Range<usize>) {
    let (before, after) =
        (std::fs::read(journal(first)).unwrap(), std::fs::read(journal(second)).unwrap());
    let start = before.iter().zip(&after).take_while(|(one, other)| one == other).count();
    let end = after.iter().rposition(|byte| *byte != 0).unwrap() + 1;
    assert!(start < end && end - start < 1000, "{start}..{end}");
    (after, start..end)
}

#[test]
fn a_torn_end_is_cut_and_a_lost_acknowledgement_is_reported() {
    let (first, second) = two_groups("cut");
    let (bytes, group) = last_group(&first, &second);
    let work = directory("cut-work");
    for cut in group.clone() {
        for acknowledged in [false, true] {
            let _ = std::fs::remove_dir_all(&work);
            copy(&second, &work);
            if !acknowledged {
                std::fs::copy(first.join("acknowledged"), work.join("acknowledged")).unwrap();
            }
            std::fs::write(journal(&work), &bytes[..cut]).unwrap();
            let expected = if acknowledged { None } else { Some(vec![0, 1, 2]) };
            assert_eq!(found(&work), expected, "cut at {cut} of {group:?}");
        }
    }
    assert_eq!(found(&second), Some((0..6).collect()));
}

#[test]
fn no_flipped_bit_yields_wrong_data() {
    let (first, second) = two_groups("flip");
    let (bytes, group) = last_group(&first, &second);
    let work = directory("flip-work");
    let (mut flips, mut reported) = (0, 0);
    // One bit of each byte, or all eight: `just log-bits`.
    let bits = std::env::var("TPC_LOG_BITS").map_or(1, |bits| bits.parse().expect("a number"));
    for (at, bit) in group.clone().flat_map(|at| (0..bits).map(move |bit| (at, (at + bit) % 8))) {
        flips += 1;
        let _ = std::fs::remove_dir_all(&work);
        copy(&second, &work);
        let mut flipped = bytes.clone();
        flipped[at] ^= 1 << bit;
        std::fs::write(journal(&work), &flipped).unwrap();
        match found(&work) {
            // Some bits of the engine's own frame do not matter.
            Some(events) => assert_eq!(events, (0..6).collect::<Vec<_>>(), "bit {bit} at {at}"),
            None => reported += 1,
        }
    }
    assert!(reported * 2 > flips, "{reported} of {flips} were noticed");
    let mut marks = std::fs::read(second.join("acknowledged")).unwrap();
    for byte in &mut marks {
        *byte ^= 0x55;
    }
    std::fs::write(second.join("acknowledged"), marks).unwrap();
    assert!(matches!(FjallLog::open(&second), Err(LogError::Damaged(_))));
}

/// A disk that fails, as seen by the process: system calls with injected errors.
fn failing(name: &str, fault: &str) {
    let path = directory(name);
    // What is there before must survive.
    let mut child = Running::start(&path);
    while child.acknowledged.is_none() && child.read() {}
    let before = child.kill();
    check(&path, before);
    let mut child = Running::start_failing("child", &path, fault);
    while child.read() {}
    child.process.wait().unwrap();
    assert!(child.failed.is_some(), "the log did not fail by {fault}");
    assert!(child.failed.as_ref().unwrap().len() > "failed ".len(), "without a reason");
    check(&path, child.acknowledged.or(before));
}

#[test]
fn nothing_is_acknowledged_after_a_failed_sync() {
    for n in [5, 9, 14] {
        failing("eio", &format!("fdatasync:error=EIO:when={n}"));
    }
}

/// The disk recovers at once, and the log does not believe it: what the failed sync had to write may be gone.
#[test]
fn a_log_that_has_failed_takes_nothing_more_until_it_is_opened_again() {
    for n in [3, 6] {
        let path = directory("stubborn");
        drop(FjallLog::open(&path).unwrap());
        let fault = format!("fdatasync:error=EIO:when={n}");
        let mut child = Running::start_failing("stubborn_child", &path, &fault);
        while child.read() {}
        assert!(child.process.wait().unwrap().success(), "it accepted something");
        assert!(child.failed.is_some(), "the log did not fail");
        let mut log = FjallLog::open(&path).unwrap();
        let next = log.bounds(0).unwrap().map(|bounds| bounds.next);
        assert!(next > child.acknowledged, "{next:?} after {:?}", child.acknowledged);
        log.begin_epoch().unwrap();
        log.sync().unwrap();
    }
}

#[test]
fn nothing_is_acknowledged_on_a_full_disk() {
    failing("enospc-sync", "fdatasync:error=ENOSPC:when=8");
    failing("enospc-write", "write:error=ENOSPC:when=7+");
}
