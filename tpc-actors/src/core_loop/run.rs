//! A run: the messages that one look into a queue takes out of it, one after the other.

use std::rc::Rc;
use std::sync::Arc;
use std::time::Instant;

use super::called;
use super::local::CoreLocal;
use crate::actor::Actor;
use crate::error::Fate;
use crate::isolate::drop_quietly;
use crate::mailbox::lane::{Envelope, LaneConsumer};
use crate::pinned::LocalMailbox;
use crate::reply::slot::Started;
use crate::reply::{Credit, ReplySlot, collect_woken, take_woken};
use crate::stats::ActorStats;
use crate::sync::planted;

/// Messages after which the places that they left are free again, within one run: often enough for a
/// small lane with slow handlers, rarely enough to be shared by many quick ones.
const PUBLISH_EVERY: usize = 16;

/// Messages between two looks at the clock, because reading it takes as long as a short handler.
const CLOCK_EVERY: usize = 16;

/// Messages between the one that is handled and the one whose reply slot is fetched.
const SLOTS_AHEAD: usize = 6;

/// Where the messages of a run come from.
pub(crate) enum Queue<A: Actor> {
    Lane(LaneConsumer<A>),
    Local(Rc<LocalMailbox<A>>),
}

/// One run. It is what handlers are called from, so a batch finds its other members through it.
pub(crate) struct Run<A: Actor> {
    queue: Queue<A>,
    pub(crate) local: Rc<CoreLocal>,
    /// Messages taken so far, also those that were not handled.
    taken: usize,
    /// Messages handled so far.
    handled: u64,
    /// What actor and core had handled before.
    before: (u64, u64),
    /// Messages whose places are not free yet.
    unpublished: usize,
    /// Messages after which the clock is looked at.
    clock_at: usize,
    /// A batch of asks is with its handler.
    batched: bool,
}

impl<A: Actor> Run<A> {
    pub(crate) fn new(queue: Queue<A>, local: Rc<CoreLocal>, actor: &ActorStats) -> Self {
        let before = (actor.handled.get(), local.shared.stats.handled.get());
        Self {
            queue,
            local,
            taken: 0,
            handled: 0,
            before,
            unpublished: 0,
            clock_at: CLOCK_EVERY,
            batched: false,
        }
    }

    pub(crate) fn taken(&self) -> usize {
        self.taken
    }

    pub(crate) fn handled(&self) -> u64 {
        self.handled
    }

    /// Messages that are known to wait behind those that were taken.
    pub(crate) fn waiting(&mut self) -> usize {
        match &mut self.queue {
            Queue::Lane(lane) => lane.ring().available(),
            Queue::Local(me) => me.requests(),
        }
    }

    pub(crate) fn credit(&self) -> &Arc<Credit<A>> {
        match &self.queue {
            Queue::Lane(lane) => lane.credit(),
            Queue::Local(me) => me.credit(),
        }
    }

    /// The oldest message.
    #[inline]
    pub(crate) fn next(&mut self) -> Option<Envelope<A>> {
        let envelope = match &mut self.queue {
            Queue::Lane(lane) => {
                let (ring, credit) = lane.ring_and_credit();
                let envelope = ring.read_unpublished()?;
                // The slot of a later request is on its way here while this one is handled.
                if let Some(Envelope { ticket: Some(ticket), .. }) = ring.peek(SLOTS_AHEAD) {
                    credit.line(*ticket).fetch();
                }
                self.unpublished += 1;
                envelope
            }
            Queue::Local(me) => me.take_request()?,
        };
        self.taken += 1;
        Some(envelope)
    }

    /// The oldest message, if it is there and belongs to the handler that is called.
    fn next_of_kind(&mut self) -> Option<Envelope<A>> {
        let number = called::code_of(self.local.shared.stats.calling.get());
        let alike = |envelope: &Envelope<A>| A::handler_number(&envelope.request) == number;
        let is_next = match &mut self.queue {
            Queue::Lane(lane) => {
                let ring = lane.ring();
                !ring.is_empty() && ring.peek(0).is_some_and(alike)
            }
            Queue::Local(me) => me.next_request_is(alike),
        };
        if is_next { self.next() } else { None }
    }

    /// Begins a message, unless its asker has left or its time is over: then it must not run.
    #[inline]
    pub(crate) fn start(&mut self, envelope: Envelope<A>) -> Option<(A::Request, Option<Started>)> {
        if planted!("lost-request", 1 in 10_000) {
            return None;
        }
        let Envelope { request, ticket } = envelope;
        let Some(ticket) = ticket else {
            self.handled += 1;
            return Some((request, None));
        };
        let Some(started) = self.credit().start(ticket) else {
            self.local.shared.stats.cancelled.add(1);
            if planted!("run-cancelled", 1 in 100) {
                self.handled += 1;
                return Some((request, None));
            }
            drop_quietly(request);
            return None;
        };
        if started.deadline <= self.local.now_nanos.get() {
            self.local.shared.stats.expired.add(1);
            ReplySlot::new(self, Some(started)).fail(Fate::Deadline { started: false });
            drop_quietly(request);
            return None;
        }
        self.handled += 1;
        Some((request, Some(started)))
    }

    /// Begins the next message of a batch, past those that must not run.
    pub(crate) fn start_of_kind(&mut self) -> Option<(A::Request, Option<Started>)> {
        loop {
            let envelope = self.next_of_kind()?;
            if let Some(begun) = self.start(envelope) {
                return Some(begun);
            }
        }
    }

    /// Whether the run should end early: a command waits, or time is up.
    #[inline]
    pub(crate) fn is_over(&mut self, until: Instant) -> bool {
        if self.taken >= self.clock_at {
            self.clock_at = self.taken + CLOCK_EVERY;
            if self.local.clock.now() >= until {
                return true;
            }
        }
        self.local.shared.bell.has_command()
    }

    /// A handler has returned or has panicked: whoever a batch of it has answered is woken with the turn's
    /// other askers.
    #[inline]
    pub(crate) fn handler_ended(&mut self) {
        if std::mem::take(&mut self.batched) {
            self.local.show_events();
            let woken = take_woken().unwrap_or_default();
            let others = self.local.wakes.replace(woken);
            self.local.wakes.borrow_mut().extend(others);
        }
    }

    /// The handler that is about to run gets a batch of asks: their askers are woken together.
    pub(crate) fn wake_together(&mut self) {
        collect_woken(self.local.wakes.take());
        self.batched = true;
    }

    /// Frees the places of what was taken, if those of enough messages have come together.
    #[inline]
    pub(crate) fn publish_many(&mut self) {
        if self.unpublished >= PUBLISH_EVERY {
            self.publish();
        }
    }

    /// Frees the places of what was taken.
    pub(crate) fn publish(&mut self) {
        let places = std::mem::take(&mut self.unpublished);
        if let (Queue::Lane(lane), 1..) = (&mut self.queue, places) {
            lane.publish(places);
        }
    }

    /// Writes into the statistics what was handled so far: two stores that wait for nothing.
    #[inline]
    pub(crate) fn count(&self, actor: &ActorStats) {
        actor.handled.set(self.before.0.wrapping_add(self.handled));
        self.local.shared.stats.handled.set(self.before.1.wrapping_add(self.handled));
    }

    /// The lane of the run, with the places of everything that was taken free.
    pub(crate) fn into_lane(mut self) -> Option<LaneConsumer<A>> {
        self.publish();
        match self.queue {
            Queue::Lane(lane) => Some(lane),
            Queue::Local(_) => None,
        }
    }
}
