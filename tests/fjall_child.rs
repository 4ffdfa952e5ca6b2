//! A log in a process of its own, so that it can be killed and its disk can fail.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};

use tpc_actors::bus::Position;
use tpc_actors::bus::log::{EventLog, FjallLog, LogOptions, Records, conformance};
use tpc_actors::prelude::*;

pub(crate) fn journal(path: &Path) -> PathBuf {
    let files = std::fs::read_dir(path.join("db")).unwrap().map(|entry| entry.unwrap().path());
    let mut journals: Vec<_> =
        files.filter(|path| path.extension().is_some_and(|extension| extension == "jnl")).collect();
    assert_eq!(journals.len(), 1, "{journals:?}");
    journals.pop().unwrap()
}

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
    if let Err(error) = system.log_events::<u64>(log, LogOptions::new().keep_events(20_000)) {
        println!("\nfailed {error}");
        return;
    }
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
            assert!(log.begin_epoch().is_err(), "an epoch after a failure");
        } else if let Err(error) = appended.and(synced.map(drop)) {
            failed = true;
            println!("\nfailed {error}");
        } else {
            println!("\ndurable {epoch} {seq}");
        }
    }
}

/// The file that [`conforming_child`] looks for where its disk is to fail.
pub(crate) fn mark(path: &Path) -> PathBuf {
    path.join("fails")
}

/// Runs the suite about failures, and says where it ends.
#[test]
#[ignore = "the other tests run it in a process of its own"]
fn conforming_child() {
    let path = PathBuf::from(std::env::var_os(LOG).expect("the log's directory"));
    let open = || FjallLog::open(&path);
    conformance::check_failure(open, || assert!(!mark(&path).exists())).unwrap();
}

pub(crate) struct Running {
    pub(crate) process: Child,
    lines: std::io::Lines<BufReader<ChildStdout>>,
    pub(crate) acknowledged: Option<Position>,
    pub(crate) failed: Option<String>,
}

impl Running {
    /// Runs the child.
    pub(crate) fn start(path: &Path) -> Self {
        Self::start_test("child", path, &[])
    }

    /// Runs a test in a process of its own, under `wrapper` if that is not empty.
    pub(crate) fn start_test(name: &str, path: &Path, wrapper: &[&str]) -> Self {
        let this = std::env::current_exe().unwrap();
        let this = this.to_str().unwrap();
        let name = format!("fjall_child::{name}");
        let test = [this, &name, "--exact", "--ignored", "--nocapture"];
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
    pub(crate) fn read(&mut self) -> bool {
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

    pub(crate) fn kill(mut self) -> Option<Position> {
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
pub(crate) fn check(path: &Path, acknowledged: Option<Position>) {
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
