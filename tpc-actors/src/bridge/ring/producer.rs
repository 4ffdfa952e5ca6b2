//! The writing half of a ring.

#![allow(unsafe_code, reason = "slots are shared between two threads; each site says why it may")]

use std::fmt;
use std::mem::{ManuallyDrop, MaybeUninit};

use super::restraint::Restraint;
use super::{Gauge, Line, Reserved, Shared, items_in};
use crate::sync::{Arc, Ordering, weaken};

/// The writing half of a ring.
pub struct Producer<T> {
    pub(super) shared: Arc<Shared<T>>,
    /// Next position to write; ahead of the shared one until it is published.
    pub(super) tail: usize,
    /// The consumer's position when it was last looked at.
    pub(super) head: usize,
    pub(super) restraint: Restraint,
}

impl<T> Producer<T> {
    /// Appends `value`. Whether the consumer is still there is not asked: see [`Self::is_closed`], and
    /// [`Self::reclaim`] for what it has left behind.
    ///
    /// In a ring that was all but full at each of the last looks, it lets the consumer work for a moment, of a
    /// microsecond at most, before it looks again.
    ///
    /// # Errors
    ///
    /// Hands the value back when the ring is full.
    #[inline]
    pub fn push(&mut self, value: T) -> Result<(), T> {
        let seems_full = self.tail.wrapping_sub(self.head) == self.shared.capacity;
        if seems_full && !self.look_for_room() {
            return Err(value);
        }
        self.write(value);
        self.publish();
        Ok(())
    }

