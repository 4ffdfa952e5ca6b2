//! A bounded single-producer single-consumer ring.
//!
//! Lamport's queue with cached indices (as in `FastForward` and its descendants): each half owns its
//! index and looks at the other's only when its cached copy says full or empty, so a busy ring moves
//! a cache line per batch and not per item. Slots are a power of two, so that positions are masked
//! and never divided; the *capacity* is exact and may be any number from 1.
//!
//! Two rules keep a panicking `Drop` of an item from becoming a double free: a position is advanced
//! before the value that stood there can be dropped, and the ring's own drop goes on with the
//! remaining items when one of them panics.

#![allow(unsafe_code, reason = "slots are shared between two threads; each site says why it may")]

mod consumer;
mod line;
mod producer;
mod reserved;
mod restraint;
mod words;

use std::mem::MaybeUninit;

use crossbeam_utils::CachePadded;

use crate::sync::{Arc, AtomicBool, AtomicUsize, Ordering, UnsafeCell, weaken};

pub use consumer::Consumer;
pub(crate) use consumer::Gauge;
pub(crate) use line::Line;
pub use producer::Producer;
pub use reserved::Reserved;
use restraint::Restraint;
#[cfg(not(tpc_loom))]
pub(crate) use words::take_by_words;

/// Why a ring was not built.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CapacityError {
    /// A ring without a place could never accept anything.
    #[error("a capacity of 0 could never accept anything; use at least 1")]
    Zero,
    /// The slots would not fit in memory, or are more than positions can be told apart.
    #[error(
        "a capacity of {capacity} items of {item_bytes} bytes each is more than a ring can have"
    )]
    TooLarge {
        /// The capacity that was asked for, in items.
        capacity: usize,
        /// Size of one item in bytes.
        item_bytes: usize,
    },
}

/// The items that begin in so many bytes; at least one.
const fn items_in<T>(bytes: usize) -> usize {
    let size = size_of::<UnsafeCell<MaybeUninit<T>>>();
    if size == 0 || size > bytes { 1 } else { bytes / size }
}

struct Shared<T> {
    /// Next position to read; written by the consumer only.
    head: CachePadded<AtomicUsize>,
    /// Next position to write; written by the producer only.
    tail: CachePadded<AtomicUsize>,
    producer_gone: AtomicBool,
    consumer_gone: AtomicBool,
    capacity: usize,
    mask: usize,
    slots: Box<[UnsafeCell<MaybeUninit<T>>]>,
}

// SAFETY: a slot is written by the one producer while it lies in `[tail, head + capacity)` and read by
// the one consumer while it lies in `[head, tail)`; `Release` stores and `Acquire` loads of the two
// positions order both. Values move to the consumer's thread, hence `T: Send`; no `&T` is shared.
unsafe impl<T: Send> Send for Shared<T> {}
// SAFETY: as above: `&Shared` gives access to slots only through the unique halves.
unsafe impl<T: Send> Sync for Shared<T> {}

impl<T> Shared<T> {
    /// The slots of `count` positions from `position` on, as the one or two runs that they lie in.
    ///
    /// Runs let the batches of both halves walk slices, without a mask and a check for each item.
    fn runs(&self, position: usize, count: usize) -> [&[UnsafeCell<MaybeUninit<T>>]; 2] {
        let start = position & self.mask;
        let before_wrap = count.min(self.slots.len() - start);
        [&self.slots[start..start + before_wrap], &self.slots[..count - before_wrap]]
    }

    #[inline]
    fn slot(&self, position: usize) -> &UnsafeCell<MaybeUninit<T>> {
        // SAFETY: `mask` is one less than the number of slots, which is a power of two and never changes.
        unsafe { self.slots.get_unchecked(position & self.mask) }
    }

    /// Where the slot of `position` lies.
    #[inline]
    fn line(&self, position: usize) -> Line {
        Line::of(self.slot(position))
    }

    /// Consumer: everything before `head` has been read.
    #[inline]
    fn free_before(&self, head: usize) {
        // Pairs with the `Acquire` in `Producer::refresh`.
        self.head.store(head, weaken!("ring.publish-head", Ordering::Release));
    }

    /// Looks at the value at `position`.
    ///
    /// # Safety
    ///
    /// `position` must lie in `[head, tail)` as seen by the caller with `Acquire`, and nobody may take the
    /// value while the reference lives.
    unsafe fn peek(&self, position: usize) -> &T {
        // SAFETY: the producer initialised the slot before its `Release` of `tail`, which the caller has
        // acquired; it does not write there again before `head` has passed it.
        self.slot(position).with(|slot| unsafe { (*slot).assume_init_ref() })
    }

