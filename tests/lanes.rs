//! Threads that come and go, and what their lanes leave behind.

mod poll_once;

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Wake, Waker};
use std::thread;
use std::time::{Duration, Instant};

use poll_once::poll_once;
use tpc_actors::client::Tell;
use tpc_actors::prelude::*;

#[core_actor(capacity = 32)]
struct Sum(u64);

#[core_actor]
impl Sum {
    #[init]
    fn new() -> Self {
        Self(0)
    }

    #[handler(tell)]
    fn add(&mut self, n: u64) {
        self.0 += n;
    }

    #[handler]
    fn get(&self) -> u64 {
        self.0
    }
}

fn start() -> (System, SumClient) {
    let system = System::builder().cores(1).start().unwrap();
    let sum = system.spawn::<Sum>(()).wait().unwrap();
    (system, sum)
}

/// Descriptors of this process.
fn open_descriptors() -> usize {
    std::fs::read_dir("/proc/self/fd").map_or(0, Iterator::count)
}

#[test]
fn what_a_thread_sent_before_its_end_is_served() {
    let (system, sum) = start();
    let mut expected = 0;
    for round in 0..200 {
        let theirs = sum.clone();
        thread::spawn(move || {
            tpc_actors::register_thread();
            for n in 0..10 {
                theirs.add(n).wait().unwrap();
            }
        })
        .join()
        .unwrap();
        expected += 45;
        if round % 50 == 49 {
            while sum.get().wait().unwrap() < expected {}
        }
    }
    while sum.get().wait().unwrap() < expected {}
    assert_eq!(sum.get().wait().unwrap(), expected);
    assert!(system.shutdown_wait(Duration::from_secs(10)).is_clean());
}

/// More lanes than an actor may have at a time: they only work if each comes back.
#[test]
fn ten_thousand_short_lived_threads_and_clients_use_lanes_again() {
    let (system, sum) = start();
    let before = open_descriptors();
    for chunk in 0..100 {
        let threads: Vec<_> = (0..100)
            .map(|n| {
                let sum = sum.clone();
                thread::Builder::new()
                    .stack_size(64 * 1024)
                    .spawn(move || {
                        if n % 2 == 0 {
                            tpc_actors::register_thread();
                        }
                        sum.ordered().add(1).wait().unwrap();
                        sum.add(1).wait().unwrap();
                    })
                    .unwrap()
            })
            .collect();
        for thread in threads {
            thread.join().unwrap();
        }
        while sum.get().wait().unwrap() < (chunk + 1) * 200 {}
    }
    assert_eq!(sum.get().wait().unwrap(), 20_000);
    // The other tests of this file open and close some meanwhile; one each would be ten thousand.
    assert!(open_descriptors() < before + 1000, "descriptors are left behind");
    let report = system.shutdown_wait(Duration::from_secs(10));
    assert!(report.is_clean(), "{report}");
}

/// Lanes to actors of systems that have ended are let go of by a thread that lives on.
#[test]
fn a_long_lived_thread_outlives_many_systems() {
    tpc_actors::register_thread();
    for _ in 0..100 {
        let (system, sum) = start();
        sum.add(1).wait().unwrap();
        assert_eq!(sum.get().wait().unwrap(), 1);
        assert!(system.shutdown_wait(Duration::from_secs(10)).is_clean());
    }
}

#[test]
fn many_actors_live_on_one_core() {
    let system = System::builder().cores(1).start().unwrap();
    let sums: Vec<_> = (0..2000).map(|_| system.spawn::<Sum>(()).wait().unwrap()).collect();
    for (n, sum) in (0..).zip(&sums) {
        sum.add(n).wait().unwrap();
    }
    for (n, sum) in (0..).zip(&sums) {
        assert_eq!(sum.get().wait().unwrap(), n);
    }
    assert_eq!(system.actors().len(), 2000);
    assert!(system.shutdown_wait(Duration::from_secs(10)).is_clean());
}

/// Passes at once, or stands at a gate until it is opened.
#[core_actor(capacity = 32)]
struct Walker;

