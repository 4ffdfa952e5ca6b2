//! The past of publishers outside of the cores: whoever reads it does so himself, and keeps nobody from anything.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use tpc_actors::bus::{Publisher, ReplayError, Start, Subscription};
use tpc_actors::prelude::*;

const EVENTS: u64 = 50_000;

/// A system whose publisher outside has published so many events, all of which are kept.
fn start() -> (System, Publisher<u64>, Subscription<u64>) {
    let system = System::builder().cores(1).start().unwrap();
    let keep = system.events::<u64>().capacity(1).retain(100_000).subscribe();
    let publisher = system.publisher::<u64>();
    for n in 0..EVENTS {
        publisher.publish(n).unwrap();
    }
    (system, publisher, keep)
}

/// Wants nothing of the past, takes its time for that, and counts.
fn reader(system: &System, asked: &Arc<AtomicU64>) -> Subscription<u64> {
    let asked = Arc::clone(asked);
    let events = system.events::<u64>().from(Start::Oldest).filter(move |n| {
        asked.fetch_add(1, Ordering::SeqCst);
        let until = Instant::now() + Duration::from_micros(20);
        while *n < EVENTS && Instant::now() < until {}
        *n >= EVENTS
    });
    events.subscribe()
}

#[test]
fn timeouts_and_looks_that_do_not_wait_come_back_soon() {
    let (system, publisher, _keep) = start();
    let asked = Arc::new(AtomicU64::new(0));
    let mut reader = reader(&system, &asked);
    assert_eq!(reader.try_next(), None);
    assert!((1..=1024).contains(&asked.load(Ordering::SeqCst)), "{asked:?}");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let next = runtime
        .block_on(async { tokio::time::timeout(Duration::from_millis(10), reader.next()).await });
    assert!(next.is_err(), "it took as long as it takes");
    assert!(asked.load(Ordering::SeqCst) < EVENTS, "it has looked at everything before that");
    publisher.publish(EVENTS).unwrap();
    let delivery = reader.next_wait();
    assert!(matches!(delivery, Some(Delivery::Event { event: EVENTS, .. })), "{delivery:?}");
    assert_eq!(asked.load(Ordering::SeqCst), EVENTS + 1, "each event once");
    system.shutdown_wait(Duration::from_secs(10));
}

#[test]
fn who_publishes_waits_for_a_look_and_not_for_all() {
    const PUBLISHES: u64 = 50;
    let (system, publisher, _keep) = start();
    let asked = Arc::new(AtomicU64::new(0));
    let mut reader = reader(&system, &asked);
    let over = Arc::new(AtomicBool::new(false));
    let read = Arc::clone(&over);
    let looks =
        thread::spawn(move || while !read.load(Ordering::SeqCst) && reader.try_next().is_none() {});
    while asked.load(Ordering::SeqCst) == 0 {
        thread::yield_now();
    }
    let mut during = 0;
    for n in 0..PUBLISHES {
        let before = asked.load(Ordering::SeqCst);
        publisher.publish(EVENTS + n).unwrap();
        during += asked.load(Ordering::SeqCst) - before;
    }
    over.store(true, Ordering::SeqCst);
    looks.join().unwrap();
    assert!(during < PUBLISHES * 100, "each waited for {} calls", during / PUBLISHES);
    system.shutdown_wait(Duration::from_secs(10));
}

fn numbers(found: Vec<(tpc_actors::Position, u64)>) -> Vec<u64> {
    found.into_iter().map(|(_, n)| n).collect()
}

/// A gap is counted by the filter of who has it, and filled with what another one wants.
#[test]
fn gaps_of_others_are_filled_with_what_one_wants() {
    let system = System::builder().cores(1).start().unwrap();
    let publisher = system.publisher::<u64>();
    let is_even = |n: &u64| n.is_multiple_of(2);
    let mut all = system.events::<u64>().capacity(1).retain(150).subscribe();
    let mut narrow = system.events::<u64>().capacity(1).filter(is_even).subscribe();
    for n in 0..101 {
        publisher.publish(n).unwrap();
    }
    let gap = |events: &mut Subscription<u64>| loop {
        if let Some(Delivery::Gap(gap)) = events.try_next() {
            return gap;
        }
    };
    let (of_all, of_even) = (gap(&mut all), gap(&mut narrow));
    assert_eq!((of_all.len(), of_even.len()), (100, 50));
    assert_eq!(
        numbers(narrow.replay_wait(&of_all).unwrap()),
        (2..101).step_by(2).collect::<Vec<_>>()
    );
    assert_eq!(numbers(all.replay_wait(&of_even).unwrap()), (1..101).collect::<Vec<_>>());
    // Once the first of them are gone, so are those that might have been wanted.
    for n in 101..201 {
        publisher.publish(n).unwrap();
    }
    let Err(ReplayError::Gone { gone, found }) = narrow.replay_wait(&of_all) else { panic!("all") };
    assert_eq!((gone, numbers(found)), (50, (52..101).step_by(2).collect::<Vec<_>>()));
    let Err(ReplayError::Gone { gone, found }) = narrow.replay_wait(&of_even) else {
        panic!("all")
    };
    assert_eq!((gone, found.len()), (25, 25), "its own are known exactly");
    system.shutdown_wait(Duration::from_secs(10));
}
