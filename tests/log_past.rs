//! Catching up with an event log: where that begins, where it has come to, and why it ends.

mod hindered;
mod ticks;

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Waker};
use std::thread;
use std::time::Duration;

use hindered::{Hindered, Step, held};
use ticks::{Tick, start, stop};
use tpc_actors::bus::log::{EventLog, LogError, LogOptions, MemoryLog, Records};
use tpc_actors::bus::{EndReason, Position, ReplayError, Start, Subscription};
use tpc_actors::prelude::*;

/// What comes until the end, as `epoch:seq`, and gaps.
fn all(events: &mut Subscription<Tick>) -> Vec<String> {
    let shown = |delivery| match delivery {
        Delivery::Event { position, .. } => format!("{}:{}", position.epoch, position.seq),
        Delivery::Gap(gap) => format!("{}:{}-{}", gap.from().epoch, gap.from().seq, gap.to().seq),
    };
    std::iter::from_fn(|| events.next_wait()).map(shown).collect()
}

/// Appends the ticks from `first` on, and makes them durable.
fn write(log: &mut MemoryLog, first: Position, ticks: std::ops::Range<u64>) {
    let mut records = Records::default();
    ticks.for_each(|n| records.push(&n.to_le_bytes()));
    log.append(first, &records).unwrap();
    log.sync().unwrap();
}

/// A log with epochs of these lengths.
fn written(epochs: &[u64]) -> MemoryLog {
    let mut log = MemoryLog::new();
    for &count in epochs {
        let epoch = log.begin_epoch().unwrap();
        write(&mut log, Position::new(0, epoch, 0), 0..count);
    }
    log
}

#[test]
fn who_is_cut_off_by_the_end_is_told_and_goes_on_there() {
    let log = written(&[5000]);
    let mut seen = 0;
    let mut begin = Start::Oldest;
    for durable in [true, false, true, false] {
        let (system, source) = start(log.crash(), LogOptions::new(), 0);
        source.burst(10).wait().unwrap();
        let events = system.events::<Tick>().from(begin);
        let mut events = if durable { events.durable() } else { events }.subscribe();
        for _ in 0..10 {
            assert!(matches!(events.next_wait(), Some(Delivery::Event { .. })));
        }
        stop(&system);
        let shown = all(&mut events);
        assert!(shown.iter().all(|at| at.starts_with("1:") && !at.contains('-')), "{shown:?}");
        seen += 10 + shown.len() as u64;
        assert_eq!(events.end_reason(), Some(&EndReason::LogClosed));
        assert_eq!(events.position().of(0), Some(Position::new(0, 1, seen)));
        begin = Start::At(events.position());
    }
    let (system, _source) = start(log, LogOptions::new(), 0);
    let mut events = system.events::<Tick>().durable().from(begin).subscribe();
    for seq in seen..5000 {
        let next = events.next_wait();
        assert!(matches!(next, Some(Delivery::Event { position, .. }) if position.seq == seq));
    }
    assert_eq!(events.try_next(), None);
    stop(&system);
    assert_eq!((all(&mut events).len(), events.end_reason()), (0, None));
}

#[test]
fn what_comes_before_a_damaged_event_is_delivered_and_what_comes_after_can_be_had() {
    let mut log = written(&[50]);
    let mut records = Records::default();
    records.push(b"not eight bytes");
    log.append(Position::new(0, 1, 50), &records).unwrap();
    write(&mut log, Position::new(0, 1, 51), 51..100);
    let (system, _source) = start(log, LogOptions::new(), 0);
    let durable = || system.events::<Tick>().durable();
    let mut events = durable().from(Start::Oldest).subscribe();
    assert_eq!(all(&mut events).len(), 50);
    assert!(matches!(events.end_reason(), Some(EndReason::LogUnreadable(_))), "{events:?}");
    assert!(matches!(events.log_error(), Some(LogError::Damaged(_))));
    let damaged = events.position().of(0).unwrap();
    assert_eq!(damaged, Position::new(0, 1, 50));
    let mut rest = durable().from(damaged.next()).subscribe();
    for seq in 51..100 {
        let next = rest.next_wait();
        assert!(matches!(next, Some(Delivery::Event { position, .. }) if position.seq == seq));
    }
    stop(&system);
}

