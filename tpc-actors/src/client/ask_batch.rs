//! Asks that are sent and awaited together.

use std::convert::Infallible;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use super::lone::{Looked, Wait};
use super::sending::WakerIdentity;
use super::{Ask, block, lone};
use crate::actor::Actor;
use crate::error::AskError;

/// How long the answers of a lone batch are looked for: what the first takes, what each of the others may add to
/// that, and no longer than waking a sleeper would take.
const LOOKS_AT_LEAST: Duration = Duration::from_micros(3);
const LOOKS_FOR_EACH: Duration = Duration::from_nanos(250);
const LOOKS_AT_MOST: Duration = Duration::from_micros(50);

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
    asks: Vec<Ask<'a, A, T, E>>,
    outcomes: Vec<Option<Result<T, AskError<E>>>>,
    /// Asks that have been sent, or refused.
    sent: usize,
    /// Asks at the front whose outcomes are known.
    known: usize,
    begun: bool,
    /// Until when the answers are looked for, if that is worth it.
    looks_until: Option<Instant>,
    /// They were looked for, and came in time.
    here: bool,
}

impl<'a, A: Actor, T, E> FromIterator<Ask<'a, A, T, E>> for AskBatch<'a, A, T, E> {
    fn from_iter<I: IntoIterator<Item = Ask<'a, A, T, E>>>(asks: I) -> Self {
        let asks: Vec<_> = asks.into_iter().collect();
        let outcomes = asks.iter().map(|_| None).collect();
        Self { asks, outcomes, sent: 0, known: 0, begun: false, looks_until: None, here: false }
    }
}

impl<A: Actor, T, E> AskBatch<'_, A, T, E> {
    /// Gives each ask until `limit` after the first poll, as [`Ask::deadline`] does.
    pub fn deadline(self, limit: Duration) -> Self {
        let asks = self.asks.into_iter().map(|ask| ask.deadline(limit)).collect();
        Self { asks, ..self }
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
        Ok(block::block_on(self))
    }

    /// Sends what there is room for; true when everything is sent.
    fn send(&mut self, context: &mut Context<'_>) -> bool {
        while self.sent < self.asks.len() {
            let sent = Ask::send_together(&mut self.asks[self.sent..]);
            self.sent += sent;
            if sent > 0 {
                continue;
            }
            // Something is in the way, or there is a deadline: on its own.
            let ask = &mut self.asks[self.sent];
            if ask.is_overdue() {
                // Those before it have waited for room in its time.
                self.outcomes[self.sent] = Some(Err(AskError::Deadline { started: false }));
                self.sent += 1;
                continue;
            }
            match Pin::new(&mut *ask).poll(context) {
                Poll::Pending if !ask.is_sent() => return false,
                Poll::Pending => {}
                Poll::Ready(outcome) => self.outcomes[self.sent] = Some(outcome),
            }
            self.sent += 1;
        }
        true
    }

    /// Leaves a waker with every ask that has no answer; false when one of them has got it meanwhile.
    fn register_all(&mut self, context: &mut Context<'_>) -> bool {
        for at in self.known..self.sent {
            if self.outcomes[at].is_none()
                && let Poll::Ready(outcome) = Pin::new(&mut self.asks[at]).poll(context)
            {
                self.outcomes[at] = Some(outcome);
                return false;
            }
        }
        true
    }

    /// The first poll: whether the answers are looked for, and for how long.
    fn begin(&mut self, asker: WakerIdentity) {
        self.begun = true;
        // All of them begin now, and not each as its turn comes.
        self.asks.iter_mut().for_each(Ask::start_clock);
        let leaves_room = self.asks.first().is_some_and(Ask::leaves_room);
        if lone::begins(asker) == Wait::Here && leaves_room {
            let asks = u32::try_from(self.asks.len()).unwrap_or(u32::MAX);
            let limit = LOOKS_AT_MOST.min(LOOKS_FOR_EACH.saturating_mul(asks) + LOOKS_AT_LEAST);
            self.looks_until = Some(Instant::now() + limit);
        }
    }

    /// Looks for the last answer until `end`, or until it is time for others to have their turn, without leaving a
    /// waker. True when there is time left.
    fn wait_here(&mut self, end: Instant, context: &mut Context<'_>) -> bool {
        // The others have been answered before it, as a rule.
        let last = self.asks.len() - 1;
        let looked = lone::look_for_a_slice(end, || {
            if self.outcomes[last].is_none() {
                self.outcomes[last] = self.asks[last].look(context);
            }
            self.outcomes[last].is_some().then_some(())
        });
        match looked {
            Looked::Found(()) => self.here = true,
            Looked::LooksOn => return true,
            Looked::InVain => lone::missed(),
        }
        false
    }

    /// Looks for answers to what has been sent: whether there were any, and the last ask that has none.
    fn look(&mut self, context: &mut Context<'_>) -> (bool, Option<usize>) {
        let (mut found, mut last) = (false, None);
        // All on their way here at once, and not one after the other as they are looked at.
        self.asks[self.known..self.sent].iter().for_each(Ask::fetch_answer);
        for at in self.known..self.sent {
            if self.outcomes[at].is_none() {
                self.outcomes[at] = self.asks[at].look(context);
                if self.outcomes[at].is_some() { found = true } else { last = Some(at) }
            }
            if last.is_none() {
                self.known = at + 1;
            }
        }
        (found, last)
    }
}

impl<A: Actor, T, E> Unpin for AskBatch<'_, A, T, E> {}

impl<A: Actor, T, E> Future for AskBatch<'_, A, T, E> {
    type Output = Vec<Result<T, AskError<E>>>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        assert!(this.outcomes.len() == this.asks.len(), "a batch of asks was polled after its end");
        let asker = WakerIdentity::of(context.waker());
        if !this.begun {
            this.begin(asker);
        }
        loop {
            let all_sent = this.send(context);
            let (found, mut last) = this.look(context);
            if all_sent
                && last.is_some()
                && let Some(end) = this.looks_until.take()
            {
                if this.wait_here(end, context) {
                    this.looks_until = Some(end);
                    context.waker().wake_by_ref();
                    return Poll::Pending;
                }
                last = this.look(context).1;
            }
            if let Some(last) = last {
                // Answers come in the order of the asks unless handlers defer them, so one waker, with the
                // last ask that has no answer, is woken once for all. Those with a deadline have their own.
                if let Poll::Ready(outcome) = Pin::new(&mut this.asks[last]).poll(context) {
                    this.outcomes[last] = Some(outcome);
                    continue;
                }
            } else if all_sent {
                break;
            }
            // Each answer that was taken left a slot, which the next ask may be waiting for.
            if found && !all_sent {
                continue;
            }
            // So does each that comes: an answer that nobody takes would keep out the ask that it, or the last
            // one, waits for, and whoever else asks over this lane.
            if all_sent || this.register_all(context) {
                return Poll::Pending;
            }
        }
        lone::answered(asker, this.here);
        Poll::Ready(this.outcomes.drain(..).flatten().collect())
    }
}

impl<A: Actor, T, E> fmt::Debug for AskBatch<'_, A, T, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AskBatch")
            .field("asks", &self.asks.len())
            .field("sent", &self.sent)
            .finish_non_exhaustive()
    }
}
