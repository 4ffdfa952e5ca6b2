//! The way from one source to one subscriber: a ring that drops what does not fit, and a watermark that
//! tells how much that was, also when nothing comes after it.
//!
//! Every event that the subscriber's filter wanted has a number, delivered or not. A jump in the numbers
//! of two items is a gap before the second. A gap at the tail shows as a watermark beyond the last item:
//! the reader reads the watermark, then looks into the ring again, and only then believes that what was
//! counted and is not there was dropped.

use crossbeam_utils::CachePadded;

use crate::bridge::ring::{CapacityError, Consumer, Producer, ring};
use crate::sync::{Arc, AtomicU64, Ordering, fence, intact, weaken};

/// An event on its way.
#[derive(Debug)]
pub(super) struct Item<E> {
    /// Its number among all events of the source.
    pub(super) seq: u64,
    /// Its number among those that the filter wanted.
    pub(super) wanted: u64,
    pub(super) event: E,
}

/// How far the source has got, readable at any time as a consistent pair.
///
/// A sequence lock with the counter on both sides (Lamport, "Concurrent reading and writing", 1977): the
/// pair is whole when both ends show the same count.
#[derive(Debug)]
pub(super) struct Watermark {
    begun: AtomicU64,
    /// One past the sequence number of the last wanted event.
    next_seq: AtomicU64,
    /// Events that the filter has wanted, delivered or not.
    wanted: AtomicU64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Mark {
    pub(super) wanted: u64,
    pub(super) next_seq: u64,
}

impl Watermark {
    fn new(next_seq: u64) -> Self {
        Self {
            begun: AtomicU64::new(0),
            next_seq: AtomicU64::new(next_seq),
            wanted: AtomicU64::new(0),
        }
    }

    /// Only the writer's side may call this.
    fn store(&self, mark: Mark) {
        self.begun.store(mark.wanted, Ordering::Relaxed);
        if intact!("lane.mark-write-fence") {
            // Pairs with the fence in `load`: who has seen the new `next_seq` sees the new `begun`.
            fence(Ordering::Release);
        }
        self.next_seq.store(mark.next_seq, Ordering::Relaxed);
        // Pairs with the `Acquire` in `load`: everything pushed before this count can be found.
        self.wanted.store(mark.wanted, weaken!("lane.mark-store", Ordering::Release));
    }

    /// `None` while the writer is between two marks; it wakes the reader after the second.
    fn load(&self) -> Option<Mark> {
        let wanted = self.wanted.load(weaken!("lane.mark-load", Ordering::Acquire));
        let next_seq = self.next_seq.load(Ordering::Relaxed);
        if intact!("lane.mark-read-fence") {
            fence(Ordering::Acquire);
        }
        let whole = self.begun.load(Ordering::Relaxed) == wanted || !intact!("lane.mark-whole");
        whole.then_some(Mark { wanted, next_seq })
    }

    /// Whether anything has been counted since `wanted`; a hint.
    pub(super) fn is_beyond(&self, wanted: u64) -> bool {
        self.wanted.load(Ordering::Relaxed) != wanted
    }
}

/// The source's end.
pub(super) struct LaneWriter<E> {
    ring: Producer<Item<E>>,
    mark: Arc<CachePadded<Watermark>>,
    now: Mark,
    /// Items and counts that the reader cannot see yet.
    unpublished: u32,
    /// The reader can see something that it has not been told of.
    untold: bool,
}

/// Items after which a long handler shows what it has published so far.
const BATCH_MAX: u32 = 32;

/// Builds a lane for a source whose next event has the number `next_seq`.
///
/// # Errors
///
/// The capacity is 0 or does not fit in memory.
pub(super) fn lane<E>(
    capacity: usize,
    next_seq: u64,
) -> Result<(LaneWriter<E>, LaneReader<E>), CapacityError> {
    let (producer, consumer) = ring(capacity)?;
    let mark = Arc::new(CachePadded::new(Watermark::new(next_seq)));
    let writer = LaneWriter {
        ring: producer,
        mark: Arc::clone(&mark),
        now: Mark { wanted: 0, next_seq },
        unpublished: 0,
        untold: false,
    };
    let reader = LaneReader { ring: consumer, mark, expected: 0, next_seq, held: None };
    Ok((writer, reader))
}

/// Whether a lane of this capacity can be built.
///
/// # Errors
///
/// As [`lane`].
#[cfg(not(tpc_loom))]
pub(super) fn check<E>(capacity: usize) -> Result<(), CapacityError> {
    crate::bridge::ring::check_capacity::<Item<E>>(capacity).map(drop)
}

impl<E> LaneWriter<E> {
    /// Whether the next event will find room.
    #[inline]
    pub(super) fn has_room(&mut self) -> bool {
        self.ring.free() > 0
    }

    /// Counts a wanted event and takes it along if it is there and there is room; false when it is lost.
    #[inline]
    pub(super) fn offer(&mut self, seq: u64, event: Option<E>) -> bool {
        let wanted = self.now.wanted;
        let item = event.map(|event| Item { seq, wanted, event });
        let taken = item.is_some_and(|item| self.ring.push_unpublished(item).is_ok());
        self.now = Mark { wanted: wanted + 1, next_seq: seq + 1 };
        self.unpublished += 1;
        if self.unpublished >= BATCH_MAX {
            self.publish();
        }
        taken
    }

    /// Shows everything so far to the reader.
    pub(super) fn publish(&mut self) {
        if self.unpublished > 0 {
            self.unpublished = 0;
            self.untold = true;
            self.ring.publish();
            self.mark.store(self.now);
        }
    }

    /// Whether something was shown since this was last asked, so that the reader is to be woken.
    pub(super) fn take_untold(&mut self) -> bool {
        std::mem::take(&mut self.untold)
    }
}

/// What a lane yields.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Taken<E> {
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

/// The subscriber's end.
pub(super) struct LaneReader<E> {
    ring: Consumer<Item<E>>,
    mark: Arc<CachePadded<Watermark>>,
    /// Number of the next wanted event.
    expected: u64,
    /// One past the last event that was delivered or reported missing.
    next_seq: u64,
    /// An event whose gap is being reported first.
    held: Option<Item<E>>,
}

impl<E> LaneReader<E> {
    /// The next event or gap.
    #[inline]
    pub(super) fn take(&mut self) -> Option<Taken<E>> {
        let item = match self.held.take() {
            Some(item) => item,
            None => match self.ring.pop() {
                Some(item) => item,
                None => return self.take_tail(),
            },
        };
        Some(self.yield_or_hold(item))
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
        let (from, count) = (self.next_seq, end.wanted - self.expected);
        self.expected = end.wanted;
        self.next_seq = end.next_seq;
        Taken::Missing { from, to: end.next_seq, count }
    }

    /// The ring seems empty: whatever is counted by now and then is still not there was dropped.
    fn take_tail(&mut self) -> Option<Taken<E>> {
        if !self.mark.is_beyond(self.expected) {
            return None;
        }
        let mark = self.mark.load()?;
        if intact!("lane.look-again")
            && let Some(item) = self.ring.pop()
        {
            return Some(self.yield_or_hold(item));
        }
        (mark.wanted > self.expected).then(|| self.missing(mark))
    }
}

#[cfg(all(test, tpc_loom))]
mod model;
