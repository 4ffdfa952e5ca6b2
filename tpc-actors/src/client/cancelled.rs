//! Whether an ask has been cancelled, and who is woken when it is.

use std::sync::PoisonError;
use std::task::Waker;

use crate::isolate::{drop_quietly, wake_quietly};
use crate::sync::{AtomicBool, Mutex, Ordering, in_order, weaken};

/// Set once, from anywhere; looked at by one task at a time.
#[derive(Debug, Default)]
pub(super) struct Cancelled {
    is_set: AtomicBool,
    waker: Mutex<Option<Waker>>,
}

impl Cancelled {
    /// Sets it, and wakes the task that has looked last.
    pub(super) fn set(&self) {
        let order = weaken!("cancelled.set", Ordering::Release);
        // The lock that `look` takes as well is between the two on both sides: one of them sees the other.
        in_order!("cancelled.set-first", self.is_set.store(true, order), self.wake());
    }

    fn wake(&self) {
        if let Some(waker) = self.replace(None) {
            wake_quietly(waker);
        }
    }

    /// Whether it is set; `waker` is woken when it is later, instead of who has looked before.
    pub(super) fn look(&self, waker: &Waker) -> bool {
        let waker = Some(waker.clone());
        let order = weaken!("cancelled.look", Ordering::Acquire);
        let mut is_set = false;
        let mut look = || is_set = self.is_set.load(order);
        let before = in_order!("cancelled.leave-waker-first", self.replace(waker), look());
        drop_quietly(before);
        is_set
    }

    /// Nobody looks any more: a canceller that is kept would keep the task with it.
    pub(super) fn forget(&self) {
        drop_quietly(self.replace(None));
    }

    fn replace(&self, waker: Option<Waker>) -> Option<Waker> {
        let mut place = self.waker.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::replace(&mut *place, waker)
    }
}

#[cfg(all(test, tpc_loom))]
mod model;
