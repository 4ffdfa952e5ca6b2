//! Slots whose askers have left while their handlers are at work, or keep the reply for later.
//!
//! No ask is under way with such a slot, so the slab may have one more for each of them, until it is answered: then one is
//! too many, and set aside.

use super::{FreeSlots, Slab};
use crate::sync::{Ordering, weaken, whole};

/// Where a slab stops growing in spite of slots that were left.
const GROWN_MAX: u32 = 1 << 17;

impl<V> Slab<V> {
    /// An asker has left a slot that is not free yet.
    pub(super) fn was_abandoned(&self) {
        // Either who looks for a slot comes after this and finds one more, or has lined up before and is seen there.
        whole!("slot.abandon", self.abandoned.fetch_add(1, Ordering::AcqRel));
    }

    pub(super) fn abandoned(&self) -> u32 {
        // A read-modify-write, as whoever counts on the other side does one. It acquires what `put_aside` has released,
        // which no model shows: loom runs what comes first in a thread first.
        let abandoned = whole!("slot.abandoned", self.abandoned.fetch_add(0, Ordering::AcqRel));
        u32::try_from(abandoned.cast_signed()).unwrap_or(0)
    }

    /// A slot is free that its asker has left before.
    pub(super) fn put_aside(&self, index: u32) {
        // Released for `stock_up`: the next owner sees the slot as we left it.
        self.push(&self.set_aside, index, weaken!("slot.put-aside", Ordering::Release));
        // After it is there, so that whoever looks finds it, or may have another one. Wrapping on purpose, see the field.
        whole!("slot.count-aside", self.abandoned.fetch_sub(1, Ordering::AcqRel));
    }

    /// Finds a slot when none has come back: one that was set aside, or a new one. `most` may be under way.
    #[cold]
    pub(super) fn stock_up(&self, free: &mut FreeSlots, most: u32) {
        // Asked first: a slot that does not count any more is among those that were set aside.
        let most = most.saturating_add(self.abandoned()).min(GROWN_MAX.max(most));
        let mut aside = whole!("slot.take-aside", self.set_aside.swap(0, Ordering::Acquire));
        while let Some(index) = self.pop(&mut aside) {
            Self::keep(self.slot_at(index), index, &mut free.spare);
            free.spares += 1;
        }
        if self.count.load(Ordering::Relaxed) - free.spares >= most {
            return;
        }
        match self.pop(&mut free.spare) {
            Some(index) => {
                free.spares -= 1;
                Self::keep(self.slot_at(index), index, &mut free.head);
            }
            None => self.grow(free, most),
        }
    }
}
