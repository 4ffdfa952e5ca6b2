//! The deadline keeper at a slot, while asker and core are at it.

use std::pin::pin;
use std::task::Context;

use loom::sync::atomic::AtomicBool;

use super::*;

/// What is left when everybody is done with a slot.
struct Done<R> {
    slab: Arc<Slab<Value>>,
    free: FreeSlots,
    drops: Arc<AtomicUsize>,
    /// The handler has run.
    ran: bool,
    /// What the asker has to say.
    asker: R,
}

/// The keeper looks at a slot with a passed deadline while core and asker are at it.
fn beside_keeper<R>(
    waker: Option<Waker>,
    asker: impl FnOnce(&Slab<Value>, &mut FreeSlots, Ticket) -> R,
) -> Done<R> {
    let (slab, mut free, drops) = slab(1);
    let ticket = acquire(&slab, &mut free, MOST, waker, 5).unwrap();
    let (theirs, counted) = (Arc::clone(&slab), Arc::clone(&drops));
    let core = thread::spawn(move || answer(&theirs, ticket, 7, &counted));
    let keeper = Arc::clone(&slab);
    let keeper = thread::spawn(move || _ = keeper.wake_expired(9));
    let asker = asker(&slab, &mut free, ticket);
    let ran = core.join().unwrap();
    keeper.join().unwrap();
    Done { slab, free, drops, ran, asker }
}

/// Whether the next asker finds the slot.
fn use_again(slab: &Slab<Value>, free: &mut FreeSlots) -> bool {
    acquire(slab, free, MOST, None, NO_DEADLINE).is_some()
}

/// The asker waits for the answer.
fn kept() {
    explore(2, || {
        let mut done = beside_keeper(None, |slab, free, ticket| {
            assert_eq!(await_answer(slab, ticket), 7);
            // The next user may come before the keeper's thread is done with anything but this slot.
            use_again(slab, free)
        });
        assert_eq!(done.drops.load(Ordering::Relaxed), 1);
        assert!(done.asker || done.slab.has_free(&mut done.free, MOST), "the slot comes back");
    });
}

/// As [`kept`], with an asker that leaves.
fn kept_and_left() {
    explore(2, || {
        let noop = futures_noop().clone();
        let mut done = beside_keeper(Some(noop), |slab, _, ticket| drop(slab.leave(ticket)));
        assert_eq!(done.drops.load(Ordering::Relaxed), usize::from(done.ran));
        assert!(done.slab.has_free(&mut done.free, MOST), "the slot comes back");
        assert!(use_again(&done.slab, &mut done.free));
        assert!(!done.slab.has_free(&mut done.free, MOST), "and it comes back once");
    });
}

/// As [`kept`], with a deadline that moves: the asker is woken for the one or the answer.
fn limited_again() {
    explore(2, || {
        let noop = futures_noop().clone();
        let mut done = beside_keeper(Some(noop), |slab, _, ticket| {
            slab.limit(ticket, 20);
            assert_eq!(await_answer(slab, ticket), 7);
        });
        assert!(use_again(&done.slab, &mut done.free));
        assert!(!done.slab.has_free(&mut done.free, MOST), "it comes back once");
    });
}

/// As [`kept`], with the owner of the slots, who takes the answer to keep the slot.
fn kept_by_owner_and_keeper() {
    explore(2, || {
        let noop = futures_noop().clone();
        let mut done = beside_keeper(Some(noop), |slab, free, ticket| {
            while slab.take_answer(free, ticket).is_none() {
                thread::yield_now();
            }
            use_again(slab, free)
        });
        assert!(done.asker || done.slab.has_free(&mut done.free, MOST), "the slot comes back");
    });
}

