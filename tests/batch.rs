//! Many tells or asks in one publish: nothing lost, nothing twice, nothing out of order.

mod poll_once;

use std::pin::Pin;
use std::time::Duration;

use tokio::runtime::{Builder, Runtime};
use tpc_actors::prelude::*;

use poll_once::poll_once;

const LONG: Duration = Duration::from_secs(10);

#[core_actor(capacity = 8)]
struct Ledger {
    seen: Vec<u64>,
    waiting: Vec<(u64, Reply<u64>)>,
}

#[core_actor]
impl Ledger {
    #[init]
    fn new() -> Self {
        Self { seen: Vec::new(), waiting: Vec::new() }
    }

    #[handler(tell)]
    fn note(&mut self, #[key] shard: u64, n: u64) {
        let _ = shard;
        self.seen.push(n);
    }

    #[handler]
    fn seen(&mut self, #[key] shard: u64) -> Vec<u64> {
        let _ = shard;
        std::mem::take(&mut self.seen)
    }

    #[handler]
    fn square(&mut self, #[key] n: u64) -> u64 {
        assert_ne!(n, 13, "unlucky");
        n * n
    }

    /// Answers in reverse order, once there are four of them.
    #[handler]
    fn late(&mut self, #[key] shard: u64, n: u64, reply: Reply<u64>) {
        let _ = shard;
        self.waiting.push((n, reply));
        if self.waiting.len() == 4 {
            while let Some((n, reply)) = self.waiting.pop() {
                reply.send(n);
            }
        }
    }

    #[handler(tell)]
    fn nap(&mut self, #[key] shard: u64) {
        let _ = shard;
        std::thread::sleep(Duration::from_millis(50));
    }

    #[handler(tell)]
    fn stop(&mut self, cx: &mut Ctx<Self>, #[key] shard: u64) {
        let _ = shard;
        cx.stop();
    }
}

fn runtime() -> Runtime {
    Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()
}

fn start() -> (System, LedgerClient) {
    let system = System::builder().cores(1).start().unwrap();
    let ledger = system.spawn::<Ledger>(()).wait().unwrap();
    (system, ledger)
}

/// Runs `work` as a task, so that it has a lane of its own.
fn in_task<T: Send + 'static>(work: impl Future<Output = T> + Send + 'static) -> T {
    runtime().block_on(async { tokio::spawn(work).await.unwrap() })
}

#[test]
fn a_batch_that_is_far_larger_than_the_lane_arrives_whole_and_in_order() {
    let (system, ledger) = start();
    let client = ledger.ordered();
    let seen = in_task(async move {
        let mut batch = client.batch();
        for round in 0..3 {
            for n in 0..1_000 {
                batch.push(client.note(0, round * 1_000 + n));
            }
            assert_eq!(batch.len(), 1_000);
            batch.send().await.unwrap();
            assert!(batch.is_empty());
        }
        client.seen(0).await.unwrap()
    });
    assert!(seen.into_iter().eq(0..3_000));
    // The same from a thread without a lane of its own, which does not move.
    for client in [ledger.clone(), ledger.ordered()] {
        let mut batch = client.batch();
        (0..500).for_each(|n| batch.push(client.note(0, n)));
        batch.send().wait().unwrap();
        assert!(client.seen(0).wait().unwrap().into_iter().eq(0..500));
    }
    assert!(system.shutdown_wait(LONG).is_clean());
}

#[test]
fn every_shard_gets_its_own_messages() {
    let system = System::builder().cores(2).start().unwrap();
    let ledger = system.spawn_sharded::<Ledger>(2, |_| ()).wait().unwrap();
    let mut batch = ledger.batch();
    (0..1_000).for_each(|n| batch.push(ledger.note(n % 7, n)));
    batch.send().wait().unwrap();
    let mut seen: Vec<u64> = (0..7).flat_map(|key| ledger.seen(key).wait().unwrap()).collect();
    seen.sort_unstable();
    assert!(seen.into_iter().eq(0..1_000));
    assert!(system.shutdown_wait(LONG).is_clean());
}

