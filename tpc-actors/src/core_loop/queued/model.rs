//! Wakes that meet each other and the poll that they are for.

use std::collections::VecDeque;

use loom::sync::{Condvar, Mutex};
use loom::thread;

use super::*;
use crate::sync::mutants::{explore, mutant};
use crate::sync::{Arc, AtomicUsize};

/// A core with one task, as its wakers see it.
struct Core {
    queued: Queued,
    queue: Mutex<VecDeque<()>>,
    news: Condvar,
    /// What the task waits for, which nothing orders but its wakes.
    written: [AtomicUsize; 2],
}

impl Core {
    fn write_and_wake(&self, word: usize) {
        self.written[word].store(1, Ordering::Relaxed);
        if self.queued.wake() {
            let mut queue = self.queue.lock().unwrap();
            queue.push_back(());
            assert!(queue.len() <= 1, "the task is queued once");
            self.news.notify_one();
        }
    }

    /// Polls the task whenever it is queued, until it has seen everything; without a limit, so that a wake that is lost is
    /// a deadlock.
    fn run(&self) {
        loop {
            let mut queue = self.queue.lock().unwrap();
            while queue.pop_front().is_none() {
                queue = self.news.wait(queue).unwrap();
            }
            drop(queue);
            self.queued.begin_poll();
            if self.written.iter().all(|word| word.load(Ordering::Relaxed) == 1) {
                return;
            }
        }
    }
}

/// Two that wake the task while it is polled for the first time.
fn two_wakers() {
    explore(3, || {
        let core = Arc::new(Core {
            queued: Queued::new(),
            queue: Mutex::new(VecDeque::from([()])),
            news: Condvar::new(),
            written: [AtomicUsize::new(0), AtomicUsize::new(0)],
        });
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
