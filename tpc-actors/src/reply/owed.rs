//! An answer that is owed by a token which knows the answer's type and not the actor's.

use std::any::Any;
use std::cell::RefCell;
use std::sync::Arc;

use super::slot::{Asker, Started};
use super::{Credit, Outcome};
use crate::actor::Actor;

thread_local! {
    /// Askers answered by the batch handler that runs on this thread right now, to be woken together.
    static WOKEN: RefCell<Option<Vec<Asker>>> = const { RefCell::new(None) };
}

/// Collects the askers that this thread answers from now on; `room` is an empty list to put them in.
pub(crate) fn collect_woken(room: Vec<Asker>) {
    WOKEN.set(Some(room));
}

/// Who was answered since then; from here on askers are woken at once again.
pub(crate) fn take_woken() -> Option<Vec<Asker>> {
    WOKEN.take()
}

/// Wakes an asker, now or together with the others of a batch.
pub(super) fn wake(mut asker: Option<Asker>) {
    if asker.is_some() {
        // A thread that is going down has no list any more.
        let _ = WOKEN.try_with(|woken| {
            if let Some(woken) = &mut *woken.borrow_mut() {
                woken.extend(asker.take());
            }
        });
    }
    asker.into_iter().for_each(Asker::wake);
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
        wake(self.to.answer(self.started, outcome));
    }
}
