//! The sending end of a lane.

mod sent;
mod together;

use std::sync::{Arc, Weak};
use std::task::Waker;
use std::time::{Duration, Instant};

use super::super::closing::take_back;
use super::super::{Mailbox, Refusal, Shortage, VISITOR};
use super::{Envelope, Lane, Wish, slots_max};
use crate::actor::Actor;
use crate::bridge::bell::{LaneBell, LaneClosed};
use crate::bridge::ring::{Producer, take_by_words};
use crate::core_loop::shared::CoreShared;
use crate::patience::{Patience, pause};
use crate::reply::Outcome;
use crate::reply::slot::{FreeSlots, NO_DEADLINE, Ticket};
use crate::sim::Script;

pub(crate) use sent::Sent;

/// How long it looks for places in a full ring: about as long as it takes to go to sleep and be woken. With pauses
/// between the looks, and a look at the clock after some.
const LOOK_FOR_ROOM: Duration = Duration::from_micros(10);
const LOOKS_PER_CLOCK: u32 = 16;
const PAUSES: u32 = 4;

/// Places that end the looking; fewer in a small ring.
const ENOUGH_ROOM: usize = 128;

/// The sending end of a lane.
pub(crate) struct LaneProducer<A: Actor> {
    ring: Producer<Envelope<A>>,
    bell: Arc<LaneBell>,
    free: FreeSlots,
    /// Whether a place is worth looking for a little longer when the ring is full.
    patience: Patience,
    /// Index in the mailbox's table.
    pub(crate) lane: u32,
    fixed: Arc<Lane<A>>,
    mailbox: Weak<Mailbox<A>>,
    core: Arc<CoreShared>,
    /// Last, because fields drop in order: the ring closes first, then the core is woken to see it.
    _close: CloseBell,
}

impl<A: Actor> LaneProducer<A> {
    pub(crate) fn new(
        ring: Producer<Envelope<A>>,
        bell: Arc<LaneBell>,
        lane: u32,
        mailbox: &Arc<Mailbox<A>>,
    ) -> Self {
        // What a former producer had comes back through the slab.
        let free = FreeSlots::default();
        let close = CloseBell(Arc::clone(&bell));
        let fixed = Arc::clone(mailbox.lane(lane));
        let core = Arc::clone(&mailbox.core);
        let mailbox = Arc::downgrade(mailbox);
        let patience = Patience::new();
        Self { ring, bell, free, patience, lane, fixed, mailbox, core, _close: close }
    }

    /// Whether the core has left this lane.
    pub(crate) fn is_closed(&self) -> bool {
        self.ring.is_closed()
    }

    /// What is missing for a request, with a reply slot or without, to be sent now.
    #[inline]
    pub(crate) fn shortage(&mut self, mailbox: &Mailbox<A>, ask: bool) -> Option<Shortage> {
        if self.ring.free() == 0 {
            return Some(Shortage::Place);
        }
        let no_slot = ask && !self.free.is_stocked() && !self.stock_up(mailbox);
        no_slot.then_some(Shortage::Slot)
    }

    /// Looks for places in a full ring for a bounded while, because a core that is at work makes some sooner than
    /// a sender can go to sleep and be woken.
    #[cold]
    pub(crate) fn room_soon(&mut self) -> bool {
        if self.ring.free() > 0 {
            return true;
        }
        if self.fixed.waiters.any() || self.is_closed() || !self.patience.looks() {
            return false;
        }
        // More than one, or it would not be long before the next look.
        let enough = (self.ring.capacity() / 8).clamp(1, ENOUGH_ROOM);
        let began = Instant::now();
        while began.elapsed() < LOOK_FOR_ROOM {
            for _ in 0..LOOKS_PER_CLOCK {
                pause(PAUSES);
                if self.ring.room(enough) == enough {
                    self.patience.found();
                    return true;
                }
            }
        }
        self.patience.missed();
        self.ring.free() > 0
    }

    /// Looks for reply slots that have come back, or makes more.
    #[inline(never)]
    fn stock_up(&mut self, mailbox: &Mailbox<A>) -> bool {
        self.fixed.credit.has_free(&mut self.free, slots_max(mailbox.capacity()))
    }

    /// Takes the answer to an ask of this lane, if it is there; whoever waits for a slot is told by the caller.
    #[expect(clippy::inline_always, reason = "see `Slab::take_answer`")]
    #[inline(always)]
    pub(crate) fn take_answer(
        &mut self,
        lane: u32,
        ticket: Ticket,
    ) -> Option<Outcome<A::Response>> {
        if self.lane == lane { self.fixed.credit.take_answer(&mut self.free, ticket) } else { None }
    }

