//! The options of subscriptions, publishers outside of the cores, and the figures of both.

use std::collections::HashMap;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use tpc_actors::bus::{Cursor, EndReason, Position, SubscribeError, Subscription};
use tpc_actors::prelude::*;
use tpc_actors::{Overflow, Start};

#[derive(Clone, Debug, PartialEq)]
struct Tick(u64);

#[core_actor(event = Tick)]
struct Source {
    next: u64,
}

#[core_actor]
impl Source {
    #[init]
    fn new() -> Self {
        Self { next: 0 }
    }

    #[handler]
    fn burst(&mut self, cx: &mut Ctx<Self>, count: u64) -> u64 {
        for _ in 0..count {
            cx.publish(Tick(self.next));
            self.next += 1;
        }
        self.next
    }

    /// The same for who does not wait for it.
    #[handler(tell)]
    fn publish(&mut self, cx: &mut Ctx<Self>, count: u64) {
        self.burst(cx, count);
    }
}

fn start(cores: usize) -> (System, Vec<SourceClient>) {
    let system = System::builder().cores(cores).start().unwrap();
    let sources = (0..cores).map(|_| system.spawn::<Source>(()).wait().unwrap()).collect();
    (system, sources)
}

fn stop(system: &System) {
    let report = system.shutdown_wait(Duration::from_secs(10));
    assert!(report.is_clean(), "{report}");
}

/// What has arrived: events, and the number of those that are missing.
fn arrived(events: &mut Subscription<Tick>) -> (Vec<u64>, u64) {
    let (mut seen, mut missing) = (Vec::new(), 0);
    while let Some(delivery) = events.try_next() {
        match delivery {
            Delivery::Event { event: Tick(n), .. } => seen.push(n),
            Delivery::Gap(gap) => missing += gap.len(),
        }
    }
    (seen, missing)
}

/// Everything until `count` events are there; fails on a gap.
fn next_events(events: &mut Subscription<Tick>, count: usize) -> Vec<u64> {
    let next = || match events.next_wait() {
        Some(Delivery::Event { event: Tick(n), .. }) => n,
        other => panic!("{other:?}"),
    };
    std::iter::repeat_with(next).take(count).collect()
}

#[test]
fn the_oldest_or_those_with_the_same_key_make_room() {
    let (system, sources) = start(1);
    let oldest = system.events::<Tick>().capacity(8).overflow(Overflow::DropOldest);
    let mut oldest = oldest.subscribe();
    let by_key = Overflow::conflate(|Tick(n): &Tick| n % 4);
    let mut keys = system.events::<Tick>().capacity(8).overflow(by_key).subscribe();
    sources[0].burst(1000).wait().unwrap();
    assert_eq!(arrived(&mut oldest), ((992..1000).collect(), 992));
    assert_eq!(arrived(&mut keys), ((996..1000).collect(), 996));
    sources[0].burst(2).wait().unwrap();
    assert_eq!(
        (arrived(&mut oldest), arrived(&mut keys)),
        ((vec![1000, 1001], 0), (vec![1000, 1001], 0))
    );
    let (lane, keyed) = (oldest.lanes()[0], keys.lanes()[0]);
    assert_eq!((lane.wanted, lane.delivered, lane.reported_missing), (1002, 10, 992));
    assert_eq!((lane.dropped_oldest, lane.dropped_newest, lane.conflated), (992, 0, 0));
    assert_eq!((keyed.dropped_oldest, keyed.conflated), (0, 996));
    stop(&system);
}

/// It costs no event and no figure: on the core, its subscription would end.
#[test]
fn a_key_that_panics_for_its_subscriber_conflates_nothing() {
    let (system, sources) = start(1);
    let subscriber = thread::current().id();
    let by_key = Overflow::conflate(move |Tick(n): &Tick| {
        assert!(n % 4 != 2 || thread::current().id() != subscriber, "not here");
        n % 4
    });
    let mut events = system.events::<Tick>().capacity(8).overflow(by_key).subscribe();
    sources[0].burst(4).wait().unwrap();
    let Some(Delivery::Event { event: Tick(0), .. }) = events.try_next() else {
        panic!("no event")
    };
    // They meet 1, 2 and 3, which wait with the subscriber.
    sources[0].burst(4).wait().unwrap();
    assert_eq!(arrived(&mut events), (vec![2, 4, 5, 6, 7], 2));
    let lane = events.lanes()[0];
    assert_eq!((lane.wanted, lane.delivered, lane.conflated), (8, 6, 2));
    assert_eq!(lane.reported_missing, 2);
    stop(&system);
}