#[core_actor]
impl Walker {
    #[init]
    fn new() -> Self {
        Self
    }

    #[handler(tell)]
    fn pass(&self) {}

    #[handler(tell)]
    fn stand(&self, at: Arc<AtomicBool>, open: Arc<AtomicBool>) {
        at.store(true, Ordering::Release);
        while !open.load(Ordering::Acquire) {
            thread::yield_now();
        }
    }
}

#[derive(Default)]
struct Woken(AtomicBool);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Release);
    }
}

/// Has the walker stand at a gate: whether it is there, and what opens it.
fn gate(walker: &WalkerClient) -> [Arc<AtomicBool>; 2] {
    let gate = [Arc::<AtomicBool>::default(), Arc::default()];
    let [at, open] = gate.clone();
    walker.stand(at, open).now().unwrap();
    gate
}

/// True as soon as `flag` is, false after a long time.
fn comes(flag: &AtomicBool) -> bool {
    let end = Instant::now() + Duration::from_secs(20);
    while !flag.load(Ordering::Acquire) && Instant::now() < end {
        thread::yield_now();
    }
    flag.load(Ordering::Acquire)
}

/// A walker at a gate; what follows is taken in one look when it is opened.
fn start_at_gate() -> (System, WalkerClient, Arc<AtomicBool>) {
    let system = System::builder().cores(1).start().unwrap();
    let walker = system.spawn::<Walker>(()).wait().unwrap();
    tpc_actors::register_thread();
    let [at, open] = gate(&walker);
    assert!(comes(&at));
    (system, walker, open)
}

/// A sender that has found the lane full, and whether it has been told of room.
fn in_line(to: &WalkerClient) -> (Pin<Box<Tell<'_, Walker>>>, Arc<Woken>) {
    let (mut tell, woken) = (Box::pin(to.pass()), Arc::<Woken>::default());
    let waker = Waker::from(Arc::clone(&woken));
    assert!(tell.as_mut().poll(&mut Context::from_waker(&waker)).is_pending(), "a full lane");
    (tell, woken)
}

#[test]
fn who_waits_for_room_gets_the_places_of_quick_messages_while_a_slow_one_runs() {
    let (system, walker, first) = start_at_gate();
    for _ in 0..16 {
        walker.pass().now().unwrap();
    }
    let [at_second, second] = gate(&walker);
    while walker.pass().now().is_ok() {}
    // The place of the first message goes to one of them.
    let ((mut one, one_told), (mut other, other_told)) = (in_line(&walker), in_line(&walker));
    first.store(true, Ordering::Release);
    let told = comes(&at_second) && comes(&one_told.0) && comes(&other_told.0);
    second.store(true, Ordering::Release);
    assert!(told, "places were free, and a sender was not told");
    assert!(matches!(poll_once(one.as_mut()), Some(Ok(()))));
    assert!(matches!(poll_once(other.as_mut()), Some(Ok(()))));
    system.shutdown_wait(Duration::from_secs(5));
}

/// One place comes free, and who is told of it first has gone over to another thread, whose lane has room anyway.
#[test]
fn who_is_told_of_room_and_goes_another_way_passes_it_on() {
    let (system, walker, first) = start_at_gate();
    let [at_second, second] = gate(&walker);
    while walker.pass().now().is_ok() {}
    let ((mut one, one_told), (mut other, other_told)) = (in_line(&walker), in_line(&walker));
    first.store(true, Ordering::Release);
    assert!(comes(&at_second) && comes(&one_told.0), "first come, first served");
    assert!(!other_told.0.load(Ordering::Acquire), "there is one place");
    thread::scope(|scope| {
        scope.spawn(move || {
            tpc_actors::register_thread();
            assert!(matches!(poll_once(one.as_mut()), Some(Ok(()))));
        });
    });
    let told = comes(&other_told.0);
    second.store(true, Ordering::Release);
    assert!(told, "the place is free, and nobody was told");
    assert!(matches!(poll_once(other.as_mut()), Some(Ok(()))));
    system.shutdown_wait(Duration::from_secs(5));
}
