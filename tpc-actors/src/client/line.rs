//! A sender's place among those that wait for room.

use std::sync::Arc;
use std::task::Waker;

use crate::actor::Actor;
use crate::mailbox::waiters::{WaiterId, Waiters};
use crate::mailbox::{Mailbox, Shortage};

/// A place in one of the lines of a lane, left when it is dropped. It has its mailbox and not its request's
/// client, so that a request that never waited is taken apart without a trace of all this.
pub(super) struct Line<A: Actor> {
    pub(super) mailbox: Arc<Mailbox<A>>,
    pub(super) lane: u32,
    pub(super) shortage: Shortage,
    /// `None` once the sender has found room in this lane.
    pub(super) id: Option<WaiterId>,
}

impl<A: Actor> Line<A> {
    fn waiters(&self) -> &Waiters {
        self.mailbox.lane(self.lane).line(self.shortage)
    }

    /// Whether the sender has not been told of room; has `waker` told then.
    pub(super) fn still_waiting(&self, waker: &Waker) -> bool {
        self.id.is_some_and(|id| self.waiters().still_waiting(id, waker))
    }

    /// Has the sender woken when `deadline` has passed.
    pub(super) fn limit(&self, deadline: u64) {
        if let Some(id) = self.id {
            self.mailbox.with_deadline(deadline, || self.waiters().limit(id, deadline));
        }
    }
}

impl<A: Actor> Drop for Line<A> {
    fn drop(&mut self) {
        // Who was told of room and did not use it, because it went over another lane or not at all, passes
        // the news on.
        if let Some(id) = self.id {
            self.waiters().leave(id);
        }
    }
}
