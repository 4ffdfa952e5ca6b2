//! The watcher never sleeps while somebody is at work.

use loom::thread;

use super::*;
use crate::sync::mutants::{explore, mutant};
use crate::sync::{Arc, AtomicU32};

/// One goes to work while the watcher lies down, and works until the watcher has seen it.
fn nobody_works_unwatched() {
    explore(3, || {
        let nap = Arc::new(Nap::default());
        let word = Arc::new(AtomicU32::new(0));
        let watched = {
            let (nap, word) = (Arc::clone(&nap), Arc::clone(&word));
            thread::spawn(move || nap.goes_to_work(|| word.store(1, Ordering::Relaxed)))
        };
        // A sleep that nobody ends is a deadlock.
        while nap.lie_down(|| word.load(Ordering::Relaxed) == 0) {
            nap.sleep();
        }
        watched.join().unwrap();
    });
}

/// It is over while the watcher lies down.
fn over_while_lying_down() {
    explore(3, || {
        let nap = Arc::new(Nap::default());
        let other = Arc::clone(&nap);
        let other = thread::spawn(move || other.end());
        assert!(nap.lie_down(|| true));
        nap.sleep();
        other.join().unwrap();
    });
}

#[test]
fn model_nobody_works_unwatched() {
    nobody_works_unwatched();
}

#[test]
fn model_nap_over_while_lying_down() {
    over_while_lying_down();
}

mutant!(watcher_without_fence: "nap.watcher-fence" breaks nobody_works_unwatched);
mutant!(watched_without_fence: "nap.watched-fence" breaks nobody_works_unwatched);
mutant!(word_later: "nap.word-first" breaks nobody_works_unwatched);
mutant!(notified_early: "nap.notify-after-look" breaks nobody_works_unwatched);
