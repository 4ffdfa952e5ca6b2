//! A request that is answered.

mod here;
mod together;

use std::convert::Infallible;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use super::crowd::Turns;
use super::lone::{Awakening, Looked, Wait};
use super::sending::{Sending, WakerIdentity};
use super::{CancellableAsk, Canceller, Client, Decode, block, decoded, lone};
use crate::actor::Actor;
use crate::error::{AskError, Fate, TellError};
use crate::mailbox::lane::Sent;
use crate::reply::Outcome;
use crate::reply::slot::{Left, Polled};

/// An ask on its way: `.await` waits for room and for the answer, `.now()` refuses at once when there
/// is no room, `.wait()` blocks a thread.
///
/// Every ask that was sent ends in exactly one outcome; see [`AskError`] for which of them are safe to
/// retry.
///
/// # Waiting
///
/// A task that asks and is answered twice in a row, with nobody else asking from its thread in between, does not
/// sleep at once when it asks again: it looks for the answer for one to three microseconds, or for up to 200 µs in
/// slices of 10 when the core had to be woken, and lets the other tasks of its thread have turns in between. Where several
/// ask from one thread, each wakes itself and looks in its task's next turns: four times, and on until the thread's askers
/// have looked 32 times. Both are done rarely where answers take longer, or come sooner without. With a
/// [`deadline`](Self::deadline), on a core's own thread, and where the core needs the CPU of the asker to wake, nobody
/// looks.
///
/// # Cancel safety
///
/// Dropping it before the handler has begun means that the handler never runs. Dropping it later means
/// that the answer is discarded.
///
/// Poll it or drop it: an ask that is kept and not polled holds its place among those under way, of which a lane has
/// twice its [`capacity`](crate::actor::Policy::capacity), also when it has been answered, and its place in line. Enough
/// of them keep everybody from asking over their lane, whoever is to take the next one from a `buffered` stream among
/// them.
///
/// # Panics
///
/// When it is polled or sent after its end. Nobody else is concerned by that.
#[must_use = "an ask does nothing until it is awaited or sent with `.now()` or `.wait()`"]
pub struct Ask<'a, A: Actor, T, E = Infallible> {
    sending: Sending<'a, A>,
    decode: Decode<A, T, E>,
    /// Where the answer will come.
    sent: Option<Sent>,
    /// Whose waker the slot holds, so that the same task need not leave another clone.
    registered: Option<WakerIdentity>,
    /// There if it is alone and its core had to be woken.
    awakens: Option<Awakening>,
    /// Those of its task in which it still looks for the answer.
    turns: Turns,
}

impl<'a, A: Actor, T, E> Ask<'a, A, T, E> {
    #[inline]
    pub(super) fn new(
        client: &'a Client<A>,
        shard: usize,
        request: A::Request,
        decode: Decode<A, T, E>,
    ) -> Self {
        let sending = Sending::new(client, shard, request);
        Self {
            sending,
            decode,
            sent: None,
            registered: None,
            awakens: None,
            turns: Turns::default(),
        }
    }

    /// Ends with [`AskError::Deadline`] when there is no answer within `limit` of the first poll, or of now if it has
    /// been polled or sent already.
    ///
    /// The core skips a request that expired while it waited. The ask also ends in time when the core
    /// is stuck in a handler.
    pub fn deadline(mut self, limit: Duration) -> Self {
        self.sending.limit(limit);
        if let Some(sent) = self.sent {
            self.sending.limit_sent(sent);
            // The keeper may have taken the waker out, for a deadline that was to be the last one.
            self.registered = None;
        }
        self
    }

    /// Sends now or not at all; the returned ask only waits for the answer. One that has been sent stays as it is.
    ///
    /// # Errors
    ///
    /// Hands the request back when the lane or its reply slots are full, or the actor takes no more.
    ///
    /// # Panics
    ///
    /// It has been polled to its end.
    pub fn now(mut self) -> Result<Self, TellError<A::Request>> {
        if self.sent.is_none() {
            self.sent = Some(self.sending.ask_now()?);
        }
        Ok(self)
    }