#[test]
fn what_a_shard_refuses_stays_a_message_to_that_shard() {
    let system = System::builder().cores(1).start().unwrap();
    let ledger = system.spawn_sharded::<Ledger>(3, |_| ()).wait().unwrap();
    let key = (0..1_000).find(|key| ledger.shard_of(key) == 2).unwrap();
    ledger.nap(key).wait().unwrap();
    let mut batch = ledger.batch();
    (0..100).for_each(|n| batch.push(ledger.note(key, n)));
    let late = send_late(&mut batch);
    assert!(matches!(late, Err(TellError::Deadline(()))), "{late:?}");
    batch.send().wait().unwrap();
    assert!(ledger.seen(key).wait().unwrap().into_iter().eq(0..100));
    assert!(system.shutdown_wait(LONG).is_clean());
}

/// Sends with a deadline that passes while the first message without room waits in line.
fn send_late(batch: &mut tpc_actors::client::TellBatch<'_, Ledger>) -> Result<(), TellError<()>> {
    batch.send().deadline(Duration::from_millis(5)).wait()
}

#[test]
fn what_finds_no_room_stays_in_the_batch() {
    let (system, ledger) = start();
    ledger.nap(0).wait().unwrap();
    let mut batch = ledger.batch();
    (0..100).for_each(|n| batch.push(ledger.note(0, n)));
    let refused = batch.send().now().unwrap_err();
    assert!(matches!(refused, TellError::Full(())), "{refused:?}");
    assert!((84..100).contains(&batch.len()), "{}", batch.len());
    let late = batch.send().deadline(Duration::from_millis(1)).wait();
    assert!(matches!(late, Err(TellError::Deadline(()))), "{late:?}");
    batch.send().wait().unwrap();
    assert!(ledger.seen(0).wait().unwrap().into_iter().eq(0..100));
    assert!(system.shutdown_wait(LONG).is_clean());
}

#[test]
fn a_send_that_waits_in_line_can_be_told_not_to_wait() {
    let (system, ledger) = start();
    let ledger = ledger.ordered();
    ledger.nap(0).wait().unwrap();
    let mut batch = ledger.batch();
    (0..100).for_each(|n| batch.push(ledger.note(0, n)));
    // Late: with a deadline that begins while it waits, and at once.
    let mut send = batch.send();
    assert!(poll_once(Pin::new(&mut send)).is_none());
    let late = send.deadline(Duration::from_millis(1)).wait();
    assert!(matches!(late, Err(TellError::Deadline(()))), "{late:?}");
    let mut send = batch.send();
    assert!(poll_once(Pin::new(&mut send)).is_none());
    let full = send.now();
    assert!(matches!(full, Err(TellError::Full(()))), "{full:?}");
    batch.send().wait().unwrap();
    assert!(ledger.seen(0).wait().unwrap().into_iter().eq(0..100), "in order, and all of them");
    assert!(system.shutdown_wait(LONG).is_clean());
}

#[test]
fn a_full_shard_does_not_keep_the_others_from_their_messages() {
    let system = System::builder().cores(2).start().unwrap();
    let ledger = system.spawn_sharded::<Ledger>(2, |_| ()).wait().unwrap();
    let key = |shard| (0..1_000).find(|key| ledger.shard_of(key) == shard).unwrap();
    ledger.nap(key(0)).wait().unwrap();
    let mut batch = ledger.batch();
    (0..100).for_each(|n| batch.push(ledger.note(key(0), n)));
    (0..4).for_each(|n| batch.push(ledger.note(key(1), n)));
    let full = batch.send().now();
    assert!(matches!(full, Err(TellError::Full(()))), "{full:?}");
    assert_eq!(ledger.seen(key(1)).wait().unwrap(), [0, 1, 2, 3]);
    batch.send().wait().unwrap();
    assert!(ledger.seen(key(0)).wait().unwrap().into_iter().eq(0..100));
    assert!(system.shutdown_wait(LONG).is_clean());
}

#[test]
#[should_panic(expected = "give `send()` one")]
fn a_tell_in_a_batch_has_no_deadline_of_its_own() {
    let (_system, ledger) = start();
    ledger.batch().push(ledger.note(0, 1).deadline(LONG));
}

#[test]
fn a_send_that_is_dropped_in_the_middle_is_taken_up_by_the_next() {
    let (system, ledger) = start();
    let seen = in_task(async move {
        let ledger = ledger.ordered();
        let mut batch = ledger.batch();
        (0..2_000).for_each(|n| batch.push(ledger.note(0, n)));
        while !batch.is_empty() {
            // Each is polled once and dropped, whatever it has come to.
            tokio::select! {
                biased;
                sent = batch.send() => sent.unwrap(),
                () = tokio::task::yield_now() => {}
            }
        }
        ledger.seen(0).await.unwrap()
    });
    assert!(seen.into_iter().eq(0..2_000));
    assert!(system.shutdown_wait(LONG).is_clean());
}

