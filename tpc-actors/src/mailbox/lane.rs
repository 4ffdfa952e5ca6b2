//! One lane to one actor: a ring of requests with the reply slots that pay for them.
//!
//! A lane has a single producer: a thread's own, or one behind the mutex of an ordered client or of the
//! visitors. Its fixed part ([`Lane`]) stays in the mailbox's table and is used again by a later
//! thread, because asks that are still in flight find their answer there.

use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::task::Waker;

use super::waiters::Waiters;
use super::{Mailbox, Refusal};
use crate::actor::Actor;
use crate::bridge::bell::LaneBell;
use crate::bridge::ring::{Consumer, Gauge, Producer};
use crate::error::Fate;
use crate::reply::slot::{FreeSlots, NO_DEADLINE, Ticket};
use crate::reply::{Outcome, ReplySlab};

/// A request on its way.
pub(crate) struct Envelope<A: Actor> {
    pub(crate) request: A::Request,
    /// Where the answer goes; `None` for a tell.
    pub(crate) ticket: Option<Ticket>,
    /// Nanoseconds since the clock's epoch.
    pub(crate) deadline: u64,
}

/// What an asker wants along with its request.
#[derive(Debug)]
pub(crate) struct Wish {
    pub(crate) waker: Option<Waker>,
    pub(crate) deadline: u64,
}

/// The part of a lane that outlives its producers.
pub(crate) struct Lane<A: Actor> {
    pub(crate) slab: Arc<ReplySlab<A>>,
    pub(crate) waiters: Waiters,
    /// The fill of the ring in use, for status pages.
    gauge: Mutex<Option<Gauge<Envelope<A>>>>,
}

impl<A: Actor> Lane<A> {
    pub(crate) fn new() -> Self {
        Self {
            slab: Arc::new(ReplySlab::<A>::new()),
            waiters: Waiters::default(),
            gauge: Mutex::new(None),
        }
    }

    pub(crate) fn watch(&self, gauge: Gauge<Envelope<A>>) {
        *self.gauge.lock().unwrap_or_else(PoisonError::into_inner) = Some(gauge);
    }

    /// Requests in the ring.
    pub(crate) fn depth(&self) -> usize {
        let gauge = self.gauge.lock().unwrap_or_else(PoisonError::into_inner);
        gauge.as_ref().map_or(0, Gauge::len)
    }
}

/// Asks that a core may have under way over one lane. Its tasks are bounded already; a smaller credit
/// could be used up by two actors that answer each other only after asking back, and neither would go on.
const CORE_SLOTS_MAX: u32 = 1 << 17;

/// Asks that the calling thread may have under way over a lane of this capacity: twice as many, so that
/// the ring fills up before the credit does while answers are still being collected.
pub(crate) fn slots_max(capacity: usize) -> u32 {
    if crate::core_loop::on_core_thread() {
        return CORE_SLOTS_MAX;
    }
    u32::try_from(capacity.saturating_mul(2)).unwrap_or(CORE_SLOTS_MAX).min(CORE_SLOTS_MAX)
}

/// A request that is on its way now.
#[derive(Debug)]
pub(crate) struct Sent {
    pub(crate) lane: u32,
    pub(crate) ticket: Option<Ticket>,
    /// The waker of the slot's last use; dropped by the caller, outside every borrow.
    pub(crate) old_waker: Option<Waker>,
}

/// The sending end of a lane.
pub(crate) struct LaneProducer<A: Actor> {
    ring: Producer<Envelope<A>>,
    bell: Arc<LaneBell>,
    free: FreeSlots,
    /// Index in the mailbox's table.
    pub(crate) lane: u32,
    mailbox: Weak<Mailbox<A>>,
    /// Last, because fields drop in order: the ring closes first, then the core is woken to see it.
    _close: CloseBell,
}

impl<A: Actor> LaneProducer<A> {
    pub(crate) fn new(
        ring: Producer<Envelope<A>>,
        bell: Arc<LaneBell>,
        lane: u32,
        mailbox: Weak<Mailbox<A>>,
    ) -> Self {
        // What a former producer had comes back through the slab.
        let free = FreeSlots::default();
        let close = CloseBell(Arc::clone(&bell));
        Self { ring, bell, free, lane, mailbox, _close: close }
    }

    /// Whether the core has left this lane.
    pub(crate) fn is_closed(&self) -> bool {
        self.ring.is_closed()
    }

    /// Whether a request, with a reply slot or without, could be sent now.
    pub(crate) fn has_room(&mut self, mailbox: &Mailbox<A>, ask: bool) -> bool {
        let slab = &mailbox.lane(self.lane).slab;
        self.ring.free() > 0
            && (!ask || slab.has_free(&mut self.free, slots_max(mailbox.capacity())))
    }

