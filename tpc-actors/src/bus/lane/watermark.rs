//! How far a source has got with one subscriber, readable at any time as a consistent pair.

use crate::sync::{AtomicU64, Ordering, fence, intact, weaken};

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
    pub(super) fn new(next_seq: u64) -> Self {
        Self {
            begun: AtomicU64::new(0),
            next_seq: AtomicU64::new(next_seq),
            wanted: AtomicU64::new(0),
        }
    }

    /// Writer: the next mark is on its way. Released by the exchange that follows.
    pub(super) fn begin(&self, wanted: u64) {
        if intact!("lane.stage-begin") {
            self.begun.store(wanted, Ordering::Relaxed);
        }
    }

    /// Writer: everything up to here has been shown.
    pub(super) fn store(&self, mark: Mark) {
        self.begun.store(mark.wanted, Ordering::Relaxed);
        if intact!("lane.mark-write-fence") {
            // Pairs with the fence in `load`: who has seen the new `next_seq` sees the new `begun`.
            fence(Ordering::Release);
        }
        self.next_seq.store(mark.next_seq, Ordering::Relaxed);
        // Pairs with the `Acquire` in `load`: everything shown before this count can be found.
        self.wanted.store(mark.wanted, weaken!("lane.mark-store", Ordering::Release));
    }

    /// Reader: `None` while the writer is between two marks; it wakes the reader after the second.
    pub(super) fn load(&self) -> Option<Mark> {
        let wanted = self.wanted.load(weaken!("lane.mark-load", Ordering::Acquire));
        let next_seq = self.next_seq.load(Ordering::Relaxed);
        if intact!("lane.mark-read-fence") {
            fence(Ordering::Acquire);
        }
        let whole = self.begun.load(Ordering::Relaxed) == wanted || !intact!("lane.mark-whole");
        whole.then_some(Mark { wanted, next_seq })
    }

    /// Reader: whether the writer has begun nothing since `mark`, as far as an exchange that came before
    /// has told.
    pub(super) fn is_still(&self, mark: Mark) -> bool {
        self.begun.load(Ordering::Relaxed) == mark.wanted || !intact!("lane.stage-recheck")
    }

    /// Reader: whether anything has been counted since `wanted`; a hint.
    pub(super) fn is_beyond(&self, wanted: u64) -> bool {
        self.wanted.load(Ordering::Relaxed) != wanted
    }
}
