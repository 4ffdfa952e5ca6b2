//! Reply slots: the memory that an answer needs, paid for before the request is sent.
//!
//! A slab of slots belongs to one lane. The asker takes a slot, sends its index and generation with
//! the request, and finds the answer in it. One word decides every race by a single compare-and-swap:
//!
//! ```text
//!            send                start                     complete
//!   FREE ──────────▶ QUEUED ──────────────▶ STARTED ─────────────────▶ READY ──▶ taken, FREE
//!                      │ asker leaves          │ asker leaves: ABANDONED
//!                      ▼                       ▼
//!            next generation, FREE:       the answer is dropped by
//!            the handler never runs       the core, then FREE
//! ```
//!
//! * Generation: a request that outlived its asker finds a newer generation and is skipped. A stale
//!   ticket waits in a ring behind at most `capacity` newer ones, so 32 bits cannot come round.
//! * From STARTED to READY the value belongs to the core, from READY on to the asker.
//! * LOCK guards the waker, for a moment each time: the asker puts it there, whoever completes takes it out before READY,
//!   an asker that leaves takes it along, and so does the keeper when the deadline has passed.
//! * UNHEARD says that there is no waker to lock: the answer to an asker that looks for it by itself costs one
//!   read-modify-write. It ends with the first registration, and never comes back before the next use.

#![allow(unsafe_code, reason = "value and waker cells are handed over by the state word")]

mod abandoned;
mod asker;
mod keeper;
mod lists;
mod starter;

use std::num::NonZeroU64;
use std::sync::OnceLock;
use std::task::Waker;

use crossbeam_utils::CachePadded;

use crate::bridge::ring::Line;
use crate::isolate::wake_quietly;
use crate::sync::{AtomicU32, AtomicU64, Ordering, UnsafeCell, intact, planted, weaken, whole};
pub(crate) use lists::FreeSlots;

/// The request waits in a ring.
const QUEUED: u64 = 1;
/// The core has begun; it owns the value cell and will complete or free the slot.
const STARTED: u64 = 1 << 1;
/// Somebody reads or writes the waker cell.
const LOCK: u64 = 1 << 2;
/// The answer is in the value cell, which belongs to the asker now.
const READY: u64 = 1 << 3;
/// The asker left after the start; whoever completes frees the slot.
const ABANDONED: u64 = 1 << 4;
/// The asker must be wakeable by the deadline keeper at any time.
const TIMED: u64 = 1 << 5;
/// Beside ABANDONED: the asker has taken its answer, and only the keeper is in the way.
const TAKEN: u64 = 1 << 6;
/// The asker has left no waker: nobody has to look for one.
const UNHEARD: u64 = 1 << 7;
const GENERATION: u32 = 32;
/// A model counts to 3, so that generations come round while it looks.
const LAST_GENERATION: u64 = if cfg!(tpc_loom) { 3 } else { u32::MAX as u64 };

/// The deadline word of a slot without a deadline.
pub(crate) const NO_DEADLINE: u64 = u64::MAX;

/// Names one request: where its answer goes.
///
/// Generation above, index + 1 below: one word, because halves that are written one by one and copied together
/// wait for each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Ticket(NonZeroU64);

impl Ticket {
    /// Of the slot at `index`, whose word holds the generation in its upper half.
    #[inline]
    fn new(index: u32, word: u64) -> Self {
        let generation = word >> GENERATION << GENERATION;
        Self(NonZeroU64::MIN.saturating_add(u64::from(index)) | generation)
    }

    #[inline]
    #[expect(clippy::cast_possible_truncation, reason = "the index is the lower half")]
    pub(crate) fn index(self) -> u32 {
        self.0.get() as u32 - 1
    }

    /// In the upper half, as in a slot's word.
    #[inline]
    fn generation(self) -> u64 {
        self.0.get() >> GENERATION << GENERATION
    }
}

/// A line of its own, which an answer of a few words fits into: a slot goes to the core and comes back, and
/// must not take others along.
#[repr(align(64))]
struct Slot<V> {
    word: AtomicU64,
    /// Link of the free list while free: index + 1, or 0 for the end.
    next: AtomicU32,
    /// Nanoseconds since the clock's epoch, or [`NO_DEADLINE`].
    deadline: AtomicU64,
    waker: UnsafeCell<Option<Waker>>,
    value: UnsafeCell<Option<V>>,
}

impl<V> Slot<V> {
    fn new() -> Self {
        Self {
            word: AtomicU64::new(0),
            next: AtomicU32::new(0),
            deadline: AtomicU64::new(NO_DEADLINE),
            waker: UnsafeCell::new(None),
            value: UnsafeCell::new(None),
        }
    }
}

/// What `start` gives the core: the right and the duty to complete the slot.
#[derive(Debug)]
pub(crate) struct Started {
    ticket: Ticket,
    /// Nanoseconds since the clock's epoch after which nobody wants the answer, or [`NO_DEADLINE`].
    pub(crate) deadline: u64,
}

impl Started {
    /// Where the answer goes.
    pub(crate) fn ticket(&self) -> Ticket {
        self.ticket
    }
}

/// An asker that has been answered, and where its answer lies.
#[derive(Debug)]
pub(crate) struct Asker {
    pub(crate) waker: Waker,
    pub(crate) answer: Line,
}

impl Asker {
    /// Its waker is foreign code, whose panic is swallowed.
    pub(crate) fn wake(self) {
        wake_quietly(self.waker);
    }
}

