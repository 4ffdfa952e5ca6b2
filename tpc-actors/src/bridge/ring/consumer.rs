//! The reading half of a ring, and a view of its fill.

#![allow(unsafe_code, reason = "slots are shared between two threads; each site says why it may")]

use std::fmt;
use std::mem::MaybeUninit;
use std::slice;

use super::restraint::Restraint;
use super::{Line, Shared, items_in};
use crate::sync::{Arc, Ordering, UnsafeCell, weaken};

/// The reading half of a ring.
pub struct Consumer<T> {
    pub(super) shared: Arc<Shared<T>>,
    pub(super) head: usize,
    /// The producer's position when it was last looked at.
    pub(super) tail: usize,
    /// Items before this position are on their way here.
    pub(super) fetched: usize,
    /// Items before this position are read without a look at anything else; there it is time to fetch more.
    pub(super) gate: usize,
    pub(super) restraint: Restraint,
}

impl<T> Consumer<T> {
    /// Takes the oldest item.
    ///
    /// In a ring that had only a few items at each of the last looks, it lets the producer work for a moment, of a
    /// microsecond at most, before it looks again.
    #[inline]
    pub fn pop(&mut self) -> Option<T> {
        let seems_empty = self.tail == self.head;
        if seems_empty && !self.look_for_items() {
            return None;
        }
        let value = self.read();
        self.gate = self.head;
        self.publish();
        Some(value)
    }