    /// The part that outlives this producer.
    pub(crate) fn fixed(&self) -> &Lane<A> {
        &self.fixed
    }

    /// Sends a tell when nothing at all is in the way, or leaves it there.
    #[inline]
    pub(crate) fn tell_at_once(&mut self, request: &mut Option<A::Request>) {
        if self.ring.free() == 0 || self.fixed.waiters.any() {
            return;
        }
        let Some(message) = take_by_words(request) else { return };
        self.ring.push_free(Envelope::tell(message));
        self.ring_bell(None, request);
    }

    /// The same for an ask with `waker`, which becomes that of the slot's last use.
    #[inline]
    pub(crate) fn ask_at_once(
        &mut self,
        mailbox: &Mailbox<A>,
        request: &mut Option<A::Request>,
        waker: &mut Option<Waker>,
    ) -> Option<Sent> {
        let fixed = &*self.fixed;
        if fixed.waiters.any()
            || fixed.credit.waiters.any()
            || self.shortage(mailbox, true).is_some()
        {
            return None;
        }
        let message = take_by_words(request)?;
        let ticket = self.fixed.credit.acquire(&mut self.free, waker, NO_DEADLINE);
        self.ring.push_free(Envelope { request: message, ticket });
        let rang = self.ring_bell(ticket, request);
        request.is_none().then(|| Sent::new(self.lane, ticket, rang))
    }

    /// Sends what is in `request`, or leaves it there.
    ///
    /// What is left of `wish` is dropped by the caller, outside every borrow: a waker is foreign code.
    pub(crate) fn send(
        &mut self,
        mailbox: &Arc<Mailbox<A>>,
        request: &mut Option<A::Request>,
        wish: &mut Option<Wish>,
    ) -> Result<Sent, Refusal> {
        // Asked before anything is taken for it.
        assert!(request.is_some(), "a request was polled after its end");
        if let Some(shortage) = self.shortage(mailbox, wish.is_some()) {
            return Err(self.full(mailbox, shortage));
        }
        mailbox.admit()?;
        let Some(message) = request.take() else { unreachable!("there is one") };
        let deadline = wish.as_ref().map_or(NO_DEADLINE, |wish| wish.deadline);
        // Sent before the keeper is told, which may have to be woken.
        let (ticket, rang) = mailbox.with_deadline(deadline, || {
            let ticket = wish.as_mut().and_then(|Wish { waker, deadline }| {
                self.fixed.credit.acquire(&mut self.free, waker, *deadline)
            });
            self.ring.push_free(Envelope { request: message, ticket });
            (ticket, self.ring_bell(ticket, request))
        });
        if request.is_some() {
            return Err(mailbox.refusal().unwrap_or(Refusal::Reopened));
        }
        Ok(Sent::new(self.lane, ticket, rang))
    }

    /// Why there is no room: a lane that has closed will never have any.
    #[cold]
    fn full(&self, mailbox: &Mailbox<A>, shortage: Shortage) -> Refusal {
        if self.is_closed() {
            return mailbox.refusal().unwrap_or(Refusal::Reopened);
        }
        Refusal::Full(shortage)
    }

    /// Rings if the core does not look at what was just sent; whether it rang. What a core that has left did not see
    /// is back in `request`.
    #[inline]
    fn ring_bell(&mut self, ticket: Option<Ticket>, request: &mut Option<A::Request>) -> bool {
        self.bell.published().unwrap_or_else(|LaneClosed| {
            *request = self.after_close(ticket);
            false
        })
    }

    /// The core left while we sent: either its last look answered the request, or it comes back.
    #[cold]
    fn after_close(&mut self, ticket: Option<Ticket>) -> Option<A::Request> {
        let Envelope { request, .. } = take_back(&mut self.ring)?;
        self.core.script.as_deref().map(Script::hands_back);
        if let Some(ticket) = ticket {
            self.fixed.credit.cancel_unsent(ticket);
        }
        Some(request)
    }
}

impl<A: Actor> Drop for LaneProducer<A> {
    fn drop(&mut self) {
        self.fixed.credit.return_all(&mut self.free);
        match self.mailbox.upgrade() {
            Some(mailbox) => mailbox.lane_ended(self.lane, self.bell.lane()),
            // The table index went with the mailbox; the lane's id is the core's, and goes back to it.
            None if self.lane != VISITOR && self.fixed.ends.one_is_gone() => {
                self.core.release_lane_id(self.bell.lane());
            }
            None => {}
        }
    }
}

/// Rings when it is dropped.
struct CloseBell(Arc<LaneBell>);

impl Drop for CloseBell {
    fn drop(&mut self) {
        self.0.ring();
    }
}