    /// Waits for the answer on this thread.
    ///
    /// # Errors
    ///
    /// As for `.await`, and [`AskError::WouldBlockCore`] on a core's own thread, which must not block.
    pub fn wait(self) -> Result<T, AskError<E>> {
        if crate::core_loop::on_core_thread() {
            return Err(AskError::WouldBlockCore);
        }
        block::block_on_of(self.system(), self)
    }

    /// An ask that somebody else can end, and the means to do so.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use tpc_actors::prelude::*;
    /// # #[core_actor]
    /// # pub struct Slow(Vec<Reply<u32>>);
    /// # #[core_actor]
    /// # impl Slow {
    /// #     #[init] fn new() -> Self { Self(Vec::new()) }
    /// #     #[handler] fn search(&mut self, reply: Reply<u32>) { self.0.push(reply); }
    /// # }
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let system = System::builder().cores(1).start()?;
    /// # let slow = system.spawn::<Slow>(()).wait()?;
    /// let (ask, canceller) = slow.search().cancellable();
    /// std::thread::spawn(move || canceller.cancel());
    /// assert!(matches!(ask.wait(), Err(AskError::Cancelled { .. })));
    /// # system.shutdown_wait(Duration::from_secs(5));
    /// # Ok(())
    /// # }
    /// ```
    pub fn cancellable(self) -> (CancellableAsk<'a, A, T, E>, Canceller) {
        CancellableAsk::new(self)
    }

    /// The same ask with a client of its own, for code that outlives the borrow.
    pub fn into_owned(mut self) -> Ask<'static, A, T, E> {
        let (sent, registered) = (self.sent.take(), self.registered);
        let (decode, awakens, turns) = (self.decode, self.awakens, self.turns);
        Ask { sending: self.sending.move_to_owned(), decode, sent, registered, awakens, turns }
    }

    /// The system that it is for.
    pub(super) fn system(&self) -> u64 {
        self.sending.mailbox().core.system
    }

    /// Whether both go over the same lane, as far as their clients decide that.
    pub(super) fn is_beside(&self, other: &Self) -> bool {
        self.sending.goes_over(other.sending.client().get(), other.sending.shard())
    }

    /// Begins its time, if that is limited and has not begun.
    pub(super) fn start_clock(&mut self) {
        if self.sending.is_timed() {
            self.sending.start_clock();
        }
    }

    /// Whether its time is over before it was sent.
    pub(super) fn is_overdue(&self) -> bool {
        self.sent.is_none() && self.sending.is_late()
    }

    /// Takes it out of the line for room.
    pub(super) fn leave_line(&mut self) {
        self.sending.leave_line();
    }

    /// Leaves the slot; the answer if it was there already.
    fn leave(&mut self) -> Option<Left<Outcome<A::Response>>> {
        let sent = self.sent.take()?;
        Some(self.sending.mailbox().lane(sent.lane()).credit.leave(sent.ticket()))
    }

    /// Leaves the slot: with the answer that was there already, or knowing whether the handler has begun.
    pub(super) fn give_up(&mut self) -> Result<Outcome<A::Response>, bool> {
        // It may be kept for a while, and must not be told of room that somebody else waits for.
        self.leave_line();
        match self.leave() {
            Some(Left::Answered(outcome)) => Ok(outcome),
            left => Err(matches!(left, Some(Left::Started))),
        }
    }

    /// What the caller gets of an outcome.
    #[inline]
    pub(super) fn decoded(&self, outcome: Outcome<A::Response>) -> Result<T, AskError<E>> {
        decoded(self.decode, outcome)
    }

    /// The outcome, if it is there; leaves a waker only where a deadline has to be kept.
    pub(super) fn look(&mut self, context: &mut Context<'_>) -> Option<Result<T, AskError<E>>> {
        if self.sending.is_timed() {
            return match Pin::new(self).poll(context) {
                Poll::Ready(outcome) => Some(outcome),
                Poll::Pending => None,
            };
        }
        let mut end = None;
        self.look_here(&mut end);
        end.map(|end| end.map_err(AskError::from).and_then(|outcome| self.decoded(outcome)))
    }

    /// Has the answer come from the core's CPU, for whoever is about to look for it.
    pub(super) fn fetch_answer(&self) {
        if let Some(sent) = self.sent {
            self.sending.mailbox().lane(sent.lane()).credit.line(sent.ticket()).fetch();
        }
    }

    /// Whether the request has been sent, so that its handler may have run.
    pub(super) fn is_sent(&self) -> bool {
        self.sent.is_some()
    }
}

