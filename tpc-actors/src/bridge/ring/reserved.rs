//! Places in a ring that are filled one by one and published together.

#![allow(unsafe_code, reason = "slots are shared between two threads; each site says why it may")]

use std::collections::VecDeque;
use std::fmt;
use std::mem::MaybeUninit;

use super::Producer;
use crate::sync::UnsafeCell;

/// Reserved places of a ring; see [`Producer::reserve`].
///
/// The consumer sees nothing of it before [`commit`](Self::commit). Dropped without it, the places are
/// free again and the items that stood there are dropped; forgotten ([`forget`](std::mem::forget)), they are
/// published with what comes after them.
///
/// ```
/// use tpc_actors::bridge::ring;
///
/// let (mut producer, mut consumer) = ring(4)?;
/// let mut reserved = producer.reserve(3);
/// assert_eq!(reserved.free(), 3);
/// reserved.push("a").unwrap();
/// reserved.push("b").unwrap();
/// assert_eq!(reserved.commit(), 2);
/// assert_eq!(consumer.pop(), Some("a"));
/// # Ok::<(), tpc_actors::bridge::CapacityError>(())
/// ```
#[must_use = "what is not committed is dropped"]
pub struct Reserved<'a, T> {
    producer: &'a mut Producer<T>,
    /// The producer's position before the first of these places.
    start: usize,
    /// Places that are not filled yet.
    free: usize,
}

/// Copies items into as many places; apart, because two arguments are known not to overlap.
///
/// # Safety
///
/// Only the caller may use these places, and whoever owned the items must forget them.
#[inline(never)]
unsafe fn copy_into<T>(places: &[UnsafeCell<MaybeUninit<T>>], items: &[T]) {
    for (place, item) in places.iter().zip(items) {
        // SAFETY: the caller's promises.
        place.with_mut(|place| unsafe { (*place).write(std::ptr::read(item)) });
    }
}

impl<'a, T> Reserved<'a, T> {
    pub(super) fn new(producer: &'a mut Producer<T>, free: usize) -> Self {
        let start = producer.tail;
        Self { producer, start, free }
    }

    /// Places that can still be filled.
    pub fn free(&self) -> usize {
        self.free
    }

    /// Places that have been filled.
    pub fn len(&self) -> usize {
        self.producer.tail.wrapping_sub(self.start)
    }

    /// Whether no place has been filled.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Fills the next place.
    ///
    /// # Errors
    ///
    /// Hands the value back when all places are filled.
    #[inline]
    pub fn push(&mut self, value: T) -> Result<(), T> {
        if self.free == 0 {
            return Err(value);
        }
        self.free -= 1;
        self.producer.write(value);
        Ok(())
    }

    /// Fills places with items of `source` for as long as there are both; says how many.
    pub fn extend_from(&mut self, source: &mut impl Iterator<Item = T>) -> usize {
        let before = self.free;
        let Producer { shared, tail, .. } = &mut *self.producer;
        'full: for run in shared.runs(*tail, self.free) {
            for slot in run {
                // A place is there before the item is taken, or the item would have nowhere to go.
                let Some(value) = source.next() else { break 'full };
                // SAFETY: as in `Producer::write`: the places from `tail` on, as many as are free, lie
                // outside of what the consumer may read, and `&mut` makes this the only writer.
                slot.with_mut(|slot| unsafe { (*slot).write(value) });
                // Counted one by one, so that an iterator that panics leaves nothing uncounted.
                *tail = tail.wrapping_add(1);
                self.free -= 1;
            }
        }
        before - self.free
    }

    /// Fills every free place with what `make` returns; says how many.
    ///
    /// The fastest way to fill a batch of plain values: nothing in it keeps the compiler from writing
    /// several at a time. When `make` panics, the items of this call that it had made are leaked.
    pub fn fill_with(&mut self, mut make: impl FnMut() -> T) -> usize {
        let filled = std::mem::take(&mut self.free);
        let Producer { shared, tail, .. } = &mut *self.producer;
        for run in shared.runs(*tail, filled) {
            for slot in run {
                let value = make();
                // SAFETY: as in `extend_from`.
                slot.with_mut(|slot| unsafe { (*slot).write(value) });
            }
        }
        *tail = tail.wrapping_add(filled);
        filled
    }

    /// Moves all items of `source` into places, or none if there are not enough of these.
    ///
    /// As bytes and in one go: lines that the consumer has are written with a few wide stores.
    pub(crate) fn take_all(&mut self, source: &mut Vec<T>) -> bool {
        let fits = source.len() <= self.free;
        if fits {
            // SAFETY: `source` forgets the items with the next statement, where no item is all that is left of it.
            unsafe {
                self.copy(source);
                source.set_len(0);
            }
        }
        fits
    }

    /// Moves the first items of `source` into places for as long as there are both.
    pub(crate) fn take_some(&mut self, source: &mut VecDeque<T>) {
        let count = self.free.min(source.len());
        let (first, second) = source.as_slices();
        let from_first = first.len().min(count);
        // SAFETY: `source` forgets these items with the statement behind, and nothing in between can panic.
        unsafe {
            self.copy(&first[..from_first]);
            self.copy(&second[..count - from_first]);
        }
        source.drain(..count).for_each(std::mem::forget);
    }

    /// Copies items into places, of which there are enough.
    ///
    /// # Safety
    ///
    /// The places own the items from here on: whoever had them must forget them.
    unsafe fn copy(&mut self, items: &[T]) {
        let [start, end] = self.producer.shared.runs(self.producer.tail, items.len());
        let (before_wrap, behind) = items.split_at(start.len());
        // SAFETY: as in `extend_from`, for each of these places; the items are the caller's to give.
        unsafe {
            copy_into(start, before_wrap);
            copy_into(end, behind);
        }
        self.producer.tail = self.producer.tail.wrapping_add(items.len());
        self.free -= items.len();
    }

    /// Publishes what has been filled; says how many.
    #[inline]
    pub fn commit(mut self) -> usize {
        let len = self.len();
        self.start = self.producer.tail;
        self.producer.publish();
        self.producer.fetch_slots(len);
        len
    }

    /// Takes the newest item back out.
    fn take_back(&mut self) -> Option<T> {
        if self.is_empty() {
            return None;
        }
        // The position moves before the value leaves, so no unwinding can read it twice.
        self.producer.tail = self.producer.tail.wrapping_sub(1);
        // SAFETY: the position was filled by this reservation and not published, so the consumer does
        // not read it; it lies beyond `tail` now, so nobody reads it again.
        Some(unsafe { self.producer.shared.take(self.producer.tail) })
    }
}

impl<T> Drop for Reserved<'_, T> {
    fn drop(&mut self) {
        /// Goes on with the remaining items when one of them panics in its own `Drop`.
        struct Rest<'a, 'b, T>(&'a mut Reserved<'b, T>);
        impl<T> Drop for Rest<'_, '_, T> {
            fn drop(&mut self) {
                while let Some(item) = self.0.take_back() {
                    drop(item);
                }
            }
        }
        let rest = Rest(self);
        while let Some(item) = rest.0.take_back() {
            drop(item);
        }
    }
}

impl<T> fmt::Debug for Reserved<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reserved").field("len", &self.len()).field("free", &self.free).finish()
    }
}
