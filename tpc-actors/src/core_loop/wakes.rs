//! Askers that a core has answered, and that it wakes at the end of its turn.
//!
//! Together, because a worker that is woken for each of them goes to sleep in between, and both of that costs system calls;
//! many of one worker through its [`Relay`]. Until then they are where other threads reach them: a handler that does not
//! return keeps the turn from its end, and those that were answered before it are woken by whoever sees that.

use std::cell::{Cell, RefCell};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::relay::{Relay, RelayId};
use crate::reply::slot::Asker;
use crate::sync::planted;

/// How long a relay has for its askers before a core that does not go to sleep wakes those that are left.
const RELAYED_MAX: Duration = Duration::from_millis(1);

/// An asker whose answer is there.
pub(crate) struct Answered {
    pub(crate) asker: Asker,
    /// The relay of the worker that it has asked from.
    pub(crate) relay: RelayId,
}

impl Answered {
    /// An asker that nobody's relay may wake.
    pub(crate) fn alone(asker: Asker) -> Self {
        Self { asker, relay: RelayId::default() }
    }
}

/// Those that a turn has answered so far.
#[derive(Default)]
pub(crate) struct AnsweredList {
    list: Mutex<Vec<Answered>>,
    /// Relays that may still have askers to wake.
    given: Mutex<Vec<Arc<Relay>>>,
}

impl AnsweredList {
    fn list(&self) -> MutexGuard<'_, Vec<Answered>> {
        self.list.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn given(&self) -> MutexGuard<'_, Vec<Arc<Relay>>> {
        self.given.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Wakes all of them, in the place of a core that does not get on.
    pub(crate) fn wake_all(&self) {
        // No lock lasts over the wakes, which are foreign code.
        let all = std::mem::take(&mut *self.list());
        for answered in all {
            answered.asker.wake();
        }
        let given = self.given().clone();
        for relay in given {
            relay.overtake(&mut Vec::new());
        }
    }
}

/// The core's own part of it.
pub(crate) struct Wakes {
    answered: Arc<AnsweredList>,
    /// How many were added since the list was last empty: without any, nobody takes its lock.
    count: Cell<usize>,
    /// Changes places with the list, so that neither is allocated anew.
    spare: RefCell<Vec<Answered>>,
    /// The relays of those that have lanes here.
    relays: RefCell<Vec<Arc<Relay>>>,
    /// Whether relays may still have askers to wake, and when the first of them was given some.
    has_given: Cell<bool>,
    given_at: Cell<Instant>,
    /// Room for those that they have not woken.
    overtaken: RefCell<Vec<Asker>>,
}

impl Wakes {
    pub(crate) fn new(answered: Arc<AnsweredList>, now: Instant) -> Self {
        Self {
            answered,
            count: Cell::new(0),
            spare: RefCell::default(),
            relays: RefCell::default(),
            has_given: Cell::new(false),
            given_at: Cell::new(now),
            overtaken: RefCell::default(),
        }
    }

    /// A lane has come from the worker that has this relay.
    pub(crate) fn know(&self, relay: &Arc<Relay>) {
        let mut relays = self.relays.borrow_mut();
        relays.retain(|known| !known.is_over() && !Arc::ptr_eq(known, relay));
        relays.push(Arc::clone(relay));
    }

    /// One is woken with the turn's others.
    pub(crate) fn add(&self, answered: Answered) {
        self.answered.list().push(answered);
        self.count.set(self.count.get() + 1);
    }

    /// Hands over to `relay` those of its worker, which has just been served, without waiting for the turn's end.
    pub(crate) fn hand_over(&self, relay: &Arc<Relay>, now: Instant) {
        if !Relay::is_worth(self.count.get()) {
            return;
        }
        self.count.set(0);
        let mut answered = self.take();
        self.give(relay, &mut answered, now);
        self.count.set(self.count.get() + answered.len());
        self.answered.list().append(&mut answered);
        self.spare.replace(answered);
    }

    /// Wakes all of them, and those that their wakers answer.
    pub(crate) fn wake_all(&self, now: Instant) {
        while self.count.replace(0) > 0 {
            let mut answered = self.take();
            if Relay::is_worth(answered.len()) {
                for relay in &*self.relays.borrow() {
                    self.give(relay, &mut answered, now);
                }
            }
            for Answered { asker, .. } in answered.drain(..) {
                if planted!("lost-wake", 1 in 10_000) {
                    continue;
                }
                asker.wake();
            }
            self.spare.replace(answered);
        }
    }

    /// Takes them out, because wakers are foreign code and may lead back here.
    fn take(&self) -> Vec<Answered> {
        let mut answered = self.spare.take();
        std::mem::swap(&mut *self.answered.list(), &mut answered);
        answered
    }

    /// Has a relay wake those that it may.
    fn give(&self, relay: &Arc<Relay>, answered: &mut Vec<Answered>, now: Instant) {
        if !relay.take(answered) {
            return;
        }
        if !self.has_given.replace(true) {
            self.given_at.set(now);
        }
        let mut given = self.answered.given();
        if !given.iter().any(|known| Arc::ptr_eq(known, relay)) {
            given.push(Arc::clone(relay));
        }
    }

    /// As [`Self::overtake`], once the relays have had the time for it.
    pub(crate) fn overtake_late(&self, now: Instant) {
        let late = now.saturating_duration_since(self.given_at.get()) >= RELAYED_MAX;
        if late {
            self.overtake();
        }
    }

    /// Wakes the askers that relays have not come to, so that none depends on somebody else's runtime.
    pub(crate) fn overtake(&self) {
        if !self.has_given.replace(false) {
            return;
        }
        // Out of their cells for the time, as above.
        let (mut given, mut spare) =
            (std::mem::take(&mut *self.answered.given()), self.overtaken.take());
        given.drain(..).for_each(|relay| relay.overtake(&mut spare));
        self.overtaken.replace(spare);
        let mut list = self.answered.given();
        if list.is_empty() {
            *list = given;
        }
    }
}
