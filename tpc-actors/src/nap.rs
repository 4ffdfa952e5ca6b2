//! A watcher that sleeps while there is nothing to watch.
//!
//! Whoever is watched has a word that is zero while it is idle. A watcher that finds all words zero for a
//! while lies down; the first of the watched that goes to work has to wake it. The store of one's own word
//! before the look at the other's, on both sides, is Dekker's argument again: the fences forbid that each
//! misses the other.

use std::sync::PoisonError;
#[cfg(not(tpc_loom))]
use std::time::Duration;

use crate::sync::{AtomicBool, Condvar, Mutex, MutexGuard, Ordering, fence, in_order, intact};

/// Whether the watcher sleeps, and what on.
#[derive(Debug)]
pub(crate) struct Nap {
    asleep: AtomicBool,
    /// Nobody is watched any more.
    over: Mutex<bool>,
    changed: Condvar,
}

impl Default for Nap {
    fn default() -> Self {
        Self { asleep: AtomicBool::new(false), over: Mutex::new(false), changed: Condvar::new() }
    }
}

impl Nap {
    fn over(&self) -> MutexGuard<'_, bool> {
        self.over.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Watcher: lies down if all are `idle`; false when one is not after all.
    pub(crate) fn lie_down(&self, idle: impl FnOnce() -> bool) -> bool {
        self.asleep.store(true, Ordering::Relaxed);
        if intact!("nap.watcher-fence") {
            // Pairs with the fence in `wake`.
            fence(Ordering::SeqCst);
        }
        let idle = idle();
        if !idle {
            self.asleep.store(false, Ordering::Relaxed);
        }
        idle
    }

    /// Watcher: after it has lain down, sleeps until somebody goes to work, or it is over.
    pub(crate) fn sleep(&self) {
        let mut over = self.over();
        while !*over && self.asleep.load(Ordering::Relaxed) {
            over = self.changed.wait(over).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Watcher: waits so long; false when it is over.
    #[cfg(not(tpc_loom))]
    pub(crate) fn pause(&self, time: Duration) -> bool {
        let waited = self.changed.wait_timeout_while(self.over(), time, |over| !*over);
        !*waited.unwrap_or_else(PoisonError::into_inner).0
    }

    /// Watched: sets the own word, and wakes the watcher if it sleeps.
    pub(crate) fn goes_to_work(&self, set_word: impl FnOnce()) {
        in_order!("nap.word-first", set_word(), self.wake());
    }

    /// Wakes the watcher if it sleeps.
    fn wake(&self) {
        if intact!("nap.watched-fence") {
            // Pairs with the fence in `lie_down`.
            fence(Ordering::SeqCst);
        }
        if self.asleep.load(Ordering::Relaxed) {
            // Whoever else is here does the same.
            self.asleep.store(false, Ordering::Relaxed);
            if intact!("nap.notify-after-look") {
                // Taken and freed: who is about to wait has looked before, and waits by now.
                drop(self.over());
            }
            self.changed.notify_all();
        }
    }

    /// Ends the watcher's sleeps.
    pub(crate) fn end(&self) {
        *self.over() = true;
        self.changed.notify_all();
    }
}

#[cfg(all(test, tpc_loom))]
mod model;
