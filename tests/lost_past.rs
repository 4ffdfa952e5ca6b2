//! What a subscription has missed and does not get: its core is lost before it is asked, or its copy panics.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::task::{Context, Waker};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use tpc_actors::bus::{EndReason, Position, Start, Subscription};
use tpc_actors::prelude::*;

#[derive(Clone, Debug, PartialEq)]
struct Tick(u64);

#[core_actor(event = Tick)]
struct Source;

#[core_actor]
impl Source {
    #[init]
    fn new() -> Self {
        Self
    }

    #[handler]
    fn burst(&mut self, cx: &mut Ctx<Self>, count: u64) -> Position {
        let mut last = Position::new(0, 0, 0);
        for n in 0..count {
            last = cx.publish(Tick(n));
        }
        last
    }

    /// Keeps the core from everything else.
    #[handler]
    fn hold(&mut self, begun: Sender<()>, until: Receiver<()>) {
        begun.send(()).unwrap();
        let _ = until.recv();
    }
}

/// Holds the core until the sender is dropped; says then what became of it.
fn hold(source: &SourceClient) -> (Sender<()>, JoinHandle<Result<(), AskError>>) {
    let (begins, begun) = channel();
    let (let_go, until) = channel();
    let source = source.clone();
    let held = std::thread::spawn(move || source.hold(begins, until).wait());
    begun.recv().unwrap();
    (let_go, held)
}

fn start() -> (System, SourceClient) {
    let system = System::builder().cores(1).stall_after(None).start().unwrap();
    let source = system.spawn::<Source>(()).wait().unwrap();
    (system, source)
}

fn lives_again(source: &SourceClient) -> Position {
    let until = Instant::now() + Duration::from_secs(30);
    loop {
        match source.burst(1).wait() {
            Ok(position) => return position,
            Err(error) => assert!(Instant::now() < until, "{error}"),
        }
    }
}

fn numbers(events: &mut Subscription<Tick>, count: usize) -> Vec<u64> {
    let number = |delivery| match delivery {
        Delivery::Event { position, .. } => position.seq,
        Delivery::Gap(gap) => panic!("{gap}"),
    };
    std::iter::from_fn(|| events.next_wait()).map(number).take(count).collect()
}

#[test]
fn the_next_life_of_a_core_is_asked() {
    let (system, source) = start();
    let mut tight = system.events::<Tick>().capacity(1).retain(100).subscribe();
    source.burst(10).wait().unwrap();
    assert_eq!(numbers(&mut tight, 1), [0]);
    let Some(Delivery::Gap(gap)) = tight.next_wait() else { panic!("no gap") };

    let (let_go, held) = hold(&source);
    system.crash_core(0);
    let mut all = system.events::<Tick>().from(Start::Oldest).subscribe();
    // Both ask behind the crash, so that nobody answers.
    assert_eq!(all.try_next(), None);
    let mut replay = pin!(tight.replay(&gap));
    let waker = Waker::noop();
    assert!(replay.as_mut().poll(&mut Context::from_waker(waker)).is_pending());
    drop(let_go);
    drop(held.join());
    assert_eq!(lives_again(&source).seq, 10);
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    assert_eq!(runtime.block_on(replay).unwrap().len(), 9);
    assert_eq!(numbers(&mut all, 11), (0..11).collect::<Vec<_>>());
    system.shutdown_wait(Duration::from_secs(10));
    assert_eq!((all.next_wait(), all.end_reason()), (None, None));
}

/// What is published afterwards has its room, and needs none among the retained events, also where no core publishes.
#[test]
fn who_misses_few_has_caught_up_before_the_first_poll() {
    let (system, source) = start();
    let outside = system.publisher::<Tick>();
    let publish = |from: u64| (from..from + 4).for_each(|n| _ = outside.publish(Tick(n)).unwrap());
    let _retains = system.events::<Tick>().filter(|_| false).retain(4).subscribe();
    source.burst(4).wait().unwrap();
    publish(0);
    let each = |core: usize| system.events::<Tick>().cores([core]).capacity(4).from(Start::Oldest);
    let (mut of_core, mut of_outside) = (each(0).subscribe(), each(1).subscribe());
    source.burst(4).wait().unwrap();
    publish(4);
    system.shutdown_wait(Duration::from_secs(10));
    for events in [&mut of_core, &mut of_outside] {
        assert_eq!(numbers(events, 8), (0..8).collect::<Vec<_>>());
    }
}

#[test]
fn who_cannot_ask_a_core_that_was_left_behind_is_told_so() {
    let (system, source) = start();
    let _first = system.events::<Tick>().retain(100).subscribe();
    source.burst(10).wait().unwrap();
    let (let_go, held) = hold(&source);
    let mut all = system.events::<Tick>().from(Start::Oldest).subscribe();
    assert_eq!(all.try_next(), None);
    let report = system.shutdown_wait(Duration::from_millis(1));
    assert_eq!(report.stuck_threads(), ["tpc-core-0"], "{report}");
    assert_eq!(all.next_wait(), None);
    assert_eq!(all.end_reason(), Some(&EndReason::SourceUnreachable { core: 0 }));
    // It runs, and is answered when it is done.
    drop(let_go);
    held.join().unwrap().unwrap();
}