#[test]
fn what_an_epoch_has_lost_at_its_beginning_is_a_gap() {
    for durable in [true, false] {
        let mut log = written(&[10, 0]);
        write(&mut log, Position::new(0, 2, 3), 3..5);
        let (system, _source) = start(log, LogOptions::new(), 0);
        let events = system.events::<Tick>().from(Position::new(0, 1, 8));
        let mut from_there = if durable { events.durable() } else { events }.subscribe();
        let events = system.events::<Tick>().from(Start::Oldest);
        let mut oldest = if durable { events.durable() } else { events }.subscribe();
        let mut shown = Vec::new();
        for _ in 0..5 {
            shown.extend(from_there.next_wait());
        }
        assert!(
            matches!(shown[2], Delivery::Gap(gap) if (gap.from(), gap.len()) == (Position::new(0, 2, 0), 3)),
            "{shown:?}"
        );
        let lane = from_there.lanes()[0];
        assert_eq!((lane.wanted, lane.delivered, lane.gone), (7, 4, 3), "{lane:?}");
        // From the first event on, what is missing is missed.
        for _ in 0..13 {
            oldest.next_wait();
        }
        assert_eq!(oldest.lagged(), 3);
        stop(&system);
    }
    // Before it, one may begin later.
    let mut log = written(&[0, 0]);
    write(&mut log, Position::new(0, 2, 3), 3..5);
    let (system, _source) = start(log, LogOptions::new(), 0);
    let mut oldest = system.events::<Tick>().durable().from(Start::Oldest).subscribe();
    assert!(
        matches!(oldest.next_wait(), Some(Delivery::Event { position, .. }) if position.seq == 3)
    );
    stop(&system);
}

#[test]
fn a_filter_that_panics_in_the_past_ends_its_subscription() {
    fn unlucky(Tick(n): &Tick) -> bool {
        assert_ne!(*n, 5, "unlucky");
        true
    }
    let (system, source) = start(written(&[10]), LogOptions::new(), 0);
    let _retains = system.events::<Tick>().retain(100).subscribe();
    source.burst(10).wait().unwrap();
    let events = || system.events::<Tick>().filter(unlucky);
    for (epoch, mut events) in [
        (1, events().durable().from(Start::Oldest).subscribe()),
        (1, events().from(Start::Oldest).subscribe()),
        (2, events().from(Position::new(0, 2, 0)).subscribe()),
    ] {
        let expected: Vec<_> = (0..5).map(|seq| format!("{epoch}:{seq}")).collect();
        assert_eq!(all(&mut events), expected);
        assert_eq!(events.end_reason(), Some(&EndReason::FilterPanicked));
    }
    stop(&system);
}

#[test]
fn a_position_that_is_not_durable_yet_is_waited_for_and_one_that_is_not_there_is_not() {
    let (held, begun, let_go) = held();
    let (system, source) = start(held, LogOptions::new(), 0);
    let events = || system.events::<Tick>().durable();
    let mut from_the_first = events().subscribe();
    source.burst(6).wait().unwrap();
    begun.recv().unwrap();
    let mut rest = events().from(Position::new(0, 1, 4)).subscribe();
    let mut ahead = events().from(Position::new(0, 1, 1000)).subscribe();
    assert_eq!((rest.try_next(), ahead.try_next()), (None, None));
    drop(let_go);
    let no_such = EndReason::NoSuchPosition {
        position: Position::new(0, 1, 1000),
        next: Position::new(0, 1, 6),
    };
    assert_eq!((ahead.next_wait(), ahead.end_reason()), (None, Some(&no_such)));
    let first = rest.next_wait();
    assert!(matches!(first, Some(Delivery::Event { position, .. }) if position.seq == 4));
    source.burst(2).wait().unwrap();
    stop(&system);
    assert_eq!(all(&mut from_the_first).len(), 8);
    assert_eq!(all(&mut rest), ["1:5", "1:6", "1:7"]);
}

#[test]
fn a_log_that_was_closed_does_not_call_its_events_gone() {
    let (system, source) = start(MemoryLog::new(), LogOptions::new(), 0);
    let mut events = system.events::<Tick>().capacity(1).subscribe();
    source.burst(5).wait().unwrap();
    assert!(matches!(events.next_wait(), Some(Delivery::Event { .. })));
    let Some(Delivery::Gap(gap)) = events.next_wait() else { panic!("no gap") };
    assert_eq!(events.replay_wait(&gap).unwrap().len(), 4);
    stop(&system);
    let error = events.replay_wait(&gap).unwrap_err();
    assert!(matches!(error, ReplayError::Log(LogError::Closed)), "{error}");
}

#[test]
fn a_log_that_was_opened_again_says_where_its_events_end() {
    let end = |system: &System| system.log_status::<Tick>().unwrap().durable.of(0);
    let (system, source) = start(written(&[7]), LogOptions::new(), 0);
    assert_eq!(end(&system), Some(Position::new(0, 1, 7)));
    let mut durable = system.events::<Tick>().durable().subscribe();
    source.burst(2).wait().unwrap();
    assert!(durable.next_wait().is_some() && durable.next_wait().is_some());
    assert_eq!(end(&system), Some(Position::new(0, 2, 2)));
    stop(&system);
}