    /// Reads the value at `position` out of its slot.
    ///
    /// # Safety
    ///
    /// `position` must lie in `[head, tail)` as seen by the caller with `Acquire`, the caller must be
    /// the only reader, and must never read this position again.
    unsafe fn take(&self, position: usize) -> T {
        self.slot(position).with(|slot| {
            // SAFETY: the producer initialised the slot before its `Release` of `tail`, which the
            // caller has acquired; by the contract above nobody else reads or writes it now.
            unsafe { (*slot).assume_init_read() }
        })
    }
}

impl<T> Drop for Shared<T> {
    fn drop(&mut self) {
        /// Goes on with the remaining items when one of them panics in its own `Drop`.
        struct Rest<'a, T>(&'a Shared<T>);
        impl<T> Rest<'_, T> {
            fn next(&self) -> Option<T> {
                let head = self.0.head.load(Ordering::Relaxed);
                if head == self.0.tail.load(Ordering::Relaxed) {
                    return None;
                }
                self.0.head.store(head.wrapping_add(1), Ordering::Relaxed);
                // SAFETY: `&mut self` of the outer drop proves that both halves are gone, so
                // `[head, tail)` is ours alone, and `head` has just moved past this position.
                Some(unsafe { self.0.take(head) })
            }
        }
        impl<T> Drop for Rest<'_, T> {
            fn drop(&mut self) {
                while let Some(item) = self.next() {
                    drop(item);
                }
            }
        }
        let rest = Rest(self);
        while let Some(item) = rest.next() {
            drop(item);
        }
    }
}

/// Builds a ring of exactly `capacity` places and splits it into its two halves.
///
/// # Errors
///
/// [`CapacityError`] when the capacity is 0 or the slots do not fit in memory.
pub fn ring<T>(capacity: usize) -> Result<(Producer<T>, Consumer<T>), CapacityError> {
    ring_from(capacity, 0)
}

/// As [`ring`], with a chosen first position, so that tests can start next to the wrap-around.
pub(crate) fn ring_from<T>(
    capacity: usize,
    start: usize,
) -> Result<(Producer<T>, Consumer<T>), CapacityError> {
    let (count, mut slots) = memory_for::<T>(capacity)?;
    #[cfg(tpc_loom)]
    slots.extend((0..count).map(|_| UnsafeCell::new(MaybeUninit::uninit())));
    // SAFETY: there is room for so many, and a slot needs no value: whatever lies there is `MaybeUninit`.
    #[cfg(not(tpc_loom))]
    unsafe {
        slots.set_len(count);
    }
    let shared = Arc::new(Shared {
        head: CachePadded::new(AtomicUsize::new(start)),
        tail: CachePadded::new(AtomicUsize::new(start)),
        producer_gone: AtomicBool::new(false),
        consumer_gone: AtomicBool::new(false),
        capacity,
        mask: count - 1,
        slots: slots.into_boxed_slice(),
    });
    let restraint = Restraint::default();
    let producer = Producer { shared: Arc::clone(&shared), tail: start, head: start, restraint };
    let (head, tail, fetched, gate) = (start, start, start, start);
    Ok((producer, Consumer { shared, head, tail, fetched, gate, restraint }))
}

/// Whether a ring for `capacity` items can be built now.
pub(crate) fn check_capacity<T>(capacity: usize) -> Result<(), CapacityError> {
    memory_for::<T>(capacity).map(drop)
}

type Slots<T> = Vec<UnsafeCell<MaybeUninit<T>>>;

/// The number of slots of a ring for `capacity` items, and memory for them, untouched.
fn memory_for<T>(capacity: usize) -> Result<(usize, Slots<T>), CapacityError> {
    if capacity == 0 {
        return Err(CapacityError::Zero);
    }
    let too_large = CapacityError::TooLarge { capacity, item_bytes: size_of::<T>() };
    let count = capacity.checked_next_power_of_two().ok_or(too_large)?;
    // Half of the number range is the most for which full and empty stay apart across the wrap.
    if count > usize::MAX / 2 {
        return Err(too_large);
    }
    let mut slots = Vec::new();
    slots.try_reserve_exact(count).map_err(|_| too_large)?;
    Ok((count, slots))
}

#[cfg(all(test, tpc_loom))]
mod model;
#[cfg(all(test, not(tpc_loom)))]
mod tests;
