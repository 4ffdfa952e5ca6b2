//! Waiting right here for the answer to a lone ask.
//!
//! A core that is awake answers a quick ask in half a microsecond, and the way through the asker's scheduler
//! and back takes several times as long. A task that asks and is answered twice in a row, with nobody else
//! asking from its thread in between, therefore looks for its next answer for a bounded while before it leaves
//! its waker. With many askers that would only hold up the others: then each ask comes from another task
//! than the last one, and nobody waits here ([`crowd`]).
//!
//! A core that sleeps takes longer, and is looked at between turns of the other tasks: the asker is awake when
//! the answer comes, so there is one wake on the way and not two. Where that is no gain, it is not done
//! ([`sleepers`](super::sleepers)).

use std::cell::Cell;
use std::time::{Duration, Instant};

use super::crowd;
use super::sending::WakerIdentity;
use super::sleepers::{LOOK_MAX, Sleepers};
use crate::patience::{Patience, pause};

/// Looks for an answer before the asker leaves its waker, and pauses before the first and between two of them:
/// one to three microseconds together.
pub(super) const LOOKS: u32 = 32;
pub(super) const PAUSES_AT_FIRST: u32 = 16;
pub(super) const PAUSES: u32 = 6;

/// Looks between two readings of the clock.
const LOOKS_PER_CLOCK: u32 = 8;

/// Answers in a row to the same asker, with nobody else asking in between, after which it is alone. One says little:
/// a scheduler that runs the task first that was woken last makes it happen in any crowd.
const ALONE_AFTER: u8 = 2;

/// Asks in a row that may be waited for here, as many things as Tokio lets a task do in one poll. The task does
/// not yield meanwhile, and the others of its thread must have their turns: with the next one it yields, and
/// looks for the answer when it is polled again. It yields by waking itself: Tokio's `yield_now` leaves the waker
/// with the worker, which may be blocked by this very wait, or by the next task.
const IN_A_ROW_MAX: u8 = 128;

/// How long an asker looks without a turn of the thread's other tasks.
const SLICE: Duration = Duration::from_micros(10);

/// What an ask knows of the core that it had to wake.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Awakening {
    since: Instant,
    way: Way,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    Looks,
    /// As long as may be.
    HasLooked,
    Sleeps,
}

impl Awakening {
    /// Until when the answer is looked for, if it is.
    pub(super) fn looks_until(self) -> Option<Instant> {
        (self.way == Way::Looks).then(|| self.since + LOOK_MAX)
    }

    /// The look was in vain.
    pub(super) fn gives_up(&mut self) {
        self.way = Way::HasLooked;
    }
}

/// How the answer to an ask is waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wait {
    /// Right here, for a bounded while.
    Here,
    /// In its task's next turns, between those of the thread's others.
    InTurn,
    /// With a waker.
    Asleep,
}

/// What a thread knows of those who ask from it.
struct Lone {
    /// Who sent the last ask.
    last: Cell<Option<WakerIdentity>>,
    /// It was answered.
    answered: Cell<bool>,
    /// How many answers it has had in a row; no more than are needed.
    answers: Cell<u8>,
    /// How many asks in a row were waited for.
    in_a_row: Cell<u8>,
    patience: Cell<Patience>,
    /// What is known of cores that had to be woken.
    sleepers: Cell<Sleepers>,
}

thread_local! {
    static LONE: Lone = const {
        Lone {
            last: Cell::new(None),
            answered: Cell::new(false),
            answers: Cell::new(0),
            in_a_row: Cell::new(0),
            patience: Cell::new(Patience::new()),
            sleepers: Cell::new(Sleepers::new()),
        }
    };
}

/// An ask of this task begins; how its answer is best waited for.
#[inline]
pub(super) fn begins(asker: WakerIdentity) -> Wait {
    // A core has other things to do, and perhaps what it would look for.
    if crate::core_loop::on_core_thread() {
        return Wait::Asleep;
    }
    let wait = LONE.with(|lone| {
        if lone.answered.replace(false) && lone.last.get() == Some(asker) {
            return lone.goes_on();
        }
        lone.last.set(Some(asker));
        lone.answers.set(0);
        lone.in_a_row.set(0);
        None
    });
    wait.unwrap_or_else(|| if crowd::looks() { Wait::InTurn } else { Wait::Asleep })
}

impl Lone {
    /// The task that has just been answered asks again: how it waits, if it is alone and that is worth it.
    #[inline(never)]
    fn goes_on(&self) -> Option<Wait> {
        let answers = ALONE_AFTER.min(self.answers.get() + 1);
        self.answers.set(answers);
        let here = answers == ALONE_AFTER && update(&self.patience, Patience::looks);
        let yields = here && self.in_a_row.get() == IN_A_ROW_MAX;
        self.in_a_row.set(if here && !yields { self.in_a_row.get() + 1 } else { 0 });
        here.then_some(if yields { Wait::InTurn } else { Wait::Here })
    }
}

/// Changes what a thread knows.
pub(super) fn update<S: Copy, T>(state: &Cell<S>, change: impl FnOnce(&mut S) -> T) -> T {
    let mut changed = state.get();
    let done = change(&mut changed);
    state.set(changed);
    done
}

/// What this thread asks next is one of several asks that go out together: none of them holds up the others.
pub(super) fn several() {
    LONE.with(|lone| lone.answered.set(false));
}

/// An ask of this task was answered on this thread; `here` says that it was waited for.
#[inline]
pub(super) fn answered(asker: WakerIdentity, here: bool) {
    LONE.with(|lone| {
        if lone.last.get() == Some(asker) {
            lone.answered.set(true);
            if here {
                update(&lone.patience, Patience::found);
            }
        }
    });
}

