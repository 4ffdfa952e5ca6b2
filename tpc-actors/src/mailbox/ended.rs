//! How an actor ended, and who waits to hear of it.

use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use crate::error::PanicReport;
use crate::isolate::wake_quietly;

/// How an actor ended.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Ended {
    /// It stopped itself, with [`Ctx::stop`](crate::Ctx::stop).
    Normal,
    /// It was stopped, by [`System::stop`](crate::System::stop) or by the policy of its group or core.
    Stopped,
    /// It panicked, and its policy does not restart it any more.
    Panicked(PanicReport),
    /// The thread of its core is gone.
    CoreLost,
    /// The system has shut down.
    Shutdown,
}

impl fmt::Display for Ended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Normal => f.write_str("the actor stopped itself"),
            Self::Stopped => f.write_str("the actor was stopped"),
            Self::Panicked(report) => write!(f, "the actor was not restarted: {report}"),
            Self::CoreLost => f.write_str("the actor's core is gone"),
            Self::Shutdown => f.write_str("the system has shut down"),
        }
    }
}

#[derive(Debug, Default)]
struct State {
    ended: Option<Ended>,
    /// One entry for each future that waits; it takes it along when it is dropped.
    waiting: Vec<(u64, Waker)>,
    next_id: u64,
}

/// The end of an actor, once it has come.
#[derive(Debug, Default)]
pub(crate) struct Ending(Mutex<State>);

impl Ending {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The first reason holds.
    pub(crate) fn set(&self, how: Ended) {
        let waiting = {
            let mut state = self.state();
            if state.ended.is_some() {
                return;
            }
            state.ended = Some(how);
            std::mem::take(&mut state.waiting)
        };
        // Outside the lock: wakers are foreign code.
        for (_, waker) in waiting {
            wake_quietly(waker);
        }
    }

    pub(crate) fn get(&self) -> Option<Ended> {
        self.state().ended.clone()
    }

    /// The end, or a wake when it comes. `id` is who asks, given with the first answer.
    pub(crate) fn poll(&self, id: &mut Option<u64>, context: &Context<'_>) -> Poll<Ended> {
        // Cloned and dropped outside the lock: a waker is foreign code.
        let mut waker = context.waker().clone();
        let mut state = self.state();
        if let Some(ended) = &state.ended {
            return Poll::Ready(ended.clone());
        }
        let known = state.waiting.iter_mut().find(|(other, _)| Some(*other) == *id);
        if let Some((_, place)) = known {
            std::mem::swap(place, &mut waker);
        } else {
            state.next_id += 1;
            let fresh = state.next_id;
            state.waiting.push((fresh, waker));
            *id = Some(fresh);
            return Poll::Pending;
        }
        drop(state);
        Poll::Pending
    }

    pub(crate) fn leave(&self, id: u64) {
        let gone = {
            let mut state = self.state();
            let place = state.waiting.iter().position(|(other, _)| *other == id);
            place.map(|place| state.waiting.swap_remove(place))
        };
        crate::isolate::drop_quietly(gone);
    }
}
