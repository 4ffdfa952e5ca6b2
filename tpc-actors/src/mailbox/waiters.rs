//! Senders that wait for room in one lane, first come first served.
//!
//! Waiting is the cold path: a mutex keeps the list, and a flag keeps those who free places from
//! taking it for nothing. A waiter that is told of a place and then does not use it (because its future
//! is gone, or went on over another thread's lane) passes the news on, so no place is left unused while
//! somebody waits.

use std::collections::VecDeque;
use std::sync::PoisonError;
use std::task::Waker;

use crate::isolate::wake_quietly;
use crate::reply::slot::NO_DEADLINE;
use crate::sync::{AtomicBool, Mutex, MutexGuard, Ordering, fence, in_order, intact};

/// Waiters that are taken out of the line at a time.
const TOLD_TOGETHER_MAX: usize = if cfg!(tpc_loom) { 1 } else { 16 };

/// Names one waiting sender; earlier numbers came earlier.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct WaiterId(u64);

#[derive(Debug)]
struct Waiter {
    id: WaiterId,
    waker: Waker,
    deadline: u64,
}

#[derive(Debug, Default)]
struct Queue {
    /// Sorted by id: a waiter that comes back keeps its number and so its place.
    waiting: VecDeque<Waiter>,
    next_id: u64,
}

impl Queue {
    /// Who has not been told of a place, and has not left.
    fn find(&mut self, id: WaiterId) -> Option<&mut Waiter> {
        let at = self.waiting.partition_point(|waiter| waiter.id < id);
        self.waiting.get_mut(at).filter(|waiter| waiter.id == id)
    }
}

/// The senders that wait for room in one lane.
#[derive(Debug, Default)]
pub(crate) struct Waiters {
    queue: Mutex<Queue>,
    any: AtomicBool,
}

impl Waiters {
    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether anybody waits; senders that come later should queue behind them.
    #[inline]
    pub(crate) fn any(&self) -> bool {
        self.any.load(Ordering::Relaxed)
    }

    /// Lines up, as [`Self::join`], and looks once more: what was short may have been freed just before, when nobody could
    /// be told. Who is first in line is told of it then, whoever that is.
    pub(crate) fn line_up(
        &self,
        id: Option<WaiterId>,
        waker: Waker,
        deadline: u64,
        is_short: impl FnOnce() -> bool,
    ) -> WaiterId {
        let id = self.join(id, waker, deadline);
        if intact!("waiters.recheck") && !is_short() {
            self.freed(1);
        }
        id
    }

    /// Adds a waiter to the line, with the old number when coming back.
    fn join(&self, id: Option<WaiterId>, waker: Waker, deadline: u64) -> WaiterId {
        let mut queue = self.queue();
        let id = id.unwrap_or_else(|| {
            queue.next_id += 1;
            WaiterId(queue.next_id)
        });
        let at = queue.waiting.partition_point(|waiter| waiter.id < id);
        queue.waiting.insert(at, Waiter { id, waker, deadline });
        self.any.store(true, Ordering::Relaxed);
        drop(queue);
        if intact!("waiters.join-fence") {
            // Pairs with the fence in `freed`, or with what `freed_in_order` relies on: we see the freed place or
            // they see us.
            fence(Ordering::SeqCst);
        }
        id
    }

    /// Refreshes the waker of a sender that still waits; false when it has been told of a place.
    pub(crate) fn still_waiting(&self, id: WaiterId, waker: &Waker) -> bool {
        match self.queue().find(id) {
            // Nearly always, because who is polled has mostly been told.
            None => return false,
            Some(waiter) if waiter.waker.will_wake(waker) => return true,
            Some(_) => {}
        }
        // Cloned and dropped outside the lock: a waker is foreign code.
        let mut spare = waker.clone();
        let mut queue = self.queue();
        let waits = match queue.find(id) {
            Some(waiter) => {
                if intact!("waiters.refresh") {
                    std::mem::swap(&mut waiter.waker, &mut spare);
                }
                true
            }
            // Told meanwhile, and nobody tells twice.
            None => !intact!("waiters.told-meanwhile"),
        };
        drop(queue);
        waits
    }

    /// Gives a sender that still waits another deadline.
    pub(crate) fn limit(&self, id: WaiterId, deadline: u64) {
        if let Some(waiter) = self.queue().find(id) {
            waiter.deadline = deadline;
        }
    }

    /// Leaves the line; a place that this waiter was told of goes to the next one.
    pub(crate) fn leave(&self, id: WaiterId) {
        let mut queue = self.queue();
        let at = queue.waiting.partition_point(|waiter| waiter.id < id);
        let gone = if queue.waiting.get(at).is_some_and(|waiter| waiter.id == id) {
            queue.waiting.remove(at)
        } else {
            None
        };
        self.any.store(!queue.waiting.is_empty(), Ordering::Relaxed);
        drop(queue);
        if gone.is_none() && intact!("waiters.pass-on") {
            self.wake(1);
        }
    }

    /// Has `show` show the senders that so many places are free, and tells as many of those that wait.
    #[inline]
    pub(crate) fn free(&self, places: usize, show: impl FnOnce()) {
        in_order!("waiters.show-first", show(), self.freed(places));
    }

