//! Tells that follow each other are served by a loop of their own; nobody may notice.

mod random;
mod until;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use tpc_actors::prelude::*;
use tpc_actors::{ActorState, ActorStatus};

use random::Random;
use until::until;

const SOON: Duration = Duration::from_secs(20);

struct Gate(Receiver<()>);

/// Writes down what it is told, in that order.
#[core_actor(capacity = 1024, supervise(on_panic = resume))]
struct Book {
    lines: Vec<u64>,
}

#[core_actor]
impl Book {
    #[init]
    fn new() -> Self {
        Self { lines: Vec::new() }
    }

    #[handler(tell)]
    fn note(&mut self, n: u64) {
        self.lines.push(n);
    }

    #[handler(tell, boxed)]
    fn note_large(&mut self, n: u64, _rest: [u64; 40]) {
        self.lines.push(n);
    }

    #[handler(tell)]
    fn fail(&mut self, n: u64) {
        self.lines.push(n);
        panic!("a test's panic");
    }

    #[handler(tell, batch = 8)]
    fn note_many(&mut self, batch: Batch<u64>) {
        self.lines.extend(batch);
    }

    #[handler]
    fn count(&mut self, n: u64) -> usize {
        self.lines.push(n);
        self.lines.len()
    }

    #[handler]
    fn lines(&mut self) -> Vec<u64> {
        std::mem::take(&mut self.lines)
    }

    /// Sticks until the other end says something, or is gone.
    #[handler(tell)]
    fn stick(&mut self, gate: Gate) {
        self.lines.push(0);
        _ = gate.0.recv();
    }

    #[handler(tell)]
    fn stop(&mut self, cx: &mut Ctx<Self>, noted: Arc<AtomicU64>) {
        noted.store(self.lines.len() as u64, Ordering::Relaxed);
        cx.stop();
    }
}

fn start() -> (System, BookClient) {
    let system = System::builder().cores(1).start().unwrap();
    let book = system.spawn::<Book>(()).wait().unwrap();
    (system, book)
}

fn handled(system: &System) -> u64 {
    system.actors().iter().map(ActorStatus::handled).sum()
}

/// Each message runs once, in the order in which it was sent, and is counted, whatever comes before and behind it.
#[test]
fn tells_among_other_messages_run_in_their_order() {
    for seed in 0..60 {
        let (system, book) = start();
        let random = Random::beside(seed);
        let count = 1 + random.below(300);
        let mut answers = Vec::new();
        for n in 0..count {
            match random.below(5) {
                0 | 1 => book.note(n).wait().unwrap(),
                2 => book.note_many(n).wait().unwrap(),
                3 => book.note_large(n, [0; 40]).wait().unwrap(),
                _ => answers.push((n, book.count(n).now().unwrap())),
            }
        }
        let lines = book.lines().wait().unwrap();
        assert!(lines.iter().copied().eq(0..count), "seed {seed}: {lines:?}");
        for (n, answer) in answers {
            assert_eq!(answer.wait().unwrap() as u64, n + 1, "seed {seed}");
        }
        assert_eq!(handled(&system), count + 1, "seed {seed}");
        assert_eq!(system.shutdown_wait(SOON).finished(), count + 1, "seed {seed}");
    }
}

#[test]
fn a_tell_that_panics_takes_no_other_one_with_it() {
    let (system, book) = start();
    for n in 0..1_000 {
        let tell = if n % 7 == 3 { book.fail(n) } else { book.note(n) };
        tell.wait().unwrap();
    }
    assert!(book.lines().wait().unwrap().into_iter().eq(0..1_000));
    let status = &system.actors()[0];
    assert_eq!((status.handled(), status.panics()), (1_001, 143));
    system.shutdown_wait(SOON);
}

#[test]
fn nothing_runs_after_the_tell_that_stops_its_actor() {
    let (system, book) = start();
    let noted = Arc::new(AtomicU64::new(0));
    let mut batch = book.batch();
    batch.extend((0..100).map(|n| book.note(n)));
    batch.push(book.stop(Arc::clone(&noted)));
    batch.extend((0..100).map(|n| book.fail(n)));
    batch.send().wait().unwrap();
    let stopped = |actor: &ActorStatus| actor.state() == ActorState::Stopped;
    until("the end of the actor", || system.actors().iter().all(stopped));
    assert_eq!(noted.load(Ordering::Relaxed), 100);
    let report = system.shutdown_wait(SOON);
    assert_eq!((report.finished(), report.panics()), (101, 0));
    assert_eq!(report.rejected(), 100, "those behind it are counted");
}

/// Also those that ran in one go with the one that sticks.
#[test]
fn what_ran_before_its_core_got_stuck_is_counted() {
    let (system, book) = start();
    let (go, gate) = channel();
    let (never, stuck) = channel();
    book.stick(Gate(gate)).wait().unwrap();
    (0..183).for_each(|n| book.note(n).wait().unwrap());
    book.stick(Gate(stuck)).wait().unwrap();
    go.send(()).unwrap();
    until("the message that sticks", || handled(&system) == 185);
    let report = system.shutdown_wait(Duration::from_millis(200));
    assert_eq!((report.finished(), report.stuck_threads().len()), (185, 1));
    drop(never);
}
