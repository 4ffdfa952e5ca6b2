//! One subscriber, as a source sees it.

use std::sync::Arc;

use super::channel::{Channel, Filter};
use super::lane::{LaneWriter, Losses, lane};
use super::stats::SourceStats;
use crate::bridge::CapacityError;

pub(super) struct Outlet<E> {
    pub(super) channel: Arc<Channel<E>>,
    pub(super) source: usize,
    /// The channel's, at hand.
    filter: Option<Filter<E>>,
    lane: LaneWriter<E>,
    /// The event is being copied; tells a copy that panicked from a filter that did.
    copying: bool,
    /// What the statistics have of this lane.
    counted: (u64, Losses),
}

impl<E: Clone> Outlet<E> {
    /// Opens the lane; the first event that it may carry has the number `first`.
    pub(super) fn attach(
        channel: Arc<Channel<E>>,
        source: usize,
        first: u64,
    ) -> Result<Self, CapacityError> {
        let (writer, reader) = lane(channel.capacity, &channel.policy, first)?;
        let counted = (0, Losses::default());
        channel.attach(source, reader);
        let filter = channel.filter.clone();
        let (lane, copying) = (writer, false);
        Ok(Self { channel, source, filter, lane, copying, counted })
    }

    /// Passes the event on if the filter wants it. Filter and copy are foreign code; the caller catches
    /// what they throw and then calls [`Self::caught`].
    #[inline]
    pub(super) fn offer(&mut self, seq: u64, event: &E) {
        if let Some(filter) = &self.filter
            && !filter.wants(event)
        {
            return;
        }
        self.pass(seq, event);
    }

    /// Counts the event as missing if the filter wants it. Foreign code, as in [`Self::offer`].
    pub(super) fn withhold(&mut self, seq: u64, event: &E) {
        if self.channel.wants(event) {
            self.lane.miss(seq);
        }
    }

    /// Which of these events the filter wants, a bit for each. Foreign code, as in [`Self::offer`].
    pub(super) fn select(&self, events: &[E]) -> u64 {
        self.filter.as_ref().map_or(u64::MAX, |filter| filter.select(events))
    }

    /// Passes on an event that the filter wants.
    #[inline]
    pub(super) fn pass(&mut self, seq: u64, event: &E) {
        if self.lane.has_room() {
            self.copying = true;
            let event = event.clone();
            self.copying = false;
            self.lane.offer(seq, event);
        } else {
            self.lane.refuse(seq);
        }
    }

    /// After a panic in [`Self::offer`]; false when the subscription ends with it.
    pub(super) fn caught(&mut self, seq: u64) -> bool {
        // An event that cannot be copied is missing for this subscriber like one that found no room.
        let copying = std::mem::take(&mut self.copying);
        if copying {
            self.lane.miss(seq);
        }
        copying
    }

    /// Counts as missing `count` events before `end` that the log never got.
    #[cold]
    pub(super) fn miss_unlogged(&mut self, count: u64, end: u64) {
        self.lane.lose_unlogged(count, end);
    }

    /// Shows what is new to the subscriber.
    pub(super) fn show(&mut self, stats: &SourceStats) {
        self.lane.publish();
        let (wanted, losses) = self.lane.counts();
        if wanted != self.counted.0 {
            stats.add(wanted - self.counted.0, losses, self.counted.1);
            self.counted = (wanted, losses);
            self.channel.stats(self.source).set_source(wanted, losses);
        }
    }

    /// Shows what is new to the subscriber, and tells whether it is to be woken.
    pub(super) fn flush(&mut self, stats: &SourceStats) -> bool {
        self.show(stats);
        self.lane.take_untold()
    }
}