    /// Tells as many waiters as places were freed.
    #[inline]
    pub(crate) fn freed(&self, places: usize) {
        if intact!("waiters.freed-fence") {
            // Pairs with the fence in `join`.
            fence(Ordering::SeqCst);
        }
        if places > 0 && self.any() {
            self.wake(if intact!("waiters.as-many") { places } else { usize::MAX });
        }
    }

    /// The same without a fence, where the places themselves order it: everything happens on one thread, or
    /// what freed a place is a read-modify-write of a word that whoever lines up reads, modifies and writes as
    /// well before it believes that there is none.
    #[inline]
    pub(crate) fn freed_in_order(&self, places: usize) {
        if places > 0 && self.any() {
            self.wake(places);
        }
    }

    /// Tells everyone: the lane has closed, or everyone must look at something else.
    pub(crate) fn wake_all(&self) {
        let mut queue = self.queue();
        let told = std::mem::take(&mut queue.waiting);
        self.any.store(false, Ordering::Relaxed);
        drop(queue);
        for waiter in told {
            wake_quietly(waiter.waker);
        }
    }

    /// Tells the first `most`. Those behind the first few may be others by then, as if that many places had been freed
    /// a little later.
    #[cold]
    fn wake(&self, mut most: usize) {
        while most > 0 {
            // A few at a time, which needs no memory but this.
            let mut told = [const { None }; TOLD_TOGETHER_MAX];
            let mut queue = self.queue();
            let count = most.min(queue.waiting.len()).min(TOLD_TOGETHER_MAX);
            for (waker, waiter) in told.iter_mut().zip(queue.waiting.drain(..count)) {
                *waker = Some(waiter.waker);
            }
            let any = !queue.waiting.is_empty();
            self.any.store(any, Ordering::Relaxed);
            drop(queue);
            // Woken outside the lock: a waker is foreign code.
            told.into_iter().flatten().for_each(wake_quietly);
            most = if any && intact!("waiters.all-of-many") { most - count } else { 0 };
        }
    }

    /// Wakes the waiters whose deadline is not after `now`; returns the earliest one left.
    pub(crate) fn wake_expired(&self, now: u64) -> u64 {
        let mut expired = Vec::new();
        let mut earliest = NO_DEADLINE;
        for waiter in &mut self.queue().waiting {
            if waiter.deadline <= now {
                // Taken and not cloned, which would run foreign code under the lock: who is late leaves
                // when it is polled. Later looks find nothing to wake.
                expired.push(std::mem::replace(&mut waiter.waker, Waker::noop().clone()));
                waiter.deadline = NO_DEADLINE;
            } else {
                earliest = earliest.min(waiter.deadline);
            }
        }
        for waker in expired {
            wake_quietly(waker);
        }
        earliest
    }
}

#[cfg(all(test, tpc_loom))]
mod model;

#[cfg(all(test, not(tpc_loom)))]
mod tests {
    use super::*;
    use crate::counted::counted;

    #[test]
    fn exactly_as_many_are_told_as_places_were_freed_and_the_first_first() {
        let waiters = Waiters::default();
        let counted: Vec<_> = (0..5).map(|_| counted()).collect();
        for (_, waker) in &counted {
            waiters.join(None, waker.clone(), NO_DEADLINE);
        }
        waiters.freed(2);
        let told: Vec<_> =
            counted.iter().map(|(count, _)| count.0.load(Ordering::Relaxed)).collect();
        assert_eq!(told, [1, 1, 0, 0, 0]);
    }

    #[test]
    fn a_waiter_that_does_not_use_its_place_passes_it_on() {
        let waiters = Waiters::default();
        let (_, first) = counted();
        let (count, second) = counted();
        let id = waiters.join(None, first, NO_DEADLINE);
        waiters.join(None, second, NO_DEADLINE);
        waiters.freed(1);
        assert_eq!(count.0.load(Ordering::Relaxed), 0);
        waiters.leave(id);
        assert_eq!(count.0.load(Ordering::Relaxed), 1);
    }

    #[test]
    fn a_waiter_that_comes_back_keeps_its_place() {
        let waiters = Waiters::default();
        let (count, first) = counted();
        let (_, second) = counted();
        let id = waiters.join(None, first.clone(), NO_DEADLINE);
        waiters.join(None, second, NO_DEADLINE);
        waiters.freed(1);
        assert!(!waiters.still_waiting(id, &first));
        waiters.join(Some(id), first, NO_DEADLINE);
        waiters.freed(1);
        assert_eq!(count.0.load(Ordering::Relaxed), 2);
    }

    #[test]
    fn a_waiter_that_leaves_before_it_is_told_takes_no_place() {
        let waiters = Waiters::default();
        let (first_count, first) = counted();
        let (second_count, second) = counted();
        let id = waiters.join(None, first, NO_DEADLINE);
        waiters.join(None, second, NO_DEADLINE);
        waiters.leave(id);
        assert_eq!(second_count.0.load(Ordering::Relaxed), 0);
        waiters.freed(1);
        assert_eq!(first_count.0.load(Ordering::Relaxed), 0);
        assert_eq!(second_count.0.load(Ordering::Relaxed), 1);
        assert!(!waiters.any());
    }
}
