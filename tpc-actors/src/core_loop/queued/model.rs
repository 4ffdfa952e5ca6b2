//! Wakes that meet each other and the poll that they are for.

use loom::thread;

use super::*;
use crate::bridge::bell::CoreBell;
use crate::bridge::bell::model::ModelDoorbell;
use crate::bridge::inbox::Inbox;
use crate::sync::mutants::{explore, mutant};
use crate::sync::{Arc, AtomicUsize};

/// A core with one task, as its wakers see it.
struct Core {
    queued: Queued,
    bell: std::sync::Arc<CoreBell>,
    /// How often the task has been queued.
    inbox: Inbox<usize>,
    /// What the task waits for, which nothing orders but its wakes.
    written: [AtomicUsize; 2],
}

impl Core {
    fn new() -> Self {
        let bell = std::sync::Arc::new(CoreBell::new(std::sync::Arc::new(ModelDoorbell::new())));
        Self {
            queued: Queued::new(),
            inbox: Inbox::new(std::sync::Arc::clone(&bell), 0),
            bell,
            written: [AtomicUsize::new(0), AtomicUsize::new(0)],
        }
    }

    fn write_and_wake(&self, word: usize) {
        self.written[word].store(1, Ordering::Relaxed);
        if self.queued.wake() {
            self.inbox.tell(|queued| *queued += 1);
        }
    }

    /// Polls the task whenever it is queued, until it has seen everything; without a limit, so that a wake that is lost is
    /// a deadlock.
    fn run(&self) {
        let mut queued = 1;
        loop {
            assert!(queued <= 1, "the task is queued once");
            if queued == 1 {
                self.queued.begin_poll();
                if self.written.iter().all(|word| word.load(Ordering::Relaxed) == 1) {
                    return;
                }
            } else if self.bell.announce_sleep() {
                self.bell.sleep(None);
            }
            queued = self.inbox.take(drop, std::mem::take).unwrap_or(0);
        }
    }
}

/// Two that wake the task while it is polled for the first time.
fn two_wakers() {
    explore(3, || {
        let core = Arc::new(Core::new());
        let wakers = [0, 1].map(|word| {
            let core = Arc::clone(&core);
            thread::spawn(move || core.write_and_wake(word))
        });
        core.run();
        for waker in wakers {
            waker.join().unwrap();
        }
    });
}

#[test]
fn model_queued_two_wakers() {
    two_wakers();
}

mutant!(mutant_torn_wake: "queued.wake" breaks two_wakers);
mutant!(mutant_relaxed_wake: "queued.wake/relaxed" breaks two_wakers);
mutant!(mutant_torn_poll: "queued.poll" breaks two_wakers);
mutant!(mutant_relaxed_poll: "queued.poll/relaxed" breaks two_wakers);
