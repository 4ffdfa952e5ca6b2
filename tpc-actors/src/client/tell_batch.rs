//! Tells that are sent together.

mod staged;

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use super::sending::Sending;
use super::time_limit::TimeLimit;
use super::{Client, Tell, block};
use crate::actor::Actor;
use crate::error::TellError;
use crate::mailbox::lane::Envelope;

pub(crate) use staged::Staged;

/// Tells that are collected and then sent with one publish; made by
/// [`ActorClient::batch`](super::ActorClient::batch).
///
/// Publishing is what a tell costs most of, so a batch is several times as fast as its tells on their own.
/// Its memory is used again by the next one.
///
/// ```
/// # use std::time::Duration;
/// # use tpc_actors::prelude::*;
/// # #[core_actor]
/// # pub struct Sum(u64);
/// # #[core_actor]
/// # impl Sum {
/// #     #[init] fn new() -> Self { Self(0) }
/// #     #[handler(tell)] fn add(&mut self, n: u64) { self.0 += n; }
/// #     #[handler] fn total(&mut self) -> u64 { self.0 }
/// # }
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let system = System::builder().cores(1).start()?;
/// # let sum = system.spawn::<Sum>(()).wait()?;
/// let mut batch = sum.batch();
/// for n in 1..=100 {
///     batch.push(sum.add(n));
/// }
/// batch.send().wait()?;
/// assert!(batch.is_empty());
/// assert_eq!(sum.total().wait()?, 5050);
///
/// // Many of them are added quicker together.
/// batch.extend((1..=100).map(|n| sum.add(n)));
/// batch.send().wait()?;
/// assert_eq!(sum.total().wait()?, 10_100);
/// # system.shutdown_wait(Duration::from_secs(5));
/// # Ok(())
/// # }
/// ```
///
/// # Order
///
/// As for tells of one task: what is sent at once arrives in the order in which it was pushed; what has to
/// wait for room may overtake when the task moves to another worker meanwhile. The batch of an
/// [ordered](Client::ordered) client keeps its order whatever happens. Shards are served one after the other.
///
/// What is in a batch that is dropped is not sent.
#[must_use = "what is pushed is sent by `send`"]
pub struct TellBatch<'a, A: Actor> {
    client: &'a Client<A>,
    /// By shard, and as the lanes take them.
    messages: Vec<Staged<Envelope<A>>>,
    /// The first message that found no room, in line for some.
    in_line: Option<Sending<'a, A>>,
}

impl<'a, A: Actor> TellBatch<'a, A> {
    pub(super) fn new(client: &'a Client<A>) -> Self {
        let messages = (0..client.shards()).map(|_| Staged::new()).collect();
        Self { client, messages, in_line: None }
    }

    /// Adds a tell, which [`send`](Self::send) sends.
    ///
    /// # Panics
    ///
    /// The tell was made by a client of another actor, or by an [ordered](Client::ordered) one that the batch is not
    /// of, or the other way round: it would take another way. Or it has a deadline of its own: the batch has
    /// [one](SendBatch::deadline) for all.
    #[expect(
        clippy::inline_always,
        reason = "a tell that is passed in memory is copied before its stores are through"
    )]
    #[inline(always)]
    pub fn push(&mut self, tell: Tell<'_, A>) {
        let (shard, message) = tell.into_parts(self.client);
        self.messages[shard].push(Envelope::tell(message));
    }

    /// How many messages are not sent yet.
    pub fn len(&self) -> usize {
        let in_line = usize::from(self.in_line.is_some());
        self.messages.iter().map(Staged::len).sum::<usize>() + in_line
    }

    /// Whether everything is sent.
    pub fn is_empty(&self) -> bool {
        self.in_line.is_none() && self.messages.iter().all(Staged::is_empty)
    }

    /// Drops what is not sent.
    pub fn clear(&mut self) {
        self.in_line = None;
        self.messages.iter_mut().for_each(Staged::clear);
    }

    /// Sends everything: `.await` waits for room, `.now()` sends what there is room for, `.wait()` blocks a
    /// thread. What could not be sent stays in the batch.
    pub fn send(&mut self) -> SendBatch<'_, 'a, A> {
        // There is one in line when a sending was forgotten.
        self.leave_line();
        SendBatch { batch: self, limit: TimeLimit::None, shard: 0, refused: None }
    }

    /// Sends what is for one shard, waiting for room there.
    fn poll_shard(
        &mut self,
        shard: usize,
        limit: &TimeLimit,
        context: &Context<'_>,
    ) -> Poll<Result<(), TellError<()>>> {
        loop {
            if let Some(first) = &mut self.in_line {
                let sent = std::task::ready!(first.poll_tell(context));
                self.in_line = None;
                sent.map_err(|refused| self.put_back(shard, refused))?;
            }
            let messages = &mut self.messages[shard];
            if messages.is_empty() {
                return Poll::Ready(Ok(()));
            }
            if self.client.send_batch(shard, messages) == 0 {
                // Something is in the way, and a message on its own finds out what. There is none when a
                // lane that just closed had taken them all.
                let Some(first) = messages.pop_oldest() else { return Poll::Ready(Ok(())) };
                let first = first.request;
                self.in_line = Some(Sending::limited(self.client, shard, first, *limit));
            }
        }
    }

    /// Sends what a shard has room for.
    fn send_now(&mut self, shard: usize) -> Result<(), TellError<()>> {
        while !self.messages[shard].is_empty() {
            if self.client.send_batch(shard, &mut self.messages[shard]) > 0 {
                continue;
            }
            let Some(first) = self.messages[shard].pop_oldest() else { break };
            let sent = Sending::new(self.client, shard, first.request).tell_now();
            sent.map_err(|refused| self.put_back(shard, refused))?;
        }
        Ok(())
    }

    fn put_back(&mut self, shard: usize, refused: TellError<A::Request>) -> TellError<()> {
        let (error, message) = refused.split();
        self.messages[shard].put_back(Envelope::tell(message));
        error
    }

    /// Takes the message that waits for room out of its line.
    fn leave_line(&mut self) {
        if let Some(mut first) = self.in_line.take() {
            let shard = first.shard();
            self.messages[shard].put_back(Envelope::tell(first.take_request()));
        }
    }
}

