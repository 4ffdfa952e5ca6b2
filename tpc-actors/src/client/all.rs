//! Asking and telling every shard.

use std::convert::Infallible;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use super::{Ask, Tell, block, lone};
use crate::actor::Actor;
use crate::error::{AskError, TellError};

/// An ask to every shard of an actor: one answer per shard, in shard order.
///
/// The shards work at the same time. The first failure ends the ask; the answers of the other shards
/// are then discarded, and handlers that have not begun do not run.
///
/// # Cancel safety
///
/// As for [`Ask`], for each shard.
#[must_use = "an ask does nothing until it is awaited or waited for"]
pub struct AskAll<'a, A: Actor, T, E = Infallible> {
    asks: Vec<Step<Ask<'a, A, T, E>, T>>,
    begun: bool,
    over: bool,
}

enum Step<F, T> {
    Going(F),
    Done(Option<T>),
}

impl<F, T> Step<F, T> {
    fn going(&self) -> Option<&F> {
        match self {
            Self::Going(future) => Some(future),
            Self::Done(_) => None,
        }
    }
}

impl<F, T> Step<F, T> {
    fn map<G>(self, going: impl FnOnce(F) -> G) -> Step<G, T> {
        match self {
            Self::Going(future) => Step::Going(going(future)),
            Self::Done(answer) => Step::Done(answer),
        }
    }
}

impl<'a, A: Actor, T, E> AskAll<'a, A, T, E> {
    pub(super) fn new(asks: Vec<Ask<'a, A, T, E>>) -> Self {
        Self { asks: asks.into_iter().map(Step::Going).collect(), begun: false, over: false }
    }

    /// Ends with [`AskError::Deadline`] unless all shards have answered within `limit`.
    pub fn deadline(self, limit: Duration) -> Self {
        let timed = |step: Step<_, _>| step.map(|ask| Ask::deadline(ask, limit));
        Self { asks: self.asks.into_iter().map(timed).collect(), ..self }
    }

    /// The same with a client of its own, so that it may outlive the one that made it.
    pub fn into_owned(self) -> AskAll<'static, A, T, E> {
        let asks = self.asks.into_iter().map(|step| step.map(Ask::into_owned)).collect();
        AskAll { asks, begun: self.begun, over: self.over }
    }

    /// What a failing shard means for the whole: asking all of them again is safe only if none has run.
    fn failure(&self, shard: usize, cause: AskError<E>) -> AskError<E> {
        let others = self.asks.iter().enumerate().filter(|(other, _)| *other != shard);
        let may_have_run = others.into_iter().any(|(_, step)| match step {
            Step::Going(ask) => ask.is_sent(),
            Step::Done(_) => true,
        });
        if cause.never_ran() && may_have_run {
            return AskError::Partial { shard, cause: Box::new(cause) };
        }
        cause
    }

    /// Waits for the answers on this thread.
    ///
    /// # Errors
    ///
    /// As for [`Ask::wait`].
    pub fn wait(self) -> Result<Vec<T>, AskError<E>> {
        if crate::core_loop::on_core_thread() {
            return Err(AskError::WouldBlockCore);
        }
        let system = self.asks.iter().find_map(|step| Some(step.going()?.system()));
        block::block_on_of(system.unwrap_or_default(), self)
    }
}

impl<A: Actor, T, E> Unpin for AskAll<'_, A, T, E> {}

impl<A: Actor, T, E> Future for AskAll<'_, A, T, E> {
    type Output = Result<Vec<T>, AskError<E>>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        assert!(!self.over, "an ask to all shards was polled after its end");
        if !std::mem::replace(&mut self.begun, true) {
            // The shards work at the same time, and none is waited for before the next one is asked.
            lone::several();
        }
        let mut going = false;
        let mut failed = None;
        for (shard, step) in self.asks.iter_mut().enumerate() {
            if let Step::Going(ask) = step {
                match Pin::new(ask).poll(context) {
                    Poll::Pending => going = true,
                    Poll::Ready(Ok(answer)) => *step = Step::Done(Some(answer)),
                    Poll::Ready(Err(error)) => {
                        failed = Some((shard, error));
                        break;
                    }
                }
            }
        }
        self.over = !going || failed.is_some();
        if let Some((shard, error)) = failed {
            let failure = self.failure(shard, error);
            // Dropped here, and not with the future: those that have not begun do not run.
            self.asks.clear();
            return Poll::Ready(Err(failure));
        }
        if going {
            return Poll::Pending;
        }
        let answers = self.asks.drain(..).filter_map(|step| match step {
            Step::Done(answer) => answer,
            Step::Going(_) => None,
        });
        Poll::Ready(Ok(answers.collect()))
    }
}

