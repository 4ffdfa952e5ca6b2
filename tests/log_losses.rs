//! What an event log does not get, and who is told of it.

mod hindered;
mod ticks;
mod until;

use std::thread;
use std::time::Duration;

use hindered::{Hindered, Step, held};
use ticks::{Source, Tick, UNLUCKY, start, stop};
use tpc_actors::bus::log::{EventLog, LogOptions, MemoryLog};
use tpc_actors::bus::{EndReason, Position, Subscription};
use tpc_actors::prelude::*;
use until::until;

/// What a subscription has delivered until it ended.
fn all(events: &mut Subscription<Tick>) -> Vec<String> {
    let shown = |delivery| match delivery {
        Delivery::Event { position, .. } => position.seq.to_string(),
        Delivery::Gap(gap) => format!("{}-{}: {}", gap.from().seq, gap.to().seq, gap.len()),
    };
    std::iter::from_fn(|| events.next_wait()).map(shown).collect()
}

/// A log that is slower than its core, with a feed that does not hold what comes meanwhile.
#[test]
fn what_the_log_never_got_is_counted() {
    const TOTAL: u64 = 30_000;
    let log = MemoryLog::new();
    let options = LogOptions::new().feed_capacity(100);
    let slow = Hindered(log.clone(), |step| {
        if step == Step::Sync {
            thread::sleep(Duration::from_millis(2));
        }
    });
    let (system, source) = start(slow, options, 0);
    let durable = || system.events::<Tick>().capacity(100_000).durable();
    let mut all = durable().subscribe();
    let mut third = durable().filter(|Tick(n)| n % 3 == 0).subscribe();
    for _ in 0..TOTAL / 100 {
        source.burst(100).wait().unwrap();
    }
    stop(&system);
    let count = |events: &mut Subscription<Tick>| {
        let (mut delivered, mut missing) = (0, 0);
        while let Some(delivery) = events.next_wait() {
            match delivery {
                Delivery::Event { position, event } => {
                    assert_eq!(position.seq, event.0);
                    delivered += 1;
                }
                Delivery::Gap(gap) => missing += gap.len(),
            }
        }
        (delivered, missing)
    };
    let (delivered, missing) = count(&mut all);
    let status = system.log_status::<Tick>().unwrap();
    assert!(missing > 0, "the log was quick enough: {status:?}");
    assert_eq!((delivered + missing, missing), (TOTAL, status.missing));
    assert_eq!(log.crash().bounds(0).unwrap().unwrap().events, delivered);
    let lane = all.lanes().into_iter().find(|lane| lane.core == 0).unwrap();
    assert_eq!((lane.wanted, lane.unlogged, lane.dropped_newest), (TOTAL, missing, 0));
    assert!(lane.high_water < 100_000, "{lane:?}");
    let (third_delivered, third_missing) = count(&mut third);
    assert_eq!(third_delivered + third_missing, TOTAL / 3);
    drop((all, third));
    let source = system.event_sources::<Tick>()[0];
    assert_eq!((source.published, source.wanted), (TOTAL, TOTAL + TOTAL / 3), "{source}");
    assert_eq!(source.unlogged, missing + third_missing, "{source}");
    assert_eq!(source.delivered, delivered + third_delivered, "{source}");
}

#[test]
fn what_cannot_be_written_is_missing_for_who_waits_for_the_log() {
    let log = MemoryLog::new();
    let (system, source) = start(log.clone(), LogOptions::new(), UNLUCKY - 2);
    let mut durable = system.events::<Tick>().durable().subscribe();
    let mut even = system.events::<Tick>().durable().filter(|Tick(n)| n % 2 == 0).subscribe();
    source.burst(5).wait().unwrap();
    stop(&system);
    assert_eq!(all(&mut durable), ["0", "1", "2-3: 1", "3", "4"]);
    assert_eq!(durable.lagged(), 1);
    assert_eq!(all(&mut even), ["1", "3"], "who did not want it misses nothing");
    assert_eq!(system.log_status::<Tick>().unwrap().missing, 1);
    assert_eq!(log.crash().bounds(0).unwrap().unwrap().events, 4);
}

