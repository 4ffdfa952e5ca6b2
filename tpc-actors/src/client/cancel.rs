//! Ending an ask from somewhere else than the task that awaits it.

use std::convert::Infallible;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use super::cancelled::Cancelled;
use super::{Ask, block};
use crate::actor::Actor;
use crate::error::AskError;

/// Ends an ask with [`AskError::Cancelled`]; made by [`Ask::cancellable`]. Any thread may use it, and
/// dropping it ends nothing.
#[derive(Debug, Clone)]
pub struct Canceller(Arc<Cancelled>);

impl Canceller {
    /// Ends the ask, unless it has been answered. A handler that has not begun will not run.
    pub fn cancel(&self) {
        self.0.set();
    }
}

/// An ask that a [`Canceller`] can end.
///
/// # Cancel safety
///
/// As for [`Ask`].
#[must_use = "an ask does nothing until it is awaited or waited for"]
pub struct CancellableAsk<'a, A: Actor, T, E = Infallible> {
    ask: Ask<'a, A, T, E>,
    cancelled: Arc<Cancelled>,
    over: bool,
}

impl<'a, A: Actor, T, E> CancellableAsk<'a, A, T, E> {
    pub(super) fn new(ask: Ask<'a, A, T, E>) -> (Self, Canceller) {
        let cancelled = Arc::<Cancelled>::default();
        (Self { ask, cancelled: Arc::clone(&cancelled), over: false }, Canceller(cancelled))
    }

    /// Waits for the answer on this thread.
    ///
    /// # Errors
    ///
    /// As for [`Ask::wait`], and [`AskError::Cancelled`].
    pub fn wait(self) -> Result<T, AskError<E>> {
        if crate::core_loop::on_core_thread() {
            return Err(AskError::WouldBlockCore);
        }
        block::block_on_of(self.ask.system(), self)
    }
}

impl<A: Actor, T, E> Unpin for CancellableAsk<'_, A, T, E> {}

impl<A: Actor, T, E> Future for CancellableAsk<'_, A, T, E> {
    type Output = Result<T, AskError<E>>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        assert!(!this.over, "an ask was polled after its end");
        if this.cancelled.look(context.waker()) {
            this.over = true;
            return Poll::Ready(match this.ask.give_up() {
                Ok(outcome) => this.ask.decoded(outcome),
                Err(started) => Err(AskError::Cancelled { started }),
            });
        }
        let polled = Pin::new(&mut this.ask).poll(context);
        this.over = polled.is_ready();
        polled
    }
}

impl<A: Actor, T, E> Drop for CancellableAsk<'_, A, T, E> {
    fn drop(&mut self) {
        self.cancelled.forget();
    }
}

impl<A: Actor, T, E> fmt::Debug for CancellableAsk<'_, A, T, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CancellableAsk").field("ask", &self.ask).finish_non_exhaustive()
    }
}
