//! The way from one source to one subscriber: a bounded queue that drops what does not fit, and a
//! watermark that tells how much that was, also when nothing comes after it.
//!
//! Every event that the subscriber's filter wanted has a number, delivered or not. A jump in the numbers
//! of two items is a gap before the second. A gap at the tail shows as a watermark beyond the last item:
//! the reader reads the watermark, then looks into the queue again, and only then believes that what was
//! counted and is not there was dropped.
//!
//! The queue is a ring when the newest event is dropped, and otherwise a [`Stage`] that both ends take
//! out and put back in one exchange: neither ever waits for the other.

mod reader;
mod watermark;

use crossbeam_utils::CachePadded;

use super::stage::{MakeIndex, Stage};
use crate::bridge::ring::{CapacityError, Producer, ring};
use crate::sync::{Arc, Exchange, planted};
use reader::ReaderQueue;
pub(super) use reader::{LaneReader, Taken};
use watermark::{Mark, Watermark};

/// An event on its way.
#[derive(Debug)]
pub(super) struct Item<E> {
    /// Its number among all events of the source.
    pub(super) seq: u64,
    /// Its number among those that the filter wanted.
    pub(super) wanted: u64,
    pub(super) event: E,
}

/// Which event is lost when there are too many.
pub(super) enum Policy<E> {
    DropNewest,
    DropOldest,
    Conflate(MakeIndex<E>),
}

/// Wanted events that were not delivered, by reason.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Losses {
    pub(super) newest: u64,
    pub(super) oldest: u64,
    pub(super) conflated: u64,
    /// Their copy panicked.
    pub(super) uncopied: u64,
    /// The log did not get them.
    pub(super) unlogged: u64,
}

/// The stage that waits for whoever comes next, and an empty one for the writer.
struct Handover<E> {
    full: Exchange<Stage<E>>,
    spare: Exchange<Stage<E>>,
}

enum WriterQueue<E> {
    Ring(Producer<Item<E>>),
    /// `out` is the stage while the writer has it.
    Staged {
        shared: Arc<Handover<E>>,
        out: Option<Box<Stage<E>>>,
        capacity: usize,
        policy: Arc<Policy<E>>,
    },
}

/// The source's end.
pub(super) struct LaneWriter<E> {
    queue: WriterQueue<E>,
    mark: Arc<CachePadded<Watermark>>,
    now: Mark,
    losses: Losses,
    /// Wanted events that the reader can see, or see that they are missing.
    shown: u64,
    /// The reader can see something that it has not been told of.
    untold: bool,
}

/// Items after which a long handler shows what it has published so far.
pub(super) const BATCH_MAX: usize = 32;

impl<E> Policy<E> {
    fn stage(&self, capacity: usize) -> Stage<E> {
        let index = if let Self::Conflate(make) = self { Some(make) } else { None };
        Stage::new(capacity, index)
    }
}

/// Builds a lane for a source whose next event has the number `next_seq`.
///
/// # Errors
///
/// The capacity is 0 or does not fit in memory.
pub(super) fn lane<E>(
    capacity: usize,
    policy: &Arc<Policy<E>>,
    next_seq: u64,
) -> Result<(LaneWriter<E>, LaneReader<E>), CapacityError> {
    let (into, out_of) = if matches!(**policy, Policy::DropNewest) {
        let (producer, consumer) = ring(capacity)?;
        (WriterQueue::Ring(producer), ReaderQueue::Ring(consumer))
    } else {
        let (full, spare) = (Exchange::new(None), Exchange::new(None));
        let shared = Arc::new(Handover { full, spare });
        let theirs = Arc::clone(&shared);
        let stage = Box::new(policy.stage(capacity));
        let policy = Arc::clone(policy);
        (
            WriterQueue::Staged { shared, out: None, capacity, policy },
            ReaderQueue::Staged { shared: theirs, stage, merged: 0 },
        )
    };
    let mark = Arc::new(CachePadded::new(Watermark::new(next_seq)));
    let writer = LaneWriter {
        queue: into,
        mark: Arc::clone(&mark),
        now: Mark { wanted: 0, next_seq },
        losses: Losses::default(),
        shown: 0,
        untold: false,
    };
    let reader = LaneReader::new(out_of, mark, next_seq);
    Ok((writer, reader))
}

/// Whether a lane of this capacity can be built.
///
/// # Errors
///
/// As [`lane`].
#[cfg(not(tpc_loom))]
pub(super) fn check<E>(capacity: usize) -> Result<(), CapacityError> {
    crate::bridge::ring::check_capacity::<Item<E>>(capacity)
}

impl<E> LaneWriter<E> {
    /// Whether the next event will find room.
    #[inline]
    pub(super) fn has_room(&mut self) -> bool {
        match &mut self.queue {
            WriterQueue::Ring(ring) => ring.free() > 0,
            WriterQueue::Staged { .. } => true,
        }
    }

