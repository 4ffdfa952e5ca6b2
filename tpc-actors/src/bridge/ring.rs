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

use std::fmt;
use std::mem::MaybeUninit;

use crossbeam_utils::CachePadded;

use crate::sync::{Arc, AtomicBool, AtomicUsize, Ordering, UnsafeCell, weaken};

pub use consumer::Consumer;
pub(crate) use consumer::Gauge;

/// Why a ring was not built.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CapacityError {
    /// A ring without a place could never accept anything.
    #[error("a capacity of 0 could never accept anything; use at least 1")]
    Zero,
    /// The slots would not fit in memory.
    #[error("a capacity of {capacity} items of {item_bytes} bytes does not fit in memory")]
    TooLarge {
        /// The capacity that was asked for, in items.
        capacity: usize,
        /// Size of one item in bytes.
        item_bytes: usize,
    },
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
    /// Reads the value at `position` out of its slot.
    ///
    /// # Safety
    ///
    /// `position` must lie in `[head, tail)` as seen by the caller with `Acquire`, the caller must be
    /// the only reader, and must never read this position again.
    unsafe fn take(&self, position: usize) -> T {
        self.slots[position & self.mask].with(|slot| {
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
    let count = check_capacity::<T>(capacity)?;
    let too_large = CapacityError::TooLarge { capacity, item_bytes: size_of::<T>() };
    let mut slots = Vec::new();
    slots.try_reserve_exact(count).map_err(|_| too_large)?;
    slots.extend((0..count).map(|_| UnsafeCell::new(MaybeUninit::uninit())));
    let shared = Arc::new(Shared {
        head: CachePadded::new(AtomicUsize::new(start)),
        tail: CachePadded::new(AtomicUsize::new(start)),
        producer_gone: AtomicBool::new(false),
        consumer_gone: AtomicBool::new(false),
        capacity,
        mask: count - 1,
        slots: slots.into_boxed_slice(),
    });
    let producer = Producer { shared: Arc::clone(&shared), tail: start, head: start };
    Ok((producer, Consumer { shared, head: start, tail: start }))
}

/// The number of slots of a ring for `capacity` items.
pub(crate) fn check_capacity<T>(capacity: usize) -> Result<usize, CapacityError> {
    if capacity == 0 {
        return Err(CapacityError::Zero);
    }
    let too_large = CapacityError::TooLarge { capacity, item_bytes: size_of::<T>() };
    let count = capacity.checked_next_power_of_two().ok_or(too_large)?;
    let bytes =
        count.checked_mul(size_of::<UnsafeCell<MaybeUninit<T>>>().max(1)).ok_or(too_large)?;
    // Half of the number range is the most for which full and empty stay apart across the wrap.
    if count > usize::MAX / 2 || isize::try_from(bytes).is_err() {
        return Err(too_large);
    }
    Ok(count)
}

/// The writing half of a ring.
pub struct Producer<T> {
    shared: Arc<Shared<T>>,
    tail: usize,
    /// The consumer's position when it was last looked at.
    head: usize,
}

impl<T> Producer<T> {
    /// Appends `value`.
    ///
    /// # Errors
    ///
    /// Hands the value back when the ring is full.
    #[inline]
    pub fn push(&mut self, value: T) -> Result<(), T> {
        if self.free() == 0 {
            return Err(value);
        }
        self.write(value);
        self.publish();
        Ok(())
    }

    /// Appends items of `source` while there is room and publishes them at once; says how many.
    ///
    /// Items that do not fit stay in `source`.
    pub fn push_batch(&mut self, source: &mut impl Iterator<Item = T>) -> usize {
        let mut pushed = 0;
        // The room is asked for before the item, or the item would have nowhere to go.
        while self.free() > 0 {
            let Some(value) = source.next() else { break };
            self.write(value);
            pushed += 1;
        }
        self.publish();
        pushed
    }

    /// Places that can be filled now; looks at the consumer's position only when none seems left.
    #[inline]
    pub fn free(&mut self) -> usize {
        let free = self.shared.capacity - self.tail.wrapping_sub(self.head);
        if free > 0 {
            return free;
        }
        // Pairs with the `Release` in `Consumer::publish`: what was read there is read for good.
        self.head = self.shared.head.load(weaken!("ring.refresh-head", Ordering::Acquire));
        self.shared.capacity - self.tail.wrapping_sub(self.head)
    }

    #[inline]
    fn write(&mut self, value: T) {
        self.shared.slots[self.tail & self.shared.mask].with_mut(|slot| {
            // SAFETY: the caller has seen `free() > 0`, so this slot lies outside `[head, tail)`: the
            // consumer has read it (ordered by the `Acquire` in `free`) and will not look at it before
            // `publish`. `&mut self` makes this the only writer.
            unsafe { (*slot).write(value) };
        });
        self.tail = self.tail.wrapping_add(1);
    }

    /// Appends an item if there is room, without showing it; [`Self::publish`] shows all of a batch.
    #[inline]
    pub(crate) fn push_unpublished(&mut self, value: T) -> Result<(), T> {
        if self.free() == 0 {
            return Err(value);
        }
        self.write(value);
        Ok(())
    }

    /// Shows everything that was written to the consumer.
    #[inline]
    pub(crate) fn publish(&mut self) {
        // Pairs with the `Acquire` in `Consumer::available`.
        self.shared.tail.store(self.tail, weaken!("ring.publish-tail", Ordering::Release));
    }

    /// Items that the consumer has not read yet; may be too high, never too low.
    pub fn len(&self) -> usize {
        self.tail.wrapping_sub(self.shared.head.load(Ordering::Acquire))
    }

    /// Whether the consumer has read everything.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The number of places.
    pub fn capacity(&self) -> usize {
        self.shared.capacity
    }

    /// Whether the consumer has been dropped.
    pub fn is_closed(&self) -> bool {
        self.shared.consumer_gone.load(Ordering::Acquire)
    }

    /// Takes the oldest unread item back once the consumer is gone, so that nothing is lost silently.
    pub fn reclaim(&mut self) -> Option<T> {
        // Pairs with the `Release` in the consumer's drop: its last position is final.
        if !self.shared.consumer_gone.load(Ordering::Acquire) {
            return None;
        }
        let head = self.shared.head.load(Ordering::Relaxed);
        if head == self.tail {
            return None;
        }
        self.shared.head.store(head.wrapping_add(1), Ordering::Relaxed);
        self.head = head.wrapping_add(1);
        // SAFETY: the consumer is gone for good (acquired above), so this half is the only reader;
        // `head` is below our own `tail` and has just been advanced past this position.
        Some(unsafe { self.shared.take(head) })
    }

    /// A view of the fill that any thread may hold.
    pub(crate) fn gauge(&self) -> Gauge<T> {
        Gauge(Arc::clone(&self.shared))
    }
}

impl<T> Drop for Producer<T> {
    fn drop(&mut self) {
        // Pairs with the `Acquire` in `Consumer::is_closed`: everything pushed is visible first.
        self.shared.producer_gone.store(true, Ordering::Release);
    }
}

impl<T> fmt::Debug for Producer<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Producer").field("capacity", &self.capacity()).finish_non_exhaustive()
    }
}

#[cfg(all(test, tpc_loom))]
mod model;
#[cfg(all(test, not(tpc_loom)))]
mod tests;