#[test]
fn an_actor_that_stops_leaves_in_the_batch_what_it_does_not_take() {
    let (system, ledger) = start();
    let left = in_task(async move {
        let mut batch = ledger.batch();
        (0..500).for_each(|n| batch.push(ledger.note(0, n)));
        batch.push(ledger.stop(0));
        (0..500).for_each(|n| batch.push(ledger.note(0, n)));
        let refused = batch.send().await.unwrap_err();
        assert!(matches!(refused, TellError::Stopped(())), "{refused:?}");
        batch.len()
    });
    // What the lane had room for when the actor stopped was accepted, and counted as rejected.
    assert!((480..=500).contains(&left), "{left}");
    system.shutdown_wait(LONG);
}

#[test]
#[should_panic(expected = "the tell is for another actor")]
fn a_tell_for_another_actor_is_a_mistake() {
    let (system, ledger) = start();
    let other = system.spawn::<Ledger>(()).wait().unwrap();
    ledger.batch().push(other.note(0, 1));
}

#[test]
fn a_batch_of_asks_has_an_outcome_for_each_in_their_order() {
    let (system, ledger) = start();
    let client = ledger.clone();
    in_task(async move {
        for count in [0, 1, 8, 100, 1_000] {
            let answers = client.ask_batch((0..count).map(|n| client.square(n + 100))).await;
            let answers: Result<Vec<u64>, _> = answers.into_iter().collect();
            assert!(answers.unwrap().into_iter().eq((0..count).map(|n| (n + 100) * (n + 100))));
        }
        let answers = client.ask_batch((10..16).map(|n| client.square(n))).await;
        let failed: Vec<bool> = answers.iter().map(Result::is_err).collect();
        assert_eq!(failed, [false, false, false, true, false, false]);
        // Deferred answers come in another order.
        let answers = client.ask_batch((0..8).map(|n| client.late(0, n))).await;
        assert!(answers.into_iter().map(Result::unwrap).eq(0..8));
        // The first three wait for the last one, which needs a slot of those in between.
        let mut asks: Vec<_> = (0..3).map(|n| client.late(0, n)).collect();
        let answers = client.ask_batch((0..60).map(|n| client.square(n + 100)));
        let (answers, late) = tokio::join!(answers, async {
            asks.push(client.late(0, 3));
            client.ask_batch(asks).await
        });
        assert!(answers.iter().all(Result::is_ok) && late.iter().all(Result::is_ok));
        // Also with deadlines, which are each ask's own, and many more asks than reply slots.
        let timed = |n: u64| client.square(n + 100).deadline(LONG);
        let answers = client.ask_batch((0..200).map(timed)).await;
        assert!(answers.into_iter().all(|answer| answer.is_ok()));
        let mut asks: Vec<_> = (0..3).map(|n| client.late(0, n)).collect();
        asks.push(client.late(0, 3).deadline(Duration::ZERO));
        let answers: Vec<_> = client.ask_batch(asks.drain(3..)).await;
        assert!(matches!(answers[0], Err(AskError::Deadline { .. })), "{answers:?}");
    });
    let answers = ledger.ask_batch((0..4).map(|n| ledger.late(0, n))).wait().unwrap();
    assert!(answers.into_iter().map(Result::unwrap).eq(0..4));
    assert!(system.shutdown_wait(LONG).panics() == 1);
}

#[test]
fn asks_of_a_batch_that_is_dropped_do_not_run() {
    let (system, ledger) = start();
    // With its lane full, the task may be polled elsewhere before its last ask: from there, only this client keeps the order.
    let ledger = ledger.ordered();
    in_task(async move {
        ledger.nap(0).await.unwrap();
        let mut batch = ledger.ask_batch((0..6).map(|_| ledger.seen(0)));
        let polled = poll_once(Pin::new(&mut batch));
        assert!(polled.is_none());
        drop(batch);
        ledger.note(0, 7).await.unwrap();
        assert_eq!(ledger.seen(0).await.unwrap(), [7], "none of the dropped asks took it");
    });
    assert!(system.shutdown_wait(LONG).is_clean());
}
