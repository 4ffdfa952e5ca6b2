//! Asks that are sent and awaited together.

mod part;

use std::convert::Infallible;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use self::part::Part;
use super::{Ask, block};
use crate::actor::Actor;
use crate::error::AskError;

/// Asks of one kind that are sent with one publish and awaited as one future; collected from asks, or made
/// by [`ActorClient::ask_batch`](super::ActorClient::ask_batch).
///
/// Yields an outcome for each, in their order. Deadlines, fates and retries are those of each ask.
///
/// ```
/// # use std::time::Duration;
/// # use tpc_actors::prelude::*;
/// # #[core_actor]
/// # pub struct Squares;
/// # #[core_actor]
/// # impl Squares {
/// #     #[init] fn new() -> Self { Self }
/// #     #[handler] fn square(&mut self, n: u64) -> u64 { n * n }
/// # }
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let system = System::builder().cores(1).start()?;
/// # let squares = system.spawn::<Squares>(()).wait()?;
/// let answers = squares.ask_batch((1..=3).map(|n| squares.square(n))).wait()?;
/// let answers: Result<Vec<u64>, _> = answers.into_iter().collect();
/// assert_eq!(answers?, [1, 4, 9]);
/// # system.shutdown_wait(Duration::from_secs(5));
/// # Ok(())
/// # }
/// ```
///
/// # Waiting
///
/// As for [`Ask`]: a lone task looks for the answers for three microseconds and a quarter of one for each ask, up to 50
/// together, before it sleeps.
///
/// # Cancel safety
///
/// As for [`Ask`], for each of them.
#[must_use = "asks do nothing until they are awaited or waited for"]
pub struct AskBatch<'a, A: Actor, T, E = Infallible> {
    /// By lane; in most batches there is one.
    parts: Vec<Part<'a, A, T, E>>,
    /// The part of each ask, if there are several.
    order: Vec<usize>,
    over: bool,
}

impl<'a, A: Actor, T, E> FromIterator<Ask<'a, A, T, E>> for AskBatch<'a, A, T, E> {
    fn from_iter<I: IntoIterator<Item = Ask<'a, A, T, E>>>(asks: I) -> Self {
        let asks: Vec<_> = asks.into_iter().collect();
        if asks.iter().all(|ask| ask.is_beside(&asks[0])) {
            let part = Part::new(asks, false);
            return Self { parts: vec![part], order: Vec::new(), over: false };
        }
        // Each on its own: one that has no room is not in the way of the others.
        let mut order = Vec::with_capacity(asks.len());
        let mut parts = Vec::<Part<'a, A, T, E>>::new();
        for ask in asks {
            let known = parts.iter().position(|part| ask.is_beside(&part.asks[0]));
            match known {
                Some(part) => parts[part].push(ask),
                None => parts.push(Part::new(vec![ask], true)),
            }
            order.push(known.unwrap_or(parts.len() - 1));
        }
        Self { parts, order, over: false }
    }
}

impl<A: Actor, T, E> AskBatch<'_, A, T, E> {
    /// Gives each ask until `limit` after the first poll, as [`Ask::deadline`] does.
    pub fn deadline(mut self, limit: Duration) -> Self {
        self.parts.iter_mut().for_each(|part| part.limit(limit));
        self
    }

    /// Waits for the answers on this thread.
    ///
    /// # Errors
    ///
    /// [`AskError::WouldBlockCore`] on a core's own thread, which must not block. What became of each ask is
    /// in its own outcome.
    pub fn wait(self) -> Result<Vec<Result<T, AskError<E>>>, AskError> {
        if crate::core_loop::on_core_thread() {
            return Err(AskError::WouldBlockCore);
        }
        let system = self.parts.first().and_then(Part::system);
        // Without an ask there is nothing to wait for.
        Ok(block::block_on_of(system.unwrap_or_default(), self))
    }

    /// All outcomes, in the order of the asks.
    fn outcomes(&mut self) -> Vec<Result<T, AskError<E>>> {
        if let [part] = &mut *self.parts {
            return part.outcomes.drain(..).flatten().collect();
        }
        let mut parts: Vec<_> =
            self.parts.iter_mut().map(|part| part.outcomes.drain(..).flatten()).collect();
        self.order.iter().filter_map(|part| parts[*part].next()).collect()
    }
}

impl<A: Actor, T, E> Unpin for AskBatch<'_, A, T, E> {}

impl<A: Actor, T, E> Future for AskBatch<'_, A, T, E> {
    type Output = Vec<Result<T, AskError<E>>>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        assert!(!this.over, "a batch of asks was polled after its end");
        let mut waits = false;
        for part in &mut this.parts {
            waits |= part.poll(context).is_pending();
        }
        if waits {
            return Poll::Pending;
        }
        this.over = true;
        Poll::Ready(this.outcomes())
    }
}

impl<A: Actor, T, E> fmt::Debug for AskBatch<'_, A, T, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let asks = self.parts.iter().map(|part| part.asks.len()).sum::<usize>();
        f.debug_struct("AskBatch").field("asks", &asks).finish_non_exhaustive()
    }
}
