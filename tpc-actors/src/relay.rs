//! Waking many tasks of a Tokio runtime by waking one.
//!
//! A core that answers many tasks of one worker would go through the runtime's shared queue, and its lock,
//! for each of them; and it would take the line of each task's header away from the worker that is about
//! to run it. Instead it hands all wakers of a batch over at once and wakes one task of the runtime, the
//! *pump*, which wakes the others from inside, where that is a push into a local queue.
//!
//! Only wakers of plain Tokio tasks are relayed: whatever else waits on a worker, a thread that blocks there
//! for example, may be what keeps the pump from running, and is woken directly.

use std::cell::RefCell;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, RawWakerVTable, Waker};

use tokio::runtime::{Handle, RuntimeFlavor};

use crate::core_loop::wakes::Answered;
use crate::isolate::wake_quietly;
use crate::reply::slot::Asker;

/// Wakers from which on the detour is shorter than waking each.
const RELAYED_MIN: usize = 4;

thread_local! {
    static RELAY: RefCell<Option<OfThread>> = const { RefCell::new(None) };
}

/// Ends the relay with the thread: a runtime's threads come and go, and its pumps with them.
struct OfThread(Arc<Relay>);

impl Drop for OfThread {
    fn drop(&mut self) {
        self.0.end();
    }
}

/// Tells relays apart for as long as they live; the default is nobody's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct RelayId(usize);

/// The way from cores to the tasks of one worker's runtime.
#[derive(Debug)]
pub(crate) struct Relay(Mutex<State>);

#[derive(Debug)]
struct State {
    askers: Vec<Asker>,
    /// The pump's own, while it sleeps.
    pump: Option<Waker>,
    /// What wakers of tasks look like; unknown until the pump has run once.
    of_tasks: Option<&'static RawWakerVTable>,
    /// The runtime has shut down.
    over: bool,
}

impl Relay {
    /// The relay of the calling thread if it is a worker of a runtime with threads of its own.
    ///
    /// A runtime that runs inside of somebody's `block_on` does not run its pump at other times, when the
    /// thread may still be asking.
    pub(crate) fn of_this_worker() -> Option<Arc<Self>> {
        tokio::runtime::worker_index()?;
        let handle = Handle::try_current().ok()?;
        if handle.runtime_flavor() != RuntimeFlavor::MultiThread {
            return None;
        }
        let known = RELAY.try_with(|known| Some(Arc::clone(&known.borrow().as_ref()?.0))).ok()?;
        if let Some(relay) = known.filter(|relay| !relay.state().over) {
            return Some(relay);
        }
        let state = State { askers: Vec::new(), pump: None, of_tasks: None, over: false };
        let relay = Arc::new(Self(Mutex::new(state)));
        drop(handle.spawn(Pump { relay: Arc::clone(&relay), taken: Vec::new() }));
        drop(RELAY.try_with(|known| known.replace(Some(OfThread(Arc::clone(&relay))))));
        Some(relay)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether so many wakers are worth the detour.
    pub(crate) fn is_worth(wakers: usize) -> bool {
        wakers >= RELAYED_MIN
    }

    pub(crate) fn id(self: &Arc<Self>) -> RelayId {
        RelayId(Arc::as_ptr(self).addr())
    }

    /// Whether it wakes nobody any more.
    pub(crate) fn is_over(&self) -> bool {
        self.state().over
    }

    /// Takes those of its worker that it may wake, if they are worth the detour; whether it took any, which somebody has to
    /// [overtake](Self::overtake) then.
    pub(crate) fn take(self: &Arc<Self>, answered: &mut Vec<Answered>) -> bool {
        let id = self.id();
        if !Self::is_worth(answered.iter().filter(|answered| answered.relay == id).count()) {
            return false;
        }
        let mut state = self.state();
        let Some(of_tasks) = state.of_tasks.filter(|_| !state.over) else { return false };
        let is_task = |answered: &mut Answered| {
            answered.relay == id && std::ptr::eq(answered.asker.waker.vtable(), of_tasks)
        };
        let before = state.askers.len();
        state.askers.extend(answered.extract_if(.., is_task).map(|answered| answered.asker));
        let took = state.askers.len() > before;
        let pump = if took { state.pump.take() } else { None };
        drop(state);
        if let Some(pump) = pump {
            wake_quietly(pump);
        }
        took
    }

    /// Wakes what the pump has not come to.
    ///
    /// All of Tokio's tasks look alike, also those of other runtimes and of local sets, and one of them may be
    /// what the pump's worker is blocked by. A core therefore does not leave it at the relay before it sleeps.
    ///
    /// `spare` is empty, and changes places with the relay's list, so that neither is ever allocated anew.
    pub(crate) fn overtake(&self, spare: &mut Vec<Asker>) {
        std::mem::swap(&mut self.state().askers, spare);
        spare.drain(..).for_each(Asker::wake);
    }

    fn end(&self) {
        let (left, pump) = {
            let mut state = self.state();
            state.over = true;
            (std::mem::take(&mut state.askers), state.pump.take())
        };
        // The pump too: it sees the end and finishes.
        left.into_iter().map(|asker| asker.waker).chain(pump).for_each(wake_quietly);
    }
}

/// Wakes what cores have handed over.
struct Pump {
    relay: Arc<Relay>,
    /// Changes places with the relay's list, so that neither is ever allocated anew.
    taken: Vec<Asker>,
}

impl Future for Pump {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let this = &mut *self;
        {
            let mut state = this.relay.state();
            if state.over {
                return Poll::Ready(());
            }
            state.of_tasks = Some(context.waker().vtable());
            std::mem::swap(&mut state.askers, &mut this.taken);
            // In place before the wakers are used: what is handed over from here on wakes the pump again.
            state.pump.get_or_insert_with(|| context.waker().clone());
        }
        for asker in this.taken.drain(..) {
            // On its way here by the time that the task is polled.
            asker.answer.fetch();
            asker.wake();
        }
        Poll::Pending
    }
}

impl Drop for Pump {
    fn drop(&mut self) {
        // The runtime shuts down, perhaps. What is left may belong to others, and is woken from here.
        self.relay.end();
        self.taken.drain(..).for_each(Asker::wake);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::Ordering;

    use super::*;
    use crate::bridge::ring::Line;
    use crate::counted::counted;

    #[test]
    fn whoever_is_left_at_its_end_is_woken_and_so_is_the_pump() {
        let (count, waker) = counted();
        let asker = |_| Asker { waker: waker.clone(), answer: Line::of(&count) };
        let askers = (0..3).map(asker).collect();
        let state = State { askers, pump: Some(waker.clone()), of_tasks: None, over: false };
        let relay = Arc::new(Relay(Mutex::new(state)));
        drop(OfThread(Arc::clone(&relay)));
        assert!(relay.is_over());
        assert_eq!(count.0.load(Ordering::Relaxed), 4);
    }
}
