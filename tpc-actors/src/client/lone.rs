//! Waiting right here for the answer to a lone ask.
//!
//! A core that is awake answers a quick ask in half a microsecond, and the way through the asker's scheduler
//! and back takes several times as long. A task that asks, is answered and asks again, with nobody else
//! asking from its thread in between, therefore looks for the answer for a bounded while before it leaves
//! its waker. With many askers that would only hold up the others: then each ask comes from another task
//! than the last one, and nobody waits here.

use std::cell::Cell;

use super::sending::WakerIdentity;
use crate::patience::Patience;

/// Looks for an answer before the asker leaves its waker, and pauses before the first and between two of them:
/// one to three microseconds together.
pub(super) const LOOKS: u32 = 32;
pub(super) const PAUSES_AT_FIRST: u32 = 16;
pub(super) const PAUSES: u32 = 6;

/// Asks in a row that may be waited for here. The task does not yield meanwhile, and the others of its
/// thread must have their turns: with the next one it yields, and looks for the answer when it is polled again.
const IN_A_ROW_MAX: u8 = 32;

/// How the answer to an ask is waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wait {
    /// Right here, for a bounded while.
    Here,
    /// After a turn of the thread's other tasks.
    AfterYield,
    /// With a waker.
    Asleep,
}

#[derive(Debug, Clone, Copy)]
struct Lone {
    /// Who sent the last ask of this thread.
    last: Option<WakerIdentity>,
    /// It was answered.
    answered: bool,
    in_a_row: u8,
    patience: Patience,
}

thread_local! {
    static LONE: Cell<Lone> = const {
        Cell::new(Lone { last: None, answered: false, in_a_row: 0, patience: Patience::new() })
    };
}

/// An ask of this task begins; how its answer is best waited for.
#[inline]
pub(super) fn begins(asker: WakerIdentity) -> Wait {
    let Ok(mut lone) = LONE.try_with(Cell::get) else { return Wait::Asleep };
    let alone = lone.answered && lone.last == Some(asker);
    lone.last = Some(asker);
    lone.answered = false;
    let wait = if !alone || !lone.patience.looks() {
        Wait::Asleep
    } else if lone.in_a_row == IN_A_ROW_MAX {
        Wait::AfterYield
    } else {
        Wait::Here
    };
    lone.in_a_row = if wait == Wait::Here { lone.in_a_row + 1 } else { 0 };
    LONE.set(lone);
    wait
}

/// An ask of this task was answered on this thread; `here` says that it was waited for.
#[inline]
pub(super) fn answered(asker: WakerIdentity, here: bool) {
    let Ok(mut lone) = LONE.try_with(Cell::get) else { return };
    if lone.last == Some(asker) {
        lone.answered = true;
        if here {
            lone.patience.found();
        }
        LONE.set(lone);
    }
}

/// The wait was in vain: the handler is slow, or the core has other things to do.
#[cold]
pub(super) fn missed() {
    let Ok(mut lone) = LONE.try_with(Cell::get) else { return };
    lone.patience.missed();
    LONE.set(lone);
}

#[cfg(test)]
mod tests {
    use std::task::Waker;

    use super::*;

    /// Identities of nobody in particular.
    fn askers() -> [WakerIdentity; 2] {
        let wakers: Vec<Waker> = (0..2).map(|_| Waker::from(std::sync::Arc::new(Nobody))).collect();
        [WakerIdentity::of(&wakers[0]), WakerIdentity::of(&wakers[1])]
    }

    struct Nobody;

    impl std::task::Wake for Nobody {
        fn wake(self: std::sync::Arc<Self>) {}
    }

    #[test]
    fn only_who_was_answered_and_asks_again_waits() {
        let [one, two] = askers();
        assert_eq!(begins(one), Wait::Asleep, "nothing is known of it");
        assert_eq!(begins(one), Wait::Asleep, "its last ask is still on its way");
        answered(one, false);
        assert_eq!(begins(one), Wait::Here);
        answered(one, true);
        assert_eq!(begins(two), Wait::Asleep, "somebody else asked last");
        answered(two, false);
        assert_eq!(begins(one), Wait::Asleep);
        answered(two, false);
        assert_eq!(begins(one), Wait::Asleep, "an answer to somebody else says nothing");
    }

    #[test]
    fn others_have_their_turns() {
        let [one, _] = askers();
        begins(one);
        answered(one, false);
        let mut waits = (0..100).map(|_| {
            let wait = begins(one);
            answered(one, wait == Wait::Here);
            wait
        });
        assert!(waits.by_ref().take(usize::from(IN_A_ROW_MAX)).all(|wait| wait == Wait::Here));
        assert_eq!(waits.next(), Some(Wait::AfterYield));
        assert_eq!(waits.next(), Some(Wait::Here));
    }

    #[test]
    fn vain_waits_become_rare() {
        let [one, _] = askers();
        begins(one);
        let mut waits = 0;
        for _ in 0..1_000 {
            answered(one, false);
            if begins(one) == Wait::Here {
                waits += 1;
                missed();
            }
        }
        assert!(waits < 30, "{waits}");
    }
}
