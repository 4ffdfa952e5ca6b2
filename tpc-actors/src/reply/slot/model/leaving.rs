//! An asker that leaves, before its request begins, while the handler is at it, and while the answer is kept for later.

use super::*;

/// The asker leaves at any moment: the slot comes back once, and a request that was left before it
/// began does not run.
fn left() {
    either_asker(|waker| {
        let (slab, mut free, drops) = slab(1);
        let ticket = acquire(&slab, &mut free, MOST, waker, NO_DEADLINE).unwrap();
        let (theirs, counted) = (Arc::clone(&slab), Arc::clone(&drops));
        let core = thread::spawn(move || answer(&theirs, ticket, 7, &counted));
        let left = slab.leave(ticket);
        let ran = core.join().unwrap();
        assert_eq!(matches!(left, Left::NeverStarted), !ran, "never ran, or it is a lie");
        drop(left);
        assert_eq!(drops.load(Ordering::Relaxed), usize::from(ran));
        assert!(slab.has_free(&mut free, MOST), "the slot comes back");
    });
}

/// The asker of a deferred answer leaves at any moment: its waker is gone before the answer comes, however long that
/// takes, and then the slot comes back.
fn left_to_wait() {
    explore(3, || {
        let (slab, mut free, drops) = slab(1);
        let wake = std::sync::Arc::new(Noop);
        let waker = Waker::from(std::sync::Arc::clone(&wake));
        let ticket = acquire(&slab, &mut free, MOST, Some(waker), NO_DEADLINE).unwrap();
        let theirs = Arc::clone(&slab);
        let core = thread::spawn(move || theirs.start(ticket));
        let left = slab.leave(ticket);
        let started = core.join().unwrap();
        assert_eq!(matches!(left, Left::Started), started.is_some());
        if let Some(started) = started {
            assert_eq!(std::sync::Arc::strong_count(&wake), 1, "it keeps the asker's task");
            assert!(!slab.is_wanted(&started));
            drop(slab.complete(started, Value(1, Arc::clone(&drops))));
            assert_eq!(drops.load(Ordering::Relaxed), 1);
        }
        assert!(slab.has_free(&mut free, MOST), "the slot comes back");
    });
}

/// The same while the answer comes.
fn left_while_answered() {
    either_asker(|waker| {
        let (slab, mut free, drops) = slab(1);
        let ticket = acquire(&slab, &mut free, MOST, waker, NO_DEADLINE).unwrap();
        let started = slab.start(ticket).unwrap();
        let (theirs, counted) = (Arc::clone(&slab), Arc::clone(&drops));
        let core = thread::spawn(move || drop(theirs.complete(started, Value(1, counted))));
        drop(slab.leave(ticket));
        core.join().unwrap();
        assert_eq!(drops.load(Ordering::Relaxed), 1);
        assert!(slab.has_free(&mut free, MOST), "the slot comes back");
        assert_eq!(slab.abandoned(), 0);
    });
}

/// The slot is used again as soon as it is there, by an asker that finds no other one.
fn left_and_used_again() {
    explore(3, || {
        let (slab, mut free, drops) = slab(1);
        let ticket = acquire(&slab, &mut free, MOST, None, NO_DEADLINE).unwrap();
        let started = slab.start(ticket).unwrap();
        drop(slab.leave(ticket));
        let (theirs, counted) = (Arc::clone(&slab), Arc::clone(&drops));
        let core = thread::spawn(move || drop(theirs.complete(started, Value(1, counted))));
        let waker = || Some(futures_noop().clone());
        let again = acquire(&slab, &mut free, MOST, waker(), NO_DEADLINE);
        core.join().unwrap();
        let again = again.unwrap();
        // Whichever of them it is, it is the only one: as many asks may be under way as before.
        assert!(!slab.has_free(&mut free, MOST));
        assert!(answer(&slab, again, 2, &drops));
        assert_eq!(await_answer(&slab, again), 2);
        assert!(slab.has_free(&mut free, MOST), "the slot comes back");
        // So does the other one, when it is needed.
        let kept = acquire(&slab, &mut free, MOST, None, NO_DEADLINE).unwrap();
        let started = slab.start(kept).unwrap();
        drop(slab.leave(kept));
        assert!(slab.has_free(&mut free, MOST), "one is lost");
        drop(started);
    });
}

