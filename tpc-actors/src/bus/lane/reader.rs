//! The reading end of a lane.

use crossbeam_utils::CachePadded;

use super::watermark::{Mark, Watermark};
use super::{Handover, Item, Losses};
use crate::bridge::ring::Consumer;
use crate::bus::stage::Stage;
use crate::sync::{Arc, intact, planted};

/// What a lane yields.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Taken<E> {
    Event {
        seq: u64,
        event: E,
    },
    /// This many wanted events are missing, all of them from `from` on and before `to`.
    Missing {
        from: u64,
        to: u64,
        count: u64,
    },
}

pub(super) enum ReaderQueue<E> {
    Ring(Consumer<Item<E>>),
    /// `stage` holds what was taken over; everything below `merged` was.
    Staged {
        shared: Arc<Handover<E>>,
        stage: Box<Stage<E>>,
        merged: u64,
    },
}

/// Items after which their places are free again.
const FREE_EVERY_MAX: u32 = 32;

/// The subscriber's end.
pub(crate) struct LaneReader<E> {
    queue: ReaderQueue<E>,
    mark: Arc<CachePadded<Watermark>>,
    /// Number of the next wanted event.
    expected: u64,
    /// One past the last event that was delivered or reported missing.
    next_seq: u64,
    /// An event whose gap is being reported first.
    held: Option<Item<E>>,
    losses: Losses,
    /// Places of items that were taken and are not free yet.
    unfreed: u32,
    free_every: u32,
    /// The most events that were seen waiting.
    most: usize,
}

impl<E> LaneReader<E> {
    pub(super) fn new(
        queue: ReaderQueue<E>,
        mark: Arc<CachePadded<Watermark>>,
        next_seq: u64,
    ) -> Self {
        let losses = Losses::default();
        let capacity = if let ReaderQueue::Ring(ring) = &queue { ring.capacity() } else { 1 };
        // An eighth of a small ring, so that little of it looks full without being so; models have smaller ones.
        let least = if cfg!(tpc_loom) { 3 } else { 1 };
        let free_every =
            u32::try_from(capacity / 8).unwrap_or(u32::MAX).clamp(least, FREE_EVERY_MAX);
        let (expected, held, unfreed, most) = (0, None, 0, 0);
        Self { queue, mark, expected, next_seq, held, losses, unfreed, free_every, most }
    }

    /// The next event, where nothing stands between the last one and it: what is most of the traffic takes a
    /// short way. `None` says only that [`Self::take`] knows.
    #[expect(clippy::inline_always, reason = "copies of the event cost more than the rest")]
    #[inline(always)]
    pub(crate) fn take_following(&mut self) -> Option<(u64, E)> {
        let ReaderQueue::Ring(ring) = &mut self.queue else { return None };
        if ring.known() == 0 || self.unfreed + 1 >= self.free_every {
            return None;
        }
        // An event that is held bears the number that is expected, so no other one passes it.
        let expected = self.expected;
        let Item { seq, event, .. } = ring.read_unpublished_if(|item| item.wanted == expected)?;
        self.unfreed += 1;
        self.expected = expected + 1;
        self.next_seq = seq + 1;
        Some((seq, event))
    }

    /// The next event or gap.
    pub(crate) fn take(&mut self) -> Option<Taken<E>> {
        if let Some(item) = self.held.take() {
            return Some(self.yield_or_hold(item));
        }
        match self.pop() {
            Some(item) => Some(self.yield_or_hold(item)),
            None => self.take_tail(),
        }
    }

    fn pop(&mut self) -> Option<Item<E>> {
        match &mut self.queue {
            ReaderQueue::Ring(ring) => {
                if ring.known() == 0 {
                    self.most = self.most.max(ring.available());
                }
                if planted!("lose-event", 1 in 1000) {
                    drop(ring.read_unpublished());
                }
                let item = ring.read_unpublished();
                self.unfreed += u32::from(item.is_some());
                // Places are given back in batches: each time takes a line away from the source.
                if self.unfreed >= self.free_every || (item.is_none() && self.unfreed > 0) {
                    self.unfreed = 0;
                    ring.publish();
                }
                item
            }
            ReaderQueue::Staged { shared, stage, merged } => {
                // What is newer is looked at first, because it may replace what waits here.
                if self.mark.is_beyond(*merged)
                    && let Some(mut full) = shared.full.take()
                {
                    for item in full.drain() {
                        *merged = item.wanted + 1;
                        stage.push_again(item, &mut self.losses);
                    }
                    drop(shared.spare.swap(Some(full)));
                }
                self.most = self.most.max(stage.len());
                stage.pop()
            }
        }
    }

    fn yield_or_hold(&mut self, item: Item<E>) -> Taken<E> {
        if item.wanted != self.expected {
            let missing = self.missing(Mark { wanted: item.wanted, next_seq: item.seq });
            self.held = Some(item);
            return missing;
        }
        self.expected += 1;
        self.next_seq = item.seq + 1;
        Taken::Event { seq: item.seq, event: item.event }
    }

    /// Reports everything before `end` as missing.
    fn missing(&mut self, end: Mark) -> Taken<E> {
        let known = u64::from(planted!("short-gap", 1 in 10));
        let (from, count) = (self.next_seq, end.wanted - self.expected - known);
        self.expected = end.wanted;
        self.next_seq = end.next_seq;
        Taken::Missing { from, to: end.next_seq, count }
    }

    /// The queue seems empty: whatever is counted by now and then is still not there was dropped.
    fn take_tail(&mut self) -> Option<Taken<E>> {
        if !self.mark.is_beyond(self.expected) {
            return None;
        }
        let mark = self.mark.load()?;
        if intact!("lane.look-again")
            && let Some(item) = self.pop()
        {
            return Some(self.yield_or_hold(item));
        }
        if let ReaderQueue::Staged { .. } = self.queue
            && !self.mark.is_still(mark)
        {
            // The writer has the stage, perhaps with what we miss; it wakes us when it is back.
            return None;
        }
        if planted!("quiet-tail", 1 in 10) {
            (self.expected, self.next_seq) = (mark.wanted, mark.next_seq);
        }
        (mark.wanted > self.expected).then(|| self.missing(mark))
    }

    /// One past the last event that was delivered or reported missing.
    #[cfg(not(tpc_loom))]
    pub(crate) fn next_seq(&self) -> u64 {
        self.next_seq
    }

    /// What was lost on this side, and the most events that were seen waiting.
    #[cfg(not(tpc_loom))]
    pub(crate) fn counts(&self) -> (Losses, usize) {
        (self.losses, self.most)
    }
}
