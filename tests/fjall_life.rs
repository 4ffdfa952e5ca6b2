//! The default log over the lives of systems: what it keeps, who comes back to it, and damage in what is old.

mod copied;
mod scratch;
mod ticks;

use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use copied::copy;
use scratch::directory;
use ticks::{Tick, start, stop};
use tpc_actors::Start;
use tpc_actors::bus::Position;
use tpc_actors::bus::log::{Bounds, EventLog, FjallLog, LogError, LogOptions, Records};
use tpc_actors::prelude::*;

fn bounds(path: &Path) -> Bounds {
    FjallLog::open(path).unwrap().bounds(0).unwrap().unwrap()
}

/// A system that publishes 500 events in groups of 5.
fn life(path: &Path, options: LogOptions, first: u64) {
    let (system, source) = start(FjallLog::open(path).unwrap(), options, first);
    let mut durable = system.events::<Tick>().capacity(10_000).durable().subscribe();
    for _ in 0..100 {
        source.burst(5).wait().unwrap();
        for _ in 0..5 {
            assert!(matches!(durable.next_wait(), Some(Delivery::Event { .. })));
        }
    }
    stop(&system);
}

#[test]
fn the_newest_are_kept_by_number_size_and_age() {
    let path = directory("life-kept");
    let often = || LogOptions::new().commit_interval(Duration::ZERO);
    life(&path, often().keep_events(100), 0);
    let kept = bounds(&path);
    assert!((100..=105).contains(&kept.events), "{kept:?}");
    assert_eq!(kept.next.seq, 500);

    let record = kept.bytes / kept.events;
    life(&path, often().keep_bytes(50 * record), 500);
    let kept = bounds(&path);
    assert!((45 * record..=55 * record).contains(&kept.bytes), "{kept:?}");
    assert_eq!((kept.first.epoch, kept.next.epoch, kept.next.seq), (2, 2, 500));

    // All of that is older than what comes next.
    thread::sleep(Duration::from_millis(20));
    life(&path, often().keep_for(Duration::from_millis(20)), 1000);
    assert_eq!(bounds(&path).first.epoch, 3);
}

/// Before, replayed and live are together what was committed: in order, each once.
#[test]
fn a_reader_catches_up_over_restarts() {
    let path = directory("life-restarts");
    let mut cursor = None;
    let mut seen = Vec::new();
    for run in 0..3 {
        let log = FjallLog::open(&path).unwrap();
        let (system, source) = start(log, LogOptions::new(), run * 3000);
        // More than is retained, before anybody listens.
        let _keep = system.events::<Tick>().retain(500).filter(|_| false).subscribe();
        source.burst(2000).wait().unwrap();
        let begin = cursor.take().map_or(Start::Oldest, Start::At);
        let mut events = system.events::<Tick>().capacity(64).from(begin).subscribe();
        let writer = thread::spawn(move || {
            for _ in 0..10 {
                source.burst(100).wait().unwrap();
            }
        });
        // Each run leaves some of it to the next one.
        let until = if run == 2 { 9000 } else { (run + 1) * 3000 - 700 };
        while (seen.len() as u64) < until {
            match events.next_wait().unwrap() {
                Delivery::Event { position, event: Tick(n) } => seen.push((position, n)),
                Delivery::Gap(gap) => {
                    let missing = events.replay_wait(&gap).unwrap();
                    seen.extend(missing.into_iter().map(|(position, Tick(n))| (position, n)));
                }
            }
        }
        cursor = Some(events.position());
        writer.join().unwrap();
        stop(&system);
    }
    let committed = (0..9000).map(|n| (Position::new(0, n / 3000 + 1, n % 3000), n));
    assert_eq!(seen, committed.collect::<Vec<_>>());
}

/// What the engine has moved out of its journal is old, and was acknowledged: damage there is told of.
#[test]
fn damage_in_what_is_old_is_told_of() {
    let path = directory("life-old");
    let mut log = FjallLog::open(&path).unwrap();
    let epoch = log.begin_epoch().unwrap();
    let tables = path.join("db/keyspaces");
    let data = |len_min: u64| -> Vec<PathBuf> {
        let mut files = Vec::new();
        let mut directories = vec![tables.clone()];
        while let Some(directory) = directories.pop() {
            for entry in std::fs::read_dir(directory).unwrap().map(Result::unwrap) {
                if entry.file_type().unwrap().is_dir() {
                    directories.push(entry.path());
                } else if entry.metadata().unwrap().len() >= len_min {
                    files.push(entry.path());
                }
            }
        }
        files
    };
    let record = |seq: u64| seq.to_le_bytes().repeat(500);
    let mut next = 0;
    while data(1 << 20).is_empty() {
        assert!(next < 1 << 17, "the engine keeps everything in its journal");
        let mut records = Records::default();
        (next..next + 256).for_each(|seq| records.push(&record(seq)));
        log.append(Position::new(0, epoch, next), &records).unwrap();
        next += 256;
        if next % 4096 == 0 {
            log.sync().unwrap();
        }
    }
    log.sync().unwrap();
    drop(log);
    let read = |path: &Path| -> Result<u64, LogError> {
        let mut log = FjallLog::open(path)?;
        let mut read = 0;
        log.read_from(Position::new(0, epoch, 0), usize::MAX, &mut |position, bytes| {
            assert_eq!((position.seq, bytes), (read, record(read).as_slice()), "wrong data");
            read += 1;
        })?;
        Ok(read)
    };
    assert_eq!(read(&path).unwrap(), next);
    let mut told = 0;
    let files = data(500);
    assert!(files.len() > 1, "{files:?}");
    for file in &files {
        let whole = std::fs::read(file).unwrap();
        for place in 1..4 {
            let mut damaged = whole.clone();
            damaged[whole.len() * place / 4] ^= 1;
            // Another one each time: the engine may mend some of what it finds.
            let work = directory("life-damaged");
            copy(&path, &work);
            std::fs::write(work.join(file.strip_prefix(&path).unwrap()), &damaged).unwrap();
            match read(&work) {
                // Some bytes of the engine's files do not matter.
                Ok(read) => assert_eq!(read, next, "what was acknowledged is missing"),
                Err(_) => told += 1,
            }
        }
    }
    assert!(told >= 2 * files.len(), "{told} of {} damages were told of", 3 * files.len());
    assert_eq!(read(&path).unwrap(), next);
}