/// What a slow reader holds already makes room too, so that it never sees more than its capacity.
#[test]
fn a_reader_in_between_sees_the_newest() {
    let (system, sources) = start(1);
    let mut events = system.events::<Tick>().capacity(4).overflow(Overflow::DropOldest).subscribe();
    sources[0].burst(4).wait().unwrap();
    assert!(matches!(events.try_next(), Some(Delivery::Event { event: Tick(0), .. })));
    sources[0].burst(3).wait().unwrap();
    assert_eq!(arrived(&mut events), ((3..7).collect(), 2));
    stop(&system);
}

#[test]
fn every_policy_accounts_for_everything_under_load() {
    const TOTAL: u64 = 300_000;
    let (system, sources) = start(1);
    let policies = [
        Overflow::DropNewest,
        Overflow::DropOldest,
        Overflow::conflate(|Tick(n): &Tick| n % 7),
        Overflow::conflate(|Tick(n): &Tick| *n),
    ];
    let readers: Vec<_> = policies
        .into_iter()
        .map(|policy| {
            let mut events = system.events::<Tick>().capacity(32).overflow(policy).subscribe();
            thread::spawn(move || {
                let (mut next, mut newest) = (0, HashMap::new());
                while let Some(delivery) = events.next_wait() {
                    match delivery {
                        Delivery::Event { position, event: Tick(n) } => {
                            assert_eq!((position.seq, n), (next, next));
                            newest.insert(n % 7, n);
                            next += 1;
                        }
                        Delivery::Gap(gap) => {
                            assert_eq!((gap.from().seq, gap.to().seq), (next, next + gap.len()));
                            next += gap.len();
                        }
                    }
                    if next % 500 == 0 {
                        thread::sleep(Duration::from_micros(200));
                    }
                }
                let lane = events.lanes()[0];
                assert_eq!(lane.delivered + lane.reported_missing, lane.wanted, "{lane:?}");
                let reasons = lane.dropped_newest + lane.dropped_oldest + lane.conflated;
                assert_eq!(reasons, lane.reported_missing, "{lane:?}");
                (next, newest)
            })
        })
        .collect();
    for _ in 0..TOTAL / 1000 {
        sources[0].burst(1000).wait().unwrap();
    }
    stop(&system);
    let ends: Vec<_> = readers.into_iter().map(|reader| reader.join().unwrap()).collect();
    assert!(ends.iter().all(|(next, _)| *next == TOTAL));
    for key in 0..7 {
        let last = (0..TOTAL).rev().find(|n| n % 7 == key).unwrap();
        assert_eq!(ends[2].1[&key], last, "the newest of each key arrives");
    }
}

#[test]
fn a_subscription_begins_where_it_is_told_to() {
    let (system, sources) = start(1);
    let keeper = system.events::<Tick>().retain(100).subscribe();
    sources[0].burst(300).wait().unwrap();
    let events = || system.events::<Tick>().capacity(1000);
    let mut latest = events().subscribe();
    let mut oldest = events().from(Start::Oldest).subscribe();
    let mut at = events().from(Position::new(0, 0, 250)).subscribe();
    let mut even = events().from(Start::Oldest).filter(|Tick(n)| n % 2 == 0).subscribe();
    assert_eq!(next_events(&mut oldest, 100), (200..300).collect::<Vec<_>>());
    assert_eq!(next_events(&mut at, 50), (250..300).collect::<Vec<_>>());
    assert_eq!(next_events(&mut even, 50), (200..300).step_by(2).collect::<Vec<_>>());
    sources[0].burst(10).wait().unwrap();
    for events in [&mut latest, &mut oldest, &mut at] {
        assert_eq!(next_events(events, 10), (300..310).collect::<Vec<_>>());
        assert_eq!(events.position().of(0), Some(Position::new(0, 0, 310)));
    }
    // What is kept no more is counted, and what follows comes.
    let mut gone = events().from(Position::new(0, 0, 5)).subscribe();
    let Some(Delivery::Gap(gap)) = gone.next_wait() else { panic!("nothing is gone") };
    assert_eq!((gap.from().seq, gap.to().seq, gap.len()), (5, 210, 205));
    assert_eq!(next_events(&mut gone, 100), (210..310).collect::<Vec<_>>());
    drop(keeper);
    stop(&system);
    let mut after = events().from(Start::Oldest).subscribe();
    assert_eq!(next_events(&mut after, 100), (210..310).collect::<Vec<_>>());
    assert_eq!(after.next_wait(), None);
}

