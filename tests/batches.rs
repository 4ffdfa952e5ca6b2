//! Messages of one kind that arrive together: how many, in which order, and what becomes of each.

use std::sync::mpsc::{self, Receiver};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use tpc_actors::client::AskBatch;
use tpc_actors::prelude::*;

/// What the handler does with its batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Then {
    Answer,
    /// Answers that many members, then panics.
    Panic(usize),
    Forget,
    Keep,
}

/// Writes down which members came together.
#[core_actor(capacity = 64, supervise(max = 100, backoff = "1ms..1ms"))]
struct Log {
    seen: Arc<Mutex<Vec<Vec<u64>>>>,
    then: Arc<Mutex<Then>>,
    kept: Vec<(u64, Reply<u64>)>,
}

#[core_actor]
impl Log {
    #[init]
    fn new(seen: Arc<Mutex<Vec<Vec<u64>>>>, then: Arc<Mutex<Then>>) -> Self {
        Self { seen, then, kept: Vec::new() }
    }

    /// Keeps the core busy until there is something to receive.
    #[handler(tell)]
    fn hold(&mut self, until: Receiver<()>) {
        let _ = until.recv_timeout(Duration::from_secs(30));
    }

    #[handler(batch = 16)]
    fn append(&mut self, records: Batch<u64, Reply<u64>>) {
        self.seen.lock().unwrap().push(records.iter().copied().collect());
        let then = *self.then.lock().unwrap();
        for (index, (record, reply)) in records.into_iter().enumerate() {
            match then {
                Then::Answer => reply.send(record * 2),
                Then::Panic(after) if index < after => reply.send(record * 2),
                Then::Panic(_) => panic!("at {record}"),
                Then::Forget => drop(reply),
                Then::Keep => self.kept.push((record, reply)),
            }
        }
    }

    #[handler(tell, batch = 4)]
    fn note(&mut self, notes: Batch<u64>) {
        self.seen.lock().unwrap().push(notes.into_iter().collect());
    }

    #[handler]
    fn release(&mut self) -> usize {
        let kept = self.kept.len();
        for (record, reply) in self.kept.drain(..) {
            reply.send(record * 3);
        }
        kept
    }

    /// Sends to itself, over the queue of the actor's own core.
    #[handler]
    fn append_here(&mut self, cx: &mut Ctx<Self>, records: u64, reply: Reply<u64>) {
        for record in 0..records {
            let log = cx.pinned();
            cx.spawn(async move {
                assert_eq!(log.append(record).await.unwrap(), record * 2);
            });
        }
        let log = cx.pinned();
        cx.spawn(async move {
            let last = log.append(records).await.unwrap();
            reply.send(last);
        });
    }
}

struct Fixture {
    system: System,
    log: LogClient,
    seen: Arc<Mutex<Vec<Vec<u64>>>>,
    then: Arc<Mutex<Then>>,
}

impl Fixture {
    fn new(then: Then) -> Self {
        let system = System::builder().cores(1).start().unwrap();
        let (seen, then) = (Arc::default(), Arc::new(Mutex::new(then)));
        let log = system.spawn::<Log>((Arc::clone(&seen), Arc::clone(&then))).wait().unwrap();
        Self { system, log, seen, then }
    }

    fn seen(&self) -> Vec<Vec<u64>> {
        std::mem::take(&mut self.seen.lock().unwrap())
    }
}

impl Drop for Fixture {
    fn drop(&mut self) {
        let report = self.system.shutdown_wait(Duration::from_secs(10));
        if !thread::panicking() {
            assert!(report.to_string().contains("0 rejected, 0 abandoned"), "{report}");
        }
    }
}

#[test]
fn what_waits_comes_together_up_to_the_limit() {
    let fixture = Fixture::new(Then::Answer);
    let log = &fixture.log;
    let (go, until) = mpsc::channel();
    log.hold(until).wait().unwrap();
    let asks: Vec<_> = (0..20).map(|record| log.append(record).now().unwrap()).collect();
    go.send(()).unwrap();
    for (record, ask) in (0..).zip(asks) {
        assert_eq!(ask.wait().unwrap(), record * 2);
    }
    let batches = fixture.seen();
    assert_eq!(batches.concat(), (0..20).collect::<Vec<_>>());
    assert_eq!(batches.iter().map(Vec::len).collect::<Vec<_>>(), [16, 4]);
    // Who comes alone does not wait for others.
    assert_eq!(log.append(7).wait().unwrap(), 14);
    assert_eq!(fixture.seen(), [[7]]);
}

#[test]
fn a_message_of_another_kind_ends_a_batch() {
    let fixture = Fixture::new(Then::Answer);
    let log = &fixture.log;
    let (go, until) = mpsc::channel();
    log.hold(until).wait().unwrap();
    let mut asks = Vec::new();
    for record in [1, 2] {
        asks.push(log.append(record).now().unwrap());
    }
    for note in [3, 4, 5, 6, 7] {
        log.note(note).now().unwrap();
    }
    asks.push(log.append(8).now().unwrap());
    go.send(()).unwrap();
    assert!(asks.into_iter().all(|ask| ask.wait().is_ok()));
    let expected: [&[u64]; 4] = [&[1, 2], &[3, 4, 5, 6], &[7], &[8]];
    assert_eq!(fixture.seen(), expected);
}

