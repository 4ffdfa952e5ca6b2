//! Both ends go at once: the lane is free once, after whatever both did with it.

use loom::thread;

use super::*;
use crate::sync::mutants::{explore, mutant};
use crate::sync::{Arc, AtomicUsize};

/// Two uses of one lane, the second one after whoever was last has freed it.
fn used_twice() {
    explore(3, || {
        let ends = Arc::new(Ends::default());
        for _ in 0..2 {
            let left = Arc::new([AtomicUsize::new(0), AtomicUsize::new(0)]);
            let go = |end: usize, ends: &Ends, left: &[AtomicUsize; 2]| {
                left[end].store(1, Ordering::Relaxed);
                let last = ends.one_is_gone();
                if last {
                    let other = left[1 - end].load(Ordering::Relaxed);
                    assert_eq!(other, 1, "the other end is still at work");
                }
                last
            };
            let (theirs, their_left) = (Arc::clone(&ends), Arc::clone(&left));
            let other = thread::spawn(move || go(0, &theirs, &their_left));
            let ours = go(1, &ends, &left);
            assert!(ours != other.join().unwrap(), "the lane is freed once");
        }
    });
}

#[test]
fn model_ends_used_twice() {
    used_twice();
}

mutant!(mutant_torn_gone: "ends.gone" breaks used_twice);
mutant!(mutant_relaxed_gone: "ends.gone/relaxed" breaks used_twice);
