//! Batches of asks that are used again.

mod poll_once;
mod until;

use std::pin::pin;
use std::sync::mpsc::{self, Receiver};
use std::time::Duration;

use tpc_actors::client::AskBatch;
use tpc_actors::prelude::*;

use poll_once::poll_once;
use until::until;

#[core_actor(capacity = 64)]
#[derive(Default)]
struct Squares {
    asked: Vec<(u64, Reply<u64>)>,
}

#[core_actor]
impl Squares {
    #[init]
    fn new() -> Self {
        Self::default()
    }

    #[handler]
    fn square(&mut self, n: u64) -> u64 {
        n * n
    }

    /// Answered by `release`.
    #[handler]
    fn square_later(&mut self, n: u64, reply: Reply<u64>) {
        self.asked.push((n, reply));
    }

    #[handler]
    fn asked(&self) -> usize {
        self.asked.len()
    }

    /// Keeps the core busy until there is something to receive.
    #[handler(tell)]
    fn hold(&mut self, until: Receiver<()>) {
        let _ = until.recv_timeout(Duration::from_secs(20));
    }

    #[handler(tell)]
    fn release(&mut self) {
        self.asked.drain(..).for_each(|(n, reply)| reply.send(n * n));
    }
}

fn start() -> (System, SquaresClient) {
    let system = System::builder().cores(1).start().unwrap();
    let squares = system.spawn::<Squares>(()).wait().unwrap();
    (system, squares)
}

fn end(system: &System) {
    assert!(system.shutdown_wait(Duration::from_secs(10)).is_clean());
}

fn is_squares(answers: impl Iterator<Item = Result<u64, AskError>>, numbers: u64) -> bool {
    answers.map(Result::unwrap).eq((0..numbers).map(|n| n * n))
}

#[test]
fn a_batch_that_was_sent_takes_the_next_asks() {
    let (system, one) = start();
    let two = one.ordered();
    let mut asks = AskBatch::default();
    assert_eq!(asks.send().wait().unwrap().len(), 0);
    for round in 0..4 {
        // Over one way, over two, and over the other one.
        asks.extend((0..10).map(|n| if n % 2 < round { two.square(n) } else { one.square(n) }));
        assert_eq!(asks.len(), 10);
        let answers = asks.send().deadline(Duration::from_mins(1)).wait().unwrap();
        assert_eq!(answers.len(), 10);
        // Those that nobody looks at are no part of the next.
        assert!(is_squares(answers.take(7), 7), "round {round}");
        assert!(asks.is_empty());
    }
    assert!(asks.wait().unwrap().is_empty());
    end(&system);
}

#[test]
fn asks_whose_sending_was_dropped_go_on_with_the_next() {
    let (system, one) = start();
    let two = one.ordered();
    let mut asks: AskBatch<'_, _, _> = (0..3).map(|n| one.square_later(n)).collect();
    assert!(poll_once(pin!(asks.send())).is_none());
    // Those are under way, and another one comes to each way.
    asks.extend([two.square_later(3), one.square_later(4)]);
    assert!(poll_once(pin!(asks.send())).is_none());
    until("the fifth ask", || one.asked().wait().unwrap() == 5);
    one.release().wait().unwrap();
    assert!(is_squares(asks.send().wait().unwrap(), 5));
    assert_eq!(one.asked().wait().unwrap(), 0, "each was sent once");
    // What is dropped before it is sent leaves the batch as it was.
    asks.push(one.square(0));
    drop(asks.send());
    asks.push(one.square(1));
    assert!(is_squares(asks.send().wait().unwrap(), 2));
    end(&system);
}

#[test]
fn answers_that_came_before_the_others_wait_for_them() {
    let (system, one) = start();
    let two = one.ordered();
    let mut asks = AskBatch::default();
    asks.extend([one.square(0), two.square_later(1)]);
    assert!(poll_once(pin!(asks.send())).is_none());
    until("the ask that is answered later", || one.asked().wait().unwrap() == 1);
    // The first way has its answer, and gets another ask.
    assert!(poll_once(pin!(asks.send())).is_none());
    asks.push(one.square(2));
    one.release().wait().unwrap();
    assert!(is_squares(asks.send().wait().unwrap(), 3));
    end(&system);
}

/// Answers are taken as they come, and their slots are there for others.
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn batches_that_wait_for_their_last_answers_do_not_keep_the_slots_of_the_others() {
    let (system, squares) = start();
    // Together as many as may be under way from one thread.
    let batch = |squares: SquaresClient| async move {
        let quick = (1..64).map(|n| squares.square(n));
        let answers = squares.ask_batch(quick.chain([squares.square_later(64)])).await;
        assert!(answers.into_iter().map(Result::unwrap).eq((1..=64).map(|n| n * n)));
    };
    // The first ask of the worker opens its lane, and the others go together.
    let first = squares.clone();
    tokio::spawn(async move { first.square(0).await }).await.unwrap().unwrap();
    let mut waiting = Vec::new();
    for handled in [65, 129] {
        let (go, until) = mpsc::channel();
        squares.ordered().hold(until).await.unwrap();
        waiting.push(tokio::spawn(batch(squares.clone())));
        // It has gone to sleep before the first answer comes.
        tokio::time::sleep(Duration::from_millis(20)).await;
        go.send(()).unwrap();
        while system.actors()[0].handled() <= handled {
            tokio::task::yield_now().await;
        }
    }
    let opener = tokio::spawn(async move {
        let asked = tokio::time::timeout(Duration::from_secs(20), squares.asked()).await;
        assert_eq!(asked.expect("there is a slot").unwrap(), 2);
        squares.release().await.unwrap();
    });
    opener.await.unwrap();
    for batch in waiting {
        batch.await.unwrap();
    }
    end(&system);
}

/// A part of the asks goes out, and nobody answers any; then their time is limited, or that of those which come along is.
#[test]
fn the_time_of_all_begins_together_also_when_they_are_sent_once_more() {
    const LIMIT: Duration = Duration::from_millis(100);
    for limited_alone in [false, true] {
        let mut sim = tpc_actors::sim::Sim::seeded(1).start();
        let few = sim.spawn::<Few>(());
        let ask = |n| if limited_alone { few.later(n).deadline(LIMIT) } else { few.later(n) };
        let mut asks: AskBatch<'_, _, _> = (0..10).map(ask).collect();
        assert!(sim.run(async { poll_once(pin!(asks.send())).is_none() }));
        asks.extend((10..30).map(ask));
        let began = sim.elapsed();
        let outcomes: Vec<_> = if limited_alone {
            sim.run(asks.send()).collect()
        } else {
            sim.run(asks.send().deadline(LIMIT)).collect()
        };
        assert_eq!(outcomes.len(), 30);
        assert!(outcomes.iter().all(|it| matches!(it, Err(AskError::Deadline { .. }))));
        let took = sim.elapsed().abs_diff(began);
        assert!(took < LIMIT * 3 / 2, "{took:?}");
        drop(asks);
        drop(outcomes);
        sim.shutdown(Duration::from_secs(1));
    }
}

#[core_actor(capacity = 2)]
#[derive(Default)]
struct Few(Vec<Reply<u64>>);

#[core_actor]
impl Few {
    #[init]
    fn new() -> Self {
        Self::default()
    }

    /// Never answered.
    #[handler]
    fn later(&mut self, _n: u64, reply: Reply<u64>) {
        self.0.push(reply);
    }
}
