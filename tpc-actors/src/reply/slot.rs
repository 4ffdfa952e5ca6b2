//! Reply slots: the memory that an answer needs, paid for before the request is sent.
//!
//! A slab of slots belongs to one lane. The asker takes a slot, sends its index and generation with
//! the request, and finds the answer in it. One word decides every race by a single compare-and-swap:
//!
//! ```text
//!            send                start                     complete
//!   FREE ──────────▶ QUEUED ──────────────▶ STARTED ─────────────────▶ READY ──▶ taken, FREE
//!                      │ asker leaves          │ asker leaves: ABANDONED
//!                      ▼                       ▼
//!            next generation, FREE:       the answer is dropped by
//!            the handler never runs       the core, then FREE
//! ```
//!
//! * Generation: a request that outlived its asker finds a newer generation and is skipped. A stale
//!   ticket waits in a ring behind at most `capacity` newer ones, so 32 bits cannot come round.
//! * From STARTED to READY the value belongs to the core, from READY on to the asker.
//! * LOCK guards the waker. `start` takes waker and LOCK with the same compare-and-swap that starts the
//!   request, so that completing costs one more read-modify-write and no other. A deferred reply puts
//!   the waker back, because its asker may be polled many times before the answer comes; so does a
//!   request with a deadline, whose asker must be woken in time even while the handler is stuck.

#![allow(unsafe_code, reason = "value and waker cells are handed over by the state word")]

use std::sync::OnceLock;
use std::task::Waker;

use crossbeam_utils::CachePadded;

use crate::isolate::{drop_quietly, wake_quietly};
use crate::sync::{AtomicU32, AtomicU64, Ordering, UnsafeCell, intact, weaken};

/// The request waits in a ring.
const QUEUED: u64 = 1;
/// The core has begun; it owns the value cell and will complete or free the slot.
const STARTED: u64 = 1 << 1;
/// Somebody reads or writes the waker cell.
const LOCK: u64 = 1 << 2;
/// The answer is in the value cell, which belongs to the asker now.
const READY: u64 = 1 << 3;
/// The asker left after the start; whoever completes frees the slot.
const ABANDONED: u64 = 1 << 4;
/// The asker must be wakeable by the deadline keeper at any time.
const TIMED: u64 = 1 << 5;
const GENERATION: u32 = 32;

/// The deadline word of a slot without a deadline.
pub(crate) const NO_DEADLINE: u64 = u64::MAX;

/// Names one request: where its answer goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Ticket {
    pub(crate) index: u32,
    generation: u32,
}

struct Slot<V> {
    word: AtomicU64,
    /// Link of the free list while free: index + 1, or 0 for the end.
    next: AtomicU32,
    /// Nanoseconds since the clock's epoch, or [`NO_DEADLINE`].
    deadline: AtomicU64,
    waker: UnsafeCell<Option<Waker>>,
    value: UnsafeCell<Option<V>>,
}

/// What `start` gives the core: the right and the duty to complete the slot.
#[derive(Debug)]
pub(crate) struct Started {
    ticket: Ticket,
    /// The asker's waker, when LOCK was taken along with it.
    waker: Option<Waker>,
    locked: bool,
}

/// What an asker finds.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Polled<V> {
    /// The answer; the slot is free again.
    Ready(V),
    /// Nothing yet; the waker is in place.
    Registered,
    /// Nothing yet, and the waker's cell was locked: the task has been woken to come back at once.
    Busy,
}

/// What an asker leaves behind.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Left<V> {
    /// The handler will never run.
    NeverStarted,
    /// The handler runs or has run; its answer will be dropped.
    Started,
    /// The answer was there already.
    Answered(V),
}

/// The owner's private part of a slab's free list.
#[derive(Debug, Default)]
pub(crate) struct FreeSlots {
    /// Index + 1, or 0 when empty.
    head: u32,
}

/// The reply slots of one lane.
///
/// Grows by whole chunks, each as large as all before it together, and never moves a slot: a lane that
/// is used little costs little, and a slot can be reached without a lock.
pub(crate) struct Slab<V> {
    chunks: [OnceLock<Box<[Slot<V>]>>; CHUNKS],
    /// Slots in all chunks; written by the owner of the free list only.
    count: AtomicU32,
    /// Slots that came back: pushed by anyone, taken as a whole by the owner. Index + 1, or 0.
    returned: CachePadded<AtomicU32>,
}

// SAFETY: the cells of a slot are touched only by whom its word names (module docs), and values and
// wakers travel between threads, hence `V: Send`; no `&V` is ever shared.
unsafe impl<V: Send> Send for Slab<V> {}
// SAFETY: as above.
unsafe impl<V: Send> Sync for Slab<V> {}

