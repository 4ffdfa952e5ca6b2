//! Every interleaving of a send with the end of its lane.

use loom::thread;

use super::*;
use crate::bridge::bell::CoreBell;
use crate::bridge::bell::model::ModelDoorbell;
use crate::bridge::ring::ring;
use crate::sync::Arc;
use crate::sync::mutants::{explore, mutant};

/// Two requests of a lane that its core polls, or that is armed: each is answered by the core or comes back,
/// and none does both.
fn send_against_close(armed: bool) {
    explore(3, move || {
        let core = std::sync::Arc::new(CoreBell::new(std::sync::Arc::new(ModelDoorbell::new())));
        let bell = Arc::new(LaneBell::new(core, 0));
        if !armed {
            bell.disarm();
        }
        let (mut producer, mut consumer) = ring::<u32>(2).unwrap();
        let theirs = Arc::clone(&bell);
        let sender = thread::spawn(move || {
            for request in 0..2 {
                producer.push(request).unwrap();
                if theirs.published().is_err() {
                    return (request + 1, take_back(&mut producer));
                }
            }
            (2, None)
        });
        let mut all = last_look(&mut consumer, &bell);
        drop(consumer);
        let (sent, back) = sender.join().unwrap();
        all.extend(back);
        assert_eq!(all, (0..sent).collect::<Vec<_>>(), "each once: answered, or back");
    });
}

fn polled() {
    send_against_close(false);
}

fn armed() {
    send_against_close(true);
}

#[test]
fn model_closing_polled() {
    polled();
}

#[test]
fn model_closing_armed() {
    armed();
}

mutant!(mutant_closing_close_fence: "bell.close-fence" breaks polled);
mutant!(mutant_closing_producer_fence: "bell.producer-fence" breaks polled);
mutant!(mutant_torn_close: "bell.close" breaks armed);
mutant!(mutant_torn_won: "bell.won" breaks armed);
mutant!(mutant_last_look: "lane.last-look" breaks polled);
mutant!(mutant_await_close: "lane.await-close" breaks polled);
