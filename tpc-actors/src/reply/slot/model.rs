//! Every interleaving of asker and core on one slot, and the checks without which it breaks.

mod keeper;
mod leaving;

use std::future::poll_fn;
use std::task::{Poll, Wake};

use loom::sync::atomic::AtomicUsize;
use loom::thread;

use super::*;
use crate::sync::Arc;
use crate::sync::mutants::{explore, mutant};

/// A value that reports its end.
#[derive(Debug)]
struct Value(u32, Arc<AtomicUsize>);

impl PartialEq for Value {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0
    }
}

impl Drop for Value {
    fn drop(&mut self) {
        self.1.fetch_add(1, Ordering::Relaxed);
    }
}

/// One slot: models that need two say so.
const MOST: u32 = 1;

/// What a sender does: looks for a slot, and takes it.
fn acquire<V>(
    slab: &Slab<V>,
    free: &mut FreeSlots,
    most: u32,
    mut waker: Option<Waker>,
    deadline: u64,
) -> Option<Ticket> {
    if slab.has_free(free, most) { slab.acquire(free, &mut waker, deadline) } else { None }
}

/// A slab whose slots are there before any other thread is.
fn slab(count: u32) -> (Arc<Slab<Value>>, FreeSlots, Arc<AtomicUsize>) {
    let (slab, mut free) = (Slab::new(), FreeSlots::default());
    assert!(slab.has_free(&mut free, count));
    (Arc::new(slab), free, Arc::new(AtomicUsize::new(0)))
}

/// The core's side: start, answer, wake.
fn answer(slab: &Slab<Value>, ticket: Ticket, number: u32, drops: &Arc<AtomicUsize>) -> bool {
    let Some(started) = slab.start(ticket) else { return false };
    match slab.complete(started, Value(number, Arc::clone(drops))) {
        Ok(Some(asker)) => asker.wake(),
        Ok(None) => {}
        Err(unwanted) => drop(unwanted),
    }
    true
}

/// The asker's side, with loom's own waker: an answer that wakes nobody is a deadlock.
fn await_answer(slab: &Slab<Value>, ticket: Ticket) -> u32 {
    loom::future::block_on(poll_fn(|context| {
        match slab.poll(ticket, Some(context.waker().clone())) {
            Polled::Ready(value) => Poll::Ready(value.0),
            Polled::Registered => Poll::Pending,
            Polled::Busy => {
                // A runtime would run other tasks in between; loom must be told to.
                thread::yield_now();
                Poll::Pending
            }
        }
    }))
}

/// The answer reaches an asker that registers its waker while the core is at work.
fn answered() {
    explore(3, || {
        let (slab, mut free, drops) = slab(1);
        let ticket = acquire(&slab, &mut free, MOST, None, NO_DEADLINE).unwrap();
        let (theirs, counted) = (Arc::clone(&slab), Arc::clone(&drops));
        let core = thread::spawn(move || answer(&theirs, ticket, 7, &counted));
        assert_eq!(await_answer(&slab, ticket), 7);
        assert!(core.join().unwrap());
        assert_eq!(drops.load(Ordering::Relaxed), 1);
        assert!(slab.has_free(&mut free, MOST));
    });
}

/// A deferred answer: the core puts the waker back in between.
fn deferred() {
    explore(2, || {
        let (slab, mut free, drops) = slab(1);
        let ticket = acquire(&slab, &mut free, MOST, None, NO_DEADLINE).unwrap();
        let (theirs, counted) = (Arc::clone(&slab), Arc::clone(&drops));
        let core = thread::spawn(move || {
            let started = theirs.start(ticket).unwrap();
            if let Ok(Some(asker)) = theirs.complete(started, Value(8, counted)) {
                asker.wake();
            }
        });
        assert_eq!(await_answer(&slab, ticket), 8);
        core.join().unwrap();
        assert_eq!(drops.load(Ordering::Relaxed), 1);
    });
}

/// A slot that was left is used again at once: the stale request must not touch its next use.
fn reused() {
    explore(2, || {
        let (slab, mut free, drops) = slab(1);
        let stale = acquire(&slab, &mut free, MOST, None, NO_DEADLINE).unwrap();
        let (theirs, counted) = (Arc::clone(&slab), Arc::clone(&drops));
        let core = thread::spawn(move || answer(&theirs, stale, 1, &counted));
        drop(slab.leave(stale));
        // The core may still hold the slot; then there is none to be had yet.
        let fresh = acquire(&slab, &mut free, MOST, None, NO_DEADLINE);
        core.join().unwrap();
        if let Some(ticket) = fresh {
            let polled = slab.poll(ticket, Some(futures_noop().clone()));
            assert!(!matches!(polled, Polled::Ready(_)), "an answer to somebody else's request");
            assert!(answer(&slab, ticket, 2, &drops), "the fresh request can still run");
            assert_eq!(await_answer(&slab, ticket), 2);
        }
    });
}

struct Noop;
impl Wake for Noop {
    fn wake(self: std::sync::Arc<Self>) {}
}

fn futures_noop() -> &'static Waker {
    static NOOP: OnceLock<Waker> = OnceLock::new();
    NOOP.get_or_init(|| Waker::from(std::sync::Arc::new(Noop)))
}

