//! A slot in the hands of the core: begun, completed.

#![allow(unsafe_code, reason = "value and waker cells are handed over by the state word")]

use super::{
    ABANDONED, Asker, GENERATION, LOCK, NO_DEADLINE, QUEUED, READY, STARTED, Slab, Started, TIMED,
    Ticket, UNHEARD,
};
use crate::bridge::ring::Line;
use crate::isolate::drop_quietly;
use crate::sync::{Ordering, intact, weaken, whole};

impl<V> Slab<V> {
    /// Begins the request, or says that its asker has left and it must not run.
    pub(crate) fn start(&self, ticket: Ticket) -> Option<Started> {
        let slot = self.slot(ticket);
        let generation = ticket.generation() >> GENERATION;
        let mut word = slot.word.load(Ordering::Acquire);
        loop {
            if intact!("slot.check-generation") && word >> GENERATION != generation {
                return None;
            }
            if word & QUEUED == 0 || word & ABANDONED != 0 {
                return None;
            }
            let begun = (word & !QUEUED) | STARTED;
            let again = weaken!("slot.start-again", Ordering::Acquire);
            // What the look has acquired is all that is read or written before the answer.
            match whole!(
                "slot.start",
                slot.word.compare_exchange(word, begun, Ordering::Relaxed, again)
            ) {
                Ok(_) if word & TIMED != 0 => {
                    let deadline = slot.deadline.load(Ordering::Relaxed);
                    #[cfg(tpc_loom)]
                    assert_ne!(deadline, NO_DEADLINE, "a deadline that is never kept");
                    return Some(Started { ticket, deadline });
                }
                Ok(_) => return Some(Started { ticket, deadline: NO_DEADLINE }),
                Err(now) => word = now,
            }
        }
    }

    /// Whether the asker is still there.
    pub(crate) fn is_wanted(&self, started: &Started) -> bool {
        self.slot(started.ticket).word.load(Ordering::Relaxed) & ABANDONED == 0
    }

    /// Stores the answer. Returns the asker that waits, to be woken by the caller, or the value when it has left.
    #[inline]
    #[expect(clippy::needless_pass_by_value, reason = "the duty ends with this call")]
    pub(crate) fn complete(&self, started: Started, value: V) -> Result<Option<Asker>, V> {
        let ticket = started.ticket;
        let slot = self.slot(ticket);
        // SAFETY: from STARTED to READY the value cell belongs to whoever holds `Started`.
        slot.value.with_mut(|cell| unsafe { *cell = Some(value) });
        let generation = ticket.generation();
        let mut word = slot.word.load(Ordering::Relaxed);
        // At the waker: it is `waker` now, or there is none.
        let (mut waker, mut locked) = (None, false);
        let before = loop {
            let next = if locked || word & (LOCK | UNHEARD) == UNHEARD {
                generation | READY
            } else if word & LOCK == 0 {
                // Take the waker first: after READY its cell may belong to the slot's next user.
                word | LOCK
            } else {
                // Somebody is at the waker and will see READY when it unlocks.
                generation | READY | LOCK | (word & ABANDONED)
            };
            match whole!(
                "slot.ready",
                slot.word.compare_exchange(word, next, Ordering::AcqRel, Ordering::Relaxed)
            ) {
                Ok(before) if next & READY != 0 => {
                    locked = next & LOCK == 0;
                    break before;
                }
                Ok(_) => {
                    // SAFETY: LOCK was free and is ours now.
                    waker = slot.waker.with_mut(|cell| unsafe { (*cell).take() });
                    locked = true;
                    word = next;
                }
                Err(now) => word = now,
            }
        };
        if before & ABANDONED == 0 {
            return Ok(waker.map(|waker| Asker { waker, answer: Line::of(slot) }));
        }
        if locked {
            // SAFETY: the asker left, and nobody is at its waker, so READY gave the value to nobody; it is still
            // the core's.
            let value = slot.value.with_mut(|cell| unsafe { (*cell).take() });
            Self::retire(slot, || self.put_aside(ticket.index()));
            drop_quietly(waker);
            return Err(value.expect("just stored"));
        }
        // The keeper is at the waker of an abandoned slot; its unlock frees slot and value.
        Ok(None)
    }
}