/// The same while the keeper is at its waker.
fn left_beside_keeper() {
    explore(3, || {
        let (slab, mut free, drops) = slab(1);
        let waker = Some(futures_noop().clone());
        let ticket = acquire(&slab, &mut free, MOST, waker, 5).unwrap();
        let started = slab.start(ticket).unwrap();
        let theirs = Arc::clone(&slab);
        let keeper = thread::spawn(move || _ = theirs.wake_expired(9));
        drop(slab.leave(ticket));
        keeper.join().unwrap();
        drop(slab.complete(started, Value(1, Arc::clone(&drops))));
        assert_eq!(drops.load(Ordering::Relaxed), 1);
        assert!(slab.has_free(&mut free, MOST), "the slot comes back");
    });
}

/// The same on another thread than the one that has asked, which may find the answer at its first look.
fn left_elsewhere() {
    explore(3, || {
        let (slab, mut free, drops) = slab(1);
        let ticket = acquire(&slab, &mut free, MOST, None, NO_DEADLINE).unwrap();
        let started = slab.start(ticket).unwrap();
        let theirs = Arc::clone(&slab);
        let asker = thread::spawn(move || drop(theirs.leave(ticket)));
        drop(slab.complete(started, Value(1, Arc::clone(&drops))));
        asker.join().unwrap();
        assert_eq!(drops.load(Ordering::Relaxed), 1);
        assert!(slab.has_free(&mut free, MOST), "the slot comes back");
    });
}

/// Another owner takes the slots over, also those that were set aside, and may have as many as the one before.
fn left_and_handed_on() {
    explore(2, || {
        let (slab, mut free, drops) = slab(2);
        let kept = |free: &mut FreeSlots, most| {
            let ticket = acquire(&slab, free, most, None, NO_DEADLINE).unwrap();
            let started = slab.start(ticket).unwrap();
            drop(slab.leave(ticket));
            started
        };
        // One stands in for the other, until that is answered.
        let (first, second) = (kept(&mut free, MOST), kept(&mut free, MOST));
        for started in [first, second] {
            drop(slab.complete(started, Value(1, Arc::clone(&drops))));
        }
        assert!(slab.has_free(&mut free, MOST));
        slab.return_all(&mut free);
        let mut free = FreeSlots::default();
        let third = kept(&mut free, MOST);
        assert!(slab.has_free(&mut free, MOST), "it stands in for the one that is kept");
        drop(slab.complete(third, Value(1, Arc::clone(&drops))));
        assert_eq!(slab.abandoned(), 0);
    });
}

#[test]
fn model_slot_left() {
    left();
}

#[test]
fn model_slot_left_to_wait() {
    left_to_wait();
}

#[test]
fn model_slot_left_while_answered() {
    left_while_answered();
}

#[test]
fn model_slot_left_and_used_again() {
    left_and_used_again();
}

#[test]
fn model_slot_left_beside_keeper() {
    left_beside_keeper();
}

#[test]
fn model_slot_left_elsewhere() {
    left_elsewhere();
}

#[test]
fn model_slot_left_and_handed_on() {
    left_and_handed_on();
}

mutant!(mutant_torn_abandon: "slot.abandon" breaks left_while_answered);
mutant!(mutant_torn_abandoned: "slot.abandoned" breaks left_and_used_again);
mutant!(mutant_torn_take_aside: "slot.take-aside" breaks left_and_used_again);
mutant!(mutant_torn_leave: "slot.leave" breaks left);
mutant!(mutant_see_ready_leaving: "slot.see-ready-leaving" breaks left_elsewhere);
mutant!(mutant_put_aside: "slot.put-aside" breaks left_and_used_again);
mutant!(mutant_take_aside: "slot.take-aside/relaxed" breaks left_and_used_again);