#[test]
fn a_position_that_is_not_there_yet_ends_the_subscription() {
    let (system, sources) = start(1);
    sources[0].burst(3).wait().unwrap();
    let position = Position::new(0, 0, 4);
    let mut ahead = system.events::<Tick>().from(position).subscribe();
    assert_eq!(ahead.next_wait(), None);
    let next = Position::new(0, 0, 3);
    assert_eq!(ahead.end_reason(), Some(&EndReason::NoSuchPosition { position, next }));
    let mut at_the_end = system.events::<Tick>().from(next).subscribe();
    // Asks the core, which takes that before it publishes more.
    assert_eq!(at_the_end.try_next(), None);
    sources[0].burst(1).wait().unwrap();
    assert_eq!(next_events(&mut at_the_end, 1), [3]);
    stop(&system);
    assert_eq!((at_the_end.next_wait(), at_the_end.end_reason()), (None, None));
}

/// What a thread has the core do comes before what it sends to an actor there afterwards, also in the middle of a turn.
#[test]
fn a_core_does_what_it_is_told_before_what_it_is_asked_later() {
    let (system, sources) = start(1);
    for published in 0..5_000 {
        let end = Position::new(0, 0, published);
        let mut at_the_end = system.events::<Tick>().from(end).subscribe();
        assert_eq!(at_the_end.try_next(), None);
        let burst = sources[0].burst(1).now().unwrap();
        assert_eq!(next_events(&mut at_the_end, 1), [published]);
        burst.wait().unwrap();
    }
    stop(&system);
}

/// What was there before may be gone; what is published after the subscription is delivered or missing.
#[test]
fn the_oldest_that_is_kept_is_no_excuse_for_what_comes_later() {
    let (system, sources) = start(1);
    let keeper = system.events::<Tick>().retain(2).subscribe();
    sources[0].burst(10).wait().unwrap();
    let mut oldest = system.events::<Tick>().from(Start::Oldest).subscribe();
    // A cursor without a position of this core means the same.
    let mut at = system.events::<Tick>().from(Cursor::default()).subscribe();
    sources[0].burst(10).wait().unwrap();
    for events in [&mut oldest, &mut at] {
        let Some(Delivery::Gap(gap)) = events.next_wait() else { panic!("nothing is missing") };
        assert_eq!((gap.from().seq, gap.to().seq, gap.len()), (10, 18, 8));
        assert_eq!(next_events(events, 2), [18, 19]);
        assert_eq!(events.lagged(), 8);
    }
    drop(keeper);
    stop(&system);
}

/// Away and back again, while both cores go on: what was seen before, replayed and live is everything.
#[test]
fn a_subscription_goes_on_where_another_one_ended() {
    const EACH: u64 = 40_000;
    let (system, sources) = start(2);
    let keep = usize::try_from(EACH).unwrap();
    let keeper = system.events::<Tick>().retain(keep).filter(|_| false).subscribe();
    let publisher = {
        let sources = sources.clone();
        thread::spawn(move || {
            for _ in 0..EACH / 100 {
                for source in &sources {
                    source.burst(100).wait().unwrap();
                }
            }
        })
    };
    let mut next = [0; 2];
    let mut cursor = Cursor::from_iter([Position::new(0, 0, 0), Position::new(1, 0, 0)]);
    while next != [EACH; 2] {
        let mut events =
            system.events::<Tick>().capacity(64).from(cursor).cores([0, 1]).subscribe();
        for _ in 0..5000 {
            if next == [EACH; 2] {
                break;
            }
            match events.next_wait().unwrap() {
                Delivery::Event { position, event } => {
                    assert_eq!(event, Tick(next[position.core]), "in order, once");
                    next[position.core] += 1;
                }
                Delivery::Gap(gap) => {
                    for (position, Tick(n)) in events.replay_wait(&gap).unwrap() {
                        assert_eq!(n, next[position.core]);
                        next[position.core] += 1;
                    }
                }
            }
        }
        cursor = events.position();
        assert_eq!(cursor.positions().len(), 2);
    }
    publisher.join().unwrap();
    drop(keeper);
    stop(&system);
}

