//! Events that are logged: durable subscriptions, catching up over restarts, failures, retention.

mod ticks;

use std::collections::HashMap;
use std::thread;
use std::time::{Duration, Instant};

use ticks::{Tick, start, stop};
use tpc_actors::Start;
use tpc_actors::bus::log::{EventLog, LogError, LogOptions, MemoryLog, Records};
use tpc_actors::bus::{EndReason, Position, ReplayError, Subscription};
use tpc_actors::prelude::*;

fn next_events(events: &mut Subscription<Tick>, count: usize) -> Vec<u64> {
    let next = || match events.next_wait() {
        Some(Delivery::Event { event: Tick(n), .. }) => n,
        other => panic!("{other:?}"),
    };
    std::iter::repeat_with(next).take(count).collect()
}

#[test]
fn durable_subscriptions_see_what_survives_a_crash() {
    let log = MemoryLog::new();
    let (system, source) = start(log.clone(), LogOptions::new(), 0);
    let mut durable = system.events::<Tick>().durable().subscribe();
    let mut even = system.events::<Tick>().durable().filter(|Tick(n)| n % 2 == 0).subscribe();
    source.burst(500).wait().unwrap();
    assert_eq!(next_events(&mut durable, 500), (0..500).collect::<Vec<_>>());
    // Whatever was seen is there after a crash at that moment.
    let mut found = 0;
    log.crash().read_from(Position::new(0, 1, 0), 1000, &mut |_, _| found += 1).unwrap();
    assert_eq!(found, 500);
    assert_eq!(next_events(&mut even, 250), (0..500).step_by(2).collect::<Vec<_>>());
    let status = system.log_status::<Tick>().unwrap();
    assert_eq!(status.durable.of(0), Some(Position::new(0, 1, 500)), "{status:?}");
    assert_eq!((status.appended, status.missing, status.failed), (status.durable.clone(), 0, None));
    stop(&system);
    assert_eq!((durable.next_wait(), even.next_wait()), (None, None));
}

#[test]
fn the_end_of_a_system_waits_for_its_log() {
    let log = MemoryLog::new();
    let (system, source) = start(log.clone(), LogOptions::new(), 0);
    let mut durable = system.events::<Tick>().capacity(100_000).durable().subscribe();
    source.burst(50_000).wait().unwrap();
    stop(&system);
    assert_eq!(next_events(&mut durable, 50_000).len(), 50_000);
    assert_eq!(durable.next_wait(), None);
    assert_eq!(log.crash().bounds(0).unwrap().unwrap().events, 50_000);
}

#[test]
fn a_failed_sync_is_the_end_of_all_acknowledgement() {
    let log = MemoryLog::new();
    log.fail_sync_after(2);
    let (system, source) = start(log.clone(), LogOptions::new(), 0);
    let mut durable = system.events::<Tick>().durable().subscribe();
    let mut live = system.events::<Tick>().subscribe();
    for _ in 0..2 {
        source.burst(10).wait().unwrap();
        next_events(&mut durable, 10);
    }
    source.burst(10).wait().unwrap();
    assert_eq!(durable.next_wait(), None, "it ends");
    assert!(matches!(durable.end_reason(), Some(EndReason::LogFailed(_))));
    source.burst(10).wait().unwrap();
    assert_eq!(next_events(&mut live, 40).len(), 40, "who does not ask for the log goes on");
    let mut late = system.events::<Tick>().durable().from(Start::Oldest).subscribe();
    let seen: Vec<_> = std::iter::from_fn(|| late.next_wait()).collect();
    assert!(seen.len() <= 20, "nothing that is not durable: {}", seen.len());
    stop(&system);
    let status = system.log_status::<Tick>().unwrap();
    assert_eq!(status.durable.of(0), Some(Position::new(0, 1, 20)), "{status:?}");
    assert!(status.failed.is_some());
    assert_eq!(log.crash().bounds(0).unwrap().unwrap().events, 20);
}