    /// Appends items of `source` while there is room and publishes them at once; says how many.
    ///
    /// Items that do not fit stay in `source`. What it has given before it panics is published.
    pub fn push_batch(&mut self, source: &mut impl Iterator<Item = T>) -> usize {
        /// Nobody else has what was taken out of `source`.
        struct Commit<'a, T>(Option<Reserved<'a, T>>);
        impl<T> Drop for Commit<'_, T> {
            fn drop(&mut self) {
                self.0.take().map(Reserved::commit);
            }
        }
        let mut commit = Commit(Some(self.reserve(usize::MAX)));
        commit.0.as_mut().map_or(0, |reserved| reserved.extend_from(source))
    }

    /// Places for up to `wanted` items, to be filled one by one and published together.
    ///
    /// May be fewer, or none: see [`Reserved::free`].
    #[inline]
    pub fn reserve(&mut self, wanted: usize) -> Reserved<'_, T> {
        let room = self.room(wanted);
        Reserved::new(self, room)
    }

    /// Room for up to `wanted` items; looks at the consumer's position only when it seems too little.
    #[inline]
    pub(crate) fn room(&mut self, wanted: usize) -> usize {
        let free = self.shared.capacity - self.tail.wrapping_sub(self.head);
        if free >= wanted {
            return wanted;
        }
        self.refresh().min(wanted)
    }

    /// Places that can be filled now; looks at the consumer's position only when none seems left.
    #[inline]
    pub fn free(&mut self) -> usize {
        let free = self.shared.capacity - self.tail.wrapping_sub(self.head);
        if free > 0 {
            return free;
        }
        self.refresh()
    }

    /// Whether there is room in a ring that seemed full; a part of it is worth a look at the consumer's position.
    #[cold]
    fn look_for_room(&mut self) -> bool {
        // A forgotten reservation has left items that the consumer must see to make room. A store for nothing would
        // take the line from it.
        if self.shared.tail.load(Ordering::Relaxed) != self.tail {
            self.publish();
        }
        self.restraint.wait();
        let free = self.refresh();
        let capacity = self.shared.capacity;
        self.restraint.found(free, capacity / 8, capacity / 2);
        free > 0
    }

    /// Looks at the consumer's position; says how many places are free.
    #[inline]
    fn refresh(&mut self) -> usize {
        // Pairs with the `Release` in `Consumer::publish`: what was read there is read for good.
        self.head = self.shared.head.load(weaken!("ring.refresh-head", Ordering::Acquire));
        self.shared.capacity - self.tail.wrapping_sub(self.head)
    }

    /// Items in six lines: how far ahead of the writing position a slot is fetched from the consumer's CPU.
    const AHEAD: usize = items_in::<T>(6 * 64);

    /// Items after which the next line is fetched: those of one, as a power of two.
    const FETCH_EVERY: usize = 1 << items_in::<T>(64).ilog2();

    #[inline]
    pub(super) fn write(&mut self, value: T) {
        self.shared.slot(self.tail).with_mut(|slot| {
            // SAFETY: the caller has seen `free() > 0`, so this slot lies outside `[head, tail)`: the
            // consumer has read it (ordered by the `Acquire` in `free`) and will not look at it before
            // `publish`. `&mut self` makes this the only writer.
            unsafe { (*slot).write(value) };
        });
        self.tail = self.tail.wrapping_add(1);
        // Not what the consumer has yet to read, as far as we know.
        let ahead = self.tail.wrapping_sub(self.head) + const { Self::AHEAD };
        if self.tail & const { Self::FETCH_EVERY - 1 } == 0 && ahead < self.shared.capacity {
            self.fetch_slot(self.tail.wrapping_add(const { Self::AHEAD }));
        }
    }

    /// Has as many of the next slots as a batch has just taken come from the consumer's CPU, all at once and
    /// while the next batch is put together.
    pub(super) fn fetch_slots(&self, batch: usize) {
        // Not what the consumer has yet to read, as far as we know.
        let free = self.shared.capacity - self.tail.wrapping_sub(self.head);
        for slots in self.shared.runs(self.tail, batch.min(free)) {
            Line::each_of(slots).take(16).for_each(Line::fetch);
        }
    }

    /// Lines of a slot that are fetched: as many as it has, up to what can be on its way at a time.
    const LINES: usize = match size_of::<T>().div_ceil(64) {
        0 => 1,
        more @ 1..=8 => more,
        _ => 8,
    };

    /// Has a slot come from the consumer's CPU.
    #[inline]
    fn fetch_slot(&self, position: usize) {
        let first = self.shared.line(position);
        for line in 0..const { Self::LINES } {
            first.plus(64 * line).fetch();
        }
    }

    /// Writes to each page of the unused slots, so that not the first items that come there wait for the system
    /// to find the memory.
    pub(crate) fn touch_pages(&mut self) {
        let unused = self.shared.slots.len() - self.tail.wrapping_sub(self.head);
        for ahead in (0..unused).step_by(const { items_in::<T>(4096) }) {
            self.shared.slot(self.tail.wrapping_add(ahead)).with_mut(|slot| {
                // SAFETY: the slot lies outside `[head, tail)`, as for `write`: nobody has or reads anything
                // there before this producer puts it there.
                unsafe { *slot = MaybeUninit::zeroed() }
            });
        }
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

    /// Appends items of `source` to up to `most` free places, without showing them. What it has given before it
    /// panics stays there.
    #[inline]
    pub(crate) fn extend_unpublished(&mut self, most: usize, source: &mut impl Iterator<Item = T>) {
        // Dropped, a reservation would empty its places.
        let mut reserved = ManuallyDrop::new(self.reserve(most));
        let filled = reserved.extend_from(source);
        self.fetch_slots(filled);
    }

    /// Appends and shows an item for which [`Self::free`] has just found a place.
    ///
    /// # Panics
    ///
    /// There is no place after all.
    #[inline]
    pub(crate) fn push_free(&mut self, value: T) {
        assert!(self.shared.capacity != self.tail.wrapping_sub(self.head), "room was looked for");
        self.write(value);
        self.publish();
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
        if !self.shared.consumer_gone.load(weaken!("ring.see-consumer-gone", Ordering::Acquire)) {
            return None;
        }
        // A reservation that was forgotten has left items which nobody has shown; whoever drops the ring must not find
        // the reading position beyond them.
        self.publish();
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
        self.shared.producer_gone.store(true, weaken!("ring.producer-gone", Ordering::Release));
    }
}

impl<T> fmt::Debug for Producer<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Producer").field("capacity", &self.capacity()).finish_non_exhaustive()
    }
}
