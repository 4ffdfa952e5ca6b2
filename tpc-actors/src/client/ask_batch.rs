//! Asks that are sent and awaited together.

mod answers;
mod part;

use std::convert::Infallible;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

pub use self::answers::{Answers, SendAsks};
use self::part::Part;
use super::{Ask, block};
use crate::actor::Actor;
use crate::error::AskError;

/// Asks of one kind that are sent with one publish and awaited as one future; collected from asks, or made
/// by [`ActorClient::ask_batch`](super::ActorClient::ask_batch).
///
/// Yields an outcome for each, in their order. Deadlines, fates and retries are those of each ask. Who asks again and again
/// [pushes](Self::push) the next asks into the batch when it has been [sent](Self::send), and they use its memory.
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
    /// It has been awaited.
    over: bool,
}

impl<A: Actor, T, E> Default for AskBatch<'_, A, T, E> {
    fn default() -> Self {
        Self { parts: Vec::new(), order: Vec::new(), over: false }
    }
}

impl<'a, A: Actor, T, E> Extend<Ask<'a, A, T, E>> for AskBatch<'a, A, T, E> {
    fn extend<I: IntoIterator<Item = Ask<'a, A, T, E>>>(&mut self, asks: I) {
        let asks = asks.into_iter();
        if self.parts.is_empty() {
            // Nearly always all of them go over one lane.
            self.parts.push(Part::with_room(asks.size_hint().0));
        }
        asks.for_each(|ask| self.push(ask));
    }
}

impl<'a, A: Actor, T, E> FromIterator<Ask<'a, A, T, E>> for AskBatch<'a, A, T, E> {
    fn from_iter<I: IntoIterator<Item = Ask<'a, A, T, E>>>(asks: I) -> Self {
        let mut batch = Self::default();
        batch.extend(asks);
        batch
    }
}

impl<'a, A: Actor, T, E> AskBatch<'a, A, T, E> {
    /// Adds an ask.
    pub fn push(&mut self, ask: Ask<'a, A, T, E>) {
        self.over = false;
        // Each lane on its own: one that has no room is not in the way of the others.
        let beside =
            |part: &Part<'a, A, T, E>| part.asks.first().is_some_and(|it| it.is_beside(&ask));
        let known = self.parts.iter().position(beside);
        let part = known.or_else(|| self.parts.iter().position(Part::is_free));
        let part = part.unwrap_or_else(|| {
            self.parts.push(Part::default());
            self.parts.len() - 1
        });
        if part > 0 || !self.order.is_empty() {
            self.order.resize(self.len(), 0);
            self.order.push(part);
        }
        self.parts[part].push(ask);
    }

    /// How many asks there are.
    pub fn len(&self) -> usize {
        self.parts.iter().map(Part::len).sum()
    }

    /// Whether there is no ask.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Sends the asks and gives their answers; afterwards the batch is empty.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use tpc_actors::client::AskBatch;
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
    /// let mut asks = AskBatch::default();
    /// for first in [1, 11] {
    ///     asks.extend((first..first + 3).map(|n| squares.square(n)));
    ///     for (n, answer) in (first..).zip(asks.send().wait()?) {
    ///         assert_eq!(answer?, n * n);
    ///     }
    /// }
    /// # system.shutdown_wait(Duration::from_secs(5));
    /// # Ok(())
    /// # }
    /// ```
    pub fn send(&mut self) -> SendAsks<'_, 'a, A, T, E> {
        SendAsks::new(self)
    }

    /// Gives each ask until `limit` after the first poll, as [`Ask::deadline`] does.
    pub fn deadline(mut self, limit: Duration) -> Self {
        self.limit(limit);
        self
    }

    fn limit(&mut self, limit: Duration) {
        self.parts.iter_mut().for_each(|part| part.limit(limit));
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
        Ok(block::block_on_of(self.system(), self))
    }

    /// The system that its asks are for; any, if there are none, because nothing is waited for then.
    fn system(&self) -> u64 {
        self.parts.iter().find_map(Part::system).unwrap_or_default()
    }

    /// Ready when every ask has its outcome.
    fn poll_all(&mut self, context: &mut Context<'_>) -> Poll<()> {
        let several = self.parts.iter().filter(|part| !part.asks.is_empty()).count() > 1;
        let mut waits = false;
        for part in &mut self.parts {
            waits |= part.poll(several, context).is_pending();
        }
        if waits { Poll::Pending } else { Poll::Ready(()) }
    }
}

impl<A: Actor, T, E> Unpin for AskBatch<'_, A, T, E> {}

impl<A: Actor, T, E> Future for AskBatch<'_, A, T, E> {
    type Output = Vec<Result<T, AskError<E>>>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        assert!(!self.over, "a batch of asks was polled after its end");
        std::task::ready!(self.poll_all(context));
        self.over = true;
        Poll::Ready(Answers::of(&mut self).collect())
    }
}

impl<A: Actor, T, E> fmt::Debug for AskBatch<'_, A, T, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AskBatch").field("asks", &self.len()).finish_non_exhaustive()
    }
}
