//! All slots as seen from outside: by the deadline keeper, and by whoever gives a core up.

#![allow(unsafe_code, reason = "value and waker cells are handed over by the state word")]

use std::sync::OnceLock;
use std::task::Waker;

use super::{
    ABANDONED, LOCK, NO_DEADLINE, QUEUED, READY, STARTED, Slab, Slot, TAKEN, TIMED, Ticket,
};
use crate::isolate::{drop_quietly, wake_quietly};
use crate::sync::{Ordering, intact, weaken, whole};

impl<V> Slab<V> {
    /// Wakes every asker whose deadline is not after `now`; returns the earliest deadline left, and how
    /// many slots became free because their askers had left.
    pub(crate) fn wake_expired(&self, now: u64) -> (u64, usize) {
        let mut earliest = NO_DEADLINE;
        let mut freed = 0;
        let slots = self.chunks.iter().map_while(OnceLock::get).flat_map(|chunk| chunk.iter());
        for (slot, index) in slots.zip(0u32..) {
            let word = slot.word.load(Ordering::Acquire);
            if word & (QUEUED | STARTED) == 0 || word & (TIMED | ABANDONED) != TIMED {
                continue;
            }
            let deadline = slot.deadline.load(Ordering::Relaxed);
            if deadline > now {
                earliest = earliest.min(deadline);
                continue;
            }
            if word & LOCK != 0 {
                // Somebody is at the waker for a moment: look again, or the wake could be missed.
                earliest = earliest.min(deadline);
                continue;
            }
            let locked = whole!(
                "slot.keeper-lock",
                slot.word.compare_exchange(word, word | LOCK, Ordering::AcqRel, Ordering::Acquire)
            );
            match locked {
                Ok(_) => {
                    // With a word as before, its asker may have been given more time and have left a waker again.
                    let deadline = slot.deadline.load(Ordering::Relaxed);
                    let stays = intact!("slot.keeper-recheck") && deadline > now;
                    if stays {
                        earliest = earliest.min(deadline);
                    }
                    let (waker, was_freed) = self.unlock(slot, index, stays);
                    freed += usize::from(was_freed);
                    if let Some(waker) = waker {
                        wake_quietly(waker);
                    }
                }
                Err(_) => earliest = earliest.min(deadline),
            }
        }
        (earliest, freed)
    }

    /// Unlocks a slot that the caller has locked, and takes the asker's waker with it, unless that `stays` for somebody
    /// who comes later; true when that freed the slot.
    pub(super) fn unlock(&self, slot: &Slot<V>, index: u32, stays: bool) -> (Option<Waker>, bool) {
        let (mut waker, mut unwanted) = (None, None);
        // Acquire: with READY, the value that this may have to drop was written by the core.
        let mut word = slot.word.load(weaken!("slot.keeper-unlock", Ordering::Acquire));
        let freed = loop {
            // Whoever has answered meanwhile has left the waker to us.
            if !stays || word & (READY | ABANDONED) != 0 {
                // Taken and not cloned, which would run foreign code under the lock: the asker has left, or is late,
                // and leaves when it is polled, or has been given more time and registers again.
                // SAFETY: LOCK is ours (set by the caller).
                waker = waker.or_else(|| slot.waker.with_mut(|cell| unsafe { (*cell).take() }));
            }
            // Left by its asker, and not in the hands of a handler: nobody else will free it.
            let frees = word & ABANDONED != 0 && word & STARTED == 0;
            if frees {
                // SAFETY: abandoned, and never started or already completed: the value cell has no
                // other owner, and LOCK keeps the slot from being freed by anyone else.
                unwanted = slot.value.with_mut(|cell| unsafe { (*cell).take() });
            }
            let next = if frees { Self::next_generation(word) } else { word & !LOCK };
            match whole!(
                "slot.keeper-free",
                slot.word.compare_exchange(word, next, Ordering::AcqRel, Ordering::Acquire)
            ) {
                Ok(_) => break frees,
                Err(now) => word = now,
            }
        };
        // An answer that its asker has taken came to nobody who had left.
        if freed && word & (READY | TAKEN) == READY {
            self.put_aside(index);
        } else if freed {
            self.give_back(index);
        }
        // Foreign code, and nothing of ours depends on its return.
        drop_quietly(unwanted);
        (waker, freed)
    }

    /// Calls `each` with every request that waits to be started; approximate under traffic.
    pub(crate) fn each_queued(&self, mut each: impl FnMut(Ticket)) {
        let slots = self.chunks.iter().map_while(OnceLock::get).flat_map(|chunk| chunk.iter());
        for (slot, index) in slots.zip(0u32..) {
            let word = slot.word.load(Ordering::Acquire);
            if word & (QUEUED | ABANDONED) == QUEUED {
                each(Ticket::new(index, word));
            }
        }
    }
}