/// The wait was in vain: the handler is slow, or the core has other things to do.
#[cold]
pub(super) fn missed() {
    LONE.with(|lone| update(&lone.patience, Patience::missed));
}

/// The core had to be woken for an ask that is alone: whether its answer is looked for.
#[cold]
pub(super) fn awakens() -> Awakening {
    let looks = LONE.with(|lone| update(&lone.sleepers, Sleepers::looks));
    Awakening { since: Instant::now(), way: if looks { Way::Looks } else { Way::Sleeps } }
}

/// The core that was woken has answered.
#[cold]
pub(super) fn awoke(awakening: Awakening) {
    let looked = awakening.way != Way::Sleeps;
    let time = awakening.since.elapsed();
    LONE.with(|lone| update(&lone.sleepers, |sleepers| sleepers.took(looked, time)));
}

/// What looking for a while has led to.
pub(super) enum Looked<T> {
    Found(T),
    /// Nothing yet; there is time left after a turn of the thread's other tasks.
    LooksOn,
    /// Nothing, and it has taken long enough.
    InVain,
}

/// Calls `look` for a slice of the time until `end`.
pub(super) fn look_for_a_slice<T>(end: Instant, mut look: impl FnMut() -> Option<T>) -> Looked<T> {
    let slice = end.min(Instant::now() + SLICE);
    loop {
        // Each look takes the slot's line away from the core, which is about to write there.
        for _ in 0..LOOKS_PER_CLOCK {
            pause(2 * PAUSES);
            if let Some(found) = look() {
                return Looked::Found(found);
            }
        }
        if Instant::now() >= slice {
            return if slice < end { Looked::LooksOn } else { Looked::InVain };
        }
    }
}

#[cfg(test)]
mod tests {
    use std::task::Waker;

    use super::*;
    use crate::core_loop::OnCore;

    /// Identities of nobody in particular.
    fn askers() -> [WakerIdentity; 2] {
        let wakers: Vec<Waker> = (0..2).map(|_| Waker::from(std::sync::Arc::new(Nobody))).collect();
        [WakerIdentity::of(&wakers[0]), WakerIdentity::of(&wakers[1])]
    }

    /// Nobody else asks for as long as it takes.
    fn grow_alone(asker: WakerIdentity) {
        for _ in 0..ALONE_AFTER {
            begins(asker);
            answered(asker, false);
        }
    }

    struct Nobody;

    impl std::task::Wake for Nobody {
        fn wake(self: std::sync::Arc<Self>) {}
    }

    #[test]
    fn only_who_was_answered_and_asks_again_waits() {
        let [one, two] = askers();
        assert_eq!(begins(one), Wait::InTurn, "nothing is known of it");
        assert_eq!(begins(one), Wait::InTurn, "its last ask is still on its way");
        answered(one, false);
        assert_eq!(begins(one), Wait::InTurn, "the first answer");
        answered(one, false);
        assert_eq!(begins(one), Wait::Here);
        answered(one, true);
        assert_eq!(begins(two), Wait::InTurn, "somebody else asked last");
        answered(two, false);
        assert_eq!(begins(one), Wait::InTurn);
        answered(two, false);
        assert_eq!(begins(one), Wait::InTurn, "an answer to somebody else says nothing");
    }

    #[test]
    fn who_is_polled_first_of_many_is_not_alone() {
        let [one, two] = askers();
        for _ in 0..100 {
            // The last one to ask is the last one to be woken, and the first one to run.
            assert_eq!(begins(two), Wait::InTurn);
            assert_eq!(begins(one), Wait::InTurn);
            answered(one, false);
            assert_eq!(begins(one), Wait::InTurn);
            answered(two, false);
        }
    }

    #[test]
    fn nobody_looks_on_a_core_or_as_one_of_several() {
        let [one, _] = askers();
        grow_alone(one);
        let on_core = OnCore::enter(u64::MAX);
        assert_eq!(begins(one), Wait::Asleep, "on a core");
        drop(on_core);
        several();
        assert_eq!(begins(one), Wait::InTurn, "one of several");
        assert_eq!(begins(one), Wait::InTurn, "another one of them");
        grow_alone(one);
        assert_eq!(begins(one), Wait::Here);
    }

    #[test]
    fn others_have_their_turns() {
        let [one, _] = askers();
        grow_alone(one);
        let mut waits = (0..200).map(|_| {
            let wait = begins(one);
            answered(one, wait == Wait::Here);
            wait
        });
        assert!(waits.by_ref().take(usize::from(IN_A_ROW_MAX)).all(|wait| wait == Wait::Here));
        assert_eq!(waits.next(), Some(Wait::InTurn));
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

    #[test]
    fn it_is_learned_from_the_asks_that_woke_a_core() {
        let long_ago =
            Instant::now().checked_sub(Duration::from_secs(1)).expect("a clock that runs");
        let looks = (0..1_000).filter(|_| {
            let mut awakening = awakens();
            let looks = awakening.looks_until().is_some();
            if looks {
                awakening.gives_up();
                assert_eq!(awakening.looks_until(), None);
            }
            awoke(Awakening { since: long_ago, ..awakening });
            looks
        });
        let looks = looks.count();
        assert!((5..40).contains(&looks), "{looks}");
    }

    #[test]
    fn looking_goes_on_after_a_slice_and_ends_in_time() {
        let now = Instant::now();
        let nothing = || None::<u32>;
        let later = now + Duration::from_hours(1);
        assert!(matches!(look_for_a_slice(later, nothing), Looked::LooksOn));
        assert!(matches!(look_for_a_slice(now, nothing), Looked::InVain));
        let mut looks = 0;
        let third = || {
            looks += 1;
            (looks == 3).then_some(looks)
        };
        assert!(matches!(look_for_a_slice(now, third), Looked::Found(3)));
    }
}
