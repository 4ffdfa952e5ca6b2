//! Filters, keys and events that panic where the bus calls them: who they belong to loses what it must, and nobody else
//! anything.

mod ticks;

use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use ticks::{Source, Tick, UNLUCKY, start, stop};
use tpc_actors::bus::log::{DecodeError, LogEvent, LogOptions, MemoryLog};
use tpc_actors::bus::{EndReason, Overflow, Start, Subscription};
use tpc_actors::prelude::*;

const LONG: Duration = Duration::from_secs(10);

fn with_log<E: LogEvent + Send + Clone + 'static>() -> System {
    let system = System::builder().cores(1).start().unwrap();
    let often = LogOptions::new().commit_interval(Duration::ZERO);
    system.log_events::<E>(MemoryLog::new(), often).unwrap();
    system
}

fn publish(system: &System, numbers: std::ops::Range<u64>) {
    let publisher = system.publisher::<Tick>();
    numbers.for_each(|n| _ = publisher.publish(Tick(n)).unwrap());
}

/// What comes until the end: events, and how many are missing.
fn all<E: Send + Clone + 'static>(events: &mut Subscription<E>) -> (Vec<E>, u64) {
    let (mut seen, mut missing) = (Vec::new(), 0);
    while let Some(delivery) = events.next_wait() {
        match delivery {
            Delivery::Event { event, .. } => seen.push(event),
            Delivery::Gap(gap) => missing += gap.len(),
        }
    }
    (seen, missing)
}

/// Panics for the fourth tick.
fn key(Tick(n): &Tick) -> u64 {
    assert_ne!(*n, 3, "no key");
    *n
}

#[test]
fn a_key_that_panics_leaves_what_came_before() {
    for durable in [false, true] {
        let system = with_log::<Tick>();
        let events = system.events::<Tick>().overflow(Overflow::conflate(key));
        let mut events = if durable { events.durable() } else { events }.subscribe();
        // One by one: the first three wait for the subscriber when the key panics.
        publish(&system, 0..3);
        thread::sleep(Duration::from_millis(50));
        publish(&system, 3..4);
        assert_eq!(all(&mut events), ((0..3).map(Tick).collect(), 0), "durable: {durable}");
        assert_eq!(events.end_reason(), Some(&EndReason::FilterPanicked));
        system.shutdown_wait(LONG);
    }
}

#[test]
fn filters_that_panic_are_counted_wherever_they_run() {
    let system = with_log::<Tick>();
    publish(&system, 0..3);
    let source = || system.event_sources::<Tick>()[1];
    let events = || system.events::<Tick>().filter(|Tick(n)| *n < 1 || panic!("no"));
    for (durable, count) in [(false, 1), (true, 2)] {
        let events = events().from(Start::Oldest);
        let mut events = if durable { events.durable() } else { events }.subscribe();
        assert_eq!(all(&mut events), (vec![Tick(0)], 0));
        assert_eq!(source().filters_panicked, count);
    }
    let mut live = events().subscribe();
    publish(&system, 3..4);
    assert_eq!(all(&mut live), (vec![], 0));
    assert_eq!((source().filters_panicked, source().subscribers), (3, 0), "{}", source());
    system.shutdown_wait(LONG);
}

#[test]
fn what_cannot_be_written_is_not_logged() {
    let (system, _) = start(MemoryLog::new(), LogOptions::new(), 0);
    let mut durable = system.events::<Tick>().durable().subscribe();
    publish(&system, UNLUCKY - 1..UNLUCKY + 2);
    system.shutdown_wait(LONG);
    assert_eq!(all(&mut durable), (vec![Tick(UNLUCKY - 1), Tick(UNLUCKY + 1)], 1));
    let lane = durable.lanes()[1];
    assert_eq!((lane.uncopied, lane.unlogged), (0, 1), "{lane:?}");
}

/// Panics when it is dropped, once there is no other panic.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Brittle(u64);

impl Drop for Brittle {
    fn drop(&mut self) {
        assert!(self.0 != 1 || thread::panicking(), "dropped");
    }
}

#[test]
fn a_key_whose_drop_panics_costs_nothing() {
    let system = System::builder().cores(1).start().unwrap();
    let by_key = Overflow::conflate(|Tick(n): &Tick| Brittle(*n));
    let mut events = system.events::<Tick>().overflow(by_key).subscribe();
    publish(&system, 0..3);
    system.shutdown_wait(LONG);
    assert_eq!(all(&mut events), ((0..3).map(Tick).collect(), 0));
}

#[core_actor]
struct Holder;

#[core_actor]
impl Holder {
    #[init]
    fn new() -> Self {
        Self
    }

    #[handler]
    fn hold(&mut self, begun: Sender<()>, until: Receiver<()>) {
        begun.send(()).unwrap();
        let _: Result<(), _> = until.recv();
    }
}

/// It is the core that drops the filter: its subscription has gone while it looked into the past.
#[test]
fn a_filter_whose_drop_panics_does_not_end_a_core() {
    // Without a log, which would be asked in place of the core.
    let system = System::builder().cores(1).start().unwrap();
    let source = system.spawn::<Source>(0).wait().unwrap();
    source.burst(1).wait().unwrap();
    let holder = system.spawn::<Holder>(()).wait().unwrap();
    let ((begins, begun), (let_go, until)) = (channel(), channel());
    let held = holder.hold(begins, until).now().unwrap();
    begun.recv().unwrap();
    let brittle = Brittle(1);
    let events = system.events::<Tick>().filter(move |Tick(n)| Brittle(*n) != brittle);
    drop(events.from(Start::Oldest).subscribe());
    drop(let_go);
    held.wait().unwrap();
    stop(&system);
}

#[derive(Clone, Debug, PartialEq)]
struct Nasty(u64);

impl Drop for Nasty {
    fn drop(&mut self) {
        assert!(self.0 != 2 || thread::panicking(), "dropped");
    }
}

impl LogEvent for Nasty {
    fn encode(&self, into: &mut Vec<u8>) {
        self.0.encode(into);
    }

    fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        u64::decode(bytes).map(Self)
    }
}

#[test]
fn an_event_that_nobody_wants_does_not_end_a_catch_up_with_its_drop() {
    let system = with_log::<Nasty>();
    let publisher = system.publisher::<Nasty>();
    (0..5).for_each(|n| _ = publisher.publish(Nasty(n)).unwrap());
    let mut events =
        system.events::<Nasty>().from(Start::Oldest).filter(|Nasty(n)| *n != 2).subscribe();
    let (begin, mut seen) = (Instant::now(), 0);
    while seen < 4 && events.end_reason().is_none() && begin.elapsed() < LONG {
        seen += usize::from(events.try_next().is_some());
    }
    assert_eq!((seen, events.end_reason()), (4, None));
    system.shutdown_wait(LONG);
}
