//! Every interleaving of a look with what it looks for.

use std::future::poll_fn;
use std::task::Poll;

use loom::thread;

use super::*;
use crate::sync::mutants::{explore, mutant};
use crate::sync::{Arc, AtomicUsize};

/// A task that waits for nothing else is woken, and sees what came before.
fn awaited() {
    explore(3, || {
        let (cancelled, reason) = (Arc::new(Cancelled::default()), Arc::new(AtomicUsize::new(0)));
        let (theirs, their_reason) = (Arc::clone(&cancelled), Arc::clone(&reason));
        let canceller = thread::spawn(move || {
            their_reason.store(7, Ordering::Relaxed);
            theirs.set();
        });
        // A wake that is lost is a deadlock.
        loom::future::block_on(poll_fn(|context| {
            if cancelled.look(context.waker()) { Poll::Ready(()) } else { Poll::Pending }
        }));
        assert_eq!(reason.load(Ordering::Relaxed), 7);
        canceller.join().unwrap();
    });
}

#[test]
fn model_cancelled_awaited() {
    awaited();
}

mutant!(mutant_set: "cancelled.set" breaks awaited);
mutant!(mutant_look: "cancelled.look" breaks awaited);
mutant!(mutant_set_first: "cancelled.set-first" breaks awaited);
mutant!(mutant_leave_waker_first: "cancelled.leave-waker-first" breaks awaited);
