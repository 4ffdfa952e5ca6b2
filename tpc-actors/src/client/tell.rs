//! A message without an answer.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use super::sending::Sending;
use super::{Client, block};
use crate::actor::Actor;
use crate::error::TellError;

/// A tell on its way: `.await` waits for room, `.now()` refuses at once, `.wait()` blocks a thread.
///
/// Ready means *accepted*: the message is in the actor's lane. It is then run once, unless the actor
/// stops first, which the shutdown report counts.
///
/// Where there is room, it is ready at once. A task that tells in a loop therefore has others of its runtime wait until the
/// lane is full, or until it yields.
///
/// # Cancel safety
///
/// Dropping it before it is ready drops the message unsent.
///
/// Poll it or drop it: one that waits for room, and is not polled when there is some, keeps it from those behind it.
///
/// # Panics
///
/// When it is polled after its end.
#[must_use = "a tell does nothing until it is awaited or sent with `.now()` or `.wait()`"]
pub struct Tell<'a, A: Actor> {
    sending: Sending<'a, A>,
}

impl<'a, A: Actor> Tell<'a, A> {
    /// The system that it is for.
    pub(super) fn system(&self) -> u64 {
        self.sending.mailbox().core.system
    }

    #[inline]
    pub(super) fn new(client: &'a Client<A>, shard: usize, request: A::Request) -> Self {
        Self { sending: Sending::new(client, shard, request) }
    }

    /// Where it goes and what it says.
    ///
    /// # Panics
    ///
    /// It is for another actor than `client`, or has a deadline of its own.
    #[expect(clippy::inline_always, reason = "see `TellBatch::push`")]
    #[inline(always)]
    pub(super) fn into_parts(self, client: &Client<A>) -> (usize, A::Request) {
        self.sending.into_parts(client)
    }

    /// Gives up, and the message back, when there is no room within `limit` of the first poll, or of now if it has
    /// been polled already.
    pub fn deadline(mut self, limit: Duration) -> Self {
        self.sending.limit(limit);
        self
    }

    /// The same with a client of its own, for code that outlives the borrow.
    pub fn into_owned(mut self) -> Tell<'static, A> {
        Tell { sending: self.sending.move_to_owned() }
    }

    /// Sends now or not at all.
    ///
    /// # Errors
    ///
    /// Hands the message back when the lane is full or the actor takes no more.
    ///
    /// # Panics
    ///
    /// It has been polled to its end.
    pub fn now(mut self) -> Result<(), TellError<A::Request>> {
        self.sending.tell_now()
    }

    /// Waits for room on this thread.
    ///
    /// # Errors
    ///
    /// Hands the message back when the actor takes no more, when the deadline passes, or when this is
    /// a core's own thread, which must not block.
    pub fn wait(mut self) -> Result<(), TellError<A::Request>> {
        if crate::core_loop::on_core_thread() {
            return Err(TellError::WouldBlockCore(self.sending.take_request()));
        }
        block::block_on_of(self.system(), self)
    }
}

impl<A: Actor> Unpin for Tell<'_, A> {}

impl<A: Actor> Future for Tell<'_, A> {
    type Output = Result<(), TellError<A::Request>>;

    #[inline]
    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        self.sending.poll_tell(context)
    }
}

impl<A: Actor> fmt::Debug for Tell<'_, A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tell").field("request", &self.sending.request).finish()
    }
}
