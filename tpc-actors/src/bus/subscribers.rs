//! Who subscribes to a bus, and what those who have left had received.

use std::sync::Arc;

use super::channel::Channel;
use super::stats::Consumption;

/// The subscribers of one bus.
pub(super) struct Subscribers<E> {
    channels: Vec<Arc<Channel<E>>>,
    /// By source.
    departed: Box<[Consumption]>,
}

impl<E> Subscribers<E> {
    pub(super) fn new(sources: usize) -> Self {
        Self { channels: Vec::new(), departed: vec![Consumption::default(); sources].into() }
    }

    pub(super) fn join(&mut self, channel: Arc<Channel<E>>) {
        self.channels.push(channel);
    }

    /// The subscriber has gone for good; its figures stay.
    pub(super) fn leave(&mut self, channel: &Arc<Channel<E>>) {
        self.channels.retain(|other| !Arc::ptr_eq(other, channel));
        for (source, departed) in self.departed.iter_mut().enumerate() {
            departed.add(channel.consumption(source).departed());
        }
    }

    /// Those that still want events.
    pub(super) fn open(&self) -> Vec<Arc<Channel<E>>> {
        let open = |channel: &&Arc<Channel<E>>| !channel.presence.is_over();
        self.channels.iter().filter(open).cloned().collect()
    }

    /// What has become of a source's events with all of them.
    pub(super) fn consumption(&self, source: usize) -> Consumption {
        let mut sum = self.departed[source];
        self.channels.iter().for_each(|channel| sum.add(channel.consumption(source)));
        sum
    }
}
