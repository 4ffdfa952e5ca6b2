//! A slot in the hands of its asker: taken, looked into, left.

#![allow(unsafe_code, reason = "value and waker cells are handed over by the state word")]

use std::task::Waker;

use super::{
    ABANDONED, FreeSlots, LOCK, Left, NO_DEADLINE, Polled, QUEUED, READY, STARTED, Slab, Slot,
    TIMED, Ticket, UNHEARD,
};
use crate::bridge::ring::Line;
use crate::isolate::drop_quietly;
use crate::sync::{Ordering, intact, weaken, whole};

impl<V> Slab<V> {
    /// Whether a slot could be acquired now; `most` is where the slab stops growing.
    pub(crate) fn has_free(&self, free: &mut FreeSlots, most: u32) -> bool {
        if free.head == 0 {
            // Taking everything at once leaves no room for an ABA. Pairs with the `Release` in `give_back`; whoever
            // gives back after this finds us in the line, if the fence there has put us in it.
            free.head = whole!("slot.take-returned", self.returned.swap(0, Ordering::Acquire));
        }
        if free.head == 0 {
            self.stock_up(free, most);
        }
        free.head != 0
    }

    /// Takes a slot that `has_free` has found and prepares it; the ring's publish makes it visible to the
    /// core. `waker` changes places with that of the slot's last use, which the caller drops: that is foreign code,
    /// and may come back to this lane.
    #[inline]
    pub(crate) fn acquire(
        &self,
        free: &mut FreeSlots,
        waker: &mut Option<Waker>,
        deadline: u64,
    ) -> Option<Ticket> {
        let index = free.head.checked_sub(1)?;
        let slot = self.slot_at(index);
        free.head = slot.next.load(Ordering::Relaxed);
        free.took(index);
        let unheard = if waker.is_none() { UNHEARD } else { 0 };
        // SAFETY: a slot on the free list is nobody else's: the last user gave it up before the
        // `Release` that returned it, and the list's owner has acquired it.
        let old =
            slot.waker.with_mut(|cell| unsafe { std::mem::replace(&mut *cell, waker.take()) });
        *waker = old;
        slot.deadline.store(deadline, Ordering::Relaxed);
        let timed = if deadline == NO_DEADLINE { 0 } else { TIMED };
        let ticket = Ticket::new(index, slot.word.load(Ordering::Relaxed));
        // The keeper that sees a deadline here sees which.
        let release = weaken!("slot.queue", Ordering::Release);
        slot.word.store(ticket.generation() | QUEUED | timed | unheard, release);
        Some(ticket)
    }

    /// Gives a request that is on its way a deadline; for its asker.
    pub(crate) fn limit(&self, ticket: Ticket, deadline: u64) {
        let slot = self.slot(ticket);
        slot.deadline.store(deadline, Ordering::Relaxed);
        // Whoever sees that there is a deadline sees which. Beside READY the bit says nothing.
        whole!("slot.limit", slot.word.fetch_or(TIMED, Ordering::Release));
    }

    /// Gives back a slot whose request was never published.
    pub(crate) fn cancel_unsent(&self, ticket: Ticket) {
        // Like any other leaving: a core that is given up may be having its queued requests refused.
        drop_quietly(self.leave(ticket));
    }

    /// Takes the answer, if it is there, for the owner of the free slots: the next ask uses this slot again, while
    /// its line is here, and nobody else has to be told.
    ///
    /// Inlined, as is what leads here: a value that comes back through memory has to wait until it has left the store
    /// buffer, behind stores to lines that the core has.
    #[expect(clippy::inline_always, reason = "a copy of the value costs more than the rest")]
    #[inline(always)]
    pub(crate) fn take_answer(&self, free: &mut FreeSlots, ticket: Ticket) -> Option<V> {
        let slot = self.slot(ticket);
        let word = slot.word.load(weaken!("slot.see-ready-here", Ordering::Acquire));
        if word & READY == 0 {
            return None;
        }
        if let Some(index) = free.soon_after(ticket.index()) {
            // On its way from the core's CPU by the time that it is looked into.
            Line::of(self.slot_at(index)).fetch();
        }
        Some(Self::take(slot, || Self::keep(slot, ticket.index(), &mut free.head)))
    }

