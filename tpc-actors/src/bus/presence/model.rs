//! Every interleaving of a subscription's end with those who publish to it.

use loom::thread;

use super::*;
use crate::sync::mutants::{explore, mutant};
use crate::sync::{Arc, AtomicUsize};

/// A source attaches while the subscriber leaves: one of the two sees the other.
fn left_while_attached() {
    explore(3, || {
        let (presence, attached) = (Arc::new(Presence::default()), Arc::new(AtomicUsize::new(0)));
        let (theirs, their_word) = (Arc::clone(&presence), Arc::clone(&attached));
        let source = thread::spawn(move || {
            let ((), is_there) = theirs.attach(|| their_word.store(1, Ordering::Release));
            is_there
        });
        assert!(presence.end());
        let found = presence.find_sources(|| attached.load(Ordering::Acquire) == 1);
        let kept = source.join().unwrap();
        assert!(found || !kept, "a source keeps it for ever");
    });
}

/// The source ends the subscription with its last event, and so does somebody else.
fn ended_with_an_event() {
    explore(3, || {
        let (presence, shown) = (Arc::new(Presence::default()), Arc::new(AtomicUsize::new(0)));
        let (theirs, their_word) = (Arc::clone(&presence), Arc::clone(&shown));
        let source = thread::spawn(move || {
            their_word.store(1, Ordering::Release);
            theirs.end()
        });
        let mut subscriber = (&presence, &shown);
        let (over, taken) = last_look(
            &mut subscriber,
            |(presence, _)| presence.is_over(),
            |(_, shown)| shown.load(Ordering::Acquire) == 1,
        );
        assert!(taken || !over, "the last event is missed");
        let first = presence.end();
        assert!(first != source.join().unwrap(), "it is ended once");
    });
}

#[test]
fn model_presence_left_while_attached() {
    left_while_attached();
}

#[test]
fn model_presence_ended_with_an_event() {
    ended_with_an_event();
}

mutant!(mutant_source_fence: "presence.source-fence" breaks left_while_attached);
mutant!(mutant_end_fence: "presence.end-fence" breaks left_while_attached);
mutant!(mutant_over_first: "presence.over-first" breaks ended_with_an_event);
mutant!(mutant_torn_end: "presence.end" breaks ended_with_an_event);
mutant!(mutant_relaxed_end: "presence.end/relaxed" breaks ended_with_an_event);
