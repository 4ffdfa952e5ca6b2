//! Subscribers that leave, or are ended, at any moment, and cores that do: nothing is kept, and the figures add up.

mod until;

use std::future::Future;
use std::pin::pin;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::task::{Context, Wake, Waker};
use std::thread;
use std::time::Duration;

use tpc_actors::bus::log::{LogOptions, MemoryLog};
use tpc_actors::bus::{Events, Overflow, Position, Publisher, SourceStatus, Subscription};
use tpc_actors::prelude::*;
use until::until;

const LONG: Duration = Duration::from_secs(10);

#[core_actor(event = u64, supervise(max = 1000, within = "60s", backoff = "1ms..1ms"))]
struct Source;

#[core_actor]
impl Source {
    #[init]
    fn new() -> Self {
        Self
    }

    #[handler]
    fn burst(&mut self, cx: &mut Ctx<Self>, count: u64) -> Option<Position> {
        (0..count).map(|n| cx.publish(n)).last()
    }

    /// What an actor's own cycles of `Rc` come to.
    #[handler]
    fn leak(&mut self, cx: &mut Ctx<Self>) {
        std::mem::forget(cx.clock());
    }

    /// In the middle of it, something else is published elsewhere.
    #[handler]
    fn burst_around(
        &mut self,
        cx: &mut Ctx<Self>,
        count: u64,
        outside: Publisher<u64>,
        other: u64,
    ) {
        (0..count).for_each(|n| _ = cx.publish(n));
        outside.publish(other).unwrap();
        cx.publish(count);
    }

    /// In the middle of it, the core waits.
    #[handler]
    fn burst_held(
        &mut self,
        cx: &mut Ctx<Self>,
        count: u64,
        begun: Sender<()>,
        until: Receiver<()>,
    ) {
        (0..count).for_each(|n| _ = cx.publish(n));
        begun.send(()).unwrap();
        let _: Result<(), _> = until.recv();
        cx.publish(count);
    }
}

fn start() -> (System, SourceClient) {
    let system = System::builder().cores(1).stall_after(None).start().unwrap();
    let source = system.spawn::<Source>(()).wait().unwrap();
    (system, source)
}

/// With a filter that holds `token`.
fn with(events: Events<u64>, token: &Arc<()>) -> Events<u64> {
    let held = Arc::clone(token);
    events.filter(move |_| Arc::strong_count(&held) > 0)
}

fn adds_up(source: &SourceStatus) {
    let lost = source.dropped_newest + source.dropped_oldest + source.conflated + source.untaken;
    assert_eq!(source.wanted, source.delivered + lost, "{source}");
}

/// A subscription that another source ends: what it was shown stays there, and what it takes was counted.
#[test]
fn who_is_ended_elsewhere_keeps_what_came_before() {
    for (overflow, count) in [(Overflow::DropOldest, 2), (Overflow::DropNewest, 40)] {
        let (system, source) = start();
        let wanted = |n: &u64| *n != 666 || panic!("not this one");
        let mut events = system.events::<u64>().overflow(overflow).filter(wanted).subscribe();
        source.burst(3).wait().unwrap();
        source.burst_around(count, system.publisher::<u64>(), 666).wait().unwrap();
        let mut seen = 0;
        while let Some(delivery) = events.next_wait() {
            assert!(matches!(delivery, Delivery::Event { .. }));
            seen += 1;
        }
        let lane = events.lanes()[0];
        assert!(seen >= 3 && lane.wanted >= lane.delivered, "{lane:?}");
        drop(events);
        adds_up(&system.event_sources::<u64>()[0]);
        system.shutdown_wait(LONG);
    }
}

#[test]
fn who_leaves_in_the_middle_of_a_handler_is_accounted_for() {
    let (system, source) = start();
    let mut events = system.events::<u64>().subscribe();
    let ((begins, begun), (let_go, until)) = (channel(), channel());
    let held = source.burst_held(64, begins, until).now().unwrap();
    begun.recv().unwrap();
    let taken = std::iter::from_fn(|| events.try_next()).count() as u64;
    assert!(taken > 0);
    drop(events);
    drop(let_go);
    held.wait().unwrap();
    source.burst(0).wait().unwrap();
    let source = system.event_sources::<u64>()[0];
    assert_eq!(source.delivered, taken, "{source}");
    adds_up(&source);
    system.shutdown_wait(LONG);
}

