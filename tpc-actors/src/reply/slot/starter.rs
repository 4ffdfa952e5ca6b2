//! A slot in the hands of the core: begun, completed.

#![allow(unsafe_code, reason = "value and waker cells are handed over by the state word")]

use super::{
    ABANDONED, Asker, GENERATION, LOCK, NO_DEADLINE, QUEUED, READY, STARTED, Slab, Started, TIMED,
    Ticket, UNHEARD,
};
use crate::bridge::ring::Line;
use crate::isolate::drop_quietly;
use crate::sync::{Ordering, intact, whole};

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
            // The waker stays in place when the keeper may need it, or when somebody is at it.
            let locked = word & (LOCK | TIMED | UNHEARD) == 0;
            let begun = (word & !QUEUED) | STARTED | if locked { LOCK } else { 0 };
            match whole!(
                "slot.start",
                slot.word.compare_exchange(word, begun, Ordering::AcqRel, Ordering::Acquire)
            ) {
                Ok(_) => {
                    let timed = word & TIMED != 0;
                    let deadline =
                        if timed { slot.deadline.load(Ordering::Relaxed) } else { NO_DEADLINE };
                    let mut started = Started { ticket, waker: None, locked, deadline };
                    if locked {
                        // SAFETY: LOCK was free and is ours now.
                        started.waker = slot.waker.with_mut(|cell| unsafe { (*cell).take() });
                    }
                    return Some(started);
                }
                Err(now) => word = now,
            }
        }
    }

    /// Puts the waker back because the answer will come later.
    pub(crate) fn unlock_started(&self, started: &mut Started) {
        if !started.locked {
            return;
        }
        let slot = self.slot(started.ticket);
        let waker = started.waker.take();
        // SAFETY: LOCK is ours since `start`.
        slot.waker.with_mut(|cell| unsafe { *cell = waker });
        started.locked = false;
        // Acquired: what the asker wrote before it left comes before the store below, and so before the slot's next use.
        let mut word = slot.word.load(Ordering::Acquire);
        let unwanted = loop {
            // Whoever has left does not come for the waker, and the answer may take as long as it likes.
            if word & ABANDONED != 0 && intact!("slot.waker-of-who-left") {
                // SAFETY: LOCK is still ours.
                let waker = slot.waker.with_mut(|cell| unsafe { (*cell).take() });
                // Nobody else writes to the word of a slot that is locked and left.
                slot.word.store(word & !LOCK, Ordering::Release);
                break waker;
            }
            let unlocked = word & !LOCK;
            match whole!(
                "slot.unlock-started",
                slot.word.compare_exchange(word, unlocked, Ordering::AcqRel, Ordering::Acquire)
            ) {
                Ok(_) => break None,
                Err(now) => word = now,
            }
        };
        drop_quietly(unwanted);
    }

    /// Whether the asker is still there.
    pub(crate) fn is_wanted(&self, started: &Started) -> bool {
        self.slot(started.ticket).word.load(Ordering::Relaxed) & ABANDONED == 0
    }

    /// Stores the answer. Returns the asker that waits, to be woken by the caller, or the value when it has left.
    #[inline]
    pub(crate) fn complete(&self, started: Started, value: V) -> Result<Option<Asker>, V> {
        let Started { ticket, mut waker, locked, .. } = started;
        let slot = self.slot(ticket);
        // SAFETY: from STARTED to READY the value cell belongs to whoever holds `Started`.
        slot.value.with_mut(|cell| unsafe { *cell = Some(value) });
        let generation = ticket.generation();
        let mut word = slot.word.load(Ordering::Relaxed);
        let mut locked = locked;
        let before = loop {
            let next = if locked || word & (LOCK | UNHEARD) == UNHEARD {
                // The waker is here, or there is none.
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
