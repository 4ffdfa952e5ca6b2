//! Every interleaving of a send with the loss of its core: an ask that was accepted is answered.

use loom::thread;

use super::*;
use crate::bridge::bell::model::ModelDoorbell;
use crate::bridge::bell::{CoreBell, LaneBell};
use crate::reply::credit::Credit;
use crate::reply::slot::{FreeSlots, NO_DEADLINE, Polled};
use crate::sync::Arc;
use crate::sync::mutants::{explore, mutant};

/// A core that will not serve any more, and one that asks it just now.
fn ask_against_loss() {
    explore(3, || {
        let core = std::sync::Arc::new(CoreBell::new(std::sync::Arc::new(ModelDoorbell::new())));
        let bell = LaneBell::new(core, 0);
        bell.disarm();
        let (credit, mut free) = (Arc::new(Credit::new()), FreeSlots::default());
        assert!(credit.has_free(&mut free, 1));
        let life = Arc::new(LifeWord::default());
        let (their_life, theirs) = (Arc::clone(&life), Arc::clone(&credit));
        let refuse = |credit: &Credit<_>| _ = credit.refuse_queued(|| "the core is gone");
        let loss = thread::spawn(move || their_life.lose(|| refuse(&theirs)));
        let send = || {
            let ticket = credit.acquire(&mut free, &mut None, NO_DEADLINE).unwrap();
            bell.published().unwrap();
            ticket
        };
        let ticket = life.send(send, || refuse(&credit));
        loss.join().unwrap();
        let waker = std::task::Waker::noop();
        assert_eq!(credit.poll(ticket, Some(waker.clone())), Polled::Ready("the core is gone"));
    });
}

/// What is said of an actor while its core is lost, and while two find different ends for it.
fn flags_beside_the_end() {
    explore(3, || {
        let life = Arc::new(LifeWord::default());
        let theirs = Arc::clone(&life);
        let core = thread::spawn(move || {
            theirs.set_flag(flag::GUARDED, true);
            theirs.set_flag(flag::GUARDED, false);
            theirs.advance(Life::Stopped);
        });
        life.advance(Life::Lost);
        core.join().unwrap();
        assert_eq!(life.life(), Life::Lost, "an actor never goes back");
    });
}

/// Two senders at a gate that lets one in, of which they hear by the flag.
fn gate_ajar() {
    explore(3, || {
        let (life, gate) = (Arc::new(LifeWord::default()), Arc::new(Gate::default()));
        let sender = |life: &Arc<LifeWord>, gate: &Arc<Gate>| {
            let (life, gate) = (Arc::clone(life), Arc::clone(gate));
            thread::spawn(move || {
                let guarded = life.has_flag(flag::GUARDED);
                assert!(!guarded || !gate.retry_after(0).is_zero(), "shut until an unknown time");
                guarded && gate.take_permit()
            })
        };
        let senders = [sender(&life, &gate), sender(&life, &gate)];
        gate.open_for(1, 9);
        life.set_flag(flag::GUARDED, true);
        let entered = senders.map(|sender| sender.join().unwrap());
        assert!(entered != [true, true], "one probe was to be let in");
    });
}

/// A sender that finds its lane closed finds out why.
fn closed_for_a_reason() {
    explore(3, || {
        let core = std::sync::Arc::new(CoreBell::new(std::sync::Arc::new(ModelDoorbell::new())));
        let bell = Arc::new(LaneBell::new(core, 0));
        let life = Arc::new(LifeWord::default());
        let (their_life, their_bell) = (Arc::clone(&life), Arc::clone(&bell));
        let stopping = thread::spawn(move || {
            their_life.advance(Life::Stopped);
            their_bell.close();
        });
        if bell.published().is_err() {
            assert_eq!(life.life(), Life::Stopped);
        }
        stopping.join().unwrap();
    });
}

#[test]
fn model_life_flags_beside_the_end() {
    flags_beside_the_end();
}

#[test]
fn model_life_gate_ajar() {
    gate_ajar();
}

#[test]
fn model_life_closed_for_a_reason() {
    closed_for_a_reason();
}

#[test]
fn model_life_ask_against_loss() {
    ask_against_loss();
}

mutant!(mutant_lose_fence: "life.lose-fence" breaks ask_against_loss);
mutant!(mutant_lose_producer_fence: "bell.producer-fence" breaks ask_against_loss);
mutant!(mutant_torn_advance: "life.advance" breaks flags_beside_the_end);
mutant!(mutant_torn_set_flag: "life.set-flag" breaks flags_beside_the_end);
mutant!(mutant_torn_clear_flag: "life.clear-flag" breaks flags_beside_the_end);
mutant!(mutant_relaxed_set_flag: "life.set-flag/relaxed" breaks gate_ajar);
mutant!(mutant_torn_permit: "life.permit" breaks gate_ajar);
mutant!(mutant_relaxed_close: "bell.close/relaxed" breaks closed_for_a_reason);
mutant!(mutant_send_first: "life.send-first" breaks ask_against_loss);