/// Slots of the first chunk.
const FIRST: u32 = if cfg!(tpc_loom) { 1 } else { 8 };
const CHUNKS: usize = 24;

/// The chunk of a slot, and its place there.
fn place(index: u32) -> (usize, usize) {
    let from_first = index + FIRST;
    let chunk = from_first.ilog2() - FIRST.ilog2();
    (chunk as usize, (from_first - (FIRST << chunk)) as usize)
}

impl<V> Slab<V> {
    /// A slab without slots; it grows when it is asked for some.
    pub(crate) fn new() -> Self {
        Self {
            chunks: [const { OnceLock::new() }; CHUNKS],
            count: AtomicU32::new(0),
            returned: CachePadded::new(AtomicU32::new(0)),
        }
    }

    fn slot_at(&self, index: u32) -> &Slot<V> {
        let (chunk, place) = place(index);
        &self.chunks[chunk].get().expect("a slot in use is in its chunk")[place]
    }

    fn slot(&self, ticket: Ticket) -> &Slot<V> {
        self.slot_at(ticket.index)
    }

    /// Adds a chunk, unless there are `most` slots or more already.
    #[cold]
    fn grow(&self, free: &mut FreeSlots, most: u32) {
        let count = self.count.load(Ordering::Relaxed);
        let (chunk, _) = place(count);
        if count >= most || chunk >= CHUNKS {
            return;
        }
        let more = FIRST << chunk;
        let slots = (count..count + more).map(|index| Slot {
            word: AtomicU64::new(0),
            // Linked in order; the last one ends the list.
            next: AtomicU32::new(if index + 1 == count + more { 0 } else { index + 2 }),
            deadline: AtomicU64::new(NO_DEADLINE),
            waker: UnsafeCell::new(None),
            value: UnsafeCell::new(None),
        });
        self.chunks[chunk].get_or_init(|| slots.collect());
        self.count.store(count + more, Ordering::Relaxed);
        free.head = count + 1;
    }

    // ---- the asker -----------------------------------------------------------------------------

    /// Whether a slot could be acquired now; `most` is where the slab stops growing.
    pub(crate) fn has_free(&self, free: &mut FreeSlots, most: u32) -> bool {
        if free.head == 0 {
            // Taking everything at once leaves no room for an ABA; pairs with the `Release` in
            // `give_back`.
            free.head = self.returned.swap(0, weaken!("slot.take-returned", Ordering::Acquire));
        }
        if free.head == 0 {
            self.grow(free, most);
        }
        free.head != 0
    }

    /// Takes a free slot and prepares it; the ring's publish makes it visible to the core.
    pub(crate) fn acquire(
        &self,
        free: &mut FreeSlots,
        most: u32,
        waker: Option<Waker>,
        deadline: u64,
    ) -> Option<(Ticket, Option<Waker>)> {
        if !self.has_free(free, most) {
            return None;
        }
        let index = free.head - 1;
        let slot = self.slot_at(index);
        free.head = slot.next.load(Ordering::Relaxed);
        // SAFETY: a slot on the free list is nobody else's: the last user gave it up before the
        // `Release` that returned it, and the list's owner has acquired it.
        let old = slot.waker.with_mut(|cell| unsafe { std::mem::replace(&mut *cell, waker) });
        slot.deadline.store(deadline, Ordering::Relaxed);
        let timed = if deadline == NO_DEADLINE { 0 } else { TIMED };
        let generation = slot.word.load(Ordering::Relaxed) >> GENERATION;
        slot.word.store(generation << GENERATION | QUEUED | timed, Ordering::Release);
        let generation = u32::try_from(generation).unwrap_or(0);
        // The caller drops the old waker: its `Drop` is foreign code and may come back to this lane.
        Some((Ticket { index, generation }, old))
    }

    /// Gives back a slot whose request was never published.
    pub(crate) fn cancel_unsent(&self, ticket: Ticket) {
        // Like any other leaving: a core that is given up may be having its queued requests refused.
        drop_quietly(self.leave(ticket));
    }