/// Its core has no time any more to let go of it, and the next life of that publishes nothing.
#[test]
fn who_leaves_while_a_core_is_lost_is_let_go_of() {
    let (system, source) = start();
    let token = Arc::new(());
    let events = with(system.events::<u64>(), &token).subscribe();
    let ((begins, begun), (let_go, holds)) = (channel(), channel());
    let held = source.burst_held(1, begins, holds).now().unwrap();
    begun.recv().unwrap();
    system.crash_core(0);
    drop(events);
    drop(let_go);
    drop(held.wait());
    until("the last of its filter", || Arc::strong_count(&token) == 1);
    until("a core without it", || system.event_sources::<u64>()[0].subscribers == 0);
    system.shutdown_wait(LONG);
}

/// Leaves when it is woken.
struct Leaves(Mutex<Option<Subscription<u64>>>);

impl Wake for Leaves {
    fn wake(self: Arc<Self>) {
        let left = self.0.lock().unwrap().take();
        drop(left);
    }
}

#[test]
fn who_leaves_from_within_a_wake_is_let_go_of() {
    let (system, _) = start();
    let token = Arc::new(());
    let other = with(system.events::<u64>(), &token).subscribe();
    let mut events = system.events::<u64>().subscribe();
    let waker = Waker::from(Arc::new(Leaves(Mutex::new(Some(other)))));
    assert!(pin!(events.next()).poll(&mut Context::from_waker(&waker)).is_pending());
    system.publisher::<u64>().publish(0).unwrap();
    assert_eq!(Arc::strong_count(&token), 1);
    assert_eq!(system.event_sources::<u64>()[1].subscribers, 1);
    system.shutdown_wait(LONG);
}

/// The log's thread serves it, and its sources know of it as well.
#[test]
fn quiet_sources_let_go_of_durable_subscribers() {
    let system = System::builder().cores(1).start().unwrap();
    system.log_events::<u64>(MemoryLog::new(), LogOptions::new()).unwrap();
    let source = system.spawn::<Source>(()).wait().unwrap();
    let publisher = system.publisher::<u64>();
    let token = Arc::new(());
    for _ in 0..100 {
        let events = with(system.events::<u64>().durable(), &token).subscribe();
        source.burst(1).wait().unwrap();
        publisher.publish(1).unwrap();
        drop(events);
    }
    until("the last of a filter", || Arc::strong_count(&token) == 1);
    system.shutdown_wait(LONG);
}

/// What is leaked keeps the core's own things from being dropped with it.
#[test]
fn positions_go_on_behind_a_core_with_a_leak() {
    let (system, source) = start();
    let mut events = system.events::<u64>().subscribe();
    source.leak().wait().unwrap();
    assert_eq!(source.burst(5).wait().unwrap().unwrap().seq, 4);
    system.crash_core(0);
    let mut next = None;
    until("a new life", || {
        next = source.burst(1).wait().ok().flatten();
        next.is_some()
    });
    assert_eq!(next.unwrap().seq, 5);
    system.shutdown_wait(LONG);
    assert_eq!(std::iter::from_fn(|| events.next_wait()).count(), 6);
}

#[test]
fn what_a_core_with_a_leak_has_published_can_be_replayed() {
    let (system, source) = start();
    let mut events = system.events::<u64>().capacity(1).retain(100).subscribe();
    source.leak().wait().unwrap();
    source.burst(5).wait().unwrap();
    assert!(matches!(events.next_wait(), Some(Delivery::Event { .. })));
    let Some(Delivery::Gap(gap)) = events.next_wait() else { panic!("it had room for one") };
    assert!(system.shutdown_wait(LONG).is_clean());
    let (tells, told) = channel();
    thread::spawn(move || tells.send(events.replay_wait(&gap).map(|found| found.len())));
    assert_eq!(told.recv_timeout(LONG).expect("an answer").unwrap(), 4);
}

#[test]
fn who_leaves_is_counted_once_and_by_its_core_alone() {
    let system = System::builder().cores(2).start().unwrap();
    let sources = [0, 1].map(|_| system.spawn::<Source>(()).wait().unwrap());
    let one = system.events::<u64>().cores([0]).subscribe();
    let mut both = system.events::<u64>().subscribe();
    let burst = || {
        for source in &sources {
            source.burst(1).wait().unwrap();
        }
    };
    burst();
    drop(one);
    (0..10).for_each(|_| burst());
    let figures = |source: SourceStatus| (source.subscribers, source.left);
    let figures: Vec<_> = system.event_sources::<u64>().into_iter().map(figures).collect();
    assert_eq!(figures[..2], [(1, 1), (1, 0)]);
    system.shutdown_wait(LONG);
    let seen = std::iter::from_fn(|| both.next_wait());
    assert_eq!(seen.filter(|seen| matches!(seen, Delivery::Event { .. })).count(), 22);
}