/// What an asker finds.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Polled<V> {
    /// The answer; the slot is free again.
    Ready(V),
    /// Nothing yet; the waker is in place.
    Registered,
    /// Nothing yet, and the waker's cell was locked: the task has been woken to come back at once.
    Busy,
}

/// What an asker leaves behind.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Left<V> {
    /// The handler will never run.
    NeverStarted,
    /// The handler runs or has run; its answer will be dropped.
    Started,
    /// The answer was there already.
    Answered(V),
}

/// The reply slots of one lane.
///
/// Grows by whole chunks, each as large as all before it together, and never moves a slot: a lane that
/// is used little costs little, and a slot can be reached without a lock.
pub(crate) struct Slab<V> {
    chunks: [OnceLock<Box<[Slot<V>]>>; CHUNKS],
    /// Slots that may be used; written by the owner of the free list only.
    count: AtomicU32,
    /// Slots whose askers have left and that are not free yet; below 0 for a moment, when that comes before the leaving
    /// is counted.
    abandoned: AtomicU32,
    /// Those that were answered since: the slots that stood in for them, or they themselves, are too many now. Pushed and
    /// taken like those that came back.
    set_aside: CachePadded<AtomicU32>,
    /// Slots that came back: pushed by anyone, taken as a whole by the owner. Index + 1, or 0.
    returned: CachePadded<AtomicU32>,
}

// SAFETY: the cells of a slot are touched only by whom its word names (module docs), and values and
// wakers travel between threads, hence `V: Send`; no `&V` is ever shared.
unsafe impl<V: Send> Send for Slab<V> {}
// SAFETY: as above.
unsafe impl<V: Send> Sync for Slab<V> {}

/// Slots of the first chunk.
const FIRST: u32 = if cfg!(tpc_loom) { 1 } else { 8 };
const CHUNKS: usize = 24;

/// The chunk of a slot, and its place there.
#[inline]
fn place(index: u32) -> (usize, usize) {
    let from_first = index + FIRST;
    let chunk = from_first.ilog2() - FIRST.ilog2();
    (chunk as usize, (from_first - (FIRST << chunk)) as usize)
}

impl<V> Slab<V> {
    /// A slab without slots; it grows when it is asked for some.
    pub(crate) fn new() -> Self {
        Self {
            chunks: [const { OnceLock::new() }; CHUNKS],
            count: AtomicU32::new(0),
            abandoned: AtomicU32::new(0),
            set_aside: CachePadded::new(AtomicU32::new(0)),
            returned: CachePadded::new(AtomicU32::new(0)),
        }
    }

    fn slot_at(&self, index: u32) -> &Slot<V> {
        let (chunk, place) = place(index);
        &self.chunks[chunk].get().expect("a slot in use is in its chunk")[place]
    }

    /// Where a slot lies, for whoever needs it soon.
    #[inline]
    pub(crate) fn line(&self, ticket: Ticket) -> Line {
        Line::of(self.slot(ticket))
    }

    fn slot(&self, ticket: Ticket) -> &Slot<V> {
        self.slot_at(ticket.index())
    }

    /// Adds slots, up to the end of a chunk and to `most` in all.
    #[cold]
    fn grow(&self, free: &mut FreeSlots, most: u32) {
        let count = self.count.load(Ordering::Relaxed);
        let (chunk, used) = place(count);
        if count >= most || chunk >= CHUNKS {
            return;
        }
        let size = FIRST << chunk;
        let slots = self.chunks[chunk].get_or_init(|| (0..size).map(|_| Slot::new()).collect());
        let chunk_end = count - u32::try_from(used).unwrap_or(0) + size;
        let end = chunk_end.min(most);
        for (slot, index) in slots[used..].iter().zip(count..end) {
            // Linked in order; the last one ends the list.
            slot.next.store(if index + 1 == end { 0 } else { index + 2 }, Ordering::Relaxed);
        }
        self.count.store(end, Ordering::Relaxed);
        free.head = count + 1;
    }

    fn next_generation(word: u64) -> u64 {
        if !intact!("slot.bump-generation") || planted!("reuse-generation", 1 in 10) {
            return word >> GENERATION << GENERATION;
        }
        // Wrapping on purpose, see the module docs.
        ((word >> GENERATION).wrapping_add(1) & LAST_GENERATION) << GENERATION
    }

    /// Ends this use of a slot that is READY: newer generation, then back, which is the caller's to `give`.
    fn retire(slot: &Slot<V>, give: impl FnOnce()) {
        // Pairs with the keeper's unlock: the next user of the waker's cell comes after it.
        let acquire = weaken!("slot.retire", Ordering::Acquire);
        let mut word = slot.word.load(acquire);
        // With the keeper at the waker, the cell is not free for the next user yet.
        while word & LOCK != 0 {
            let left = word | ABANDONED | if intact!("slot.taken") { TAKEN } else { 0 };
            match whole!(
                "slot.leave-locked",
                slot.word.compare_exchange(word, left, Ordering::AcqRel, acquire)
            ) {
                Ok(_) => return,
                Err(now) => word = now,
            }
        }
        // Nobody else writes to the word of a slot that is READY and not locked.
        slot.word.store(Self::next_generation(word), Ordering::Release);
        give();
    }
}

#[cfg(all(test, tpc_loom))]
mod model;
