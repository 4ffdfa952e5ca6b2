//! The order in which messages arrive.

use std::future::Future;
use std::task::{Context, Waker};
use std::thread;
use std::time::Duration;

use tpc_actors::prelude::*;

/// Remembers what came, in the order in which it came.
#[core_actor(capacity = 16)]
struct Log {
    entries: Vec<(u32, u32)>,
}

#[core_actor]
impl Log {
    #[init]
    fn new() -> Self {
        Self { entries: Vec::new() }
    }

    #[handler(tell)]
    fn write(&mut self, who: u32, n: u32) {
        self.entries.push((who, n));
    }

    #[handler]
    fn ask(&mut self, who: u32, n: u32) -> usize {
        self.entries.push((who, n));
        self.entries.len()
    }

    #[handler]
    fn entries(&self) -> Vec<(u32, u32)> {
        self.entries.clone()
    }
}

/// Writes when it is dropped: more than its thread's lane may lose sight of.
pub struct LastWords(LogClient);

impl Drop for LastWords {
    fn drop(&mut self) {
        for n in 0..8 {
            self.0.write(0, n).now().unwrap();
        }
    }
}

/// Answers with what speaks when it goes.
#[core_actor]
struct Dying;

#[core_actor]
impl Dying {
    #[init]
    fn new() -> Self {
        Self
    }

    #[handler]
    fn give(&self, log: LogClient) -> LastWords {
        LastWords(log)
    }
}

fn start() -> (System, LogClient) {
    let system = System::builder().cores(1).start().unwrap();
    let log = system.spawn::<Log>(()).wait().unwrap();
    (system, log)
}

/// What the log holds once everything has arrived: a look may overtake what travels on other lanes.
fn all_entries(log: &LogClient, count: usize) -> Vec<(u32, u32)> {
    loop {
        let entries = log.entries().wait().unwrap();
        if entries.len() >= count {
            return entries;
        }
        thread::yield_now();
    }
}

/// Each writer's numbers must rise by one.
fn assert_in_order(entries: &[(u32, u32)], writers: u32, each: u32) {
    assert_eq!(entries.len(), (writers * each) as usize);
    for writer in 0..writers {
        let numbers = entries.iter().filter(|(who, _)| *who == writer).map(|(_, n)| *n);
        assert!(numbers.eq(0..each), "writer {writer} is out of order");
    }
}

#[test]
fn one_thread_is_first_in_first_out_whatever_it_mixes() {
    let (system, log) = start();
    let mut asks = Vec::new();
    for n in 0..1000 {
        match n % 3 {
            0 => log.write(0, n).wait().unwrap(),
            1 => drop(log.ask(0, n).wait().unwrap()),
            _ => match log.ask(0, n).now() {
                Ok(ask) => asks.push(ask),
                Err(_) => drop(log.ask(0, n).wait().unwrap()),
            },
        }
        if asks.len() == 8 {
            for ask in asks.drain(..) {
                ask.wait().unwrap();
            }
        }
    }
    for ask in asks {
        ask.wait().unwrap();
    }
    assert_in_order(&log.entries().wait().unwrap(), 1, 1000);
    assert!(system.shutdown_wait(Duration::from_secs(10)).is_clean());
}

#[test]
fn threads_with_lanes_of_their_own_and_visitors_keep_their_order() {
    let (system, log) = start();
    let writers: Vec<_> = (0..4)
        .map(|who| {
            let log = log.clone();
            thread::spawn(move || {
                if who % 2 == 0 {
                    tpc_actors::register_thread();
                }
                for n in 0..2000 {
                    log.write(who, n).wait().unwrap();
                }
            })
        })
        .collect();
    for writer in writers {
        writer.join().unwrap();
    }
    assert_in_order(&all_entries(&log, 8000), 4, 2000);
    assert!(system.shutdown_wait(Duration::from_secs(10)).is_clean());
}

