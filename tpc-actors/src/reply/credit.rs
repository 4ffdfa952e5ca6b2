//! The reply slots of one lane, together with the senders that wait for one.

use std::task::Waker;

use super::slot::{Asker, FreeSlots, Left, Polled, Slab, Started, Ticket};
use crate::bridge::ring::Line;
use crate::isolate::drop_quietly;
use crate::mailbox::waiters::Waiters;
use crate::sync::{in_order, intact};

/// The right to ask for a `V`: a slot for each ask under way. Whoever frees a slot tells a sender that waits.
pub(crate) struct Credit<V> {
    slab: Slab<V>,
    pub(crate) waiters: Waiters,
}

impl<V> Credit<V> {
    pub(crate) fn new() -> Self {
        Self { slab: Slab::new(), waiters: Waiters::default() }
    }

    /// Whether a slot could be acquired now; `most` is where their number stops growing.
    pub(crate) fn has_free(&self, free: &mut FreeSlots, most: u32) -> bool {
        self.slab.has_free(free, most)
    }

    /// Takes a slot that is in stock; `waker` changes places with that of its last use.
    #[inline]
    pub(crate) fn acquire(
        &self,
        free: &mut FreeSlots,
        waker: &mut Option<Waker>,
        deadline: u64,
    ) -> Option<Ticket> {
        self.slab.acquire(free, waker, deadline)
    }

    /// Gives a request that is on its way a deadline.
    pub(crate) fn limit(&self, ticket: Ticket, deadline: u64) {
        self.slab.limit(ticket, deadline);
    }

    /// Gives back the slot of a request that was never published.
    ///
    /// Tells nobody: that happens only when the lane has closed, which everyone in line is told of.
    pub(crate) fn cancel_unsent(&self, ticket: Ticket) {
        self.slab.cancel_unsent(ticket);
    }

    /// Gives a closing owner's free slots to the next one.
    pub(crate) fn return_all(&self, free: &mut FreeSlots) {
        self.slab.return_all(free);
    }

    /// Takes the answer, if it is there, for the owner of the free slots; whoever waits for one is told of it by
    /// [`Self::freed`], when nothing is borrowed any more.
    #[expect(clippy::inline_always, reason = "see `Slab::take_answer`")]
    #[inline(always)]
    pub(crate) fn take_answer(&self, free: &mut FreeSlots, ticket: Ticket) -> Option<V> {
        self.slab.take_answer(free, ticket)
    }

    /// So many slots are free, which somebody may wait for.
    #[inline]
    pub(crate) fn freed(&self, slots: usize) {
        if intact!("credit.tell") {
            self.waiters.freed_in_order(slots);
        }
    }

    /// Looks for the answer; otherwise leaves `fresh`, if there is one.
    pub(crate) fn poll(&self, ticket: Ticket, fresh: Option<Waker>) -> Polled<V> {
        let polled = self.slab.poll(ticket, fresh);
        if matches!(polled, Polled::Ready(_)) {
            self.freed(1);
        }
        polled
    }

    /// The asker goes away without the answer.
    pub(crate) fn leave(&self, ticket: Ticket) -> Left<V> {
        in_order!("credit.leave", self.slab.leave(ticket), self.freed(1))
    }

    /// Where the answer goes, for whoever is about to write it or to look for it.
    pub(crate) fn line(&self, ticket: Ticket) -> Line {
        self.slab.line(ticket)
    }

    /// Begins the request, or says that its asker has left and it must not run.
    pub(crate) fn start(&self, ticket: Ticket) -> Option<Started> {
        self.slab.start(ticket)
    }

    /// Whether the asker is still there.
    pub(crate) fn is_wanted(&self, started: &Started) -> bool {
        self.slab.is_wanted(started)
    }

    /// Stores the answer; the asker, if it waits. An answer that is not wanted any more is dropped here.
    pub(crate) fn complete(&self, started: Started, answer: V) -> Option<Asker> {
        self.slab.complete(started, answer).unwrap_or_else(|unwanted| {
            self.freed(1);
            drop_quietly(unwanted);
            None
        })
    }

    /// Answers everything that waits to be started. For a core that does not serve any more: competes with it for each
    /// request, so that none is both refused and run. Says how many.
    pub(crate) fn refuse_queued(&self, answer: impl Fn() -> V) -> usize {
        let mut refused = 0;
        self.slab.each_queued(|ticket| {
            let started = self.slab.start(ticket);
            refused += usize::from(started.is_some());
            let asker = started.and_then(|started| self.complete(started, answer()));
            asker.into_iter().for_each(Asker::wake);
        });
        refused
    }

    /// Wakes everyone whose deadline is not after `now`; the earliest deadline left.
    pub(crate) fn wake_expired(&self, now: u64) -> u64 {
        let (earliest, freed) = self.slab.wake_expired(now);
        self.freed(freed);
        earliest.min(self.waiters.wake_expired(now))
    }
}

#[cfg(all(test, tpc_loom))]
mod model;
