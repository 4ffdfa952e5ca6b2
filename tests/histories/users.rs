//! One history: a simulated system, its users, and what they do.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use tpc_actors::prelude::*;
use tpc_actors::sim::{Faults, Sim};
use tpc_actors::supervision::Supervise;

use super::seeds::Random;
use super::workers::{Tries, Witness};

const US: Duration = Duration::from_micros(1);
const MS: Duration = Duration::from_millis(1);

type Outcome = Result<u64, AskError>;

/// An ask that has been polled and waits.
struct Open {
    number: u64,
    ask: Pin<Box<dyn Future<Output = Outcome>>>,
}

pub struct History<C, F> {
    seed: u64,
    random: Random,
    sim: Sim,
    witness: Witness,
    /// Makes an actor with an id of its own.
    start: F,
    ids: u64,
    clients: Vec<C>,
    /// An ordered client of each.
    ordered: Vec<C>,
    open: Vec<Open>,
    /// The latest request.
    number: u64,
}

impl<C: Tries, F: Fn(&mut Sim, u64, Witness) -> C> History<C, F> {
    pub fn new(seed: u64, start: F) -> Self {
        let random = Random::beside(seed);
        let restarts = Supervise::new().max(1000).backoff(MS, MS);
        let sim = Sim::seeded(seed).cores(1 + random.index(3)).core_restarts(restarts);
        let sim = sim.tasks_max(16).run_time_max(MS * 1000);
        let mut this = Self {
            seed,
            random,
            sim: sim.start(),
            witness: Witness::default(),
            start,
            ids: 0,
            clients: Vec::new(),
            ordered: Vec::new(),
            open: Vec::new(),
            number: 0,
        };
        for at in 0..3 {
            let client = this.another();
            this.clients.insert(at, client);
            this.ordered.insert(at, this.clients[at].in_line());
        }
        this
    }

    /// All of it; what the simulation tells of it.
    pub fn run(mut self) -> Vec<String> {
        let mut events = self.sim.events::<u64>().capacity(8).subscribe();
        for _ in 0..120 {
            self.number += 1;
            match self.random.below(16) {
                0..5 => self.ask(),
                5 if !self.open.is_empty() => drop(self.take_open()),
                6 | 7 if !self.open.is_empty() => {
                    let open = self.take_open();
                    self.look(open);
                }
                8..12 => self.send(),
                12 if self.random.below(8) == 0 => self.replace(),
                13 => self.faults(),
                14 => while events.try_next().is_some() {},
                _ => self.sim.advance(US * self.random.small(500)),
            }
            assert!(self.sim.ledger().balances(), "{}", self.sim.ledger());
        }
        self.finish()
    }

    fn another(&mut self) -> C {
        self.ids += 1;
        // On a core that is there.
        self.sim.faults(Faults::none());
        self.sim.advance(MS * 5);
        (self.start)(&mut self.sim, self.ids, Arc::clone(&self.witness))
    }

    fn numbers(&mut self, count: u64) -> std::ops::Range<u64> {
        let first = self.number + 1;
        self.number += count;
        first..first + count
    }

    fn ask(&mut self) {
        let (at, other) = (self.random.index(3), self.random.index(3));
        let number = self.number;
        let ask = self.clients[at].ask(self.random.below(12), number, &self.clients[other]);
        self.look(Open { number, ask });
    }

    fn take_open(&mut self) -> Open {
        self.open.swap_remove(self.random.index(self.open.len()))
    }

    fn look(&mut self, mut open: Open) {
        match open.ask.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(outcome) => self.check(open.number, outcome),
            Poll::Pending => self.open.push(open),
        }
    }

    /// What an outcome says must be so.
    fn check(&self, number: u64, outcome: Outcome) {
        let ran = self.witness.lock().unwrap().ran.contains(&number);
        match outcome {
            Ok(_) => assert!(ran, "{number} was answered and never ran"),
            Err(error) => assert!(!ran || !error.never_ran(), "{number} ran: {error}"),
        }
    }

    /// Tells of one kind or another, or asks that are left after some polls.
    fn send(&mut self) {
        let at = self.random.index(3);
        match self.random.below(4) {
            0 => self.clients[at].tell(self.random.below(4), self.number),
            1 => {
                for number in self.numbers(3) {
                    self.ordered[at].tell_in_order(at as u64, number);
                }
            }
            2 => {
                let numbers = self.numbers(6);
                self.clients[at].notes(numbers);
            }
            _ => {
                let numbers = self.numbers(5);
                let mut works = self.clients[at].works(numbers);
                self.sim.run(async {
                    for _ in 0..3 {
                        if is_ready(works.as_mut()).await {
                            break;
                        }
                    }
                });
            }
        }
    }

    fn replace(&mut self) {
        let at = self.random.index(3);
        self.sim.stop(&self.clients[at]);
        self.clients[at] = self.another();
        self.ordered[at] = self.clients[at].in_line();
    }

    fn faults(&mut self) {
        let chance = |percent| self.random.chance(percent);
        let faults = Faults::none().handler_panics(chance(20)).full_lanes(chance(50));
        // In most of the histories cores are lost as well.
        let losses = if self.seed.is_multiple_of(4) { 0.0 } else { chance(3) / 10.0 };
        self.sim.faults(faults.stalls(chance(10), MS * 2).core_losses(losses));
    }

    /// Half of the histories end with everything answered, the others in the middle.
    fn finish(mut self) -> Vec<String> {
        self.sim.faults(Faults::none());
        if self.seed.is_multiple_of(2) {
            self.sim.advance(MS * 50);
            for at in 0..3 {
                let number = self.numbers(1).start;
                self.clients[at].tell(0, number);
            }
            self.sim.advance(MS * 50);
            assert_eq!(self.sim.ledger().waiting, 0, "{}", self.sim.ledger());
        }
        let report = self.sim.shutdown(MS * self.random.small(5));
        for Open { number, ask } in std::mem::take(&mut self.open) {
            let outcome = self.sim.run(ask);
            self.check(number, outcome);
        }
        let (ledger, trace) = (self.sim.ledger(), self.sim.trace());
        assert!(ledger.balances() && ledger.waiting == 0, "{ledger}");
        assert_eq!((report.finished(), report.rejected()), (ledger.handled, ledger.rejected));
        let panics = trace.iter().filter(|line| line.contains(" panicked")).count() as u64;
        assert_eq!((report.panics(), ledger.panics), (panics, panics));
        trace
    }
}

/// Polls a future once, and says whether it is ready.
async fn is_ready<F: Future + ?Sized>(mut future: Pin<&mut F>) -> bool {
    std::future::poll_fn(|context| Poll::Ready(future.as_mut().poll(context).is_ready())).await
}