/// Runs of a system over one log, with a reader that goes on where it was: before, replayed and live are
/// together what was committed, in order, each once.
#[test]
fn a_reader_catches_up_over_restarts() {
    let log = MemoryLog::new();
    let mut cursor = None;
    let mut seen = Vec::new();
    for run in 0..5 {
        // What comes before anybody listens, more than is retained.
        let (system, source) = start(log.clone(), LogOptions::new(), run * 3000);
        let _keep = system.events::<Tick>().retain(500).filter(|_| false).subscribe();
        source.burst(2000).wait().unwrap();
        let start = cursor.take().map_or(Start::Oldest, Start::At);
        let mut events = system.events::<Tick>().capacity(64).from(start).subscribe();
        let writer = thread::spawn(move || {
            for _ in 0..10 {
                source.burst(100).wait().unwrap();
            }
        });
        // Each run leaves some of it to the next one.
        let until = if run == 4 { 15_000 } else { (run + 1) * 3000 - 700 };
        while (seen.len() as u64) < until {
            match events.next_wait().unwrap() {
                Delivery::Event { position, event: Tick(n) } => {
                    assert_eq!(position.epoch, n / 3000 + 1);
                    seen.push(n);
                }
                Delivery::Gap(gap) => {
                    let missing = events.replay_wait(&gap).unwrap();
                    seen.extend(missing.into_iter().map(|(_, Tick(n))| n));
                }
            }
        }
        cursor = Some(events.position());
        writer.join().unwrap();
        stop(&system);
    }
    assert_eq!(seen, (0..15_000).collect::<Vec<_>>());
}

#[test]
fn a_durable_reader_catches_up_too() {
    let log = MemoryLog::new();
    let (system, source) = start(log.clone(), LogOptions::new(), 0);
    source.burst(3000).wait().unwrap();
    stop(&system);
    let (system, source) = start(log, LogOptions::new(), 3000);
    source.burst(1000).wait().unwrap();
    let mut events = system.events::<Tick>().durable().from(Start::Oldest).subscribe();
    let mut late = system.events::<Tick>().durable().from(Position::new(0, 1, 2500)).subscribe();
    assert_eq!(next_events(&mut events, 4000), (0..4000).collect::<Vec<_>>());
    source.burst(500).wait().unwrap();
    assert_eq!(next_events(&mut events, 500), (4000..4500).collect::<Vec<_>>());
    assert_eq!(next_events(&mut late, 2000), (2500..4500).collect::<Vec<_>>());
    assert_eq!(late.position().of(0), Some(Position::new(0, 2, 1500)));
    stop(&system);
}

#[test]
fn gaps_are_filled_from_the_log() {
    let (system, source) = start(MemoryLog::new(), LogOptions::new(), 0);
    let mut slow = system.events::<Tick>().capacity(8).filter(|Tick(n)| n % 2 == 0).subscribe();
    source.burst(5000).wait().unwrap();
    next_events(&mut slow, 8);
    let Some(Delivery::Gap(gap)) = slow.next_wait() else { panic!("no gap") };
    let missing = slow.replay_wait(&gap).unwrap();
    let missing: Vec<_> = missing.into_iter().map(|(_, Tick(n))| n).collect();
    assert_eq!(missing, (16..5000).step_by(2).collect::<Vec<_>>());
    stop(&system);
}

