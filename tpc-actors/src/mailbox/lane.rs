//! One lane to one actor: a ring of requests with the reply slots that pay for them.
//!
//! A lane has a single producer: a thread's own, or one behind the mutex of an ordered client or of the
//! visitors. Its fixed part ([`Lane`]) stays in the mailbox's table and is used again by a later
//! thread, because asks that are still in flight find their answer there.

mod consumer;
mod producer;

use std::sync::{Arc, Mutex, PoisonError};
use std::task::Waker;

use super::Shortage;
use super::ends::Ends;
use super::waiters::Waiters;
use crate::actor::Actor;
use crate::bridge::Pressure;
use crate::bridge::pressure::{Level, Levels};
use crate::bridge::ring::Gauge;
use crate::error::Fate;
use crate::isolate::drop_quietly;
use crate::reply::Credit;
use crate::reply::slot::{Asker, Ticket};

pub(crate) use consumer::LaneConsumer;
pub(crate) use producer::{LaneProducer, Sent};

/// A request on its way.
pub(crate) struct Envelope<A: Actor> {
    pub(crate) request: A::Request,
    /// Where the answer goes; `None` for a tell. The deadline is there as well.
    pub(crate) ticket: Option<Ticket>,
}

impl<A: Actor> Envelope<A> {
    #[inline]
    pub(crate) fn tell(request: A::Request) -> Self {
        Self { request, ticket: None }
    }

    #[inline]
    pub(crate) fn is_tell(&self) -> bool {
        self.ticket.is_none()
    }
}

/// What an asker wants along with its request.
#[derive(Debug)]
pub(crate) struct Wish {
    pub(crate) waker: Option<Waker>,
    pub(crate) deadline: u64,
}

/// The part of a lane that outlives its producers.
pub(crate) struct Lane<A: Actor> {
    pub(crate) credit: Arc<Credit<A>>,
    /// Senders that wait for a place in the ring.
    pub(crate) waiters: Waiters,
    /// The fill of the ring in use, for status pages.
    gauge: Mutex<Option<Gauge<Envelope<A>>>>,
    /// How full that ring was when somebody looked last.
    level: Level,
    /// Those of the ring in use.
    pub(super) ends: Ends,
}

impl<A: Actor> Lane<A> {
    pub(crate) fn new() -> Self {
        Self {
            credit: Arc::new(Credit::<A>::new()),
            waiters: Waiters::default(),
            gauge: Mutex::new(None),
            level: Level::default(),
            ends: Ends::default(),
        }
    }

    /// The line for what is short.
    pub(crate) fn line(&self, shortage: Shortage) -> &Waiters {
        match shortage {
            Shortage::Place => &self.waiters,
            Shortage::Slot => &self.credit.waiters,
        }
    }

    /// Tells everyone that waits here that the lane has come to an end.
    pub(crate) fn wake_all(&self) {
        self.waiters.wake_all();
        self.credit.waiters.wake_all();
    }

    pub(crate) fn watch(&self, gauge: Gauge<Envelope<A>>) {
        *self.gauge.lock().unwrap_or_else(PoisonError::into_inner) = Some(gauge);
    }

    /// The ring has ended, and its memory goes with it.
    pub(crate) fn unwatch(&self) {
        let ended = self.gauge.lock().unwrap_or_else(PoisonError::into_inner).take();
        // Perhaps the last to hold it.
        drop_quietly(ended);
    }

    /// Requests in the ring.
    pub(crate) fn depth(&self) -> usize {
        let gauge = self.gauge.lock().unwrap_or_else(PoisonError::into_inner);
        gauge.as_ref().map_or(0, Gauge::len)
    }

    /// How full the ring is, judged by every look anew.
    pub(crate) fn pressure(&self, levels: &Levels) -> Pressure {
        self.level.at(|| self.depth(), levels)
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

/// Requests that were taken out of a queue and will not run.
#[derive(Debug, Clone, Copy, Default)]
#[must_use = "they are to be counted"]
pub(crate) struct Unserved {
    /// Tells, and asks that have been answered.
    pub(crate) rejected: usize,
    /// Asks that nobody waited for any more.
    pub(crate) left: usize,
}

/// Answers `fate` to requests that will not run, and drops them in safety.
pub(crate) fn refuse_each<A: Actor>(
    credit: &Credit<A>,
    envelopes: impl IntoIterator<Item = Envelope<A>>,
    fate: &Fate,
) -> Unserved {
    let mut unserved = Unserved::default();
    for Envelope { request, ticket } in envelopes {
        let started = ticket.and_then(|ticket| credit.start(ticket));
        if ticket.is_none() || started.is_some() {
            unserved.rejected += 1;
        } else {
            unserved.left += 1;
        }
        let asker = started.and_then(|started| credit.complete(started, Err(fate.clone())));
        drop_quietly(request);
        asker.into_iter().for_each(Asker::wake);
    }
    unserved
}
