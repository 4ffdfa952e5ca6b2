//! The token that owes an answer, and the fates of those that never got one.
//!
//! Whoever holds a token owes exactly one answer. Dropping it answers too, so no path through a
//! handler leaves a caller waiting: a forgotten [`Reply`] answers `Dropped`, one that is lost to a
//! panic answers `Panicked` with the report of that panic.

use std::cell::RefCell;
use std::fmt;
use std::sync::Arc;

use super::caller::{Caller, OnTheSpot, Spot};
use super::owed::{Owed, wake};
use super::slot::Started;
use super::{Batch, Outcome};
use crate::actor::{Actor, Settings};
use crate::core_loop::run::Run;
use crate::core_loop::wakes::Answered;
use crate::error::Fate;
use crate::sync::planted;

thread_local! {
    /// Tokens lost to the panic that unwinds this thread right now; whoever catches it answers them.
    static UNWOUND: RefCell<Vec<Unwound>> = const { RefCell::new(Vec::new()) };
    /// What tokens answer that are dropped along with an incarnation that ends.
    static ENDING: RefCell<Option<Fate>> = const { RefCell::new(None) };
}

type Unwound = Box<dyn FnOnce(Fate)>;

/// Answers everything that the caught panic took down.
pub(crate) fn answer_unwound(fate: &Fate) {
    // Answering may drop foreign values, which may add to the list again.
    while let Some(answer) = UNWOUND.with_borrow_mut(Vec::pop) {
        answer(fate.clone());
    }
}

/// Answers tokens that were lost to a panic which somebody else has caught.
pub(crate) fn answer_lost() {
    if UNWOUND.with_borrow(|list| !list.is_empty()) {
        answer_unwound(&Fate::Dropped);
    }
}

/// Runs `drops`, which takes an incarnation down; tokens that go with it answer `fate`.
pub(crate) fn while_ending<R>(fate: &Fate, drops: impl FnOnce() -> R) -> R {
    let outer = ENDING.replace(Some(fate.clone()));
    let done = drops();
    ENDING.replace(outer);
    answer_unwound(fate);
    done
}

/// What tokens answer that go down with the incarnation that ends right now, if one does.
pub(crate) fn fate_of_ending() -> Option<Fate> {
    ENDING.try_with(|ending| ending.borrow().clone()).ok().flatten()
}

/// What a token answers that is dropped now, or `None` when a panic takes it down.
fn fate_of_dropped() -> Option<Fate> {
    if std::thread::panicking() && crate::core_loop::on_core_thread() {
        return None;
    }
    Some(fate_of_ending().unwrap_or(Fate::Dropped))
}

/// Has `answer` called by whoever catches the panic that unwinds this thread.
fn answer_when_caught(answer: Unwound) {
    UNWOUND.with_borrow_mut(|list| list.push(answer));
}

/// The place for the answer of the request that is being handled.
///
/// Expansions complete it or turn it into a [`Reply`]; nothing else uses it.
pub struct ReplySlot<'a, A: Actor> {
    /// What is begun stays with whoever has begun it: for most messages nothing is, and nothing moves.
    caller: Caller<'a, A>,
}

impl<'a, A: Actor> ReplySlot<'a, A> {
    /// For the message that `run` has begun.
    #[inline]
    pub(crate) fn new(run: &'a mut Run<A>) -> Self {
        Self { caller: Caller::Run(run) }
    }

    /// For a task that calls the handler on the spot.
    #[inline]
    pub(crate) fn on_the_spot(spot: &'a mut Spot<A>) -> Self {
        Self { caller: Caller::Task(spot) }
    }

    /// Answers.
    pub fn complete(mut self, response: A::Response) {
        self.finish(Ok(response));
    }

    pub(crate) fn fail(mut self, fate: Fate) {
        self.finish(Err(fate));
    }

