//! Who calls a handler, and what it leaves with its answer.

use std::rc::Rc;
use std::sync::Arc;

use super::owed::Answers;
use super::slot::{Started, Ticket};
use super::{Credit, Outcome};
use crate::actor::Actor;
use crate::core_loop::local::CoreLocal;
use crate::core_loop::run::Run;
use crate::pinned::LocalMailbox;
use crate::relay::RelayId;

/// Where a handler is called from. Of two words, so that it is never built in memory where nobody needs it.
pub(super) enum Caller<'a, A: Actor> {
    /// The loop, which has taken the request out of a queue.
    Run(&'a mut Run<A>),
    /// A task that asks on the spot.
    Task(&'a mut Spot<A>),
}

/// Where a task that asks on the spot waits for its answer.
pub(crate) struct Spot<A: Actor> {
    pub(crate) me: Rc<LocalMailbox<A>>,
    pub(crate) answer: OnTheSpot<A>,
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
            Self::Task(spot) => spot.me.credit(),
        }
    }

    /// The relay of the worker that asks.
    pub(super) fn relay_id(&self) -> RelayId {
        match self {
            Self::Run(run) => run.relay_id(),
            Self::Task(_) => RelayId::default(),
        }
    }

    /// The way of answers that come later, which `wrap` makes the actor's.
    pub(super) fn way<T: 'static>(&mut self, wrap: fn(T) -> A::Response) -> Arc<dyn Answers<T>> {
        match self {
            Self::Run(run) => run.way(wrap),
            Self::Task(spot) => spot.me.way(wrap),
        }
    }

    #[inline]
    pub(super) fn local(&self) -> &CoreLocal {
        match self {
            Self::Run(run) => &run.local,
            Self::Task(spot) => &spot.me.local,
        }
    }

    /// Messages that are known to wait behind this one.
    pub(super) fn waiting(&mut self) -> usize {
        match self {
            Self::Run(run) => run.waiting(),
            Self::Task(_) => 0,
        }
    }

    /// Begins the next message of a batch.
    pub(super) fn start_of_kind(&mut self) -> Option<(A::Request, Option<Started>)> {
        match self {
            Self::Run(run) => run.start_of_kind(),
            Self::Task(_) => None,
        }
    }

    /// Whether somebody waits for the answer.
    #[inline]
    pub(super) fn waits(&self) -> bool {
        match self {
            Self::Run(run) => run.started.is_some(),
            Self::Task(spot) => matches!(spot.answer, OnTheSpot::Nothing),
        }
    }

    /// The slot of the answer, unless it is one on the spot.
    #[inline]
    pub(super) fn take_started(&mut self) -> Option<Started> {
        match self {
            Self::Run(run) => run.started.take(),
            Self::Task(_) => None,
        }
    }

    /// The place of an answer on the spot.
    #[inline]
    pub(super) fn take_place(&mut self) -> Option<&mut OnTheSpot<A>> {
        match self {
            Self::Run(_) => None,
            Self::Task(spot) => {
                matches!(spot.answer, OnTheSpot::Nothing).then_some(&mut spot.answer)
            }
        }
    }

    /// A slot for an answer on the spot that comes later after all.
    #[cold]
    pub(super) fn slot(&mut self) -> Option<Started> {
        let Self::Task(spot) = self else { return None };
        if !matches!(spot.answer, OnTheSpot::Nothing) {
            return None;
        }
        let started = spot.me.begun_slot()?;
        spot.answer = OnTheSpot::Later(started.ticket());
        Some(started)
    }
}
