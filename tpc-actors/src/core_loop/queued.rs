//! Whether a task is on its way to being polled.
//!
//! A woken task is queued once, however often it is woken before its poll begins. A wake that finds it queued leaves it
//! at that, and the poll sees what came before that wake; one that comes after the poll has begun queues it again.

use crate::sync::{AtomicBool, Ordering, whole};

/// One task's mark.
#[derive(Debug)]
pub(crate) struct Queued(AtomicBool);

impl Queued {
    /// Of a task that is about to be polled for the first time.
    pub(crate) fn new() -> Self {
        Self(AtomicBool::new(true))
    }

    /// Any thread: the task is woken; true when it has to be queued for that.
    pub(crate) fn wake(&self) -> bool {
        // Released also where the task is queued already: its poll sees what we have written before.
        !whole!("queued.wake", self.0.swap(true, Ordering::AcqRel))
    }

    /// The core: the task has left the queue, and its poll begins.
    pub(crate) fn begin_poll(&self) {
        whole!("queued.poll", self.0.swap(false, Ordering::AcqRel));
    }
}

#[cfg(all(test, tpc_loom))]
mod model;
