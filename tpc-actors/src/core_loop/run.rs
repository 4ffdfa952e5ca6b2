//! A run: the messages that one look into a queue takes out of it, one after the other.

use std::rc::Rc;
use std::sync::Arc;
use std::time::Instant;

use super::local::CoreLocal;
use super::pace::{Pace, QUICK};
use super::{TURN_MESSAGES, called};
use crate::actor::Actor;
use crate::bridge::ring::Consumer;
use crate::clock::nanos;
use crate::error::Fate;
use crate::isolate::drop_quietly;
use crate::mailbox::lane::{Envelope, LaneConsumer};
use crate::pinned::LocalMailbox;
use crate::relay::RelayId;
use crate::reply::slot::{NO_DEADLINE, Started};
use crate::reply::{Answers, Credit, ReplySlot};
use crate::stats::ActorStats;
use crate::sync::planted;

/// Places that are freed together, at most, and how many times while a full lane is emptied, at least: each time
/// takes the line with the free places away from the sender and costs a fence, but senders fill one part of a lane
/// while the core is at the next.
const FREE_TOGETHER_MAX: usize = 256;
const PARTS_OF_A_LANE: usize = 4;

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
    /// The ask that is handled; `None` for a tell, and once the answer is given.
    pub(crate) started: Option<Started>,
    /// Messages that come before the next stop: a pause, or the end.
    left: usize,
    /// Messages that have been taken by then, also those that were not handled.
    stop_at: usize,
    /// Messages after which there is a pause.
    pause_at: usize,
    /// Messages that it may take before it looks whether somebody waits for the end of the turn, and if nobody ever does.
    max: usize,
    max_unawaited: usize,
    /// No batch is filled up past these: what has come meanwhile may have to wait for what came before it.
    pub(crate) is_strict: bool,
    /// Messages that were taken and must not be handled.
    skipped: usize,
    /// Messages whose places are free.
    freed: usize,
    pace: Pace,
    /// When the turn began, or the last pause was.
    paused: Instant,
}

impl<A: Actor> Run<A> {
    pub(crate) fn new(queue: Queue<A>, local: Rc<CoreLocal>, pace: Pace) -> Self {
        let paused = local.now.get();
        let first = pace.first();
        Self {
            queue,
            local,
            started: None,
            left: first,
            stop_at: first,
            pause_at: first,
            max: usize::MAX,
            max_unawaited: usize::MAX,
            is_strict: false,
            skipped: 0,
            freed: 0,
            pace,
            paused,
        }
    }

    /// Takes no more than `max` messages in all, and than those of a turn while somebody waits for its end.
    pub(crate) fn limit(&mut self, max: usize) {
        (self.max, self.max_unawaited) = (max.min(TURN_MESSAGES), max);
        self.go_on();
    }

    /// Sets the next stop.
    fn go_on(&mut self) {
        let taken = self.taken();
        self.stop_at = self.pause_at.min(self.max).max(taken);
        self.left = self.stop_at - taken;
    }

    pub(crate) fn taken(&self) -> usize {
        self.stop_at - self.left
    }

    pub(crate) fn handled(&self) -> u64 {
        (self.taken() - self.skipped) as u64
    }

    pub(crate) fn pace(&self) -> Pace {
        self.pace
    }

    /// Messages that are known to wait behind those that were taken.
    pub(crate) fn waiting(&mut self) -> usize {
        match &mut self.queue {
            Queue::Lane(lane) => lane.ring().available(),
            Queue::Local(me) => me.requests(),
        }
    }

    fn actor(&self) -> &ActorStats {
        match &self.queue {
            Queue::Lane(lane) => &lane.mailbox().stats,
            Queue::Local(me) => &me.mailbox.stats,
        }
    }

    pub(crate) fn credit(&self) -> &Arc<Credit<A>> {
        match &self.queue {
            Queue::Lane(lane) => lane.credit(),
            Queue::Local(me) => me.credit(),
        }
    }

    /// The relay of the worker that asks.
    pub(crate) fn relay_id(&self) -> RelayId {
        match &self.queue {
            Queue::Lane(lane) => lane.relay_id(),
            Queue::Local(_) => RelayId::default(),
        }
    }

