//! An answer that is owed by a token which knows the answer's type and not the actor's.

use std::any::Any;
use std::rc::Rc;
use std::sync::Arc;

use super::credit::Credit;
use super::slot::Started;
use super::{Outcome, fate_of_ending};
use crate::core_loop::in_turn;
use crate::core_loop::local::CoreLocal;
use crate::core_loop::wakes::Answered;
use crate::isolate::catch;
use crate::relay::RelayId;

/// Wakes an asker: where a core's turn has answered it, with the others of that turn. Not where an incarnation ends: what it
/// drops next may wait for the asker.
pub(super) fn wake(answered: Option<Answered>) {
    wake_with(in_turn::core(), answered);
}

fn wake_with(core: Option<Rc<CoreLocal>>, answered: Option<Answered>) {
    let Some(answered) = answered else { return };
    match core.filter(|_| fate_of_ending().is_none()) {
        Some(local) => local.wakes.add(answered),
        None => answered.asker.wake(),
    }
}

/// Where answers of type `T` go; shared by the tokens of a batch.
pub(crate) trait Answers<T>: Send + Sync {
    /// Stores the answer; the asker, if it waits.
    fn answer(&self, started: Started, outcome: Outcome<T>) -> Option<Answered>;

    /// Whether the asker is still there.
    fn is_wanted(&self, started: &Started) -> bool;
}

/// The answers of one handler of an actor.
struct Wrapped<R, T> {
    credit: Arc<Credit<Outcome<R>>>,
    relay: RelayId,
    wrap: fn(T) -> R,
}

/// The ways to the askers of one lane: one for each handler that answers later, shared by all of its tokens, which
/// therefore allocate nothing.
#[derive(Default)]
pub(crate) struct Ways(Vec<Arc<dyn Any + Send + Sync>>);

impl Ways {
    /// The way of answers that `wrap` makes the actor's.
    pub(crate) fn of<R: Send + 'static, T: 'static>(
        &mut self,
        credit: &Arc<Credit<Outcome<R>>>,
        relay: RelayId,
        wrap: fn(T) -> R,
    ) -> Arc<dyn Answers<T>> {
        let known = self.0.iter().find(|way| {
            let way = way.downcast_ref::<Wrapped<R, T>>();
            way.is_some_and(|way| std::ptr::fn_addr_eq(way.wrap, wrap))
        });
        if let Some(Ok(way)) = known.map(|way| Arc::clone(way).downcast::<Wrapped<R, T>>()) {
            return way;
        }
        let way = Arc::new(Wrapped::<R, T> { credit: Arc::clone(credit), relay, wrap });
        self.0.push(Arc::<Wrapped<R, T>>::clone(&way));
        way
    }
}

impl<R: Send, T> Answers<T> for Wrapped<R, T> {
    fn answer(&self, started: Started, outcome: Outcome<T>) -> Option<Answered> {
        let asker = self.credit.complete(started, outcome.map(self.wrap))?;
        Some(Answered { asker, relay: self.relay })
    }

    fn is_wanted(&self, started: &Started) -> bool {
        self.credit.is_wanted(started)
    }
}

/// One answer that is owed.
pub(super) struct Owed<T> {
    pub(super) to: Arc<dyn Answers<T>>,
    pub(super) started: Started,
}

impl<T> Owed<T> {
    pub(super) fn is_wanted(&self) -> bool {
        self.to.is_wanted(&self.started)
    }

    pub(super) fn answer(self, outcome: Outcome<T>) {
        let core = in_turn::core();
        if let Some(local) = &core {
            if outcome.is_ok() {
                // Who has the answer finds the events that led to it, and so does the log.
                let shown = catch(|| {
                    local.show_events(false);
                    local.pass_on_events();
                });
                // Foreign code runs in there, and the answer is not to be lost to it.
                drop(shown);
            }
            local.answered.set(true);
        }
        wake_with(core, self.to.answer(self.started, outcome));
    }
}