    /// Answers later: a token that may be kept, moved and sent.
    pub fn defer<T: 'static>(mut self, wrap: fn(T) -> A::Response) -> Reply<T> {
        let answer = self.take_slot().map(|started| {
            let to = self.caller.way(wrap);
            Owed { to, started }
        });
        Reply { answer }
    }

    /// The request that is handled together with those behind it that `take` knows, up to `MOST`, each with
    /// a token that answers later.
    pub fn batch<T: 'static, R: 'static, const MOST: usize>(
        mut self,
        first: T,
        take: fn(A::Request) -> Option<T>,
        wrap: fn(R) -> A::Response,
    ) -> Batch<T, Reply<R>> {
        const { batch_fits::<A>(MOST) }
        let to = self.caller.way(wrap);
        let token = |started: Option<Started>| Reply {
            answer: started.map(|started| Owed { started, to: Arc::clone(&to) }),
        };
        let mut batch = Batch::with_room(MOST.min(self.caller.waiting() + 1));
        let started = self.take_slot();
        batch.push(first, token(started));
        while batch.len() < MOST
            && let Some((request, started)) = self.caller.start_of_kind()
        {
            let reply = token(started);
            if let Some(message) = take(request) {
                batch.push(message, reply);
            }
        }
        batch
    }

    /// The same for messages that nobody waits for.
    pub fn batch_of_tells<T: 'static, const MOST: usize>(
        mut self,
        first: T,
        take: fn(A::Request) -> Option<T>,
    ) -> Batch<T> {
        const { batch_fits::<A>(MOST) }
        let mut batch = Batch::with_room(MOST.min(self.caller.waiting() + 1));
        batch.push(first, ());
        while batch.len() < MOST
            && let Some((request, _)) = self.caller.start_of_kind()
        {
            if let Some(message) = take(request) {
                batch.push(message, ());
            }
        }
        batch
    }

    /// The slot for an answer that comes later.
    fn take_slot(&mut self) -> Option<Started> {
        self.caller.take_started().or_else(|| self.caller.slot())
    }

    fn finish(&mut self, mut outcome: Outcome<A::Response>) {
        if !self.caller.waits() {
            return;
        }
        if planted!("skip-reply", 1 in 10_000) {
            let _ = self.take_slot();
            return;
        }
        if planted!("wrong-fate", 1 in 10_000) {
            outcome = Err(Fate::Stopped);
        }
        let started = self.caller.take_started();
        // Who has the answer finds the events that led to it. On the spot it is a task of the core, which is not to wait
        // for their copies.
        self.caller.local().show_events(started.is_none());
        let Some(started) = started else {
            if let Some(place) = self.caller.take_place() {
                *place = OnTheSpot::Answered(outcome);
            }
            return;
        };
        let local = self.caller.local();
        local.answered.set(true);
        if let Some(asker) = self.caller.credit().complete(started, outcome) {
            // Woken together at the end of the turn.
            local.wakes.add(Answered { asker, relay: self.caller.relay_id() });
        }
    }
}

impl<A: Actor> Drop for ReplySlot<'_, A> {
    #[inline]
    fn drop(&mut self) {
        if self.caller.waits() {
            self.dropped();
        }
    }
}

impl<A: Actor> ReplySlot<'_, A> {
    /// Nobody has answered.
    #[cold]
    fn dropped(&mut self) {
        let Some(started) = self.take_slot() else { return };
        let credit = Arc::clone(self.caller.credit());
        match fate_of_dropped() {
            Some(fate) => wake(credit.complete(started, Err(fate)).map(Answered::alone)),
            None => answer_when_caught(Box::new(move |fate| {
                wake(credit.complete(started, Err(fate)).map(Answered::alone));
            })),
        }
    }
}

impl<A: Actor> fmt::Debug for ReplySlot<'_, A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReplySlot").field("wanted", &self.caller.waits()).finish()
    }
}

