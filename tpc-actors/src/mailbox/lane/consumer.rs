//! The core's end of a lane.

use std::sync::Arc;

use super::super::Mailbox;
use super::super::closing::last_look;
use super::{Envelope, Lane, Unserved, refuse_each};
use crate::actor::Actor;
use crate::bridge::bell::LaneBell;
use crate::bridge::ring::Consumer;
use crate::error::Fate;
use crate::relay::{Relay, RelayId};
use crate::reply::{Answers, Credit, Ways};

/// The core's end of a lane.
pub(crate) struct LaneConsumer<A: Actor> {
    /// Dropped before the rest, which answers what was left in it.
    ring: Consumer<Envelope<A>>,
    rest: Rest<A>,
}

struct Rest<A: Actor> {
    bell: Arc<LaneBell>,
    fixed: Arc<Lane<A>>,
    /// Index in the mailbox's table.
    lane: u32,
    mailbox: Arc<Mailbox<A>>,
    /// Wakes the askers of this lane, where that is shorter than waking each.
    relay: Option<Arc<Relay>>,
    /// Where tokens answer; there once a handler has answered later. A box, as below.
    ways: Option<Box<Ways>>,
    /// What the last look has found. A box, because the capacity of a vector would be what an enum with a lane in it
    /// is told by, and that is asked for every message.
    unserved: Option<Box<[Envelope<A>]>>,
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
        Self { ring, rest: Rest { bell, fixed, lane, mailbox, relay, ways: None, unserved: None } }
    }

    pub(crate) fn ring(&mut self) -> &mut Consumer<Envelope<A>> {
        &mut self.ring
    }

    pub(crate) fn capacity(&self) -> usize {
        self.ring.capacity()
    }

    pub(crate) fn credit(&self) -> &Arc<Credit<A>> {
        &self.rest.fixed.credit
    }

    /// The way of answers that come later, which `wrap` makes the actor's.
    pub(crate) fn way<T: 'static>(&mut self, wrap: fn(T) -> A::Response) -> Arc<dyn Answers<T>> {
        let relay = self.relay_id();
        self.rest.ways.get_or_insert_default().of(&self.rest.fixed.credit, relay, wrap)
    }

    /// Both at once, for serving from the one with the other.
    #[inline]
    pub(crate) fn ring_and_credit(&mut self) -> (&mut Consumer<Envelope<A>>, &Arc<Credit<A>>) {
        (&mut self.ring, &self.rest.fixed.credit)
    }

    pub(crate) fn mailbox(&self) -> &Mailbox<A> {
        &self.rest.mailbox
    }

    pub(crate) fn bell(&self) -> &LaneBell {
        &self.rest.bell
    }

    /// Index in the mailbox's table.
    pub(crate) fn index(&self) -> u32 {
        self.rest.lane
    }

    pub(crate) fn relay(&self) -> Option<&Arc<Relay>> {
        self.rest.relay.as_ref()
    }

    pub(crate) fn relay_id(&self) -> RelayId {
        self.relay().map(Relay::id).unwrap_or_default()
    }

    /// Whether a sender waits for a place, as far as is known; [`Self::publish`] tells for certain.
    pub(crate) fn is_waited_for(&self) -> bool {
        self.rest.fixed.waiters.any()
    }

    /// Tells the senders of `places` that are free now.
    pub(crate) fn publish(&mut self, places: usize) {
        self.rest.fixed.waiters.free(places, || self.ring.publish());
    }

    /// Answers `fate` to everything in the ring.
    pub(crate) fn refuse_all(&mut self, fate: &Fate) -> Unserved {
        let waiting: Vec<_> = std::iter::from_fn(|| self.ring.pop()).collect();
        let refused = refuse_each(&self.rest.fixed.credit, waiting, fate);
        self.rest.fixed.wake_all();
        refused
    }
}

impl<A: Actor> Drop for LaneConsumer<A> {
    fn drop(&mut self) {
        // From here on a producer takes its message back; what it had published before is answered.
        let unserved = last_look(&mut self.ring, &self.rest.bell);
        self.rest.unserved = Some(unserved.into_boxed_slice());
    }
}

impl<A: Actor> Drop for Rest<A> {
    fn drop(&mut self) {
        let unserved = self.unserved.take().into_iter().flatten();
        let refused = refuse_each(&self.fixed.credit, unserved, &self.mailbox.closing_fate());
        self.mailbox.count_unserved(refused);
        self.fixed.wake_all();
        self.mailbox.lane_ended(self.lane, self.bell.lane());
    }
}