#[test]
fn an_event_that_cannot_be_copied_is_a_gap_in_the_past_too() {
    #[derive(Debug)]
    struct Fragile(u64);

    impl Clone for Fragile {
        fn clone(&self) -> Self {
            assert_ne!(self.0, 2, "unlucky");
            Self(self.0)
        }
    }

    let system = System::builder().cores(1).start().unwrap();
    let _retains = system.events::<Fragile>().filter(|_| false).retain(10).subscribe();
    let publisher = system.publisher::<Fragile>();
    (0..4).for_each(|n| _ = publisher.publish(Fragile(n)).unwrap());
    let mut events = system.events::<Fragile>().from(Start::Oldest).subscribe();
    let shown = |delivery| match delivery {
        Delivery::Event { event: Fragile(n), .. } => n.to_string(),
        Delivery::Gap(gap) => gap.to_string(),
    };
    let shown: Vec<_> = (0..4).map(|_| events.next_wait().map(shown).unwrap()).collect();
    assert_eq!(shown, ["0", "1", "1 events missing between 1:0:2 and 1:0:3", "3"]);
    system.shutdown_wait(Duration::from_secs(10));
}

/// A filter that publishes while somebody catches up.
#[test]
fn what_a_filter_publishes_about_the_past_comes_next() {
    let system = System::builder().cores(1).start().unwrap();
    let mut live = system.events::<u64>().retain(10).subscribe();
    let publisher = system.publisher::<u64>();
    let nested = publisher.clone();
    publisher.publish(1).unwrap();
    let once = AtomicBool::new(true);
    let filter = move |n: &u64| {
        if *n == 1 && once.swap(false, Ordering::Relaxed) {
            nested.publish(100).unwrap();
        }
        true
    };
    let mut late = system.events::<u64>().from(Start::Oldest).filter(filter).subscribe();
    assert!(matches!(late.next_wait(), Some(Delivery::Event { event: 1, .. })));
    publisher.publish(2).unwrap();
    system.shutdown_wait(Duration::from_secs(10));
    let number = |delivery| match delivery {
        Delivery::Event { position, event } => (position.seq, event),
        Delivery::Gap(gap) => panic!("{gap}"),
    };
    let all: Vec<_> = std::iter::from_fn(|| live.next_wait()).map(number).collect();
    assert_eq!(all, [(0, 1), (1, 100), (2, 2)]);
    let rest: Vec<_> = std::iter::from_fn(|| late.next_wait()).map(number).collect();
    assert_eq!(rest, [(1, 100), (2, 2)]);
}

/// What is asked of a core that has been told to end does not keep it from that.
#[test]
fn who_asks_a_core_that_is_about_to_be_left_behind_is_told_so() {
    let (system, source) = start();
    let _first = system.events::<Tick>().retain(100).subscribe();
    source.burst(10).wait().unwrap();
    let (let_go, held) = hold(&source);
    let ending = system.shutdown(Duration::ZERO);
    // Within the grace that the core has.
    std::thread::sleep(Duration::from_millis(30));
    let mut all = system.events::<Tick>().from(Start::Oldest).subscribe();
    assert_eq!(all.try_next(), None);
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    assert_eq!(runtime.block_on(ending).stuck_threads(), ["tpc-core-0"]);
    assert_eq!(
        (all.next_wait(), all.end_reason()),
        (None, Some(&EndReason::SourceUnreachable { core: 0 }))
    );
    drop(let_go);
    held.join().unwrap().unwrap();
}

/// A filter that takes its time with the past holds up neither a core nor the next life of one for more than an event
/// or two.
#[test]
fn a_slow_filter_holds_up_no_core() {
    for crash in [false, true] {
        let (system, source) = start();
        let keep = system.events::<Tick>().retain(1000).filter(|_| false).subscribe();
        source.burst(200).wait().unwrap();
        let asked = Arc::new(AtomicU64::new(0));
        let counts = Arc::clone(&asked);
        let slow = system.events::<Tick>().from(Start::Oldest).filter(move |_| {
            counts.fetch_add(1, Ordering::SeqCst);
            std::thread::sleep(Duration::from_millis(10));
            true
        });
        if crash {
            system.crash_core(0);
        }
        let mut slow = slow.subscribe();
        let reader = std::thread::spawn(move || numbers(&mut slow, 20));
        while asked.load(Ordering::SeqCst) == 0 {
            std::thread::yield_now();
        }
        let mut before = asked.load(Ordering::SeqCst);
        for _ in 0..3 {
            lives_again(&source);
            // Between two looks there is time for others; a restart has a few of them to wait for.
            let now = asked.load(Ordering::SeqCst);
            assert!(now - before < 50, "an answer waited for {} looks at the past", now - before);
            before = now;
        }
        assert_eq!(reader.join().unwrap(), (0..20).collect::<Vec<_>>());
        drop(keep);
        system.shutdown_wait(Duration::from_secs(10));
    }
}