/// The keeper wakes an asker whose request nobody will ever start.
fn expired() {
    explore(3, || {
        let (slab, mut free, _drops) = slab(1);
        let ticket = acquire(&slab, &mut free, MOST, None, 5).unwrap();
        let keeper = Arc::clone(&slab);
        let late = Arc::new(AtomicBool::new(false));
        let noticed = Arc::clone(&late);
        let keeper = thread::spawn(move || {
            noticed.store(true, Ordering::Release);
            while keeper.wake_expired(9).0 <= 9 {
                thread::yield_now();
            }
        });
        let mut waiting = pin!(poll_fn(|context: &mut Context<'_>| {
            match slab.poll(ticket, Some(context.waker().clone())) {
                Polled::Ready(_) => unreachable!("nobody answers"),
                _ if late.load(Ordering::Acquire) => Poll::Ready(()),
                _ => Poll::Pending,
            }
        }));
        loom::future::block_on(&mut waiting);
        drop(slab.leave(ticket));
        keeper.join().unwrap();
        assert!(slab.has_free(&mut free, MOST), "the slot comes back");
    });
}

/// A request gets a deadline while it is on its way: whoever sees that it has one knows when.
fn limited() {
    explore(3, || {
        let (slab, mut free, drops) = slab(1);
        let waker = Some(futures_noop().clone());
        let ticket = acquire(&slab, &mut free, MOST, waker, NO_DEADLINE).unwrap();
        let (theirs, counted) = (Arc::clone(&slab), Arc::clone(&drops));
        let core = thread::spawn(move || {
            let timed = theirs.slot(ticket).word.load(Ordering::Relaxed) & TIMED != 0;
            let started = theirs.start(ticket).unwrap();
            assert!(!timed || started.deadline == 5, "a deadline that is never kept");
            drop(theirs.complete(started, Value(7, counted)));
        });
        let keeper = Arc::clone(&slab);
        let keeper =
            thread::spawn(move || assert!([5, NO_DEADLINE].contains(&keeper.wake_expired(4).0)));
        slab.limit(ticket, 5);
        core.join().unwrap();
        keeper.join().unwrap();
        assert!(matches!(slab.take_answer(&mut free, ticket), Some(Value(7, _))));
        assert!(slab.has_free(&mut free, MOST), "the slot comes back");
    });
}

/// A slot is taken while the keeper looks: it sees no deadline, or the one of this use.
fn taken() {
    explore(3, || {
        let (slab, mut free, _drops) = slab(1);
        let last = acquire(&slab, &mut free, MOST, None, 3).unwrap();
        drop(slab.leave(last));
        let keeper = Arc::clone(&slab);
        let keeper =
            thread::spawn(move || assert!([5, NO_DEADLINE].contains(&keeper.wake_expired(1).0)));
        let ticket = acquire(&slab, &mut free, MOST, None, 5).unwrap();
        keeper.join().unwrap();
        drop(slab.leave(ticket));
    });
}

/// The same for one whose own deadline has passed as well: its waker is there before the keeper takes it.
fn taken_late() {
    explore(3, || {
        let (slab, mut free, _drops) = slab(1);
        let keeper = Arc::clone(&slab);
        let keeper = thread::spawn(move || _ = keeper.wake_expired(9));
        let waker = Some(futures_noop().clone());
        let ticket = acquire(&slab, &mut free, MOST, waker, 5).unwrap();
        drop(slab.leave(ticket));
        keeper.join().unwrap();
        assert!(slab.has_free(&mut free, MOST), "the slot comes back");
    });
}

/// An ask that is given more time leaves its waker once more, and not with every poll.
fn limited_and_registered_once() {
    explore(3, || {
        let (slab, mut free, drops) = slab(1);
        let waker = Some(futures_noop().clone());
        let ticket = acquire(&slab, &mut free, MOST, waker, 5).unwrap();
        let started = slab.start(ticket).unwrap();
        let keeper = Arc::clone(&slab);
        let keeper = thread::spawn(move || _ = keeper.wake_expired(9));
        slab.limit(ticket, 20);
        let (theirs, counted) = (Arc::clone(&slab), Arc::clone(&drops));
        let core = thread::spawn(move || {
            if let Ok(Some(asker)) = theirs.complete(started, Value(7, counted)) {
                asker.wake();
            }
        });
        let mut registered = false;
        let value = loom::future::block_on(poll_fn(|context| {
            let fresh = (!registered).then(|| context.waker().clone());
            match slab.poll(ticket, fresh) {
                Polled::Ready(value) => return Poll::Ready(value.0),
                Polled::Registered => registered = true,
                Polled::Busy => thread::yield_now(),
            }
            Poll::Pending
        }));
        assert_eq!(value, 7);
        core.join().unwrap();
        keeper.join().unwrap();
    });
}