impl<A: Actor, T, E> fmt::Debug for AskAll<'_, A, T, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AskAll").field("shards", &self.asks.len()).finish_non_exhaustive()
    }
}

/// A tell to every shard of an actor: ready when every shard has accepted it or refused it.
///
/// # Cancel safety
///
/// Dropping it before it is ready leaves it told to some shards and not to others.
#[must_use = "a tell does nothing until it is awaited or waited for"]
pub struct TellAll<'a, A: Actor> {
    tells: Vec<Step<Tell<'a, A>, ()>>,
    /// What the first shard has said that refused it.
    refused: Option<TellError<A::Request>>,
    over: bool,
}

impl<'a, A: Actor> TellAll<'a, A> {
    pub(super) fn new(tells: Vec<Tell<'a, A>>) -> Self {
        let tells = tells.into_iter().map(Step::Going).collect();
        Self { tells, refused: None, over: false }
    }

    /// Gives up, and a message back, when a shard has no room within `limit` of the first poll, or of now if it has
    /// been polled already.
    pub fn deadline(self, limit: Duration) -> Self {
        let timed = |step: Step<_, _>| step.map(|tell| Tell::deadline(tell, limit));
        Self { tells: self.tells.into_iter().map(timed).collect(), ..self }
    }

    /// Tells each shard that has room now, and no other.
    ///
    /// # Errors
    ///
    /// Hands the message of the first shard back that refused it. The others have been told, or have refused it too.
    pub fn now(self) -> Result<(), TellError<A::Request>> {
        let told = self.tells.into_iter().map(|step| match step {
            Step::Going(tell) => tell.now(),
            Step::Done(_) => Ok(()),
        });
        // Who refused it while it was polled counts as well.
        told.fold(self.refused.map_or(Ok(()), Err), Result::and)
    }

    /// Waits for room on this thread.
    ///
    /// # Errors
    ///
    /// As for [`Tell::wait`], with the message of the first shard that refused. Others may have accepted theirs.
    pub fn wait(mut self) -> Result<(), TellError<A::Request>> {
        if crate::core_loop::on_core_thread() {
            let going = |step| if let Step::Going(tell) = step { Some(tell) } else { None };
            let told = self.refused.take().map_or(Ok(()), Err);
            // Each that is left says that it would block.
            return told.and(self.tells.drain(..).find_map(going).map_or(Ok(()), Tell::wait));
        }
        let system = self.tells.iter().find_map(|step| Some(step.going()?.system()));
        block::block_on_of(system.unwrap_or_default(), self)
    }
}

impl<A: Actor> Unpin for TellAll<'_, A> {}

impl<A: Actor> Future for TellAll<'_, A> {
    type Output = Result<(), TellError<A::Request>>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        assert!(!this.over, "a tell to all shards was polled after its end");
        for step in &mut this.tells {
            if let Step::Going(tell) = step {
                match Pin::new(tell).poll(context) {
                    Poll::Pending => {}
                    Poll::Ready(told) => {
                        *step = Step::Done(None);
                        if let Err(refused) = told {
                            this.refused.get_or_insert(refused);
                        }
                    }
                }
            }
        }
        if this.tells.iter().any(|step| matches!(step, Step::Going(_))) {
            return Poll::Pending;
        }
        this.over = true;
        Poll::Ready(this.refused.take().map_or(Ok(()), Err))
    }
}

impl<A: Actor> fmt::Debug for TellAll<'_, A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TellAll").field("shards", &self.tells.len()).finish_non_exhaustive()
    }
}
