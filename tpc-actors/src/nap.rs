//! A watcher that sleeps while there is nothing to watch.
//!
//! Whoever is watched has a word that is zero while it is idle. A watcher that finds all words zero for a
//! while lies down; the first of the watched that goes to work has to wake it. The store of one's own word
//! before the look at the other's, on both sides, is Dekker's argument again: the fences forbid that each
//! misses the other.

use crate::sync::{AtomicBool, Ordering, fence, intact, whole};

/// Whether the watcher sleeps.
#[derive(Debug)]
pub(crate) struct Nap {
    asleep: AtomicBool,
}

impl Nap {
    pub(crate) fn new() -> Self {
        Self { asleep: AtomicBool::new(false) }
    }

    /// Watcher: lies down if all are `idle`; false when one is not after all.
    pub(crate) fn lie_down(&self, idle: impl FnOnce() -> bool) -> bool {
        self.asleep.store(true, Ordering::Relaxed);
        if intact!("nap.watcher-fence") {
            // Pairs with the fence in `went_to_work`.
            fence(Ordering::SeqCst);
        }
        let idle = idle();
        if !idle {
            self.asleep.store(false, Ordering::Relaxed);
        }
        idle
    }

    /// Watcher: whether nobody has gone to work since.
    pub(crate) fn is_asleep(&self) -> bool {
        self.asleep.load(Ordering::Acquire)
    }

    /// Watched: call after the own word was set; true when the watcher must be woken.
    pub(crate) fn went_to_work(&self) -> bool {
        if intact!("nap.watched-fence") {
            // Pairs with the fence in `lie_down`.
            fence(Ordering::SeqCst);
        }
        self.asleep.load(Ordering::Relaxed)
            && whole!("nap.wake", self.asleep.swap(false, Ordering::AcqRel))
    }
}

#[cfg(all(test, tpc_loom))]
mod model;
