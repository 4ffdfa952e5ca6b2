//! Counters with one writer each: a relaxed load and a relaxed store, never a locked instruction.

use std::sync::atomic::{AtomicU64, Ordering};

/// A number that one thread writes and any thread reads.
#[derive(Debug, Default)]
pub(crate) struct Counter(AtomicU64);

impl Counter {
    /// Adds; only the counter's owner may call this.
    #[inline]
    pub(crate) fn add(&self, more: u64) {
        self.0.store(self.0.load(Ordering::Relaxed).wrapping_add(more), Ordering::Relaxed);
    }

    /// Replaces the number; only the counter's owner may call this.
    #[inline]
    pub(crate) fn set(&self, to: u64) {
        self.0.store(to, Ordering::Relaxed);
    }

    pub(crate) fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// What one core counts; written by the core's thread.
#[derive(Debug, Default)]
pub(crate) struct CoreStats {
    pub(crate) turns: Counter,
    /// Requests taken out of lanes.
    pub(crate) messages: Counter,
    /// Requests whose handlers were run, from lanes, from local queues and for tasks that asked on the spot.
    pub(crate) handled: Counter,
    /// What the core is calling; see `core_loop::called`. 0 while it sleeps.
    pub(crate) calling: Counter,
    pub(crate) parks: Counter,
    /// Work that a park's backstop found without a ring: must stay 0.
    pub(crate) backstop_rescues: Counter,
    pub(crate) panics: Counter,
    pub(crate) restarts: Counter,
    /// Requests whose askers had left before they began.
    pub(crate) cancelled: Counter,
    /// Requests that ended by their deadline before they began.
    pub(crate) expired: Counter,
}

impl CoreStats {
    /// The handler of a request of `actor` is called.
    #[inline]
    pub(crate) fn calls(&self, actor: &ActorStats, calling: u64) {
        self.calling.set(calling);
        actor.handled.add(1);
        self.handled.add(1);
    }
}

/// What one actor counts; written by its core's thread.
#[derive(Debug, Default)]
pub(crate) struct ActorStats {
    pub(crate) handled: Counter,
    pub(crate) panics: Counter,
    pub(crate) restarts: Counter,
    /// How many lives the state has had before this one.
    pub(crate) incarnation: Counter,
}
