//! Coming back to a log after a crash: what was durable is there, each once, and what was not is nowhere.

mod ticks;

use std::time::Duration;

use ticks::{Tick, start, stop};
use tpc_actors::bus::log::{LogOptions, MemoryLog};
use tpc_actors::bus::{Position, Start, Subscription};
use tpc_actors::prelude::*;

/// What it saw of the last group was never durable, and those numbers are not given to others.
#[test]
fn who_saw_what_a_crash_has_lost_goes_on_behind_it() {
    let log = MemoryLog::new();
    let (system, source) = start(log.clone(), LogOptions::new(), 0);
    let mut live = system.events::<Tick>().subscribe();
    let mut durable = system.events::<Tick>().durable().subscribe();
    source.burst(30).wait().unwrap();
    for _ in 0..30 {
        assert!(matches!(durable.next_wait(), Some(Delivery::Event { .. })));
    }
    log.fail_sync_after(0);
    source.burst(20).wait().unwrap();
    assert_eq!(durable.next_wait(), None, "the log has failed");
    assert_eq!(std::iter::from_fn(|| live.try_next()).count(), 50);
    let (live, durable) = (live.position(), durable.position());
    let before = live.of(0).map(|at| Position::new(0, at.epoch, 20)).unwrap();
    system.shutdown_wait(Duration::from_secs(10));

    let (system, source) = start(log.crash(), LogOptions::new(), 50);
    source.burst(2).wait().unwrap();
    let from = |begin: Start| {
        let events = || system.events::<Tick>().from(begin.clone());
        [events().subscribe(), events().durable().subscribe()]
    };
    let [of_live, of_durable, of_before] = [live.into(), durable.into(), before.into()].map(from);
    source.burst(1).wait().unwrap();
    let seen = |mut events: Subscription<Tick>, count: usize| -> Vec<(Position, u64)> {
        let event = |delivery| match delivery {
            Delivery::Event { position, event: Tick(n) } => (position, n),
            Delivery::Gap(gap) => panic!("{gap}"),
        };
        std::iter::from_fn(|| events.next_wait()).map(event).take(count).collect()
    };
    let next: Vec<_> = (0..3).map(|n| (Position::new(0, 2, n), 50 + n)).collect();
    let last = (20..30).map(|n| (Position::new(0, 1, n), n));
    let both: Vec<_> = last.chain(next.iter().copied()).collect();
    for events in of_live.into_iter().chain(of_durable) {
        assert_eq!(seen(events, next.len()), next);
    }
    for events in of_before {
        assert_eq!(seen(events, both.len()), both);
    }
    stop(&system);
}