#[test]
fn options_out_of_range_are_refused() {
    let (system, _) = start(2);
    let events = || system.events::<Tick>();
    // A petabyte has an address and no memory.
    for capacity in [0, 1 << 46, usize::MAX] {
        let refused = events().capacity(capacity).try_subscribe();
        assert!(matches!(refused, Err(SubscribeError::Capacity(_))), "{capacity}");
    }
    let no_core = SubscribeError::NoSuchCore { core: 3, cores: 2 };
    assert_eq!(events().cores([0, 3]).try_subscribe().unwrap_err(), no_core);
    let position = Position::new(3, 0, 0);
    assert_eq!(events().from(position).try_subscribe().unwrap_err(), no_core);
    let position = Position::new(0, 9, 0);
    let no_epoch = SubscribeError::NoSuchEpoch { epoch: 9, now: 0 };
    assert_eq!(events().from(position).try_subscribe().unwrap_err(), no_epoch);
    assert_eq!(events().cores([]).try_subscribe().unwrap_err(), SubscribeError::NoCores);
    let position = Position::new(1, 0, 0);
    let left_out = events().cores([0]).from(position).try_subscribe().unwrap_err();
    assert_eq!(left_out, SubscribeError::NotAmongCores { position });
    stop(&system);
}

#[test]
fn only_the_chosen_cores_are_heard() {
    let (system, sources) = start(2);
    let mut second = system.events::<Tick>().cores([1]).subscribe();
    let mut outside = system.events::<Tick>().cores([2]).subscribe();
    for source in &sources {
        source.burst(3).wait().unwrap();
    }
    system.publisher::<Tick>().publish(Tick(77)).unwrap();
    assert_eq!(arrived(&mut second).0, [0, 1, 2]);
    assert_eq!(arrived(&mut outside).0, [77]);
    assert_eq!(second.position().positions(), [Position::new(1, 0, 3)]);
    stop(&system);
}

#[test]
fn publishers_outside_share_one_sequence() {
    let (system, _) = start(1);
    let mut events = system.events::<Tick>().capacity(10_000).retain(100).subscribe();
    let publisher = system.publisher::<Tick>();
    let threads: Vec<_> = (0..4)
        .map(|n| {
            let publisher = publisher.clone();
            thread::spawn(move || {
                for _ in 0..500 {
                    let position = publisher.publish(Tick(n)).unwrap();
                    assert_eq!(position.core, 1);
                }
            })
        })
        .collect();
    for thread in threads {
        thread.join().unwrap();
    }
    let mut counts = [0; 4];
    for seq in 0..2000 {
        let Some(Delivery::Event { position, event: Tick(n) }) = events.try_next() else {
            panic!("nothing is lost")
        };
        assert_eq!(position, Position::new(1, 0, seq));
        counts[usize::try_from(n).unwrap()] += 1;
    }
    assert_eq!((counts, events.try_next()), ([500; 4], None));
    let mut kept = system.events::<Tick>().from(Start::Oldest).subscribe();
    assert_eq!(next_events(&mut kept, 100).len(), 100);
    assert_eq!(system.event_sources::<Tick>()[1].published, 2000);
    stop(&system);
    assert_eq!(publisher.publish(Tick(0)).unwrap_err().0, Tick(0));
}

/// A filter that publishes to the bus that it filters.
#[test]
fn a_publisher_outside_may_be_used_from_its_own_filter() {
    let system = System::builder().cores(1).start().unwrap();
    let publisher = system.publisher::<Tick>();
    let inner = publisher.clone();
    let echo = move |Tick(n): &Tick| {
        if *n < 3 {
            inner.publish(Tick(n + 1)).unwrap();
        }
        true
    };
    let mut events = system.events::<Tick>().filter(echo).subscribe();
    publisher.publish(Tick(0)).unwrap();
    assert_eq!(arrived(&mut events).0, [0, 1, 2, 3]);
    stop(&system);
}

#[test]
fn a_subscription_is_a_stream() {
    let (system, sources) = start(1);
    let mut events = system.events::<Tick>().subscribe();
    sources[0].burst(2).wait().unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        for n in 0..2 {
            let next =
                poll_fn(|context| futures_core::Stream::poll_next(Pin::new(&mut events), context));
            assert!(matches!(next.await, Some(Delivery::Event { event: Tick(m), .. }) if m == n));
        }
    });
    stop(&system);
}

