//! Asking a source for its past.
//!
//! The retained events live on their core, which answers between two turns, a bounded look at a time. A
//! core that has ended has left its source behind, and the asker looks for itself.

use std::sync::Arc;
use std::task::Poll;

use tokio::sync::oneshot;
use tokio::sync::oneshot::error::TryRecvError;

use super::channel::Channel;
use super::registry::Bus;
use super::resting::Away;
use super::retained::Found;
use crate::isolate::drop_quietly;

/// What is looked for: up to `max` events that the channel's filter wants, from `from` on, before `to`.
pub(super) struct Fetch<E> {
    pub(super) channel: Arc<Channel<E>>,
    pub(super) from: u64,
    pub(super) to: u64,
    pub(super) max: usize,
    /// Who has seen all there is wants what follows.
    pub(super) attach: bool,
}

impl<E> Clone for Fetch<E> {
    fn clone(&self) -> Self {
        Self { channel: Arc::clone(&self.channel), ..*self }
    }
}

/// Answers, or tells by its drop that nobody will; then wakes the asker.
pub(super) struct Answer<E, T> {
    reply: Option<oneshot::Sender<T>>,
    channel: Arc<Channel<E>>,
}

impl<E, T> Answer<E, T> {
    pub(super) fn new(reply: oneshot::Sender<T>, channel: Arc<Channel<E>>) -> Self {
        Self { reply: Some(reply), channel }
    }

    pub(super) fn send(mut self, found: Option<T>) {
        if let (Some(reply), Some(found)) = (self.reply.take(), found) {
            drop_quietly(reply.send(found));
        }
    }
}

impl<E, T> Drop for Answer<E, T> {
    fn drop(&mut self) {
        drop(self.reply.take());
        self.channel.wake();
    }
}

/// What has become of a question.
pub(super) enum Answered<E> {
    Found(Found<E>),
    /// The core that was asked has ended, and its next life has the source: to be asked again.
    Moved,
    /// Nobody can ask the source: its core was left behind, stuck.
    Unreachable,
    /// We are called by who works with the source; to be asked again when the channel is woken.
    Busy,
}

/// An answer on its way.
pub(super) struct Fetching<E> {
    fetch: Fetch<E>,
    source: usize,
    answer: oneshot::Receiver<Found<E>>,
}

impl<E: Send + Clone + 'static> Fetching<E> {
    pub(super) fn begin(bus: &Arc<Bus<E>>, source: usize, fetch: Fetch<E>) -> Self {
        let (reply, answer) = oneshot::channel();
        let reply = Answer::new(reply, Arc::clone(&fetch.channel));
        let (theirs, bus_there) = (fetch.clone(), Arc::clone(bus));
        let look = move |core: &mut crate::core_loop::Core| {
            reply.send(core.local.publisher_of(&bus_there).fetch(&theirs));
            // Perhaps the last to hold the filter, which is foreign.
            drop_quietly(theirs);
        };
        if let Some(core) = bus.cores.get(source) {
            // A core that has ended drops the command, and with it the answer.
            drop(core.command(Box::new(look)));
        }
        Self { fetch, source, answer }
    }

    /// What has become of it, once that is known; the channel's waker is woken then.
    pub(super) fn try_finish(&mut self, bus: &Arc<Bus<E>>) -> Poll<Answered<E>> {
        match self.answer.try_recv() {
            Ok(found) => Poll::Ready(Answered::Found(found)),
            Err(TryRecvError::Empty) => Poll::Pending,
            Err(TryRecvError::Closed) => Poll::Ready(self.look_ourselves(bus)),
        }
    }

    /// The same for who has a waker of his own.
    pub(super) async fn finish(mut self, bus: &Arc<Bus<E>>) -> Answered<E> {
        match (&mut self.answer).await {
            Ok(found) => Answered::Found(found),
            Err(_) => self.look_ourselves(bus),
        }
    }

    fn look_ourselves(&self, bus: &Arc<Bus<E>>) -> Answered<E> {
        match bus.look_at_resting(self.source, &self.fetch) {
            Ok(found) => Answered::Found(found),
            Err(Away::WithUs) => {
                bus.resting(self.source).wait_for_us(&self.fetch.channel);
                Answered::Busy
            }
            Err(Away::WithCore) => {
                let core = bus.cores.get(self.source);
                if core.is_some_and(|core| core.is_left_behind()) {
                    Answered::Unreachable
                } else {
                    Answered::Moved
                }
            }
        }
    }
}