    /// The way of answers that come later, which `wrap` makes the actor's.
    pub(crate) fn way<T: 'static>(&mut self, wrap: fn(T) -> A::Response) -> Arc<dyn Answers<T>> {
        match &mut self.queue {
            Queue::Lane(lane) => lane.way(wrap),
            Queue::Local(me) => me.way(wrap),
        }
    }

    /// The oldest message.
    #[expect(clippy::inline_always, reason = "a message is copied at each call")]
    #[inline(always)]
    pub(crate) fn next(&mut self) -> Option<Envelope<A>> {
        let envelope = match &mut self.queue {
            Queue::Lane(lane) => {
                let (ring, credit) = lane.ring_and_credit();
                let envelope = ring.read_unpublished()?;
                // The slot of a later request is on its way here while this one is handled.
                if envelope.ticket.is_some()
                    && let Some(Envelope { ticket: Some(ticket), .. }) = ring.peek(SLOTS_AHEAD)
                {
                    credit.line(*ticket).fetch();
                }
                envelope
            }
            Queue::Local(me) => me.take_request()?,
        };
        self.left -= 1;
        Some(envelope)
    }

    /// Whether the next message of a lane is known to be there, and to be a tell.
    #[inline]
    pub(crate) fn is_tell_next(&mut self) -> bool {
        let Queue::Lane(lane) = &mut self.queue else { return false };
        lane.ring().peek(0).is_some_and(Envelope::is_tell)
    }

    /// Passes the tells that come next in a lane to `each` while it goes on, and not past the next stop.
    #[inline]
    pub(crate) fn tells(&mut self, mut each: impl FnMut(A::Request) -> bool) {
        /// Takes off what was read, also when `each` unwinds.
        struct TakenOff<'a, A: Actor> {
            ring: &'a mut Consumer<Envelope<A>>,
            from: usize,
            left: &'a mut usize,
        }
        impl<A: Actor> Drop for TakenOff<'_, A> {
            fn drop(&mut self) {
                *self.left -= self.ring.position().wrapping_sub(self.from);
            }
        }
        let Self { queue: Queue::Lane(lane), left, .. } = self else { return };
        let (most, ring) = (*left, lane.ring());
        let taken_off = TakenOff { from: ring.position(), ring, left };
        taken_off.ring.read_while(most, Envelope::is_tell, |envelope| {
            planted!("lost-request", 1 in 10_000) || each(envelope.request)
        });
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
        // What its sender had the core do before comes before it.
        if !is_next || self.local.shared.bell.has_command() {
            return None;
        }
        if self.left == 0 {
            if self.is_strict && self.taken() >= self.max {
                return None;
            }
            // A batch that has begun is filled up.
            (self.left, self.stop_at) = (1, self.stop_at + 1);
        }
        self.next()
    }

    /// Begins a message, unless its asker has left or its time is over: then it must not run.
    #[expect(clippy::inline_always, reason = "a message is copied at each call")]
    #[inline(always)]
    pub(crate) fn start(&mut self, envelope: Envelope<A>) -> Option<A::Request> {
        if planted!("lost-request", 1 in 10_000) {
            self.skipped += 1;
            return None;
        }
        debug_assert!(self.started.is_none(), "who has a reply answers it");
        let Envelope { request, ticket } = envelope;
        let Some(ticket) = ticket else { return Some(request) };
        self.started = self.credit().start(ticket);
        let Some(started) = &self.started else {
            self.local.shared.stats.cancelled.add(1);
            if planted!("run-cancelled", 1 in 100) {
                return Some(request);
            }
            self.skipped += 1;
            drop_quietly(request);
            return None;
        };
        if started.deadline != NO_DEADLINE && self.is_late(started.deadline) {
            self.local.shared.stats.expired.add(1);
            ReplySlot::new(self).fail(Fate::Deadline { started: false });
            self.skipped += 1;
            drop_quietly(request);
            return None;
        }
        Some(request)
    }

    /// Whether a deadline has passed by now: the messages before this one may have taken longer than it.
    #[cold]
    fn is_late(&self, deadline: u64) -> bool {
        let clock = &*self.local.clock;
        deadline <= nanos(clock, clock.now())
    }

    /// Begins the next message of a batch, past those that must not run.
    pub(crate) fn start_of_kind(&mut self) -> Option<(A::Request, Option<Started>)> {
        loop {
            let envelope = self.next_of_kind()?;
            if let Some(request) = self.start(envelope) {
                self.actor().handled.add(1);
                self.local.shared.stats.handled.add(1);
                return Some((request, self.started.take()));
            }
        }
    }

    /// Whether the next message comes before a pause, and may be taken.
    #[inline]
    pub(crate) fn goes_on(&self) -> bool {
        self.left > 0
    }

    /// Sees to what can wait for some messages: frees places, and looks at the clock. True when the run is over,
    /// because of its messages or because of its time.
    #[inline(never)]
    pub(crate) fn pause(&mut self, until: Instant) -> bool {
        let taken = self.taken();
        if (self.max..self.max_unawaited).contains(&taken) && !self.local.is_awaited() {
            // Up to the next pause, which looks again.
            self.max = self.max_unawaited.min(taken + self.pace.messages());
        }
        let over = taken >= self.max;
        if over && taken < self.pause_at {
            return true;
        }
        let now = self.local.clock.now();
        let took = now.saturating_duration_since(self.paused);
        self.pace.learn(took);
        if took >= QUICK || self.should_free() {
            self.publish();
        }
        self.pause_at = taken + self.pace.messages();
        self.go_on();
        self.paused = now;
        over || now >= until
    }

    /// Whether the places of quick messages are worth a transfer to the sender.
    fn should_free(&mut self) -> bool {
        let taken = self.taken();
        let Queue::Lane(lane) = &mut self.queue else { return false };
        let together = (lane.capacity() / PARTS_OF_A_LANE).min(FREE_TOGETHER_MAX);
        taken - self.freed >= together || lane.is_waited_for()
    }

    /// Frees the places of what was taken.
    fn publish(&mut self) {
        let taken = self.taken();
        let places = taken - std::mem::replace(&mut self.freed, taken);
        if let (Queue::Lane(lane), 1..) = (&mut self.queue, places) {
            lane.publish(places);
        }
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