#[test]
fn figures_tell_what_became_of_events() {
    let (system, sources) = start(1);
    let mut slow = system.events::<Tick>().capacity(10).subscribe();
    let gone = system.events::<Tick>().subscribe();
    let bad = system.events::<Tick>().filter(|Tick(n)| *n < 5 || panic!("not this")).subscribe();
    sources[0].burst(100).wait().unwrap();
    drop((gone, bad));
    sources[0].burst(1).wait().unwrap();
    assert_eq!(arrived(&mut slow), ((0..10).collect(), 91));
    let lane = slow.lanes()[0];
    assert_eq!((lane.high_water, lane.dropped_newest), (10, 91));
    let source = system.event_sources::<Tick>()[0];
    assert_eq!((source.published, source.subscribers, source.left), (101, 1, 1), "{source}");
    assert_eq!((source.filters_panicked, source.wanted), (1, 101 + 100 + 5));
    assert_eq!((source.dropped_newest, source.dropped_oldest), (91, 0));
    assert_eq!((source.delivered, source.high_water), (10, 100), "one has left without a look");
    assert_eq!(source.untaken, 100 + 5, "{source}");
    sources[0].burst(3).wait().unwrap();
    assert_eq!(system.event_sources::<Tick>()[0].untaken, 100 + 5, "what waits can still be taken");
    drop(slow);
    let source = system.event_sources::<Tick>()[0];
    assert_eq!((source.delivered, source.high_water), (10, 100), "figures outlive subscribers");
    assert_eq!((source.wanted, source.untaken), (104 + 100 + 5, 100 + 5 + 3), "{source}");
    stop(&system);
}

/// What readers lose while they take over, and what those who never find the core full have seen.
#[test]
fn figures_of_a_core_hold_what_its_readers_have_counted() {
    let (system, sources) = start(1);
    let mut all = system.events::<Tick>().capacity(64).retain(100).subscribe();
    let mut newest = system.events::<Tick>().capacity(4).overflow(Overflow::DropOldest).subscribe();
    for _ in 0..3 {
        sources[0].burst(20).wait().unwrap();
        assert_eq!(arrived(&mut all).0.len(), 20);
    }
    assert_eq!(arrived(&mut newest).0.len(), 4);
    let source = system.event_sources::<Tick>()[0];
    assert_eq!((source.wanted, source.delivered), (120, 64));
    assert_eq!((source.dropped_newest, source.dropped_oldest), (0, 56));
    assert_eq!(source.high_water, 20);
    // What was kept for those who come late is theirs as well.
    let mut late = system.events::<Tick>().from(Start::Oldest).subscribe();
    for _ in 0..60 {
        assert!(matches!(late.next_wait(), Some(Delivery::Event { .. })));
    }
    assert_eq!(late.lanes()[0].delivered, 60);
    drop(late);
    let source = system.event_sources::<Tick>()[0];
    assert_eq!((source.wanted, source.delivered), (180, 124), "{source}");
    stop(&system);
}

/// A core that attaches to a subscriber in the moment in which that one leaves lets go of it as well.
#[test]
fn who_leaves_while_a_core_attaches_is_let_go_of() {
    let (system, sources) = start(1);
    let token = Arc::new(());
    for _ in 0..5_000 {
        let held = Arc::clone(&token);
        sources[0].publish(1).now().unwrap();
        let events = system.events::<Tick>().filter(move |_| Arc::strong_count(&held) == 0);
        drop(events.subscribe());
        // Commands come between two turns, so the last of them is behind one of these.
        sources[0].burst(0).wait().unwrap();
        sources[0].burst(0).wait().unwrap();
        assert_eq!(Arc::strong_count(&token), 1, "a core that is quiet has kept it");
    }
    assert_eq!(system.event_sources::<Tick>()[0].subscribers, 0);
    stop(&system);
}

/// Who never looks is the one whom the figure is wanted for.
#[test]
fn the_high_water_mark_is_that_of_who_never_looked_as_well() {
    let (system, sources) = start(1);
    let waiting = system.events::<Tick>().capacity(1000).subscribe();
    let oldest = system.events::<Tick>().capacity(8).overflow(Overflow::DropOldest).subscribe();
    sources[0].burst(90).wait().unwrap();
    assert_eq!((waiting.lanes()[0].high_water, oldest.lanes()[0].high_water), (90, 8));
    assert_eq!(system.event_sources::<Tick>()[0].high_water, 90);
    stop(&system);
}

/// Rings, filters and events of subscribers that have gone are dropped, also by a core that publishes
/// nothing more.
#[test]
fn quiet_cores_let_go_of_subscribers() {
    let (system, sources) = start(1);
    let token = Arc::new(Mutex::new(()));
    for round in 0..10_000 {
        let held = Arc::clone(&token);
        let events = system.events::<Tick>().filter(move |_| {
            drop(held.lock());
            false
        });
        let events = events.subscribe();
        if round % 10 == 0 {
            sources[0].burst(1).wait().unwrap();
        }
        drop(events);
    }
    // The core takes its orders between two turns; this ask comes after the last of them.
    sources[0].burst(0).wait().unwrap();
    assert_eq!(Arc::strong_count(&token), 1);
    assert_eq!(system.event_sources::<Tick>()[0].subscribers, 0);
    stop(&system);
}
