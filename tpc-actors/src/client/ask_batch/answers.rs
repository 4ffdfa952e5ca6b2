//! The answers to a batch of asks that is used again.

use std::convert::Infallible;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use super::super::block;
use super::AskBatch;
use crate::actor::Actor;
use crate::error::AskError;

/// A batch of asks on its way; made by [`AskBatch::send`].
///
/// # Cancel safety
///
/// Dropping it before it is ready leaves the asks in their batch, with the answers that have come: the next
/// [`send`](AskBatch::send) goes on with them, and nothing is sent twice. Who does not want that drops the batch.
#[must_use = "asks do nothing until they are awaited or waited for"]
pub struct SendAsks<'b, 'a, A: Actor, T, E = Infallible>(Option<&'b mut AskBatch<'a, A, T, E>>);

impl<'b, 'a, A: Actor, T, E> SendAsks<'b, 'a, A, T, E> {
    pub(super) fn new(batch: &'b mut AskBatch<'a, A, T, E>) -> Self {
        Self(Some(batch))
    }

    /// Gives each ask until `limit` after the first poll, as [`Ask::deadline`](super::super::Ask::deadline) does.
    pub fn deadline(mut self, limit: Duration) -> Self {
        if let Some(batch) = &mut self.0 {
            batch.limit(limit);
        }
        self
    }

    /// Waits for the answers on this thread.
    ///
    /// # Errors
    ///
    /// [`AskError::WouldBlockCore`] on a core's own thread, which must not block; the asks stay in their batch then. What
    /// became of each ask is in its own outcome.
    pub fn wait(self) -> Result<Answers<'b, 'a, A, T, E>, AskError> {
        if crate::core_loop::on_core_thread() {
            return Err(AskError::WouldBlockCore);
        }
        let system = self.0.as_ref().map(|batch| batch.system());
        Ok(block::block_on_of(system.unwrap_or_default(), self))
    }
}

impl<A: Actor, T, E> Unpin for SendAsks<'_, '_, A, T, E> {}

impl<'b, 'a, A: Actor, T, E> Future for SendAsks<'b, 'a, A, T, E> {
    type Output = Answers<'b, 'a, A, T, E>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let batch = self.0.take().expect("a batch of asks was polled after its end");
        if batch.poll_all(context).is_pending() {
            self.0 = Some(batch);
            return Poll::Pending;
        }
        Poll::Ready(Answers::of(batch))
    }
}

impl<A: Actor, T, E> fmt::Debug for SendAsks<'_, '_, A, T, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("SendAsks").field(&self.0).finish()
    }
}

/// The outcomes of a batch of asks, in the order of the asks. Those that are not taken are dropped with it.
pub struct Answers<'b, 'a, A: Actor, T, E = Infallible> {
    batch: &'b mut AskBatch<'a, A, T, E>,
    /// The ask whose outcome is next.
    next: usize,
    asks: usize,
}

impl<'b, 'a, A: Actor, T, E> Answers<'b, 'a, A, T, E> {
    /// Of a batch whose asks have their outcomes.
    pub(super) fn of(batch: &'b mut AskBatch<'a, A, T, E>) -> Self {
        let asks = batch.len();
        Self { batch, next: 0, asks }
    }
}

impl<A: Actor, T, E> Iterator for Answers<'_, '_, A, T, E> {
    type Item = Result<T, AskError<E>>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.next == self.asks {
            return None;
        }
        let part = self.batch.order.get(self.next).copied().unwrap_or(0);
        self.next += 1;
        self.batch.parts[part].next_outcome()
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let left = self.asks - self.next;
        (left, Some(left))
    }
}

impl<A: Actor, T, E> ExactSizeIterator for Answers<'_, '_, A, T, E> {}

impl<A: Actor, T, E> Drop for Answers<'_, '_, A, T, E> {
    fn drop(&mut self) {
        self.batch.order.clear();
        self.batch.parts.iter_mut().for_each(super::Part::clear);
    }
}

impl<A: Actor, T, E> fmt::Debug for Answers<'_, '_, A, T, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Answers").field("left", &self.len()).finish_non_exhaustive()
    }
}