    /// Passes up to `max` items to `each`, oldest first, and frees their places in one go; says how many.
    ///
    /// When `each` panics, the items it has seen are gone and the others stay.
    pub fn drain(&mut self, max: usize, mut each: impl FnMut(T)) -> usize {
        /// Frees the places also when `each` unwinds.
        struct Publish<'a, T>(&'a mut Consumer<T>);
        impl<T> Drop for Publish<'_, T> {
            fn drop(&mut self) {
                self.0.publish();
            }
        }
        let count = self.available().min(max);
        self.gate = self.head.wrapping_add(count);
        let every = |item| {
            each(item);
            true
        };
        Publish(self).0.read_known(count, |_| true, every);
        count
    }

    /// Moves up to `max` items into `into`, oldest first; says how many.
    pub fn pop_batch(&mut self, into: &mut Vec<T>, max: usize) -> usize {
        // Room before items: a push that had to grow could panic with an item in hand.
        into.reserve(self.available().min(max));
        self.drain(max, |item| into.push(item))
    }

    /// Items that can be read now; looks at the producer's position only when none seems left.
    #[inline]
    pub fn available(&mut self) -> usize {
        let available = self.tail.wrapping_sub(self.head);
        if available > 0 {
            return available;
        }
        // Pairs with the `Release` in `Producer::publish`: the items up to here are written.
        self.tail = self.shared.tail.load(weaken!("ring.refresh-tail", Ordering::Acquire));
        self.tail.wrapping_sub(self.head)
    }

    /// Whether there are items in a ring that seemed empty; those of a few lines are worth a look at the producer's
    /// position.
    #[cold]
    fn look_for_items(&mut self) -> bool {
        self.restraint.wait();
        let available = self.available();
        let capacity = self.shared.capacity;
        let enough = (capacity / 8).min(const { items_in::<T>(4 * 64) });
        self.restraint.found(available, enough, capacity / 2);
        available > 0
    }

    /// The positions up to which items have been read, and written.
    pub(crate) fn progress(&mut self) -> (usize, usize) {
        // Pairs with the `Release` in `Producer::publish`: the items up to here are written.
        self.tail = self.shared.tail.load(weaken!("ring.progress", Ordering::Acquire));
        (self.head, self.tail)
    }

    /// The item that many places behind the oldest one, if it has been seen to be there.
    #[inline]
    pub(crate) fn peek(&self, behind: usize) -> Option<&T> {
        if behind >= self.tail.wrapping_sub(self.head) {
            return None;
        }
        // SAFETY: the position lies in `[head, tail)` with `tail` acquired: it is written, and only this
        // half, which is borrowed meanwhile, can take it out.
        Some(unsafe { self.shared.peek(self.head.wrapping_add(behind)) })
    }

    /// Items that are known to be there without another look at the producer's position.
    #[inline]
    pub(crate) fn known(&self) -> usize {
        self.tail.wrapping_sub(self.head)
    }

    /// How far ahead of the reading position items are fetched from the producer's CPU: sixteen to twenty-four lines,
    /// about as many as can be on their way at a time, and eight of them together.
    const LINES_AHEAD: usize = 24;
    const AHEAD: usize = items_in::<T>(Self::LINES_AHEAD * 64);
    const STEP: usize = items_in::<T>(8 * 64);

    /// Takes the oldest item without freeing its place; [`Self::publish`] frees all of a batch.
    #[inline]
    pub(crate) fn read_unpublished(&mut self) -> Option<T> {
        if self.head == self.gate {
            self.fetch_ahead();
            if self.known() == 0 {
                return None;
            }
        }
        Some(self.read())
    }

    /// As [`Self::read_unpublished`], if the oldest item is one that is wanted.
    #[inline]
    pub(crate) fn read_unpublished_if(&mut self, wanted: impl FnOnce(&T) -> bool) -> Option<T> {
        if self.head == self.gate {
            self.fetch_ahead();
        }
        if self.peek(0).is_some_and(wanted) { Some(self.read()) } else { None }
    }

    /// Passes up to `max` items to `each`, oldest first, while they are `wanted` and it goes on; [`Self::publish`] frees
    /// their places.
    ///
    /// When `each` panics, the items it has seen are gone and the others stay.
    #[inline]
    pub(crate) fn read_while(
        &mut self,
        max: usize,
        wanted: impl Fn(&T) -> bool,
        mut each: impl FnMut(T) -> bool,
    ) {
        let end = self.head.wrapping_add(max);
        loop {
            if self.head == self.gate {
                self.fetch_ahead();
            }
            let before_gate = self.gate.wrapping_sub(self.head);
            let count = before_gate.min(end.wrapping_sub(self.head));
            if count == 0 || !self.read_known(count, &wanted, &mut each) {
                return;
            }
        }
    }

    /// Passes the next `count` items, which must be known to be there, to `each` while they are wanted and it goes on;
    /// says whether it was passed all of them.
    #[inline]
    fn read_known(
        &mut self,
        count: usize,
        wanted: impl Fn(&T) -> bool,
        mut each: impl FnMut(T) -> bool,
    ) -> bool {
        /// Slots in a row that are not read yet. The reading position follows from how many they are when they go out of
        /// scope, also when `each` unwinds; until then there is one thing to be moved for each item.
        struct Unread<'a, T> {
            slots: slice::Iter<'a, UnsafeCell<MaybeUninit<T>>>,
            end: usize,
            head: &'a mut usize,
        }
        impl<T> Drop for Unread<'_, T> {
            fn drop(&mut self) {
                *self.head = self.end.wrapping_sub(self.slots.len());
            }
        }
        assert!(count <= self.known(), "what is not there cannot be read");
        let end = self.head.wrapping_add(count);
        while self.head != end {
            let [row, _] = self.shared.runs(self.head, end.wrapping_sub(self.head));
            let end = self.head.wrapping_add(row.len());
            let mut unread = Unread { slots: row.iter(), end, head: &mut self.head };
            while let Some(slot) = unread.slots.as_slice().first() {
                // SAFETY: the slot belongs to one of the `count` positions from `head` on, which lie below the acquired
                // `tail`: it is written, and only this half, which is borrowed meanwhile, can take the value out.
                if !slot.with(|slot| wanted(unsafe { (*slot).assume_init_ref() })) {
                    return false;
                }
                // Read before the value leaves, so no unwinding can have it read twice.
                unread.slots.next();
                // SAFETY: as above, and it is not among the unread ones any more.
                if !each(slot.with(|slot| unsafe { (*slot).assume_init_read() })) {
                    return false;
                }
            }
        }
        true
    }

    /// The position of the oldest item.
    #[inline]
    pub(crate) fn position(&self) -> usize {
        self.head
    }

    /// Has the next items come at once, and not one line after the other as they are read. Only those that are
    /// known to be there: the producer is writing into the lines behind.
    #[inline(never)]
    fn fetch_ahead(&mut self) {
        let known = self.available();
        let ahead = known.min(const { Self::AHEAD });
        let fetched = self.fetched.wrapping_sub(self.head);
        let first = if fetched < ahead { fetched } else { 0 };
        for items in self.shared.runs(self.head.wrapping_add(first), ahead - first) {
            Line::each_of(items).take(Self::LINES_AHEAD).for_each(Line::fetch_to_read);
        }
        self.fetched = self.head.wrapping_add(ahead);
        let step = if ahead < known { const { Self::STEP } } else { known };
        self.gate = self.head.wrapping_add(step);
    }

    /// The reading position moves before the value leaves, so no unwinding can read it twice.
    #[inline]
    fn read(&mut self) -> T {
        let position = self.head;
        self.head = position.wrapping_add(1);
        // SAFETY: every caller has seen `available() > 0`, or a position before the gate, which never lies past
        // `tail`: so `position` lies in `[head, tail)` with `tail` acquired; `&mut self` makes this the only
        // reader and `head` is past it now.
        unsafe { self.shared.take(position) }
    }

    /// Frees the places of everything read so far.
    #[inline]
    pub(crate) fn publish(&mut self) {
        self.shared.free_before(self.head);
    }

    /// Whether nothing can be read now.
    pub fn is_empty(&mut self) -> bool {
        self.available() == 0
    }

    /// The number of places.
    pub fn capacity(&self) -> usize {
        self.shared.capacity
    }

    /// Whether the producer has been dropped; items that it left can still be read.
    pub fn is_closed(&self) -> bool {
        // Pairs with the `Release` in the producer's drop: everything pushed is visible by then.
        self.shared.producer_gone.load(weaken!("ring.see-producer-gone", Ordering::Acquire))
    }
}

impl<T> Drop for Consumer<T> {
    fn drop(&mut self) {
        self.publish();
        // Pairs with the `Acquire` in `Producer::reclaim`: our position is final before this.
        self.shared.consumer_gone.store(true, weaken!("ring.consumer-gone", Ordering::Release));
    }
}

impl<T> fmt::Debug for Consumer<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Consumer").field("capacity", &self.capacity()).finish_non_exhaustive()
    }
}

/// Looks at the fill of a ring from outside; never in the way of its two halves.
pub(crate) struct Gauge<T>(pub(super) Arc<Shared<T>>);

impl<T> Gauge<T> {
    /// Items in the ring; approximate while either half is at work, exact when both rest.
    pub(crate) fn len(&self) -> usize {
        // The head first: read the other way round, a busy ring could show a negative fill.
        let head = self.0.head.load(Ordering::Acquire);
        let tail = self.0.tail.load(Ordering::Acquire);
        tail.wrapping_sub(head).min(self.0.capacity)
    }
}