    /// Looks for the answer; otherwise leaves `waker` to be woken.
    ///
    /// `registered` says that the slot holds an equal waker already.
    pub(crate) fn poll(&self, ticket: Ticket, waker: &Waker, registered: bool) -> Polled<V> {
        let slot = self.slot(ticket);
        let mut word = slot.word.load(weaken!("slot.see-ready", Ordering::Acquire));
        let mut fresh = None;
        loop {
            if word & READY != 0 {
                return Polled::Ready(self.take(ticket));
            }
            if registered {
                return Polled::Registered;
            }
            if word & LOCK != 0 {
                // The core or the keeper holds the waker for a moment; come back at once.
                waker.wake_by_ref();
                return Polled::Busy;
            }
            // Cloned before the lock is taken: a waker is foreign code.
            fresh.get_or_insert_with(|| waker.clone());
            let locked = word | LOCK;
            match slot.word.compare_exchange(word, locked, Ordering::AcqRel, Ordering::Acquire) {
                Ok(_) => break,
                Err(now) => word = now,
            }
        }
        // SAFETY: LOCK was free and is ours now; nobody else touches the waker cell until it is freed.
        let old = slot.waker.with_mut(|cell| unsafe { std::mem::replace(&mut *cell, fresh) });
        let before = slot.word.fetch_and(!LOCK, weaken!("slot.unlock", Ordering::AcqRel));
        drop(old);
        if before & READY != 0 && intact!("slot.recheck-after-register") {
            // The answer came while the waker was locked, so the core could not wake us.
            return Polled::Ready(self.take(ticket));
        }
        Polled::Registered
    }

    /// Takes the value of a READY slot and ends its use.
    fn take(&self, ticket: Ticket) -> V {
        // SAFETY: READY was acquired, which hands the value cell to the asker, who is the caller.
        let value = self.slot(ticket).value.with_mut(|cell| unsafe { (*cell).take() });
        self.retire(ticket);
        value.expect("a READY slot holds a value")
    }

    /// The asker goes away without the answer.
    pub(crate) fn leave(&self, ticket: Ticket) -> Left<V> {
        let slot = self.slot(ticket);
        let mut word = slot.word.load(Ordering::Acquire);
        loop {
            if word & READY != 0 {
                return Left::Answered(self.take(ticket));
            }
            // Not begun and nobody at the waker: the slot is ours to free and the request is void.
            // Otherwise the core (begun) or the keeper (at the waker) frees it for us.
            let ours = word & (STARTED | LOCK) == 0;
            let next = if ours { Self::next_generation(word) } else { word | ABANDONED };
            match slot.word.compare_exchange(word, next, Ordering::AcqRel, Ordering::Acquire) {
                Ok(_) => {
                    if ours {
                        self.give_back(ticket.index);
                    }
                    return if word & STARTED == 0 { Left::NeverStarted } else { Left::Started };
                }
                Err(now) => word = now,
            }
        }
    }

    // ---- the core ------------------------------------------------------------------------------