/// The newest events are retained and may not be in the log yet, older ones are in the log alone, and the oldest nowhere.
#[test]
fn a_gap_is_filled_from_the_retained_events_and_the_log_together() {
    for (retain, at_once, logged) in
        [(1, 1000, 1000), (64, 50, 400), (300, 1000, 1000), (2000, 1000, 400)]
    {
        let options = LogOptions::new().keep_events(logged).commit_interval(Duration::ZERO);
        let (system, source) = start(MemoryLog::new(), options, 0);
        let third = system.events::<Tick>().capacity(8).retain(retain);
        let mut third = third.filter(|Tick(n)| n % 3 == 0).subscribe();
        let mut durable = system.events::<Tick>().capacity(10_000).durable().subscribe();
        for burst in 0..1000 / at_once {
            source.burst(at_once).wait().unwrap();
            if burst % 2 == 0 {
                // Some groups are in the log before the next events come, which it takes together.
                let behind =
                    (burst + 1) * at_once - durable.position().of(0).map_or(0, |at| at.seq);
                next_events(&mut durable, usize::try_from(behind).unwrap());
            }
        }
        next_events(&mut third, 8);
        let Some(Delivery::Gap(gap)) = third.next_wait() else { panic!("no gap") };
        let wanted: Vec<_> = (24..gap.to().seq).step_by(3).collect();
        assert_eq!((gap.from().seq, gap.len()), (22, wanted.len() as u64));
        let (gone, found) = match third.replay_wait(&gap) {
            Ok(found) => (0, found),
            Err(ReplayError::Gone { gone, found }) => (gone, found),
            Err(error) => panic!("{error}"),
        };
        assert!(found.iter().all(|(position, Tick(n))| position.seq == *n));
        let found: Vec<_> = found.into_iter().map(|(_, Tick(n))| n).collect();
        assert_eq!(found, wanted[usize::try_from(gone).unwrap()..], "the oldest are gone");
        assert_eq!(gone > 0, retain < 1000 && logged < 1000, "{gone} of {}", gap.len());
        stop(&system);
    }
}

#[test]
fn the_log_forgets_what_it_is_told_to() {
    let log = MemoryLog::new();
    let (system, source) = start(log.clone(), LogOptions::new().keep_events(100), 0);
    let mut durable = system.events::<Tick>().capacity(10_000).durable().subscribe();
    for _ in 0..200 {
        source.burst(5).wait().unwrap();
        next_events(&mut durable, 5);
    }
    stop(&system);
    let bounds = log.crash().bounds(0).unwrap().unwrap();
    assert!(bounds.events <= 105, "{bounds:?}");
    assert_eq!(bounds.next.seq, 1000);
    let often = Duration::from_millis(1);
    let aged = LogOptions::new().keep_for(often).keep_bytes(10_000).commit_interval(often);
    let (system, source) = start(log.clone(), aged, 0);
    thread::sleep(Duration::from_millis(20));
    for _ in 0..50 {
        source.burst(1).wait().unwrap();
        thread::sleep(Duration::from_millis(1));
    }
    stop(&system);
    let bounds = log.crash().bounds(0).unwrap().unwrap();
    assert_eq!((bounds.next.epoch, bounds.first.epoch), (2, 2), "{bounds:?}");
}

/// The newest stay, as many as have room in so many bytes.
#[test]
fn the_log_keeps_as_many_bytes_as_it_is_told_to() {
    let log = MemoryLog::new();
    let (system, source) = start(log.clone(), LogOptions::new().keep_bytes(400), 0);
    let mut durable = system.events::<Tick>().capacity(10_000).durable().subscribe();
    for _ in 0..100 {
        source.burst(5).wait().unwrap();
        next_events(&mut durable, 5);
    }
    stop(&system);
    let bounds = log.crash().bounds(0).unwrap().unwrap();
    assert!((1..=400).contains(&bounds.bytes), "{bounds:?}");
    assert_eq!(bounds.next.seq, 500);
}

/// Positions of events that were lost with a crash are not given to others.
#[test]
fn numbers_are_not_reused() {
    let log = MemoryLog::new();
    let mut seen = HashMap::new();
    let mut now = log;
    for run in 0..4 {
        now.fail_sync_after(1);
        let (system, source) = start(now.clone(), LogOptions::new(), run * 1000);
        let mut live = system.events::<Tick>().subscribe();
        for _ in 0..3 {
            source.burst(10).wait().unwrap();
            for _ in 0..10 {
                let Some(Delivery::Event { position, event }) = live.next_wait() else {
                    panic!("nothing is lost")
                };
                assert_eq!(seen.insert(position, event.0), None, "{position} twice");
            }
        }
        stop(&system);
        now = now.crash();
    }
    assert_eq!(seen.len(), 120);
}

