//! The default log: conformance, kills at random moments, damage at every place.

mod fjall_child;
mod scratch;
#[cfg(target_os = "linux")]
mod thread_cpus;

use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use fjall_child::{Running, check, journal};
use scratch::directory;
use tpc_actors::bus::Position;
use tpc_actors::bus::log::{EventLog, FjallLog, LogError, Records, conformance};
use tpc_actors::placement::CpuSet;

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

#[cfg(target_os = "linux")]
#[test]
fn the_engine_s_thread_stays_where_it_is_told_to() {
    let last = CpuSet::allowed().iter().next_back().unwrap();
    let path = directory("on");
    let _log = FjallLog::open_on(&path, &CpuSet::from_iter([last])).unwrap();
    let engine = thread_cpus::cpus_of(|name| name.starts_with("fjall"));
    assert!(engine.contains(&last.to_string()), "{engine:?}");
    assert!(FjallLog::open_on(&path, &CpuSet::allowed()).is_err(), "it is open already");
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

/// What can be read of the two groups with this journal, the second of them acknowledged or not.
fn found_of(
    journal_bytes: &[u8],
    (first, second): (&Path, &Path),
    acknowledged: bool,
) -> Option<Vec<u64>> {
    static COPIES: AtomicUsize = AtomicUsize::new(0);
    let copied = COPIES.fetch_add(1, Ordering::Relaxed);
    // In memory, where that is possible: a disk takes longer to forget files than all the rest.
    let memory = Path::new("/dev/shm");
    let base = if memory.is_dir() { memory.to_owned() } else { std::env::temp_dir() };
    let work = base.join(format!("tpc-damaged-{}-{copied}", std::process::id()));
    copy(second, &work);
    if !acknowledged {
        std::fs::copy(first.join("acknowledged"), work.join("acknowledged")).unwrap();
    }
    std::fs::write(journal(&work), journal_bytes).unwrap();
    let found = found(&work);
    std::fs::remove_dir_all(&work).unwrap();
    found
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

/// Has several workers do it for each of many: the engine sleeps while it is closed.
fn for_each<T: Send>(many: impl Iterator<Item = T> + Send, work: impl Fn(T) + Sync) {
    let many = Mutex::new(many);
    let next = || many.lock().unwrap().next();
    std::thread::scope(|scope| {
        for _ in 0..8 {
            let (next, work) = (&next, &work);
            scope.spawn(move || std::iter::from_fn(next).for_each(work));
        }
    });
}

#[test]
fn a_torn_end_is_cut_and_a_lost_acknowledgement_is_reported() {
    let (first, second) = two_groups("cut");
    let (bytes, group) = last_group(&first, &second);
    for_each(group.clone().flat_map(|cut| [(cut, false), (cut, true)]), |(cut, acknowledged)| {
        let found = found_of(&bytes[..cut], (&first, &second), acknowledged);
        let expected = if acknowledged { None } else { Some(vec![0, 1, 2]) };
        assert_eq!(found, expected, "cut at {cut} of {group:?}");
    });
    assert_eq!(found(&second), Some((0..6).collect()));
}

#[test]
fn no_flipped_bit_yields_wrong_data() {
    let (first, second) = two_groups("flip");
    let (bytes, group) = last_group(&first, &second);
    let (flips, reported) = (AtomicUsize::new(0), AtomicUsize::new(0));
    // One bit of each byte, or all eight: `just log-bits`.
    let bits = std::env::var("TPC_LOG_BITS").map_or(1, |bits| bits.parse().expect("a number"));
    let each = group.flat_map(move |at| (0..bits).map(move |bit| (at, (at + bit) % 8)));
    for_each(each.flat_map(|flip| [(flip, false), (flip, true)]), |((at, bit), acknowledged)| {
        let mut bytes = bytes.clone();
        bytes[at] ^= 1 << bit;
        let found = found_of(&bytes, (&first, &second), acknowledged);
        // Some bits of the engine's own frame do not matter.
        let whole = found == Some((0..6).collect());
        let cut = found == Some(vec![0, 1, 2]);
        assert!(found.is_none() || whole || (cut && !acknowledged), "bit {bit} at {at}: {found:?}");
        if acknowledged {
            flips.fetch_add(1, Ordering::Relaxed);
            reported.fetch_add(usize::from(found.is_none()), Ordering::Relaxed);
        }
    });
    let (flips, reported) = (flips.into_inner(), reported.into_inner());
    assert!(reported * 2 > flips, "{reported} of {flips} were noticed");
    let mut marks = std::fs::read(second.join("acknowledged")).unwrap();
    for byte in &mut marks {
        *byte ^= 0x55;
    }
    std::fs::write(second.join("acknowledged"), marks).unwrap();
    assert!(matches!(FjallLog::open(&second), Err(LogError::Damaged(_))));
}