/// Whether its answer was taken, or its asker left beside the keeper: nothing stands in for what nobody has left behind.
fn counted(asker: fn(&Slab<Value>, &mut FreeSlots, Ticket)) {
    explore(2, move || {
        let waker = Some(futures_noop().clone());
        let Done { slab, mut free, .. } = beside_keeper(waker, asker);
        let kept = acquire(&slab, &mut free, MOST, None, NO_DEADLINE).unwrap();
        let started = slab.start(kept).unwrap();
        drop(slab.leave(kept));
        assert!(slab.has_free(&mut free, MOST), "nothing stands in for the one that is kept");
        drop(started);
    });
}

fn counted_when_taken() {
    counted(|slab, free, ticket| {
        while slab.take_answer(free, ticket).is_none() {
            thread::yield_now();
        }
    });
}

fn counted_when_left() {
    counted(|slab, _, ticket| drop(slab.leave(ticket)));
}

#[test]
fn model_slot_taken_late() {
    taken_late();
}

#[test]
fn model_slot_limited_and_registered_once() {
    limited_and_registered_once();
}

#[test]
fn model_slot_counted_when_taken() {
    counted_when_taken();
}

#[test]
fn model_slot_counted_when_left() {
    counted_when_left();
}

#[test]
fn model_slot_taken() {
    taken();
}

#[test]
fn model_slot_limited_again() {
    limited_again();
}

#[test]
fn model_slot_kept_by_owner_and_keeper() {
    kept_by_owner_and_keeper();
}

#[test]
fn model_slot_limited() {
    limited();
}

#[test]
fn model_slot_kept() {
    kept();
}

#[test]
fn model_slot_kept_and_left() {
    kept_and_left();
}

#[test]
fn model_slot_expired() {
    expired();
}

mutant!(mutant_queue: "slot.queue" breaks taken);
mutant!(mutant_relaxed_leave: "slot.leave/relaxed" breaks taken_late);
mutant!(mutant_queue_late: "slot.queue" breaks taken_late);
mutant!(mutant_keeper_recheck: "slot.keeper-recheck" breaks limited_and_registered_once);
mutant!(mutant_taken: "slot.taken" breaks counted_when_taken);
mutant!(mutant_start_again: "slot.start-again" breaks limited);
mutant!(mutant_torn_keeper_lock: "slot.keeper-lock" breaks expired);
mutant!(mutant_relaxed_keeper_lock: "slot.keeper-lock/relaxed" breaks limited_and_registered_once);
mutant!(mutant_torn_keeper_free: "slot.keeper-free" breaks expired);
mutant!(mutant_relaxed_keeper_free: "slot.keeper-free/relaxed" breaks expired);
mutant!(mutant_torn_lock: "slot.lock" breaks expired);
mutant!(mutant_relaxed_lock: "slot.lock/relaxed" breaks expired);
mutant!(mutant_torn_limit: "slot.limit" breaks limited);
mutant!(mutant_torn_leave_locked: "slot.leave-locked" breaks kept);
mutant!(mutant_relaxed_leave_locked: "slot.leave-locked/relaxed" breaks kept);
mutant!(mutant_torn_count_aside: "slot.count-aside" breaks kept_and_left);
mutant!(mutant_keeper_unlock: "slot.keeper-unlock" breaks kept_and_left);
mutant!(mutant_retire: "slot.retire" breaks kept);
mutant!(mutant_limit: "slot.limit/relaxed" breaks limited);