/// Adds each of them as [`push`](TellBatch::push) does, and quicker where their number is known.
///
/// # Panics
///
/// As `push`; what came before stays in the batch.
impl<'t, A: Actor> Extend<Tell<'t, A>> for TellBatch<'_, A> {
    #[inline]
    fn extend<I: IntoIterator<Item = Tell<'t, A>>>(&mut self, tells: I) {
        let (client, tells) = (self.client, tells.into_iter());
        match &mut *self.messages {
            [all] => all.extend(tells.map(|tell| Envelope::tell(tell.into_parts(client).1))),
            _ => tells.for_each(|tell| self.push(tell)),
        }
    }
}

impl<A: Actor> fmt::Debug for TellBatch<'_, A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TellBatch").field("actor", &A::NAME).field("len", &self.len()).finish()
    }
}

/// A batch on its way; made by [`TellBatch::send`].
///
/// # Cancel safety
///
/// Dropping it before it is ready leaves in the batch what is not sent; nothing is sent twice.
#[must_use = "a batch is sent when this is awaited, or by `.now()` or `.wait()`"]
pub struct SendBatch<'b, 'a, A: Actor> {
    batch: &'b mut TellBatch<'a, A>,
    limit: TimeLimit,
    /// The shard whose turn it is.
    shard: usize,
    /// Why the first shard that did not take all did not.
    refused: Option<TellError<()>>,
}

impl<A: Actor> SendBatch<'_, '_, A> {
    /// Gives up when there is no room for all within `limit` of the first poll, or of now if it has been polled
    /// already.
    pub fn deadline(mut self, limit: Duration) -> Self {
        self.limit = TimeLimit::Within(limit);
        if let Some(first) = &mut self.batch.in_line {
            first.limit(limit);
            self.limit = first.time_limit();
        }
        self
    }

    /// Sends what there is room for now.
    ///
    /// # Errors
    ///
    /// What is not sent stays in the batch, and the error says why, of the first shard that did not take all.
    pub fn now(self) -> Result<(), TellError<()>> {
        let batch = &mut *self.batch;
        // Where it was pushed, and before what came behind it.
        batch.leave_line();
        (0..batch.messages.len()).map(|shard| batch.send_now(shard)).fold(Ok(()), Result::and)
    }

    /// Sends everything, waiting for room on this thread.
    ///
    /// # Errors
    ///
    /// What is not sent stays in the batch, and the error says why, of the first shard that did not take all: the others
    /// get theirs nevertheless. On a core's own thread, which must not block, nothing is.
    pub fn wait(self) -> Result<(), TellError<()>> {
        if crate::core_loop::on_core_thread() {
            return Err(TellError::WouldBlockCore(()));
        }
        let system = self.batch.client.mailbox(0).core.system;
        block::block_on_of(system, self)
    }
}

impl<A: Actor> Unpin for SendBatch<'_, '_, A> {}

impl<A: Actor> Future for SendBatch<'_, '_, A> {
    type Output = Result<(), TellError<()>>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        this.limit.begin(this.batch.client.mailbox(0).clock());
        while this.shard < this.batch.messages.len() {
            let sent = this.batch.poll_shard(this.shard, &this.limit, context);
            if let Err(why) = std::task::ready!(sent) {
                this.refused.get_or_insert(why);
            }
            this.shard += 1;
        }
        Poll::Ready(this.refused.take().map_or(Ok(()), Err))
    }
}

impl<A: Actor> Drop for SendBatch<'_, '_, A> {
    fn drop(&mut self) {
        self.batch.leave_line();
    }
}

impl<A: Actor> fmt::Debug for SendBatch<'_, '_, A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SendBatch").field("batch", &self.batch).finish_non_exhaustive()
    }
}