    /// Looks for the answer; otherwise leaves `fresh` to be woken, if there is one: cloned before, because a waker is foreign
    /// code, which must not run while its cell is locked.
    #[inline(never)]
    pub(crate) fn poll(&self, ticket: Ticket, mut fresh: Option<Waker>) -> Polled<V> {
        let slot = self.slot(ticket);
        let mut word = slot.word.load(weaken!("slot.see-ready", Ordering::Acquire));
        while word & READY == 0 {
            let Some(waker) = fresh.take() else { return Polled::Registered };
            if word & LOCK != 0 {
                // The core or the keeper holds the waker for a moment; come back at once.
                waker.wake();
                return Polled::Busy;
            }
            let heard = if intact!("slot.hear") { !UNHEARD } else { !0 };
            let locked = (word | LOCK) & heard;
            match whole!(
                "slot.lock",
                slot.word.compare_exchange(word, locked, Ordering::AcqRel, Ordering::Acquire)
            ) {
                Ok(_) => {
                    if !Self::register(slot, waker) {
                        return Polled::Registered;
                    }
                    // The answer came while the waker was locked, so the core could not wake us.
                    break;
                }
                Err(now) => (word, fresh) = (now, Some(waker)),
            }
        }
        drop(fresh);
        Polled::Ready(Self::take(slot, || self.give_back(ticket.index())))
    }

    /// Puts a waker into its cell, which the caller has locked; whether the answer has come meanwhile.
    fn register(slot: &Slot<V>, waker: Waker) -> bool {
        // SAFETY: LOCK was free and is ours now; nobody else touches the waker cell until it is freed.
        let old = slot.waker.with_mut(|cell| unsafe { (*cell).replace(waker) });
        let before = whole!("slot.unlock", slot.word.fetch_and(!LOCK, Ordering::AcqRel));
        drop(old);
        before & READY != 0 && intact!("slot.recheck-after-register")
    }

    /// Takes the value of a READY slot and ends its use.
    #[expect(clippy::inline_always, reason = "as for `take_answer`")]
    #[inline(always)]
    fn take(slot: &Slot<V>, give: impl FnOnce()) -> V {
        // SAFETY: READY was acquired, which hands the value cell to the asker, who is the caller.
        let value = slot.value.with_mut(|cell| unsafe { (*cell).take() });
        Self::retire(slot, give);
        value.expect("a READY slot holds a value")
    }

    /// The asker goes away without the answer.
    pub(crate) fn leave(&self, ticket: Ticket) -> Left<V> {
        let slot = self.slot(ticket);
        let mut word = slot.word.load(weaken!("slot.see-ready-leaving", Ordering::Acquire));
        loop {
            if word & READY != 0 {
                return Left::Answered(Self::take(slot, || self.give_back(ticket.index())));
            }
            let (begun, at_waker) = (word & STARTED != 0, word & LOCK != 0);
            let next = match (begun, at_waker) {
                // The slot is ours to free, and the request is void.
                (false, false) => Self::next_generation(word),
                // The core frees it; the waker goes with us, for the answer may take as long as it likes.
                (true, false) => word | ABANDONED | LOCK,
                // The core or the keeper has the waker, and the one or the other frees the slot.
                (_, true) => word | ABANDONED,
            };
            match whole!(
                "slot.leave",
                slot.word.compare_exchange(word, next, Ordering::AcqRel, Ordering::Acquire)
            ) {
                Ok(_) if begun => {
                    self.was_abandoned();
                    if !at_waker {
                        let (waker, _) = self.unlock(slot, ticket.index(), false);
                        drop_quietly(waker);
                    }
                    return Left::Started;
                }
                Ok(_) => {
                    if !at_waker {
                        // SAFETY: the slot is of the next generation, and nobody else's before it is given back.
                        let waker = slot.waker.with_mut(|cell| unsafe { (*cell).take() });
                        self.give_back(ticket.index());
                        drop_quietly(waker);
                    }
                    return Left::NeverStarted;
                }
                Err(now) => word = now,
            }
        }
    }
}