/// Owes an answer of type `T` to the caller of a handler.
///
/// A handler that takes a `reply: Reply<T>` parameter answers through it, at any later time and from
/// any thread. Exactly one answer reaches the caller: the value that is [sent](Self::send), or
/// [`AskError::Dropped`](crate::AskError::Dropped) when the token is dropped, or
/// [`AskError::Panicked`](crate::AskError::Panicked) when a panic on the core takes it down. A leaked
/// token (`mem::forget`) answers nothing; then only a deadline ends the ask.
///
/// An asker that has left, because of its deadline for instance, does not take its token along: an actor that keeps
/// tokens for long asks now and then which of them are [still wanted](Self::is_wanted).
///
/// ```
/// use tpc_actors::prelude::*;
///
/// #[core_actor]
/// pub struct Gate {
///     waiting: Vec<Reply<u32>>,
/// }
///
/// #[core_actor]
/// impl Gate {
///     #[init]
///     fn new() -> Self {
///         Self { waiting: Vec::new() }
///     }
///
///     /// Answers when somebody opens the gate.
///     #[handler]
///     fn enter(&mut self, reply: Reply<u32>) {
///         self.waiting.push(reply);
///     }
///
///     #[handler(tell)]
///     fn open(&mut self, number: u32) {
///         for reply in self.waiting.drain(..) {
///             reply.send(number);
///         }
///     }
///
///     /// Forgets those who have left.
///     #[every("1s")]
///     fn look_around(&mut self) {
///         self.waiting.retain(Reply::is_wanted);
///     }
/// }
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let system = System::builder().start()?;
/// let gate = system.spawn::<Gate>(()).wait()?;
/// let (one, two) = (gate.ordered(), gate.ordered());
/// let guest = std::thread::spawn(move || one.enter().wait());
/// while !guest.is_finished() {
///     two.open(7).wait()?;
/// }
/// assert_eq!(guest.join().unwrap()?, 7);
/// # system.shutdown_wait(std::time::Duration::from_secs(5));
/// # Ok(())
/// # }
/// ```
pub struct Reply<T: 'static> {
    /// `None` when nobody waits for the answer, and once it is given.
    answer: Option<Owed<T>>,
}

impl<T: 'static> Reply<T> {
    /// Whether the caller is still there: it has neither left nor been a tell. One whose deadline has passed leaves when
    /// it is polled or dropped. It may leave at any moment, so an answer that is sent to somebody who is there may be
    /// dropped nevertheless.
    pub fn is_wanted(&self) -> bool {
        self.answer.as_ref().is_some_and(Owed::is_wanted)
    }

    /// Answers the caller. An answer that nobody waits for any more is dropped.
    ///
    /// A caller that is answered on a core, by a handler or by a task, finds what was published there before: filters and
    /// copies of these events run in here, so hold no lock that they take. It is woken together with the others that this
    /// turn of the core answers, and so mostly when the handler has returned; a core that is in one call for long
    /// ([`stall_after`](crate::SystemBuilder::stall_after)) keeps nobody asleep. Who is answered on another thread is
    /// woken at once.
    pub fn send(mut self, value: T) {
        if let Some(answer) = self.answer.take() {
            answer.answer(Ok(value));
        }
    }
}

impl<T: 'static> Drop for Reply<T> {
    fn drop(&mut self) {
        let Some(answer) = self.answer.take() else { return };
        match fate_of_dropped() {
            Some(fate) => answer.answer(Err(fate)),
            None => answer_when_caught(Box::new(move |fate| answer.answer(Err(fate)))),
        }
    }
}

impl<T: 'static> fmt::Debug for Reply<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reply").field("owed", &self.answer.is_some()).finish()
    }
}

/// Does not compile unless a lane of the actor can hold that many messages.
///
/// # Panics
///
/// While compiling, which is the message.
#[track_caller]
pub const fn batch_fits<A: Settings>(most: usize) {
    assert!(
        most <= A::POLICY.lane_capacity(),
        "TPC042: `batch` is larger than the actor's `capacity`, so no batch could ever be full; write a smaller \
         `batch`, or a larger `capacity` on the struct"
    );
}
