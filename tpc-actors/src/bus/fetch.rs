//! Asking a source for its past.
//!
//! The retained events live on their core, which answers between two turns, a bounded look at a time. A
//! core that has ended has left its source behind, and the asker looks for itself.

use std::sync::Arc;

use tokio::sync::oneshot;

use super::channel::Channel;
use super::registry::{Bus, Numbered};
use super::retained::Found;
use crate::isolate::drop_quietly;

/// What is looked for: up to `max` events that the channel's filter wants, from `from` on, before `to`.
pub(super) struct Fetch<E> {
    pub(super) channel: Arc<Channel<E>>,
    pub(super) from: u64,
    pub(super) to: u64,
    pub(super) max: usize,
}

impl<E> Clone for Fetch<E> {
    fn clone(&self) -> Self {
        Self { channel: Arc::clone(&self.channel), ..*self }
    }
}

/// An answer on its way.
pub(super) struct Fetching<E> {
    fetch: Fetch<E>,
    source: usize,
    answer: oneshot::Receiver<Option<Found<E>>>,
}

impl<E: Send + Clone + 'static> Fetching<E> {
    pub(super) fn begin(bus: &Arc<Bus<E>>, source: usize, fetch: Fetch<E>) -> Self {
        let (reply, answer) = oneshot::channel();
        let (theirs, bus_there) = (fetch.clone(), Arc::clone(bus));
        let look = move |core: &mut crate::core_loop::Core| {
            drop_quietly(reply.send(core.local.publisher_of(&bus_there).fetch(&theirs)));
        };
        if let Some(core) = bus.cores.get(source) {
            // A core that has ended drops the command, and with it the sender.
            drop(core.command(Box::new(look)));
        }
        Self { fetch, source, answer }
    }

    /// What was found; `None` when the source has been lost with its core.
    pub(super) async fn finish(self, bus: &Bus<E>) -> Option<Found<E>> {
        if let Ok(Some(found)) = self.answer.await {
            return Some(found);
        }
        bus.with_resting(self.source, |Numbered { source, next_seq }| {
            source.fetch(*next_seq, &self.fetch)
        })
    }
}
