//! An answer that is owed by a token which knows the answer's type and not the actor's.

use std::any::Any;
use std::sync::Arc;

use super::slot::{Asker, Started};
use super::{Credit, Outcome};
use crate::actor::Actor;
use crate::core_loop::in_turn;

/// Wakes an asker: where a core's turn has answered it, with the others of that turn.
pub(super) fn wake(asker: Option<Asker>) {
    let Some(asker) = asker else { return };
    match in_turn::core() {
        Some(local) => local.wake_later(asker),
        None => asker.wake(),
    }
}

/// Where answers of type `T` go; shared by the tokens of a batch.
pub(crate) trait Answers<T>: Send + Sync {
    /// Stores the answer; the asker, if it waits.
    fn answer(&self, started: Started, outcome: Outcome<T>) -> Option<Asker>;

    /// Whether the asker is still there.
    fn is_wanted(&self, started: &Started) -> bool;
}

/// The answers of one handler of an actor.
struct Wrapped<A: Actor, T> {
    credit: Arc<Credit<A>>,
    wrap: fn(T) -> A::Response,
}

/// The ways to the askers of one lane: one for each handler that answers later, shared by all of its tokens, which
/// therefore allocate nothing.
#[derive(Default)]
pub(crate) struct Ways(Vec<Arc<dyn Any + Send + Sync>>);

impl Ways {
    /// The way of answers that `wrap` makes the actor's.
    pub(crate) fn of<A: Actor, T: 'static>(
        &mut self,
        credit: &Arc<Credit<A>>,
        wrap: fn(T) -> A::Response,
    ) -> Arc<dyn Answers<T>> {
        let known = self.0.iter().find(|way| {
            let way = way.downcast_ref::<Wrapped<A, T>>();
            way.is_some_and(|way| std::ptr::fn_addr_eq(way.wrap, wrap))
        });
        if let Some(Ok(way)) = known.map(|way| Arc::clone(way).downcast::<Wrapped<A, T>>()) {
            return way;
        }
        let way = Arc::new(Wrapped::<A, T> { credit: Arc::clone(credit), wrap });
        self.0.push(Arc::<Wrapped<A, T>>::clone(&way));
        way
    }
}

impl<A: Actor, T> Answers<T> for Wrapped<A, T> {
    fn answer(&self, started: Started, outcome: Outcome<T>) -> Option<Asker> {
        self.credit.complete(started, outcome.map(self.wrap))
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
        if let Some(local) = in_turn::core() {
            // Who has the answer finds the events that led to it.
            local.show_events(false);
            local.answered.set(true);
        }
        wake(self.to.answer(self.started, outcome));
    }
}
