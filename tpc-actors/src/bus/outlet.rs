//! One subscriber, as a source sees it.

use std::sync::Arc;

use super::channel::Channel;
use super::lane::{LaneWriter, lane};
use crate::bridge::CapacityError;

pub(super) struct Outlet<E> {
    pub(super) channel: Arc<Channel<E>>,
    lane: LaneWriter<E>,
    /// The event is being copied; tells a copy that panicked from a filter that did.
    copying: bool,
}

impl<E: Clone> Outlet<E> {
    /// Opens the lane; the first event that it may carry has the number `next_seq`.
    pub(super) fn attach(
        channel: Arc<Channel<E>>,
        source: usize,
        next_seq: u64,
    ) -> Result<Self, CapacityError> {
        let (writer, reader) = lane(channel.capacity, next_seq)?;
        channel.attach(source, reader);
        Ok(Self { channel, lane: writer, copying: false })
    }

    /// Passes the event on if the filter wants it. Filter and copy are foreign code; the caller catches
    /// what they throw and then calls [`Self::caught`].
    #[inline]
    pub(super) fn offer(&mut self, seq: u64, event: &E) {
        if let Some(filter) = &self.channel.filter
            && !filter(event)
        {
            return;
        }
        if self.lane.has_room() {
            self.copying = true;
            let event = event.clone();
            self.copying = false;
            self.lane.offer(seq, Some(event));
        } else {
            self.lane.offer(seq, None);
        }
    }

    /// After a panic in [`Self::offer`]; false when the subscription ends with it.
    pub(super) fn caught(&mut self, seq: u64) -> bool {
        // An event that cannot be copied is missing for this subscriber like one that found no room.
        let copying = std::mem::take(&mut self.copying);
        if copying {
            self.lane.offer(seq, None);
        }
        copying
    }

    /// Shows what is new to the subscriber.
    pub(super) fn show(&mut self) {
        self.lane.publish();
    }

    /// Shows what is new to the subscriber and wakes it.
    pub(super) fn flush(&mut self) {
        self.show();
        if self.lane.take_untold() {
            self.channel.wake();
        }
    }
}
