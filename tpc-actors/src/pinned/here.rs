//! Asking on the spot: the handler is called in the poll of the task that asks.

use super::queue::LocalMailbox;
use crate::actor::Actor;
use crate::mailbox::Shortage;
use crate::reply::slot::Ticket;
use crate::reply::{OnTheSpot, Outcome};

/// What asking on the spot has come to.
pub(super) enum Here<R> {
    Answered(Outcome<R>),
    /// The answer comes later.
    Later(Ticket),
    /// It is in its slot, and the task may have ended along with the actor: if it has not, it is polled again.
    AfterEnd(Ticket),
}

impl<A: Actor> LocalMailbox<A> {
    /// Has the actor handle `request` now, if it is the caller's turn and nobody else's.
    #[inline]
    pub(super) fn ask_here(&self, request: &mut Option<A::Request>) -> Option<Here<A::Response>> {
        let left = self.local.here.get();
        if left == 0 || request.as_ref().is_none_or(A::is_batched) || !self.is_idle() {
            return None;
        }
        let server = self.server()?;
        let mut server = server.try_borrow_mut().ok()?;
        if !server.is_ready() {
            return None;
        }
        // By value: handed over by reference, it costs a third of the whole ask.
        let request = request.take()?;
        // What the handler polls waits for its turn: no handler is called by another one.
        self.local.here.set(0);
        let (answer, goes_on) = server.call_here(request);
        drop(server);
        self.local.here.set(left - 1);
        Some(match answer {
            OnTheSpot::Answered(outcome) if goes_on => Here::Answered(outcome),
            OnTheSpot::Later(ticket) if goes_on => Here::Later(ticket),
            OnTheSpot::Later(ticket) => Here::AfterEnd(ticket),
            OnTheSpot::Answered(outcome) => self.keep(outcome),
            OnTheSpot::Nothing => unreachable!("who drops a reply answers"),
        })
    }

    /// Puts an answer where a later poll finds it.
    #[cold]
    fn keep(&self, outcome: Outcome<A::Response>) -> Here<A::Response> {
        let Some(started) = self.begun_slot() else { return Here::Answered(outcome) };
        let ticket = started.ticket();
        let waker = self.credit().complete(started, outcome);
        debug_assert!(waker.is_none(), "nobody has left a waker");
        Here::AfterEnd(ticket)
    }

    /// Whether nothing goes before a request that comes now, and nothing but its handler decides about it.
    fn is_idle(&self) -> bool {
        self.mailbox.is_plain()
            && !self.has_work()
            && !self.line(Shortage::Place).any()
            && !self.line(Shortage::Slot).any()
            // What was published, and what the core is told to do, is seen to between two rounds.
            && !self.local.has_published()
            && !self.local.shared.bell.has_command()
            // Its answer may come later, to a slot.
            && self.has_slot()
    }
}
