//! Who calls a handler, and what it leaves with its answer.

use std::sync::Arc;

use super::slot::{Started, Ticket};
use super::{Credit, Outcome};
use crate::actor::Actor;
use crate::core_loop::local::CoreLocal;
use crate::core_loop::run::Run;
use crate::pinned::LocalMailbox;

/// Where a handler is called from.
pub(super) enum Caller<'a, A: Actor> {
    /// The loop, which has taken the request out of a queue.
    Run(&'a mut Run<A>),
    /// A task that asks on the spot; the answer's place is `None` once it is there.
    Task(&'a LocalMailbox<A>, Option<&'a mut OnTheSpot<A>>),
}

/// What a task that has asked on the spot finds when the handler has returned.
pub(crate) enum OnTheSpot<A: Actor> {
    Nothing,
    Answered(Outcome<A::Response>),
    /// The answer comes later, to a slot.
    Later(Ticket),
}

impl<A: Actor> Caller<'_, A> {
    pub(super) fn credit(&self) -> &Arc<Credit<A>> {
        match self {
            Self::Run(run) => run.credit(),
            Self::Task(me, _) => me.credit(),
        }
    }

    #[inline]
    pub(super) fn local(&self) -> &CoreLocal {
        match self {
            Self::Run(run) => &run.local,
            Self::Task(me, _) => &me.local,
        }
    }

    /// Messages that are known to wait behind this one.
    pub(super) fn waiting(&mut self) -> usize {
        match self {
            Self::Run(run) => run.waiting(),
            Self::Task(..) => 0,
        }
    }

    /// Begins the next message of a batch.
    pub(super) fn start_of_kind(&mut self) -> Option<(A::Request, Option<Started>)> {
        match self {
            Self::Run(run) => run.start_of_kind(),
            Self::Task(..) => None,
        }
    }

    /// The handler gets a batch of asks: their askers are woken together.
    pub(super) fn wake_together(&mut self) {
        if let Self::Run(run) = self {
            run.wake_together();
        }
    }

    /// Whether somebody waits for the answer.
    #[inline]
    pub(super) fn waits(&self) -> bool {
        match self {
            Self::Run(run) => run.started.is_some(),
            Self::Task(_, place) => place.is_some(),
        }
    }

    /// The slot of the answer, unless it is one on the spot.
    #[inline]
    pub(super) fn take_started(&mut self) -> Option<Started> {
        match self {
            Self::Run(run) => run.started.take(),
            Self::Task(..) => None,
        }
    }

    /// The place of an answer on the spot.
    #[inline]
    pub(super) fn take_place(&mut self) -> Option<&mut OnTheSpot<A>> {
        match self {
            Self::Run(_) => None,
            Self::Task(_, place) => place.take().map(|place| &mut *place),
        }
    }

    /// A slot for an answer on the spot that comes later after all.
    #[cold]
    pub(super) fn slot(&mut self) -> Option<Started> {
        let Self::Task(me, place) = self else { return None };
        let place = place.take()?;
        let started = me.begun_slot()?;
        *place = OnTheSpot::Later(started.ticket());
        Some(started)
    }
}