/// Of a log that is never idle, what lies before what is looked for is there all the same.
#[test]
fn a_source_that_goes_on_publishing_does_not_keep_anybody_from_its_past() {
    let slow = Hindered(MemoryLog::new(), |step| {
        if step == Step::Sync {
            thread::sleep(Duration::from_millis(5));
        }
    });
    let (system, source) = start(slow, LogOptions::new(), 0);
    let mut tight = system.events::<Tick>().capacity(4).subscribe();
    source.burst(2000).wait().unwrap();
    for _ in 0..4 {
        assert!(matches!(tight.next_wait(), Some(Delivery::Event { .. })));
    }
    let Some(Delivery::Gap(gap)) = tight.next_wait() else { panic!("no gap") };
    let stop_it = Arc::new(AtomicBool::new(false));
    let publisher = {
        let stop_it = Arc::clone(&stop_it);
        thread::spawn(move || {
            while !stop_it.load(Ordering::Relaxed) {
                source.burst(1).wait().unwrap();
                thread::sleep(Duration::from_micros(100));
            }
        })
    };
    // The publisher ends only then.
    let mut all = system.events::<Tick>().capacity(100_000).from(Start::Oldest).subscribe();
    for seq in 0..2000 {
        let next = all.next_wait();
        assert!(matches!(next, Some(Delivery::Event { position, .. }) if position.seq == seq));
    }
    assert_eq!(tight.replay_wait(&gap).unwrap().len() as u64, gap.len());
    stop_it.store(true, Ordering::Relaxed);
    publisher.join().unwrap();
    stop(&system);
}

#[test]
fn who_has_not_begun_goes_on_at_the_oldest() {
    let (system, source) = start(written(&[5]), LogOptions::new(), 0);
    let never_polled = system.events::<Tick>().from(Start::Oldest).subscribe();
    let at = never_polled.position();
    assert_eq!(at.of(0), None);
    drop(never_polled);
    source.burst(1).wait().unwrap();
    let mut events = system.events::<Tick>().from(at).subscribe();
    let first = events.next_wait();
    assert!(
        matches!(first, Some(Delivery::Event { position, .. }) if position == Position::new(0, 1, 0))
    );
    stop(&system);
}

/// What a core has not shown to its log yet is not missing there: it is asked between two commands.
#[test]
fn events_that_are_not_shown_yet_are_waited_for() {
    #[core_actor(event = Tick)]
    struct Eager;

    #[core_actor]
    impl Eager {
        #[init]
        fn new(cx: &mut Ctx<Self>) -> Self {
            (1..=10).for_each(|n| _ = cx.publish(Tick(n)));
            Self
        }
    }

    #[core_actor]
    struct Sleeper;

    #[core_actor]
    impl Sleeper {
        #[init]
        fn new(nap: Duration) -> Self {
            thread::sleep(nap);
            Self
        }
    }

    let nap = Duration::from_millis(100);
    let (system, source) = start(MemoryLog::new(), LogOptions::new(), 0);
    source.burst(1).wait().unwrap();
    while system.log_status::<Tick>().unwrap().durable.of(0).is_none_or(|end| end.seq < 1) {
        thread::sleep(Duration::from_millis(1));
    }
    let mut context = Context::from_waker(Waker::noop());
    let mut begin = |spawn: &mut Pin<Box<dyn Future<Output = ()> + '_>>| {
        assert!(spawn.as_mut().poll(&mut context).is_pending());
    };
    // While the first one keeps the core, the other commands come together.
    begin(&mut (Box::pin(async { drop(system.spawn::<Sleeper>(nap).await) }) as _));
    thread::sleep(nap / 4);
    let mut eager = Box::pin(async { drop(system.spawn::<Eager>(()).await) }) as _;
    begin(&mut eager);
    let mut events = system.events::<Tick>().from(Position::new(0, 1, 0)).subscribe();
    assert_eq!(events.try_next(), None);
    let mut last = Box::pin(async { drop(system.spawn::<Sleeper>(nap).await) }) as _;
    begin(&mut last);
    for seq in 0..=10 {
        let next = events.next_wait();
        assert!(
            matches!(next, Some(Delivery::Event { position, .. }) if position.seq == seq),
            "{next:?} and not {seq}"
        );
    }
    drop((eager, last));
    system.shutdown_wait(Duration::from_secs(10));
}
