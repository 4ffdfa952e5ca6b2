//! The default log: conformance, kills at random moments, damage at every place.

mod copied;
mod fjall_child;
mod random;
mod scratch;
#[cfg(target_os = "linux")]
mod thread_cpus;

use std::fs::File;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use copied::copy;
use fjall_child::{Running, check, journal};
use random::Random;
use scratch::directory;
use tpc_actors::bus::Position;
use tpc_actors::bus::log::{EventLog, FjallLog, LogError, Records, conformance};
use tpc_actors::placement::CpuSet;

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
    let random = Random::beside(0x9E37_79B9);
    for round in 0..100 {
        let mut child = Running::start(&path);
        while child.acknowledged.is_none() && child.read() {}
        std::thread::sleep(Duration::from_micros(random.below(20_000)));
        let acknowledged = child.kill();
        let epoch = acknowledged.expect("it wrote something").epoch;
        assert!(epoch > epochs, "epoch {epoch} in round {round}, after {epochs}");
        epochs = epoch;
        check(&path, acknowledged);
    }
}

/// A log with two acknowledged groups, as it is on the disk.
struct Groups {
    path: PathBuf,
    /// The same without what is in the journal.
    frame: PathBuf,
    /// What the journal has, before the zeros that it ends with.
    journal: Vec<u8>,
    /// Where the second group is in there.
    second: Range<usize>,
    /// The size of the journal, with the zeros.
    len: usize,
    /// What says that the first group is acknowledged.
    first_acknowledged: Vec<u8>,
}

fn two_groups(name: &str) -> Groups {
    let [path, frame] = [name.to_owned(), format!("{name}-frame")].map(|name| directory(&name));
    let mut log = FjallLog::open(&path).unwrap();
    let epoch = log.begin_epoch().unwrap();
    assert_eq!(epoch, 1);
    let mut after = Vec::new();
    for group in 0..2_u64 {
        let mut records = Records::default();
        for n in 0..3 {
            records.push(&(group * 3 + n).to_le_bytes());
        }
        log.append(Position::new(0, epoch, group * 3), &records).unwrap();
        log.sync().unwrap();
        let acknowledged = std::fs::read(path.join("acknowledged")).unwrap();
        after.push((std::fs::read(journal(&path)).unwrap(), acknowledged));
    }
    drop(log);
    copy(&path, &frame);
    std::fs::write(journal(&frame), []).unwrap();
    let [(before, first_acknowledged), (mut journal, _)] = <[_; 2]>::try_from(after).unwrap();
    let start = before.iter().zip(&journal).take_while(|(one, other)| one == other).count();
    let (len, end) = (journal.len(), journal.iter().rposition(|byte| *byte != 0).unwrap() + 1);
    assert!(start < end && end - start < 1000, "{start}..{end}");
    journal.truncate(end);
    Groups { path, frame, journal, second: start..end, len, first_acknowledged }
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

/// What can be read of the two groups with this journal of that size, the second of them acknowledged or not.
fn found_of(
    groups: &Groups,
    journal_bytes: &[u8],
    len: usize,
    acknowledged: bool,
) -> Option<Vec<u64>> {
    static COPIES: AtomicUsize = AtomicUsize::new(0);
    let copied = COPIES.fetch_add(1, Ordering::Relaxed);
    // In memory, where that is possible: a disk takes longer to forget files than all the rest.
    let memory = Path::new("/dev/shm");
    let base = if memory.is_dir() { memory.to_owned() } else { std::env::temp_dir() };
    let work = base.join(format!("tpc-damaged-{}-{copied}", std::process::id()));
    copy(&groups.frame, &work);
    if !acknowledged {
        std::fs::write(work.join("acknowledged"), &groups.first_acknowledged).unwrap();
    }
    let journal = journal(&work);
    std::fs::write(&journal, journal_bytes).unwrap();
    File::options().write(true).open(journal).unwrap().set_len(len as u64).unwrap();
    let found = found(&work);
    std::fs::remove_dir_all(&work).unwrap();
    found
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
    let groups = two_groups("cut");
    let cuts = groups.second.clone().flat_map(|cut| [(cut, false), (cut, true)]);
    for_each(cuts, |(cut, acknowledged)| {
        let found = found_of(&groups, &groups.journal[..cut], cut, acknowledged);
        let expected = if acknowledged { None } else { Some(vec![0, 1, 2]) };
        assert_eq!(found, expected, "cut at {cut} of {:?}", groups.second);
        // The engine makes the file as large as it will be, and what has not been written are zeros.
        let found = found_of(&groups, &groups.journal[..cut], groups.len, acknowledged);
        assert_eq!(found, expected, "zeros from {cut} on in {:?}", groups.second);
    });
    assert_eq!(found(&groups.path), Some((0..6).collect()));
}

#[test]
fn a_log_that_has_lost_what_it_acknowledged_is_damaged() {
    let groups = two_groups("lost");
    std::fs::remove_file(groups.path.join("acknowledged")).unwrap();
    assert!(matches!(FjallLog::open(&groups.path), Err(LogError::Damaged(_))));
}

#[test]
fn no_flipped_bit_yields_wrong_data() {
    let groups = two_groups("flip");
    let whole = Some((0..6).collect());
    assert_eq!(found_of(&groups, &groups.journal, groups.len, true), whole);
    let (flips, reported) = (AtomicUsize::new(0), AtomicUsize::new(0));
    // One bit of each byte, or all eight: `just log-bits`.
    let bits = std::env::var("TPC_LOG_BITS").map_or(1, |bits| bits.parse().expect("a number"));
    let each = groups.second.clone();
    let each = each.flat_map(move |at| (0..bits).map(move |bit| (at, (at + bit) % 8)));
    for_each(each.flat_map(|flip| [(flip, false), (flip, true)]), |((at, bit), acknowledged)| {
        let mut bytes = groups.journal.clone();
        bytes[at] ^= 1 << bit;
        let found = found_of(&groups, &bytes, groups.len, acknowledged);
        // Some bits of the engine's own frame do not matter.
        let cut = found == Some(vec![0, 1, 2]);
        let fine = found.is_none() || found == whole || (cut && !acknowledged);
        assert!(fine, "bit {bit} at {at}: {found:?}");
        if acknowledged {
            flips.fetch_add(1, Ordering::Relaxed);
            reported.fetch_add(usize::from(found.is_none()), Ordering::Relaxed);
        }
    });
    let (flips, reported) = (flips.into_inner(), reported.into_inner());
    assert!(reported * 2 > flips, "{reported} of {flips} were noticed");
    let mut marks = std::fs::read(groups.path.join("acknowledged")).unwrap();
    for byte in &mut marks {
        *byte ^= 0x55;
    }
    std::fs::write(groups.path.join("acknowledged"), marks).unwrap();
    assert!(matches!(FjallLog::open(&groups.path), Err(LogError::Damaged(_))));
}
