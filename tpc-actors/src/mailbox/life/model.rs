//! Every interleaving of a send with the loss of its core: an ask that was accepted is answered.

use std::time::Duration;

use loom::thread;

use super::*;
use crate::bridge::bell::{CoreBell, LaneBell};
use crate::bridge::doorbell::Doorbell;
use crate::reply::slot::{FreeSlots, NO_DEADLINE, Polled, Slab};
use crate::sync::Arc;
use crate::sync::mutants::{explore, mutant};

/// Nobody sleeps here.
#[derive(Debug)]
struct Silent;

impl Doorbell for Silent {
    fn ring(&self) {}

    fn wait(&self, _timeout: Option<Duration>) -> bool {
        true
    }
}

/// As `Credit::refuse_queued` does it.
fn refuse_queued(slab: &Slab<&'static str>) {
    slab.each_queued(|ticket| {
        if let Some(started) = slab.start(ticket) {
            drop(slab.complete(started, "the core is gone"));
        }
    });
}

/// A core that will not serve any more, and one that asks it just now.
fn ask_against_loss() {
    explore(3, || {
        let core = std::sync::Arc::new(CoreBell::new(std::sync::Arc::new(Silent)));
        let bell = LaneBell::new(core, 0);
        bell.disarm();
        let (slab, mut free) = (Arc::new(Slab::new()), FreeSlots::default());
        assert!(slab.has_free(&mut free, 1));
        let life = Arc::new(LifeWord::default());
        let (their_life, their_slab) = (Arc::clone(&life), Arc::clone(&slab));
        let loss = thread::spawn(move || their_life.lose(|| refuse_queued(&their_slab)));
        // As `LaneProducer::send` does it.
        let ticket = slab.acquire(&mut free, &mut None, NO_DEADLINE).unwrap();
        bell.published().unwrap();
        if life.is_lost() {
            refuse_queued(&slab);
        }
        loss.join().unwrap();
        let waker = std::task::Waker::noop();
        assert_eq!(slab.poll(ticket, waker, false), Polled::Ready("the core is gone"));
    });
}

#[test]
fn model_life_ask_against_loss() {
    ask_against_loss();
}

mutant!(mutant_lose_fence: "life.lose-fence" breaks ask_against_loss);
mutant!(mutant_lose_producer_fence: "bell.producer-fence" breaks ask_against_loss);
mutant!(mutant_look_again: "life.look-again" breaks ask_against_loss);
