//! The watcher never sleeps while somebody is at work and has not woken it.

use loom::thread;

use super::*;
use crate::sync::mutants::mutant;
use crate::sync::{Arc, AtomicU32};

/// One that goes to work while the watcher lies down.
fn nobody_works_unwatched() {
    loom::model(|| {
        let nap = Arc::new(Nap::new());
        let word = Arc::new(AtomicU32::new(0));
        let watched = {
            let (nap, word) = (Arc::clone(&nap), Arc::clone(&word));
            thread::spawn(move || {
                word.store(1, Ordering::Relaxed);
                nap.went_to_work()
            })
        };
        let lay_down = nap.lie_down(|| word.load(Ordering::Relaxed) == 0);
        let woke = watched.join().unwrap();
        assert!(woke || !lay_down, "asleep while somebody works");
        assert!(!woke || !nap.is_asleep(), "woken for good");
    });
}

/// Two that go to work at once wake the watcher once.
fn woken_once() {
    loom::model(|| {
        let nap = Arc::new(Nap::new());
        assert!(nap.lie_down(|| true));
        let other = Arc::clone(&nap);
        let other = thread::spawn(move || other.went_to_work());
        let ours = nap.went_to_work();
        assert!(ours != other.join().unwrap());
    });
}

#[test]
fn model_nap_woken_once() {
    woken_once();
}

#[test]
fn model_nobody_works_unwatched() {
    nobody_works_unwatched();
}

mutant!(watcher_without_fence: "nap.watcher-fence" breaks nobody_works_unwatched);
mutant!(torn_wake: "nap.wake" breaks woken_once);
mutant!(watched_without_fence: "nap.watched-fence" breaks nobody_works_unwatched);
