//! A sender that waits for a slot, and everybody who may free one: it is told, or finds the slot by itself.

use std::future::poll_fn;
use std::task::Poll;

use loom::thread;

use super::*;
use crate::reply::slot::NO_DEADLINE;
use crate::sync::Arc;
use crate::sync::mutants::{explore, mutant};

/// The only slot is in use.
const MOST: u32 = 1;

type Model = Arc<Credit<&'static str>>;

/// An ask that takes the only slot.
fn asked(deadline: u64) -> (Model, FreeSlots, Ticket) {
    let (credit, mut free) = (Arc::new(Credit::new()), FreeSlots::default());
    assert!(credit.has_free(&mut free, MOST));
    let ticket = credit.acquire(&mut free, &mut None, deadline).unwrap();
    (credit, free, ticket)
}

/// Lines up for the slot, and sleeps until it is told; a wake that is lost is a deadlock.
fn wait_for_slot(credit: &Credit<&'static str>, free: &mut FreeSlots) {
    let mut line = None;
    loom::future::block_on(poll_fn(|context| {
        if line.is_some_and(|id| credit.waiters.still_waiting(id, context.waker())) {
            return Poll::Pending;
        }
        if credit.has_free(free, MOST) {
            return Poll::Ready(());
        }
        let waker = context.waker().clone();
        let is_short = || !credit.has_free(free, MOST);
        line = Some(credit.waiters.line_up(line, waker, NO_DEADLINE, is_short));
        Poll::Pending
    }));
}

/// Somebody else has the only ask while its owner wants another one.
fn freed_by(other: fn(&Credit<&'static str>, Ticket)) {
    explore(3, move || {
        let (credit, mut free, ticket) = asked(NO_DEADLINE);
        let theirs = Arc::clone(&credit);
        let other = thread::spawn(move || other(&theirs, ticket));
        wait_for_slot(&credit, &mut free);
        other.join().unwrap();
    });
}

/// The asker leaves before its request begins.
fn left() {
    freed_by(|credit, ticket| assert_eq!(credit.leave(ticket), Left::NeverStarted));
}

/// The asker finds its answer on another thread.
fn answered_elsewhere() {
    freed_by(|credit, ticket| {
        let started = credit.start(ticket).unwrap();
        assert!(credit.complete(started, "here").is_none());
        assert_eq!(credit.poll(ticket, None), Polled::Ready("here"));
    });
}

/// The asker leaves a request that its handler keeps: another slot stands in for that one.
fn left_to_its_handler() {
    freed_by(|credit, ticket| {
        let started = credit.start(ticket).unwrap();
        assert_eq!(credit.leave(ticket), Left::Started);
        drop(started);
    });
}

/// An answer comes that nobody wants any more, while the slot that stands in for its own is in use as well.
fn answered_in_vain() {
    explore(3, || {
        let (credit, mut free, ticket) = asked(NO_DEADLINE);
        let started = credit.start(ticket).unwrap();
        assert_eq!(credit.leave(ticket), Left::Started);
        wait_for_slot(&credit, &mut free);
        let second = credit.acquire(&mut free, &mut None, NO_DEADLINE).unwrap();
        let theirs = Arc::clone(&credit);
        let core = thread::spawn(move || {
            assert!(theirs.complete(started, "late").is_none());
            assert_eq!(theirs.leave(second), Left::NeverStarted);
        });
        wait_for_slot(&credit, &mut free);
        core.join().unwrap();
    });
}

/// The keeper is at the waker while the asker leaves, and frees the slot in its place.
fn freed_by_keeper() {
    explore(3, || {
        let (credit, mut free, ticket) = asked(5);
        let theirs = Arc::clone(&credit);
        let keeper = thread::spawn(move || _ = theirs.wake_expired(9));
        assert_eq!(credit.leave(ticket), Left::NeverStarted);
        wait_for_slot(&credit, &mut free);
        keeper.join().unwrap();
    });
}

/// The core is given up, and the asker leaves meanwhile.
fn refused() {
    freed_by(|credit, ticket| {
        assert_eq!(credit.refuse_queued(|| "gone"), 1);
        assert_eq!(credit.leave(ticket), Left::Answered("gone"));
    });
}

#[test]
fn model_credit_left() {
    left();
}

#[test]
fn model_credit_left_to_its_handler() {
    left_to_its_handler();
}

#[test]
fn model_credit_answered_elsewhere() {
    answered_elsewhere();
}

#[test]
fn model_credit_answered_in_vain() {
    answered_in_vain();
}

#[test]
fn model_credit_freed_by_keeper() {
    freed_by_keeper();
}

#[test]
fn model_credit_refused() {
    refused();
}

mutant!(mutant_leave: "credit.leave" breaks left);
mutant!(mutant_tell_of_leaving: "credit.tell" breaks left);
mutant!(mutant_tell_of_answer: "credit.tell" breaks answered_elsewhere);
mutant!(mutant_tell_of_expired: "credit.tell" breaks freed_by_keeper);
mutant!(mutant_abandon: "slot.abandon/relaxed" breaks left_to_its_handler);
mutant!(mutant_see_who_lined_up: "slot.see-who-lined-up" breaks left);
mutant!(mutant_lined_up_join_fence: "waiters.join-fence" breaks left);