#[test]
fn who_has_left_or_is_late_is_not_a_member() {
    let fixture = Fixture::new(Then::Answer);
    let log = &fixture.log;
    let (go, until) = mpsc::channel();
    log.hold(until).wait().unwrap();
    let mut asks = Vec::new();
    for record in 0..9 {
        let ask = log.append(record);
        let ask = if record % 3 == 2 { ask.deadline(Duration::from_millis(5)) } else { ask };
        asks.push(Some(ask.now().unwrap()));
    }
    // The first one, too: a batch begins with whoever is left.
    for record in [0, 3, 6] {
        drop(asks[record].take());
    }
    for record in [2, 5, 8] {
        let late = asks[record].take().unwrap().wait();
        assert!(matches!(late, Err(AskError::Deadline { started: false })), "{late:?}");
    }
    go.send(()).unwrap();
    let left: Vec<u64> = asks.into_iter().flatten().map(|ask| ask.wait().unwrap()).collect();
    assert_eq!(left, [2, 8, 14]);
    assert_eq!(fixture.seen(), [[1, 4, 7]]);
}

#[test]
fn a_panic_is_the_answer_for_those_that_have_none() {
    let fixture = Fixture::new(Then::Panic(2));
    let log = &fixture.log;
    let (go, until) = mpsc::channel();
    log.hold(until).wait().unwrap();
    let asks: Vec<_> = (0..18).map(|record| log.append(record).now().unwrap()).collect();
    go.send(()).unwrap();
    for (record, ask) in (0u64..).zip(asks) {
        match ask.wait() {
            // The second batch is served by the next life, and panics not before its third member.
            Ok(answer) => assert!([0, 1, 16, 17].contains(&record) && answer == record * 2),
            Err(AskError::Panicked(report)) => {
                assert_eq!((report.handler(), report.message()), ("append", "at 2"));
                assert!((2..16).contains(&record), "{record}");
            }
            other => panic!("{record}: {other:?}"),
        }
    }
    let status = fixture.system.actors();
    let actor = status.iter().find(|actor| actor.name() == "Log").unwrap();
    assert_eq!((actor.panics(), actor.restarts()), (1, 1));
}

#[test]
fn tokens_may_be_dropped_or_kept() {
    let fixture = Fixture::new(Then::Forget);
    let log = &fixture.log;
    let asks: Vec<_> = (0..5).map(|record| log.append(record).now().unwrap()).collect();
    for ask in asks {
        assert!(matches!(ask.wait(), Err(AskError::Dropped)));
    }
    *fixture.then.lock().unwrap() = Then::Keep;
    let asks: Vec<_> = (0..5).map(|record| log.append(record).now().unwrap()).collect();
    assert_eq!(log.release().wait().unwrap(), 5);
    for (record, ask) in (0..).zip(asks) {
        assert_eq!(ask.wait().unwrap(), record * 3);
    }
}

#[test]
fn the_queue_of_the_own_core_is_batched_as_well() {
    let fixture = Fixture::new(Then::Answer);
    assert_eq!(fixture.log.append_here(9).wait().unwrap(), 18);
    // The tasks have all sent before the queue is looked at.
    assert_eq!(fixture.seen(), [(0..10).collect::<Vec<_>>()]);
}

#[test]
fn every_member_is_counted() {
    let fixture = Fixture::new(Then::Answer);
    let log = fixture.log.ordered();
    for note in 0..50 {
        log.note(note).wait().unwrap();
    }
    assert_eq!(log.append(1).wait().unwrap(), 2);
    let status = fixture.system.actors();
    let actor = status.iter().find(|actor| actor.name() == "Log").unwrap();
    assert_eq!(actor.handled(), 51);
    assert_eq!(fixture.seen().concat().len(), 51);
}

/// Batches of asks and tells, of which a core that looks all the time sees nothing or all.
async fn send_together(fixture: &Fixture, log: LogClient, limit: Option<Duration>) {
    // The first message over a lane opens it.
    log.release().await.unwrap();
    let (mut asks, mut tells) = (AskBatch::default(), log.batch());
    for round in 0..300 {
        for ask in (0..16).map(|n| log.append(n)) {
            asks.push(if let Some(limit) = limit { ask.deadline(limit) } else { ask });
        }
        assert!(asks.send().await.map(Result::unwrap).eq((0..16).map(|n| 2 * n)));
        (0..4).for_each(|n| tells.push(log.note(n)));
        tells.send().await.unwrap();
        log.release().await.unwrap();
        let seen: Vec<_> = fixture.seen().iter().map(Vec::len).collect();
        assert_eq!(seen, [16, 4], "round {round}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn what_is_sent_together_is_published_at_once() {
    let fixture = Arc::new(Fixture::new(Then::Answer));
    // Over a worker's lane, and one of the client's own.
    for log in [fixture.log.clone(), fixture.log.ordered()] {
        for limit in [None, Some(Duration::from_mins(1))] {
            let (fixture, log) = (Arc::clone(&fixture), log.clone());
            let sender = tokio::spawn(async move { send_together(&fixture, log, limit).await });
            sender.await.unwrap();
        }
    }
    // Over that of the visitors.
    send_together(&fixture, fixture.log.clone(), None).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_tasks_share_batches_and_lose_nothing() {
    let fixture = Fixture::new(Then::Answer);
    let tasks: Vec<_> = (0..64u64)
        .map(|task| {
            let log = fixture.log.clone();
            tokio::spawn(async move {
                for n in 0..200 {
                    let record = task * 1000 + n;
                    // A few leave before their answers come.
                    if n % 7 == 0 {
                        let _ = log.append(record).deadline(Duration::from_micros(50)).await;
                    } else {
                        assert_eq!(log.append(record).await.unwrap(), record * 2);
                    }
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    let seen = fixture.seen();
    assert!(seen.iter().all(|batch| (1..=16).contains(&batch.len())));
    assert!(seen.concat().len() >= 64 * (200 - 29));
}
