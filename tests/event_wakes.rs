//! When a subscriber is woken: once a turn at most, and by nothing but events.

use std::pin::pin;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};
use std::thread;
use std::time::Duration;

use tpc_actors::Subscription;
use tpc_actors::prelude::*;

#[core_actor(event = u64)]
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
    fn burst(&mut self, cx: &mut Ctx<Self>, count: u64) {
        for _ in 0..count {
            cx.publish(self.next);
            self.next += 1;
        }
    }

    /// What no core may do.
    #[handler]
    fn wait_for(&mut self, mut events: Subscription<u64>) -> bool {
        events.next_wait().is_some()
    }
}

/// Counts its wakes by others, and ends the sleep of its thread.
struct Sleeper {
    wakes: AtomicUsize,
    thread: thread::Thread,
}

impl Sleeper {
    fn new() -> Arc<Self> {
        Arc::new(Self { wakes: AtomicUsize::new(0), thread: thread::current() })
    }

    fn wakes(&self) -> usize {
        self.wakes.load(Ordering::SeqCst)
    }
}

impl Wake for Sleeper {
    fn wake(self: Arc<Self>) {
        // Whoever always finds something yields now and then, and has its own thread come back.
        let by_core = thread::current().id() != self.thread.id();
        self.wakes.fetch_add(usize::from(by_core), Ordering::SeqCst);
        self.thread.unpark();
    }
}

fn poll(events: &mut Subscription<u64>, sleeper: &Arc<Sleeper>) -> Poll<Option<Delivery<u64>>> {
    let waker = Waker::from(Arc::clone(sleeper));
    pin!(events.next()).poll(&mut Context::from_waker(&waker))
}

fn start() -> (System, SourceClient) {
    let system = System::builder().cores(1).start().unwrap();
    let source = system.spawn::<Source>(()).wait().unwrap();
    (system, source)
}

fn stop(system: &System) {
    let report = system.shutdown_wait(Duration::from_secs(10));
    assert!(report.is_clean(), "{report}");
}

/// Takes what there is and waits for more as soon as it is woken: a second wake in the same turn would find it.
struct Eager {
    events: Mutex<Subscription<u64>>,
    taken: AtomicU64,
    wakes: AtomicUsize,
}

impl Eager {
    fn take_all(self: &Arc<Self>) {
        let mut events = self.events.lock().unwrap();
        while let Some(delivery) = events.try_next() {
            assert!(matches!(delivery, Delivery::Event { .. }), "{delivery:?}");
            self.taken.fetch_add(1, Ordering::SeqCst);
        }
        let waker = Waker::from(Arc::clone(self));
        assert!(pin!(events.next()).poll(&mut Context::from_waker(&waker)).is_pending());
    }
}

impl Wake for Eager {
    fn wake(self: Arc<Self>) {
        self.wakes.fetch_add(1, Ordering::SeqCst);
        self.take_all();
    }
}

#[test]
fn many_events_of_a_turn_are_one_wake() {
    let (system, source) = start();
    let events = Mutex::new(system.events::<u64>().capacity(100_000).subscribe());
    let (taken, wakes) = (AtomicU64::new(0), AtomicUsize::new(0));
    let eager = Arc::new(Eager { events, taken, wakes });
    eager.take_all();
    let mut total = 0;
    for round in 1..=20_u32 {
        source.burst(u64::from(round) * 1000).wait().unwrap();
        // The answer may come before the end of its turn; this one comes after that.
        source.burst(0).wait().unwrap();
        total += u64::from(round) * 1000;
        assert_eq!(eager.taken.load(Ordering::SeqCst), total);
        assert_eq!(eager.wakes.load(Ordering::SeqCst), round as usize);
    }
    stop(&system);
}

/// A subscriber that sleeps whenever there is nothing, while several askers have the core publish.
#[test]
fn there_are_no_more_wakes_than_turns() {
    const ASKS: u64 = 2_000;
    let (system, source) = start();
    let mut events = system.events::<u64>().capacity(100_000).subscribe();
    let askers: Vec<_> = (0..2)
        .map(|_| {
            let source = source.clone();
            thread::spawn(move || (0..ASKS).for_each(|_| source.burst(3).wait().unwrap()))
        })
        .collect();
    let sleeper = Sleeper::new();
    let mut expected = 0;
    while expected < 2 * 3 * ASKS {
        match poll(&mut events, &sleeper) {
            Poll::Ready(Some(Delivery::Event { event, .. })) => {
                assert_eq!(event, expected);
                expected += 1;
            }
            Poll::Ready(other) => panic!("{other:?}"),
            // Without a limit: what nobody tells of is a hang.
            Poll::Pending => thread::park(),
        }
    }
    for asker in askers {
        asker.join().unwrap();
    }
    // The one that goes on is not counted yet.
    let turns = system.cores()[0].turns() + 1;
    assert!(sleeper.wakes() as u64 <= turns, "{} wakes in {turns} turns", sleeper.wakes());
    stop(&system);
}

#[test]
fn nobody_wakes_a_subscriber_for_nothing() {
    let (system, source) = start();
    let mut events = system.events::<u64>().filter(|n| n % 1000 == 0).subscribe();
    let sleeper = Sleeper::new();
    source.burst(1).wait().unwrap();
    source.burst(0).wait().unwrap();
    assert!(poll(&mut events, &sleeper).is_ready());
    assert!(poll(&mut events, &sleeper).is_pending());
    for _ in 0..99 {
        source.burst(10).wait().unwrap();
    }
    source.burst(0).wait().unwrap();
    thread::sleep(Duration::from_millis(100));
    assert_eq!(sleeper.wakes(), 0, "by events that it does not want, or by a timer");
    source.burst(10).wait().unwrap();
    source.burst(0).wait().unwrap();
    assert_eq!(sleeper.wakes(), 1);
    assert!(poll(&mut events, &sleeper).is_ready());
    stop(&system);
}

#[test]
fn a_core_does_not_wait_for_events() {
    let (system, source) = start();
    let events = system.events::<u64>().subscribe();
    let Err(AskError::Panicked(report)) = source.wait_for(events).wait() else {
        panic!("it waited")
    };
    assert!(report.message().contains("core"), "{report}");
    source.burst(1).wait().unwrap();
    assert!(system.shutdown_wait(Duration::from_secs(10)).panics() == 1);
}
