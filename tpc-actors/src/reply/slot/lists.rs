//! Slots that nobody uses: lists of them, linked from slot to slot, by index + 1.

use super::{Slab, Slot};
use crate::sync::{AtomicU32, Ordering, intact, planted, weaken, whole};

/// The owner's private part of a slab's free list.
#[derive(Debug, Default)]
pub(crate) struct FreeSlots {
    /// Index + 1, or 0 when empty.
    pub(super) head: u32,
    /// Slots that stand in for no other any more, linked like the free ones, and how many they are.
    pub(super) spare: u32,
    pub(super) spares: u32,
    /// By index, which slot was taken after it the last time.
    after: Vec<u32>,
    /// The slot that was taken last.
    last: u32,
}

impl FreeSlots {
    /// Whether there is one right here.
    #[inline]
    pub(crate) fn is_stocked(&self) -> bool {
        self.head != 0
    }

    /// A slot has been taken, after another one.
    #[inline]
    pub(super) fn took(&mut self, index: u32) {
        match self.after.get_mut(self.last as usize) {
            Some(after) => *after = index,
            None => self.make_place(index),
        }
        self.last = index;
    }

    /// Slots come in order, so there is one more at a time.
    #[cold]
    fn make_place(&mut self, index: u32) {
        self.after.resize(self.last.max(index) as usize + 1, index);
    }

    /// The slot that was taken the next but one after this: where the owner looks soon, when tasks have their turns in the
    /// order of their asks.
    #[inline]
    pub(super) fn soon_after(&self, index: u32) -> Option<u32> {
        let next = *self.after.get(index as usize)?;
        self.after.get(next as usize).copied()
    }
}

impl<V> Slab<V> {
    /// Puts a slot right back where the next one is taken from; for the owner of the list.
    #[inline]
    pub(super) fn keep(slot: &Slot<V>, index: u32, list: &mut u32) {
        if planted!("leak-slot", 1 in 10) {
            return;
        }
        slot.next.store(*list, Ordering::Relaxed);
        *list = index + 1;
    }

    pub(super) fn give_back(&self, index: u32) {
        if planted!("leak-slot", 1 in 10) {
            return;
        }
        // Released for `has_free`: the next owner sees the slot as we left it. Acquired from there: whoever
        // looked before and found none has lined up, and is seen there.
        let both =
            if intact!("slot.see-who-lined-up") { Ordering::AcqRel } else { Ordering::Release };
        self.push(&self.returned, index, weaken!("slot.give-back", both));
    }

    pub(super) fn push(&self, list: &AtomicU32, index: u32, order: Ordering) {
        let slot = self.slot_at(index);
        let mut head = list.load(Ordering::Relaxed);
        loop {
            slot.next.store(head, Ordering::Relaxed);
            match whole!(
                "slot.push",
                list.compare_exchange_weak(head, index + 1, order, Ordering::Relaxed)
            ) {
                Ok(_) => return,
                Err(now) => head = now,
            }
        }
    }

    /// Takes the first slot off a list of the owner's.
    pub(super) fn pop(&self, list: &mut u32) -> Option<u32> {
        let index = list.checked_sub(1)?;
        *list = self.slot_at(index).next.load(Ordering::Relaxed);
        Some(index)
    }

    /// Returns the owner's private lists, so that another owner can have them.
    pub(crate) fn return_all(&self, free: &mut FreeSlots) {
        while let Some(index) = self.pop(&mut free.head) {
            self.give_back(index);
        }
        while let Some(index) = self.pop(&mut free.spare) {
            self.push(&self.set_aside, index, Ordering::Release);
        }
        free.spares = 0;
    }
}