/// An event that cannot be read back is damage, and is said to be.
#[test]
fn damage_is_reported() {
    let mut log = MemoryLog::new();
    let epoch = log.begin_epoch().unwrap();
    let mut records = Records::default();
    records.push(b"not eight bytes");
    log.append(Position::new(0, epoch, 0), &records).unwrap();
    log.sync().unwrap();
    let (system, source) = start(log, LogOptions::new(), 0);
    let mut slow = system.events::<Tick>().capacity(1).subscribe();
    source.burst(3).wait().unwrap();
    next_events(&mut slow, 1);
    let Some(Delivery::Gap(gap)) = slow.next_wait() else { panic!("no gap") };
    assert_eq!(slow.replay_wait(&gap).unwrap().len(), 2);
    let mut durable = system.events::<Tick>().durable().from(Start::Oldest).subscribe();
    assert_eq!(durable.next_wait(), None, "it cannot go on behind the damage");
    assert!(matches!(durable.log_error(), Some(LogError::Damaged(_))));
    let mut live = system.events::<Tick>().from(Start::Oldest).subscribe();
    assert_eq!((live.next_wait(), live.log_error().is_some()), (None, true));
    let mut behind = system.events::<Tick>().from(Position::new(0, epoch + 1, 0)).subscribe();
    assert_eq!(next_events(&mut behind, 3), [0, 1, 2], "the rest can be read");
    stop(&system);
}

#[test]
fn a_quiet_log_costs_nothing() {
    let (system, source) = start(MemoryLog::new(), LogOptions::new(), 0);
    let mut durable = system.events::<Tick>().durable().subscribe();
    source.burst(1).wait().unwrap();
    next_events(&mut durable, 1);
    let syncs = system.log_status::<Tick>().unwrap().syncs;
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_millis(50) {
        thread::sleep(Duration::from_millis(10));
    }
    assert_eq!(system.log_status::<Tick>().unwrap().syncs, syncs);
    stop(&system);
}

/// Waits until the log has made so many events of core 0 durable.
fn wait_durable(system: &System, count: u64) {
    let end = || system.log_status::<Tick>().unwrap().durable.of(0).map_or(0, |end| end.seq);
    while end() < count {
        thread::yield_now();
    }
}

#[test]
fn events_come_together_until_a_feed_is_half_full() {
    let hour = Duration::from_hours(1);
    let options = LogOptions::new().commit_interval(hour).feed_capacity(64);
    let (system, source) = start(MemoryLog::new(), options, 0);
    // After silence, an event waits for nobody.
    source.burst(1).wait().unwrap();
    wait_durable(&system, 1);
    let syncs = || system.log_status::<Tick>().unwrap().syncs;
    assert_eq!(syncs(), 1);
    // The next ones wait for more of them.
    for _ in 0..8 {
        source.burst(1).wait().unwrap();
    }
    thread::sleep(Duration::from_millis(20));
    assert_eq!(syncs(), 1);
    source.burst(40).wait().unwrap();
    wait_durable(&system, 49);
    // And the end of the system waits for all.
    source.burst(3).wait().unwrap();
    stop(&system);
    assert_eq!(system.log_status::<Tick>().unwrap().missing, 0);
    assert_eq!(system.log_status::<Tick>().unwrap().durable.of(0), Some(Position::new(0, 1, 52)));
}

#[test]
fn without_an_interval_groups_follow_each_other() {
    let options = LogOptions::new().commit_interval(Duration::ZERO);
    let (system, source) = start(MemoryLog::new(), options, 0);
    for n in 1..100 {
        source.burst(1).wait().unwrap();
        wait_durable(&system, n);
    }
    stop(&system);
}