impl<A: Actor, T, E> Unpin for Ask<'_, A, T, E> {}

impl<A: Actor, T, E> Future for Ask<'_, A, T, E> {
    type Output = Result<T, AskError<E>>;

    /// Small and inlined where the ask is awaited: the outcome is written once, here, and what the caller gets of it
    /// stays in registers. A copy in memory would have to wait until what it copies has left the store buffer, behind
    /// stores to lines that the core has.
    #[expect(clippy::inline_always, reason = "a copy of the result costs more than the rest")]
    #[inline(always)]
    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let mut end = None;
        if self.sent.is_none() {
            self.poll_request(context, &mut end);
        } else {
            self.poll_answer(context, &mut end);
        }
        match end {
            None => Poll::Pending,
            Some(Ok(outcome)) => Poll::Ready(self.decoded(outcome)),
            Some(Err(refused)) => Poll::Ready(Err(refused.into())),
        }
    }
}

/// What an ask has come to; written once by whoever finds it, where the caller reads it.
type End<A> = Option<Result<Outcome<<A as Actor>::Response>, TellError<()>>>;

impl<A: Actor, T, E> Ask<'_, A, T, E> {
    /// Sends the request, with a waker unless the answer is looked for.
    #[inline(never)]
    fn poll_request(&mut self, context: &mut Context<'_>, end: &mut End<A>) {
        let wait = lone::begins(WakerIdentity::of(context.waker()));
        let waker = (wait == Wait::Asleep).then(|| context.waker().clone());
        let identity = waker.as_ref().map(WakerIdentity::of);
        // Two words that come in registers, and go where they belong.
        self.sent = self.sending.try_ask(waker);
        let Some(sent) = self.sent else { return self.poll_room(context, end) };
        self.registered = identity;
        if wait != Wait::Asleep {
            self.poll_unheard(wait, sent, context, end);
        }
    }

    /// The same with everything that may be in the way, and with a waker in any case.
    #[cold]
    fn poll_room(&mut self, context: &mut Context<'_>, end: &mut End<A>) {
        match self.sending.poll_slowly(true, context) {
            Poll::Pending => {}
            Poll::Ready(Ok(sent)) => self.sent = Some(sent),
            Poll::Ready(Err(refused)) => *end = Some(Err(refused.split().0)),
        }
    }

    /// Looks for the answer; leaves a waker where there is none.
    #[inline(never)]
    fn poll_answer(&mut self, context: &mut Context<'_>, end: &mut End<A>) {
        if self.take_answer(end) {
            self.learns_from_answer(WakerIdentity::of(context.waker()));
        } else {
            self.poll_awaited(context, end);
        }
    }

    /// The same for an answer that is not there yet, or came over the lane of another thread.
    #[inline(never)]
    fn poll_awaited(&mut self, context: &mut Context<'_>, end: &mut End<A>) {
        let identity = WakerIdentity::of(context.waker());
        match self.look_on(end) {
            Looked::Found(()) => return self.learns_from_answer(identity),
            Looked::LooksOn => return context.waker().wake_by_ref(),
            Looked::InVain => {}
        }
        let (fresh, left) = WakerIdentity::renewed(self.registered, context.waker());
        match self.poll_slot(fresh) {
            Polled::Ready(outcome) => {
                self.learns_from_answer(identity);
                *end = Some(Ok(outcome));
                return;
            }
            Polled::Registered => self.registered = left,
            Polled::Busy => {}
        }
        if self.sending.is_late() {
            let late = |started| Err(Fate::Deadline { started });
            *end = Some(Ok(self.give_up().unwrap_or_else(late)));
        }
    }
}

impl<A: Actor, T, E> Drop for Ask<'_, A, T, E> {
    #[inline]
    fn drop(&mut self) {
        if self.sent.is_some() {
            drop(self.leave());
        }
    }
}

impl<A: Actor, T, E> fmt::Debug for Ask<'_, A, T, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ask")
            .field("request", &self.sending.request)
            .field("sent", &self.sent.is_some())
            .finish()
    }
}