/// An asker that looks for its answer by itself, and one that leaves a waker.
fn either_asker(model: impl Fn(Option<Waker>) + Send + Sync + 'static) {
    let model = std::sync::Arc::new(model);
    for leaves_waker in [false, true] {
        let model = std::sync::Arc::clone(&model);
        explore(3, move || model(leaves_waker.then(|| futures_noop().clone())));
    }
}

/// A slot that its owner keeps is used again at once, while the core may still be at its last use.
fn kept_by_owner() {
    explore(3, || {
        let (slab, mut free, drops) = slab(1);
        for number in 0..2 {
            let ticket = acquire(&slab, &mut free, MOST, None, NO_DEADLINE).unwrap();
            let (theirs, counted) = (Arc::clone(&slab), Arc::clone(&drops));
            let core = thread::spawn(move || answer(&theirs, ticket, number, &counted));
            let answer = loop {
                match slab.take_answer(&mut free, ticket) {
                    Some(answer) => break answer,
                    None => thread::yield_now(),
                }
            };
            assert_eq!(answer.0, number);
            assert!(free.is_stocked(), "the slot is here, whatever the core does");
            if number > 0 {
                assert!(core.join().unwrap());
            }
        }
        assert!(!slab.has_free(&mut FreeSlots::default(), MOST), "and nowhere else");
    });
}

/// Two slots given back by two threads while the owner takes them.
fn returned() {
    explore(3, || {
        let (slab, mut free, _drops) = slab(2);
        let one = acquire(&slab, &mut free, 2, None, NO_DEADLINE).unwrap();
        let two = acquire(&slab, &mut free, 2, None, NO_DEADLINE).unwrap();
        let theirs = Arc::clone(&slab);
        let other = thread::spawn(move || {
            // Its waker is what the slot's next user must not collide with.
            assert_eq!(theirs.poll(one, Some(futures_noop().clone())), Polled::Registered);
            drop(theirs.leave(one));
        });
        drop(slab.leave(two));
        let early = (0..3).filter_map(|_| acquire(&slab, &mut free, 2, None, NO_DEADLINE));
        let mut indices: Vec<u32> = early.map(Ticket::index).collect();
        other.join().unwrap();
        while let Some(ticket) = acquire(&slab, &mut free, 2, None, NO_DEADLINE) {
            indices.push(ticket.index());
        }
        indices.sort_unstable();
        assert_eq!(indices, [0, 1], "each slot once");
    });
}

/// A core that is late, while the slot is used until its generation is about to come round: nobody who has it
/// by then sees the late answer, or has its own request started by the stale ticket.
fn late_over_all_generations() {
    explore(3, || {
        let (slab, mut free, drops) = slab(MOST);
        let stale = acquire(&slab, &mut free, MOST, None, NO_DEADLINE).unwrap();
        let (theirs, their_drops) = (Arc::clone(&slab), Arc::clone(&drops));
        let core = thread::spawn(move || answer(&theirs, stale, 0, &their_drops));
        drop(slab.leave(stale));
        for _ in 0..LAST_GENERATION {
            // None while the core holds the slot.
            let Some(fresh) = acquire(&slab, &mut free, MOST, None, NO_DEADLINE) else {
                continue;
            };
            assert!(matches!(slab.poll(fresh, Some(futures_noop().clone())), Polled::Registered));
            assert_eq!(slab.leave(fresh), Left::NeverStarted);
        }
        let answered = core.join().unwrap();
        assert_eq!(drops.load(Ordering::Relaxed), usize::from(answered), "dropped once, if made");
    });
}

#[test]
fn model_slot_answered() {
    answered();
}

#[test]
fn model_slot_deferred() {
    deferred();
}

#[test]
fn model_slot_reused() {
    reused();
}

#[test]
fn model_slot_kept_by_owner() {
    kept_by_owner();
}

#[test]
fn model_slot_returned() {
    returned();
}

#[test]
fn model_slot_late_over_all_generations() {
    late_over_all_generations();
}

mutant!(mutant_late_bump_generation: "slot.bump-generation" breaks late_over_all_generations);
mutant!(mutant_late_check_generation: "slot.check-generation" breaks late_over_all_generations);
mutant!(mutant_torn_start: "slot.start" breaks reused);
mutant!(mutant_torn_ready: "slot.ready" breaks answered);
mutant!(mutant_torn_unlock: "slot.unlock" breaks answered);
mutant!(mutant_torn_push: "slot.push" breaks returned);
mutant!(mutant_torn_take_returned: "slot.take-returned" breaks returned);
mutant!(mutant_see_ready: "slot.see-ready" breaks answered);
mutant!(mutant_ready: "slot.ready/relaxed" breaks answered);
mutant!(mutant_unlock: "slot.unlock/relaxed" breaks answered);
mutant!(mutant_hear: "slot.hear" breaks answered);
mutant!(mutant_recheck_after_register: "slot.recheck-after-register" breaks answered);
mutant!(mutant_check_generation: "slot.check-generation" breaks reused);
mutant!(mutant_bump_generation: "slot.bump-generation" breaks reused);
mutant!(mutant_see_ready_here: "slot.see-ready-here" breaks kept_by_owner);
mutant!(mutant_give_back: "slot.give-back" breaks returned);
mutant!(mutant_take_returned: "slot.take-returned/relaxed" breaks returned);