    /// Sends, or hands the request back.
    pub(crate) fn send(
        &mut self,
        mailbox: &Arc<Mailbox<A>>,
        request: A::Request,
        wish: Option<Wish>,
    ) -> Result<Sent, (Refusal, A::Request)> {
        if let Some(refusal) = mailbox.refusal() {
            return Err((refusal, request));
        }
        if !self.has_room(mailbox, wish.is_some()) {
            return Err((Refusal::Full, request));
        }
        let slab = &mailbox.lane(self.lane).slab;
        let mut sent = Sent { lane: self.lane, ticket: None, old_waker: None };
        let mut deadline = NO_DEADLINE;
        if let Some(wish) = wish {
            deadline = wish.deadline;
            match slab.acquire(&mut self.free, slots_max(mailbox.capacity()), wish.waker, deadline)
            {
                Some((ticket, old_waker)) => {
                    sent.ticket = Some(ticket);
                    sent.old_waker = old_waker;
                }
                None => return Err((Refusal::Full, request)),
            }
        }
        let envelope = Envelope { request, ticket: sent.ticket, deadline };
        if let Err(envelope) = self.ring.push(envelope) {
            if let Some(ticket) = sent.ticket {
                slab.cancel_unsent(ticket);
            }
            return Err((Refusal::Full, envelope.request));
        }
        if self.bell.published().is_err() {
            return self.after_close(mailbox, sent);
        }
        if deadline != NO_DEADLINE {
            mailbox.note_deadline(deadline);
        }
        Ok(sent)
    }

    /// The core left while we sent: either its last look answered the request, or it comes back.
    #[cold]
    fn after_close(
        &mut self,
        mailbox: &Mailbox<A>,
        sent: Sent,
    ) -> Result<Sent, (Refusal, A::Request)> {
        while !self.ring.is_closed() {
            // The core is between its last look and dropping its end: a few instructions.
            std::thread::yield_now();
        }
        let Some(envelope) = self.ring.reclaim() else { return Ok(sent) };
        if let Some(ticket) = envelope.ticket {
            mailbox.lane(self.lane).slab.cancel_unsent(ticket);
        }
        Err((mailbox.refusal().unwrap_or(Refusal::CoreLost), envelope.request))
    }
}

impl<A: Actor> Drop for LaneProducer<A> {
    fn drop(&mut self) {
        // A mailbox that is gone has taken its slots with it.
        if let Some(mailbox) = self.mailbox.upgrade() {
            mailbox.lane(self.lane).slab.return_all(&mut self.free);
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

/// The core's end of a lane.
pub(crate) struct LaneConsumer<A: Actor> {
    pub(crate) ring: Consumer<Envelope<A>>,
    pub(crate) bell: Arc<LaneBell>,
    pub(crate) slab: Arc<ReplySlab<A>>,
    /// Index in the mailbox's table.
    pub(crate) lane: u32,
    pub(crate) mailbox: Arc<Mailbox<A>>,
}

impl<A: Actor> LaneConsumer<A> {
    /// Answers `fate` to everything in the ring; says how many.
    pub(crate) fn refuse_all(&mut self, fate: &Fate) -> usize {
        let mut refused = 0;
        while let Some(envelope) = self.ring.pop() {
            refused += 1;
            if let Some(waker) = refuse::<A>(&self.slab, envelope, fate.clone()) {
                waker.wake();
            }
        }
        self.mailbox.lane(self.lane).waiters.freed(refused);
        refused
    }
}

impl<A: Actor> Drop for LaneConsumer<A> {
    fn drop(&mut self) {
        // From here on a producer takes its message back; what it had published before is answered.
        self.bell.close();
        let refused = self.refuse_all(&self.mailbox.closing_fate());
        self.mailbox.count_rejected(refused);
        self.mailbox.lane(self.lane).waiters.wake_all();
    }
}

/// Answers `fate` to one request without running it, and drops the request in safety.
pub(crate) fn refuse<A: Actor>(
    slab: &ReplySlab<A>,
    envelope: Envelope<A>,
    fate: Fate,
) -> Option<Waker> {
    let outcome: Outcome<A::Response> = Err(fate);
    let started = envelope.ticket.and_then(|ticket| slab.start(ticket));
    let waker = started.and_then(|started| match slab.complete(started, outcome) {
        Ok(waker) => waker,
        Err(unwanted) => {
            drop(unwanted);
            None
        }
    });
    crate::isolate::drop_quietly(envelope.request);
    waker
}
