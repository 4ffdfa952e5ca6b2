//! Every deadline is known to the keeper: it has seen it in its slot, or has been told.

use loom::sync::Mutex;
use loom::thread;

use super::*;
use crate::sync::Arc;
use crate::sync::mutants::{explore, mutant};

/// The slots' deadlines, and when the keeper comes next.
struct Waiting {
    earliest: Earliest,
    slots: [AtomicU64; 2],
    next_look: Mutex<u64>,
}

impl Waiting {
    fn tell(&self, deadline: u64) {
        let mut next_look = self.next_look.lock().unwrap();
        *next_look = deadline.min(*next_look);
    }

    fn ask(&self, slot: usize, deadline: u64) {
        let place = || self.slots[slot].store(deadline, Ordering::Relaxed);
        self.earliest.note(deadline, place, || self.tell(deadline));
    }

    /// As the keeper does it: who is looked at has no time while that lasts.
    fn look(&self) {
        *self.next_look.lock().unwrap() = NO_DEADLINE;
        let deadlines = || self.slots.iter().map(|slot| slot.load(Ordering::Relaxed));
        self.tell(self.earliest.look(|| deadlines().min().unwrap()));
    }
}

/// The keeper, which knows of a deadline that nobody has any more, is at work, while others ask.
fn asked(deadlines: &'static [u64]) {
    explore(3, move || {
        let waiting = Arc::new(Waiting {
            earliest: Earliest::new(),
            slots: [AtomicU64::new(5), AtomicU64::new(NO_DEADLINE)],
            next_look: Mutex::new(NO_DEADLINE),
        });
        waiting.look();
        // Whoever had that has been answered.
        waiting.slots[0].store(NO_DEADLINE, Ordering::Relaxed);
        let askers: Vec<_> = deadlines
            .iter()
            .enumerate()
            .map(|(slot, &deadline)| {
                let waiting = Arc::clone(&waiting);
                thread::spawn(move || waiting.ask(slot, deadline))
            })
            .collect();
        waiting.look();
        askers.into_iter().for_each(|asker| asker.join().unwrap());
        let earliest = *deadlines.iter().min().unwrap();
        assert!(*waiting.next_look.lock().unwrap() <= earliest, "nobody comes in time");
    });
}

/// Later than what the keeper knows of.
fn one_asker() {
    asked(&[7]);
}

/// One earlier, one later.
fn two_askers() {
    asked(&[3, 7]);
}

#[test]
fn model_deadlines_one_asker() {
    one_asker();
}

#[test]
fn model_deadlines_two_askers() {
    two_askers();
}

mutant!(mutant_asker_fence: "deadlines.asker-fence" breaks one_asker);
mutant!(mutant_keeper_fence: "deadlines.keeper-fence" breaks one_asker);
mutant!(mutant_place_first: "deadlines.place-first" breaks one_asker);