#[test]
fn what_did_not_get_to_the_log_is_told_of_where_it_stood() {
    let (hindered, begun, let_go) = held();
    let (system, source) = start(hindered, LogOptions::new().feed_capacity(4), 0);
    let durable = || system.events::<Tick>().retain(100).durable();
    let mut every = durable().subscribe();
    let mut even = durable().filter(|Tick(n)| n % 2 == 0).subscribe();
    let mut replays = durable().subscribe();
    // While 0 is made durable, 1 to 4 find room, and 5 to 8 do not.
    source.burst(1).wait().unwrap();
    begun.recv().unwrap();
    source.burst(8).wait().unwrap();
    let_go.send(()).unwrap();
    // They are told of although nothing comes behind them.
    begun.recv().unwrap();
    let_go.send(()).unwrap();
    let gap = loop {
        if let Some(Delivery::Gap(gap)) = replays.next_wait() {
            break gap;
        }
    };
    let replayed = replays.replay_wait(&gap).unwrap();
    assert!(replayed.into_iter().map(|(position, _)| position.seq).eq(5..9));
    // What comes later is not mistaken for it.
    source.burst(2).wait().unwrap();
    drop((let_go, begun.recv()));
    stop(&system);
    let expected = ["0", "1", "2", "3", "4", "5-9: 4", "9", "10"];
    assert_eq!(all(&mut every), expected);
    // As far as the next event that is wanted.
    assert_eq!(all(&mut even), ["0", "2", "4", "5-10: 2", "10"]);
}

/// Where nothing durable follows, what comes later cannot tell of what is missing.
#[test]
fn who_catches_up_is_told_of_the_last_one_that_cannot_be_written() {
    let (system, source) = start(MemoryLog::new(), LogOptions::new(), UNLUCKY - 1);
    let mut live = system.events::<Tick>().subscribe();
    source.burst(2).wait().unwrap();
    assert_eq!([live.next_wait(), live.next_wait()].into_iter().flatten().count(), 2);
    let written = || system.log_status::<Tick>().unwrap();
    while written().missing == 0 || written().durable.of(0).is_none_or(|end| end.seq < 1) {
        thread::sleep(Duration::from_millis(1));
    }
    let durable = || system.events::<Tick>().durable();
    let mut all_of_it =
        durable().from(Position::new(0, written().durable.of(0).unwrap().epoch, 0)).subscribe();
    assert!(matches!(all_of_it.next_wait(), Some(Delivery::Event { .. })));
    let Some(Delivery::Gap(gap)) = all_of_it.next_wait() else { panic!("no gap") };
    assert_eq!((gap.from().seq, gap.to().seq, gap.len()), (1, 2, 1));
    source.burst(4).wait().unwrap();
    stop(&system);
    assert_eq!(all(&mut all_of_it), ["2", "3", "4", "5"]);
}

#[test]
fn a_log_that_fails_ends_also_who_its_source_has_yet_to_learn_of() {
    let log = MemoryLog::new();
    log.fail_sync_after(0);
    let system = System::builder().cores(2).start().unwrap();
    system.log_events::<Tick>(log, LogOptions::new()).unwrap();
    let [source, _quiet] = [0, 0].map(|next| system.spawn::<Source>(next).wait().unwrap());
    let durable = system.events::<Tick>().durable().cores([1]).subscribe();
    // Long enough for the log's thread to know of it.
    thread::sleep(Duration::from_millis(20));
    source.burst(1).wait().unwrap();
    until("the end", || durable.end_reason().is_some());
    assert!(matches!(durable.end_reason(), Some(EndReason::LogFailed(_))), "{durable:?}");
    system.shutdown_wait(Duration::from_secs(10));
}

/// What was lost before the source knew of a subscription is as lost as the rest, to who begins before that.
#[test]
fn who_comes_while_events_are_lost_is_told_of_all_of_them() {
    let (hindered, begun, let_go) = held();
    let options = LogOptions::new().feed_capacity(4).commit_interval(Duration::ZERO);
    let (system, source) = start(hindered, options, 0);
    let durable = || system.events::<Tick>().durable();
    source.burst(1).wait().unwrap();
    begun.recv().unwrap();
    // 1 to 4 are on their way, and 5 to 9 are lost.
    source.burst(9).wait().unwrap();
    let mut latest = durable().subscribe();
    let mut from_there = durable().from(Position::new(0, 1, 2)).subscribe();
    let mut even = durable().from(Position::new(0, 1, 2)).filter(|Tick(n)| n % 2 == 0).subscribe();
    assert_eq!((from_there.try_next(), even.try_next()), (None, None));
    // 10 to 12 as well, with subscriptions that the source knows.
    source.burst(3).wait().unwrap();
    drop(let_go);
    let first = from_there.next_wait();
    assert!(matches!(first, Some(Delivery::Event { position, .. }) if position.seq == 2));
    let first = even.next_wait();
    assert!(matches!(first, Some(Delivery::Event { position, .. }) if position.seq == 2));
    while system.log_status::<Tick>().unwrap().durable.of(0).is_none_or(|end| end.seq < 5) {
        thread::sleep(Duration::from_millis(1));
    }
    source.burst(1).wait().unwrap();
    stop(&system);
    assert_eq!(all(&mut latest), ["10-13: 3", "13"]);
    assert_eq!(all(&mut from_there), ["3", "4", "5-13: 8", "13"]);
    // Only those since then can be told apart.
    assert_eq!(all(&mut even), ["4", "5-13: 7"]);
}