/// The tasks of one ordered client hand it on, so that only the lane can keep the order.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_ordered_client_keeps_its_order_over_clones_and_workers() {
    let (system, log) = start();
    let ordered = log.ordered();
    for n in 0..2000 {
        let clone = ordered.clone();
        // Each send on whichever worker takes the task.
        tokio::spawn(async move { clone.write(0, n).await.unwrap() }).await.unwrap();
    }
    assert_in_order(&ordered.entries().await.unwrap(), 1, 2000);
    assert!(system.shutdown(Duration::from_secs(10)).await.is_clean());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn asks_that_are_awaited_one_after_the_other_never_reorder() {
    let (system, log) = start();
    let tasks: Vec<_> = (0..8)
        .map(|who| {
            let log = log.clone();
            tokio::spawn(async move {
                for n in 0..500 {
                    log.ask(who, n).await.unwrap();
                    tokio::task::yield_now().await;
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    assert_in_order(&log.entries().await.unwrap(), 8, 500);
    assert!(system.shutdown(Duration::from_secs(10)).await.is_clean());
}

#[test]
fn a_thread_that_registers_late_keeps_its_order() {
    let (system, log) = start();
    for round in 0..50 {
        let theirs = log.clone();
        thread::spawn(move || {
            for n in 0..10 {
                theirs.write(round, n).wait().unwrap();
            }
            tpc_actors::register_thread();
            for n in 10..20 {
                theirs.write(round, n).wait().unwrap();
            }
        })
        .join()
        .unwrap();
    }
    assert_in_order(&all_entries(&log, 1000), 50, 20);
    assert!(system.shutdown_wait(Duration::from_secs(10)).is_clean());
}

/// A plain thread that waits for another one finds what that one has sent, whichever lanes they use.
#[test]
fn a_visitor_comes_after_what_was_accepted_before() {
    #[core_actor(capacity = 64)]
    struct Replica {
        applied: u64,
    }

    #[core_actor]
    impl Replica {
        #[init]
        fn new() -> Self {
            Self { applied: 0 }
        }

        #[handler(tell)]
        fn apply(&mut self, n: u64) {
            // So that the lane is full when the last one is accepted.
            if n.is_multiple_of(64) {
                thread::sleep(Duration::from_micros(200));
            }
            self.applied += 1;
        }

        #[handler]
        fn applied(&self) -> u64 {
            self.applied
        }
    }

    let system = System::builder().cores(1).start().unwrap();
    let replica = system.spawn::<Replica>(()).wait().unwrap();
    let runners = [replica.ordered(), replica.ordered(), replica.ordered()];
    for round in 1..=100 {
        thread::scope(|scope| {
            for runner in &runners {
                scope.spawn(move || (0..100).for_each(|n| runner.apply(n).wait().unwrap()));
            }
        });
        assert_eq!(replica.applied().wait().unwrap(), round * 300);
    }
    system.shutdown_wait(Duration::from_secs(10));
}

/// A lane to an actor that has ended goes when the thread opens another one. What it holds may write to the very actor
/// that this one leads to, and must not open a second one: the first would be closed with what it carries.
#[test]
fn what_goes_with_an_old_lane_writes_over_the_new_one() {
    let (system, log) = start();
    thread::spawn(move || {
        tpc_actors::register_thread();
        let mortal = System::builder().cores(1).start().unwrap();
        let dying = mortal.spawn::<Dying>(()).wait().unwrap();
        let mut left = Box::pin(dying.give(log.clone()));
        let polled = left.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        assert!(polled.is_pending());
        // Answered once the system is down; the answer stays in its slot, because nobody takes it or leaves it there.
        std::mem::forget(left);
        drop(dying);
        assert!(mortal.shutdown_wait(Duration::from_secs(10)).is_clean());
        log.write(1, 0).wait().unwrap();
        log.write(1, 1).wait().unwrap();
        let entries = all_entries(&log, 10);
        let last: Vec<_> = (0..8).map(|n| (0, n)).collect();
        let (before, behind) = entries.split_at(8);
        assert_eq!((before, behind), (&*last, &[(1, 0), (1, 1)][..]));
    })
    .join()
    .unwrap();
    assert!(system.shutdown_wait(Duration::from_secs(10)).is_clean());
}