    /// Begins the request, or says that its asker has left and it must not run.
    pub(crate) fn start(&self, ticket: Ticket) -> Option<Started> {
        let slot = self.slot(ticket);
        let generation = u64::from(ticket.generation);
        let mut word = slot.word.load(Ordering::Acquire);
        loop {
            if intact!("slot.check-generation") && word >> GENERATION != generation {
                return None;
            }
            if word & QUEUED == 0 || word & ABANDONED != 0 {
                return None;
            }
            // The waker stays in place when the keeper may need it, or when somebody is at it.
            let locked = word & (LOCK | TIMED) == 0;
            let begun = (word & !QUEUED) | STARTED | if locked { LOCK } else { 0 };
            match slot.word.compare_exchange(word, begun, Ordering::AcqRel, Ordering::Acquire) {
                Ok(_) => {
                    let mut started = Started { ticket, waker: None, locked };
                    if locked {
                        // SAFETY: LOCK was free and is ours now.
                        started.waker = slot.waker.with_mut(|cell| unsafe { (*cell).take() });
                        if started.waker.is_none() {
                            // Nobody has registered yet; an asker that comes must not find a lock.
                            self.unlock_started(&mut started);
                        }
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
        slot.word.fetch_and(!LOCK, Ordering::AcqRel);
    }

    /// Stores the answer. Returns the waker of an asker that waits, to be woken by the caller, or the
    /// value when the asker has left.
    pub(crate) fn complete(&self, started: Started, value: V) -> Result<Option<Waker>, V> {
        let Started { ticket, mut waker, locked } = started;
        let slot = self.slot(ticket);
        // SAFETY: from STARTED to READY the value cell belongs to whoever holds `Started`.
        slot.value.with_mut(|cell| unsafe { *cell = Some(value) });
        let generation = u64::from(ticket.generation) << GENERATION;
        let mut word = slot.word.load(Ordering::Relaxed);
        let mut locked = locked;
        let before = loop {
            let next = if locked {
                generation | READY
            } else if word & LOCK == 0 {
                // Take the waker first: after READY its cell may belong to the slot's next user.
                word | LOCK
            } else {
                // Somebody is at the waker and will see READY when it unlocks.
                generation | READY | LOCK | (word & ABANDONED)
            };
            let order = weaken!("slot.ready", Ordering::AcqRel);
            match slot.word.compare_exchange(word, next, order, Ordering::Relaxed) {
                Ok(before) if next & READY != 0 => break before,
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
            return Ok(waker);
        }
        if locked {
            // SAFETY: the asker left, so READY gave the value to nobody; it is still the core's.
            let value = slot.value.with_mut(|cell| unsafe { (*cell).take() });
            self.retire(ticket);
            drop_quietly(waker);
            return Err(value.expect("just stored"));
        }
        // The keeper is at the waker of an abandoned slot; its unlock frees slot and value.
        Ok(None)
    }

    // ---- the deadline keeper -------------------------------------------------------------------

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
            let locked =
                slot.word.compare_exchange(word, word | LOCK, Ordering::AcqRel, Ordering::Acquire);
            match locked {
                Ok(_) => freed += usize::from(self.wake_locked(slot, index)),
                Err(_) => earliest = earliest.min(deadline),
            }
        }
        (earliest, freed)
    }

    /// Wakes the asker of a slot that the caller has locked; true when that freed the slot.
    fn wake_locked(&self, slot: &Slot<V>, index: u32) -> bool {
        // Taken and not cloned, which would run foreign code under the lock: the asker is late, and leaves
        // when it is polled.
        // SAFETY: LOCK is ours (set by the caller).
        let waker = slot.waker.with_mut(|cell| unsafe { (*cell).take() });
        let mut unwanted = None;
        // Acquire: with READY, the value that this may have to drop was written by the core.
        let mut word = slot.word.load(weaken!("slot.keeper-unlock", Ordering::Acquire));
        let freed = loop {
            // Left by its asker, and not in the hands of a handler: nobody else will free it.
            let frees = word & ABANDONED != 0 && word & STARTED == 0;
            if frees {
                // SAFETY: abandoned, and never started or already completed: the value cell has no
                // other owner, and LOCK keeps the slot from being freed by anyone else.
                unwanted = slot.value.with_mut(|cell| unsafe { (*cell).take() });
            }
            let next = if frees { Self::next_generation(word) } else { word & !LOCK };
            match slot.word.compare_exchange(word, next, Ordering::AcqRel, Ordering::Acquire) {
                Ok(_) => break frees,
                Err(now) => word = now,
            }
        };
        if freed {
            self.give_back(index);
        }
        // Foreign code from here on, and nothing of ours depends on its return.
        drop_quietly(unwanted);
        if let Some(waker) = waker {
            wake_quietly(waker);
        }
        freed
    }

    /// Calls `each` with every request that waits to be started; approximate under traffic.
    pub(crate) fn each_queued(&self, mut each: impl FnMut(Ticket)) {
        let slots = self.chunks.iter().map_while(OnceLock::get).flat_map(|chunk| chunk.iter());
        for (slot, index) in slots.zip(0u32..) {
            let word = slot.word.load(Ordering::Acquire);
            if word & (QUEUED | ABANDONED) == QUEUED {
                each(Ticket { index, generation: u32::try_from(word >> GENERATION).unwrap_or(0) });
            }
        }
    }

    // ---- the free list -------------------------------------------------------------------------

    fn next_generation(word: u64) -> u64 {
        if !intact!("slot.bump-generation") {
            return word >> GENERATION << GENERATION;
        }
        // Wrapping on purpose, see the module docs.
        (word >> GENERATION).wrapping_add(1) << GENERATION
    }

    /// Ends this use of the slot: newer generation, then onto the returned list.
    fn retire(&self, ticket: Ticket) {
        let slot = self.slot(ticket);
        let mut word = slot.word.load(Ordering::Relaxed);
        loop {
            // With the keeper at the waker, the cell is not free for the next user yet.
            let busy = word & LOCK != 0;
            let next = if busy { word | ABANDONED } else { Self::next_generation(word) };
            match slot.word.compare_exchange(word, next, Ordering::AcqRel, Ordering::Relaxed) {
                Ok(_) if busy => return,
                Ok(_) => return self.give_back(ticket.index),
                Err(now) => word = now,
            }
        }
    }

    fn give_back(&self, index: u32) {
        let slot = self.slot_at(index);
        let mut head = self.returned.load(Ordering::Relaxed);
        loop {
            slot.next.store(head, Ordering::Relaxed);
            // Pairs with the `Acquire` in `has_free`: the next owner sees the slot as we left it.
            match self.returned.compare_exchange_weak(
                head,
                index + 1,
                weaken!("slot.give-back", Ordering::Release),
                Ordering::Relaxed,
            ) {
                Ok(_) => return,
                Err(now) => head = now,
            }
        }
    }

    /// Returns the owner's private list, so that another owner can have it.
    pub(crate) fn return_all(&self, free: &mut FreeSlots) {
        while free.head != 0 {
            let index = free.head - 1;
            free.head = self.slot_at(index).next.load(Ordering::Relaxed);
            self.give_back(index);
        }
    }
}

#[cfg(all(test, tpc_loom))]
mod model;