#[test]
fn an_old_loss_is_nothing_to_who_comes_later() {
    let (hindered, begun, let_go) = held();
    let options = LogOptions::new().feed_capacity(4).commit_interval(Duration::ZERO);
    let (system, source) = start(hindered, options, 0);
    source.burst(1).wait().unwrap();
    begun.recv().unwrap();
    // 1 to 4 are on their way, and 5 to 9 are lost.
    source.burst(9).wait().unwrap();
    drop(let_go);
    while system.log_status::<Tick>().unwrap().durable.of(0).is_none_or(|end| end.seq < 5) {
        thread::sleep(Duration::from_millis(1));
    }
    let mut latest = system.events::<Tick>().durable().subscribe();
    let mut none = system.events::<Tick>().durable().filter(|_| false).subscribe();
    source.burst(2).wait().unwrap();
    stop(&system);
    assert_eq!(all(&mut latest), ["10", "11"]);
    assert_eq!(all(&mut none), [""; 0]);
}

/// A filter is foreign, and who held it last may be the log's thread.
#[test]
fn a_filter_whose_drop_panics_does_not_end_the_log() {
    struct Bomb;
    impl Drop for Bomb {
        fn drop(&mut self) {
            assert!(thread::panicking(), "on demand");
        }
    }
    let (hindered, begun, let_go) = held();
    let (system, source) = start(hindered, LogOptions::new(), 0);
    source.burst(1).wait().unwrap();
    begun.recv().unwrap();
    let bomb = Bomb;
    let armed = move |_: &Tick| {
        let _ = &bomb;
        true
    };
    let from_there = || system.events::<Tick>().durable().from(Position::new(0, 1, 0));
    let mut leaves = from_there().filter(armed).subscribe();
    assert_eq!(leaves.try_next(), None);
    drop(leaves);
    let mut stays = from_there().subscribe();
    drop(let_go);
    assert!(matches!(stays.next_wait(), Some(Delivery::Event { .. })));
    source.burst(5).wait().unwrap();
    stop(&system);
    assert_eq!(all(&mut stays), ["1", "2", "3", "4", "5"]);
    assert_eq!(system.log_status::<Tick>().unwrap().failed, None);
}

/// Of what was lost before a subscription nobody has asked its filter; what that does not want is not gone.
#[test]
fn what_the_filter_does_not_want_is_not_gone() {
    let options = LogOptions::new().feed_capacity(16);
    let (system, source) = start(MemoryLog::new(), options, 0);
    let _keep = system.events::<Tick>().retain(10_000).subscribe();
    source.burst(1000).wait().unwrap();
    let tenth = system.events::<Tick>().durable().from(tpc_actors::Start::Oldest);
    let mut tenth = tenth.filter(|Tick(n)| n % 10 == 0).subscribe();
    let mut seen = Vec::new();
    while seen.last() != Some(&1000) {
        match tenth.next_wait().unwrap() {
            Delivery::Event { event: Tick(n), .. } => seen.push(n),
            Delivery::Gap(gap) => {
                let missing = tenth.replay_wait(&gap).unwrap();
                seen.extend(missing.into_iter().map(|(_, Tick(n))| n));
            }
        }
        if seen.len() == 100 {
            source.burst(1).wait().unwrap();
        }
    }
    assert_eq!(seen, (0..=1000).step_by(10).collect::<Vec<_>>());
    stop(&system);
}

/// Those that have caught up are the log's subscribers like others, until it ends.
#[test]
fn subscribers_of_the_log_are_counted_while_it_serves_them() {
    let (system, source) = start(MemoryLog::new(), LogOptions::new(), 0);
    source.burst(10).wait().unwrap();
    let durable = || system.events::<Tick>().durable();
    let mut caught_up = durable().from(tpc_actors::Start::Oldest).subscribe();
    let mut fresh = durable().subscribe();
    let take = |count: usize, events: &mut Subscription<Tick>| {
        for _ in 0..count {
            assert!(matches!(events.next_wait(), Some(Delivery::Event { .. })));
        }
    };
    take(10, &mut caught_up);
    source.burst(10).wait().unwrap();
    take(10, &mut caught_up);
    while !matches!(fresh.next_wait(), Some(Delivery::Event { event: Tick(19), .. })) {}
    let figures = || {
        let source = system.event_sources::<Tick>()[0];
        (source.subscribers, source.left)
    };
    assert_eq!(figures(), (2, 0));
    drop(fresh);
    source.burst(1).wait().unwrap();
    take(1, &mut caught_up);
    assert_eq!(figures(), (1, 1));
    stop(&system);
    assert_eq!(figures(), (0, 2));
}
