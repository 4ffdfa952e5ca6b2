//! Asks that are left while their handlers keep the reply for later.

mod until;

use std::future::Future;
use std::sync::{Arc, mpsc};
use std::task::{Context, Wake, Waker};
use std::thread;
use std::time::Duration;

use tokio::time::timeout;
use tpc_actors::client::Ask;
use tpc_actors::prelude::*;
use until::until;

const LONG: Duration = Duration::from_secs(20);

#[core_actor(capacity = 4)]
struct Lock {
    held: Vec<Reply<u64>>,
}

#[core_actor]
impl Lock {
    #[init]
    fn new() -> Self {
        Self { held: Vec::new() }
    }

    #[handler]
    fn acquire(&mut self, reply: Reply<u64>) {
        self.held.push(reply);
    }

    /// How many hold a reply, and how many of them are still there.
    #[handler]
    fn held(&self) -> (usize, usize) {
        (self.held.len(), self.held.iter().filter(|reply| reply.is_wanted()).count())
    }

    #[handler]
    fn release(&mut self) -> usize {
        let held = std::mem::take(&mut self.held);
        let count = held.len();
        for reply in held {
            reply.send(7);
        }
        count
    }
}

fn start() -> (System, LockClient) {
    let system = System::builder().cores(1).start().unwrap();
    let lock = system.spawn::<Lock>(()).wait().unwrap();
    (system, lock)
}

fn stop(system: &System) {
    let report = system.shutdown_wait(LONG);
    assert!(report.is_clean(), "{report}");
}

/// Asks whose replies are kept, until there may be no more of them over this thread's lane.
fn as_many_as_may_stay(lock: &LockClient) -> Vec<Ask<'_, Lock, u64>> {
    let elsewhere = lock.ordered();
    let mut stay = Vec::new();
    loop {
        // Asked first: with an empty lane it is not for want of room that another one is refused.
        let begun = elsewhere.held().wait().unwrap().0;
        match lock.acquire().now() {
            Ok(ask) => stay.push(ask),
            Err(_) if begun == stay.len() => return stay,
            Err(_) => {}
        }
    }
}

/// Who has no time left waits for nothing either.
#[tokio::test]
async fn an_ask_that_is_late_in_its_batch_is_not_in_the_way() {
    let (system, lock) = start();
    let mut stay = as_many_as_may_stay(&lock);
    drop(stay.pop());
    let limit = Duration::from_millis(50);
    let mut batch = lock.ask_batch([lock.acquire().deadline(LONG), lock.acquire().deadline(limit)]);
    assert!(timeout(Duration::from_millis(1), &mut batch).await.is_err());
    let mut behind = lock.held();
    assert!(timeout(Duration::from_millis(1), &mut behind).await.is_err());
    assert!(timeout(2 * limit, &mut batch).await.is_err(), "its first one waits on");
    drop(stay.pop());
    timeout(LONG, behind).await.expect("it is told of the slot").unwrap();
    drop((stay, batch));
    system.shutdown(LONG).await;
}

/// Whoever has left waits for nothing, so nobody may have to wait for him.
#[test]
fn those_that_were_left_do_not_use_up_the_lane() {
    let (system, lock) = start();
    for client in [lock.clone(), lock.ordered()] {
        for _ in 0..100 {
            let left = client.acquire().deadline(Duration::from_micros(100)).wait();
            assert!(matches!(left, Err(AskError::Deadline { .. })), "{left:?}");
        }
        // Over the same lane.
        client.held().deadline(LONG).wait().unwrap();
    }
    let (held, wanted) = lock.held().wait().unwrap();
    assert!(held > 16 && wanted == 0, "{held} held, {wanted} wanted");
    assert_eq!(lock.release().wait().unwrap(), held);
    // Those that stay are bounded as before.
    assert_eq!(as_many_as_may_stay(&lock).len(), 8);
    stop(&system);
}

#[test]
fn a_reply_says_whether_somebody_waits_for_it() {
    let (system, lock) = start();
    let there = lock.acquire().now().unwrap();
    let leaves = lock.acquire().now().unwrap();
    assert_eq!(lock.held().wait().unwrap(), (2, 2));
    drop(leaves);
    assert_eq!(lock.held().wait().unwrap(), (2, 1));
    assert_eq!(lock.release().wait().unwrap(), 2);
    assert_eq!(there.wait().unwrap(), 7);
    stop(&system);
}

/// What a waker holds.
struct Task;

impl Wake for Task {
    fn wake(self: Arc<Self>) {}
}

/// A waker holds a task, and with it a runtime perhaps.
#[test]
fn who_leaves_takes_his_waker_along() {
    let (system, lock) = start();
    for limit in [None, Some(LONG)] {
        let task = Arc::new(Task);
        let waker = Waker::from(Arc::clone(&task));
        let ask = lock.acquire();
        let mut ask = Box::pin(match limit {
            Some(limit) => ask.deadline(limit),
            None => ask,
        });
        let before = lock.held().wait().unwrap().0;
        assert!(ask.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
        while lock.held().wait().unwrap().0 == before {
            thread::yield_now();
        }
        drop((ask, waker));
        // The core may be about to put it back.
        while Arc::strong_count(&task) > 1 {
            thread::yield_now();
        }
        assert_eq!(lock.held().wait().unwrap().1, 0);
    }
    stop(&system);
}

/// Who may still cancel it does not keep the task of one that is over.
#[test]
fn a_canceller_does_not_keep_the_task() {
    let (system, lock) = start();
    let task = Arc::new(Task);
    let (ask, canceller) = lock.acquire().cancellable();
    let mut ask = Box::pin(ask);
    let waker = Waker::from(Arc::clone(&task));
    assert!(ask.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
    while lock.held().wait().unwrap().0 == 0 {
        thread::yield_now();
    }
    drop((ask, waker));
    while Arc::strong_count(&task) > 1 {
        thread::yield_now();
    }
    canceller.cancel();
    stop(&system);
}

/// Plain threads share a lane, and take their answers while others use it.
#[test]
fn who_takes_an_answer_makes_room_for_who_waits() {
    let (system, lock) = start();
    let asks = as_many_as_may_stay(&lock);
    let (told, tells) = mpsc::channel();
    let waits = lock.clone();
    // Not joined: a thread that nobody tells waits for good.
    thread::spawn(move || told.send(waits.acquire().wait()));
    thread::sleep(Duration::from_millis(50));
    let elsewhere = lock.ordered();
    assert_eq!(elsewhere.release().wait().unwrap(), asks.len());
    for ask in asks {
        assert_eq!(ask.wait().unwrap(), 7);
    }
    until("the ask of who has waited", || elsewhere.held().wait().unwrap() == (1, 1));
    assert_eq!(elsewhere.release().wait().unwrap(), 1);
    assert_eq!(tells.recv_timeout(LONG).unwrap().unwrap(), 7);
    stop(&system);
}

/// A lane goes to another owner with what was set aside.
#[test]
fn the_next_owner_of_a_lane_is_not_the_poorer() {
    let (system, lock) = start();
    for _ in 0..3 {
        let client = lock.ordered();
        for _ in 0..60 {
            let left = client.acquire().deadline(Duration::from_micros(100)).wait();
            assert!(matches!(left, Err(AskError::Deadline { .. })), "{left:?}");
        }
        client.held().deadline(LONG).wait().expect("those that were left are in nobody's way");
        lock.release().wait().unwrap();
        // All slots that there may be, so that those that were set aside are looked through.
        drop(as_many_as_may_stay(&client));
        lock.release().wait().unwrap();
    }
    stop(&system);
}