    /// Counts a wanted event, and takes it along if there is room.
    #[inline]
    pub(super) fn offer(&mut self, seq: u64, event: E) {
        let wanted = self.now.wanted;
        let item = Item { seq, wanted, event };
        match &mut self.queue {
            WriterQueue::Ring(ring) => {
                self.losses.newest += u64::from(ring.push_unpublished(item).is_err());
            }
            WriterQueue::Staged { shared, out, capacity, policy } => {
                let stage = out.get_or_insert_with(|| {
                    // From here on the reader knows that what it does not find may be with us.
                    self.mark.begin(wanted + 1);
                    let found = shared.full.take().or_else(|| shared.spare.take());
                    found.unwrap_or_else(|| Box::new(policy.stage(*capacity)))
                });
                stage.push(item, &mut self.losses);
            }
        }
        self.count(1, seq);
    }

    /// Whether events are dropped that find no room, and no others.
    #[inline]
    pub(super) fn drops_newest(&self) -> bool {
        matches!(self.queue, WriterQueue::Ring(_))
    }

    /// Counts wanted events and takes them along, as many as come and find room, up to `most`; those too that
    /// `events` has given before it panics. None where others are dropped for them.
    #[inline]
    pub(super) fn offer_run(&mut self, most: usize, events: &mut impl Iterator<Item = (u64, E)>) {
        let Self { queue: WriterQueue::Ring(ring), now, .. } = self else { return };
        let mut items = events.map(|(seq, event)| {
            let item = Item { seq, wanted: now.wanted, event };
            *now = Mark { wanted: now.wanted + 1, next_seq: seq + 1 };
            item
        });
        ring.extend_unpublished(most, &mut items);
        self.publish_batch();
    }

    /// Counts wanted events that found no room, up to the one with the number `seq`.
    #[inline]
    pub(super) fn refuse(&mut self, count: u64, seq: u64) {
        if planted!("uncounted-drop", 1 in 100) {
            return;
        }
        self.losses.newest += count;
        self.count(count, seq);
    }

    /// Counts a wanted event that could not be copied.
    #[cold]
    pub(super) fn miss(&mut self, seq: u64) {
        self.losses.uncopied += 1;
        self.count(1, seq);
    }

    /// Counts wanted events that the log did not get; the next event has at least the number `next_seq`.
    #[cfg(not(tpc_loom))]
    pub(super) fn lose_unlogged(&mut self, count: u64, next_seq: u64) {
        self.losses.unlogged += count;
        self.now.wanted += count;
        self.now.next_seq = self.now.next_seq.max(next_seq);
    }

    #[inline]
    fn count(&mut self, count: u64, seq: u64) {
        self.now = Mark { wanted: self.now.wanted + count, next_seq: seq + 1 };
        self.publish_batch();
    }

    #[inline]
    fn publish_batch(&mut self) {
        if self.now.wanted - self.shown >= BATCH_MAX as u64 {
            self.publish();
        }
    }

    /// Shows everything so far to the reader; false when there was nothing new.
    pub(super) fn publish(&mut self) -> bool {
        let is_new = self.shown != self.now.wanted;
        // A stage that was taken out for an event whose key panicked goes back with what waits in it.
        if !is_new && !matches!(self.queue, WriterQueue::Staged { out: Some(_), .. }) {
            return false;
        }
        self.shown = self.now.wanted;
        self.untold |= is_new;
        match &mut self.queue {
            WriterQueue::Ring(ring) => ring.publish(),
            WriterQueue::Staged { shared, out, .. } => {
                if let Some(stage) = out.take() {
                    // Nobody else puts one there, so nothing comes back.
                    drop(shared.full.swap(Some(stage)));
                }
            }
        }
        self.mark.store(self.now);
        is_new
    }

    /// Whether something was shown since this was last asked, so that the reader is to be woken.
    pub(super) fn take_untold(&mut self) -> bool {
        std::mem::take(&mut self.untold)
    }

    /// Events that the filter has wanted, and those of them that were lost on this side.
    pub(super) fn counts(&self) -> (u64, Losses) {
        (self.now.wanted, self.losses)
    }
}

#[cfg(all(test, tpc_loom))]
mod model;

#[cfg(all(test, not(tpc_loom)))]
mod tests {
    use super::*;

    /// A gap among events that the reader has seen together: most of them take the short way, and the one
    /// after the gap must not.
    #[test]
    fn a_gap_within_a_run_of_events_is_told_of() {
        let (mut writer, mut reader) = lane::<u64>(32, &Arc::new(Policy::DropNewest), 0).unwrap();
        let mut offer = |range: std::ops::Range<u64>| {
            for seq in range {
                if writer.has_room() { writer.offer(seq, seq) } else { writer.refuse(1, seq) }
            }
            writer.publish();
        };
        let mut short = 0;
        let mut next = || {
            let following = reader.take_following();
            short += usize::from(following.is_some());
            following.map(|(seq, event)| Taken::Event { seq, event }).or_else(|| reader.take())
        };
        offer(0..8);
        let first = next();
        offer(8..33);
        let mut taken: Vec<_> = first.into_iter().chain((1..8).filter_map(|_| next())).collect();
        offer(33..41);
        taken.extend(std::iter::from_fn(&mut next));
        let event = |seq| Taken::Event { seq, event: seq };
        let gap = Taken::Missing { from: 32, to: 33, count: 1 };
        let all: Vec<_> = (0..32).map(event).chain([gap]).chain((33..41).map(event)).collect();
        assert_eq!(taken, all);
        assert!(short > 20, "{short}");
    }
}
