//! The core's end of a lane.

use std::sync::Arc;

use super::super::Mailbox;
use super::super::closing::leave;
use super::{Envelope, Lane, refuse_each};
use crate::actor::Actor;
use crate::bridge::bell::LaneBell;
use crate::bridge::ring::Consumer;
use crate::error::Fate;
use crate::relay::Relay;
use crate::reply::Credit;

/// The core's end of a lane.
pub(crate) struct LaneConsumer<A: Actor> {
    /// `None` only while it is being dropped.
    ring: Option<Consumer<Envelope<A>>>,
    pub(crate) bell: Arc<LaneBell>,
    fixed: Arc<Lane<A>>,
    /// Index in the mailbox's table.
    pub(crate) lane: u32,
    mailbox: Arc<Mailbox<A>>,
    /// Wakes the askers of this lane, where that is shorter than waking each.
    pub(crate) relay: Option<Arc<Relay>>,
}

impl<A: Actor> LaneConsumer<A> {
    pub(crate) fn new(
        ring: Consumer<Envelope<A>>,
        bell: Arc<LaneBell>,
        lane: u32,
        mailbox: Arc<Mailbox<A>>,
        relay: Option<Arc<Relay>>,
    ) -> Self {
        let fixed = Arc::clone(mailbox.lane(lane));
        Self { ring: Some(ring), bell, fixed, lane, mailbox, relay }
    }

    pub(crate) fn ring(&mut self) -> &mut Consumer<Envelope<A>> {
        self.ring_and_credit().0
    }

    pub(crate) fn credit(&self) -> &Arc<Credit<A>> {
        &self.fixed.credit
    }

    /// Both at once, for serving from the one with the other.
    pub(crate) fn ring_and_credit(&mut self) -> (&mut Consumer<Envelope<A>>, &Arc<Credit<A>>) {
        let ring = self.ring.as_mut().expect("the ring is there until the lane is dropped");
        (ring, &self.fixed.credit)
    }

    /// Whether a sender waits for a place, as far as is known; [`Self::publish`] tells for certain.
    pub(crate) fn is_waited_for(&self) -> bool {
        self.fixed.waiters.any()
    }

    /// Tells the senders of `places` that are free now.
    pub(crate) fn publish(&mut self, places: usize) {
        self.ring().publish();
        self.fixed.waiters.freed(places);
    }

    /// Answers `fate` to everything in the ring; says how many were refused that somebody still wanted.
    pub(crate) fn refuse_all(&mut self, fate: &Fate) -> usize {
        let waiting: Vec<_> = std::iter::from_fn(|| self.ring().pop()).collect();
        let refused = refuse_each(&self.fixed.credit, waiting, fate);
        self.fixed.wake_all();
        refused
    }
}

impl<A: Actor> Drop for LaneConsumer<A> {
    fn drop(&mut self) {
        // From here on a producer takes its message back; what it had published before is answered.
        let waiting = self.ring.take().map_or_else(Vec::new, |ring| leave(ring, &self.bell));
        let refused = refuse_each(&self.fixed.credit, waiting, &self.mailbox.closing_fate());
        self.mailbox.count_rejected(refused);
        self.fixed.wake_all();
        self.mailbox.lane_ended(self.lane, self.bell.lane());
    }
}
