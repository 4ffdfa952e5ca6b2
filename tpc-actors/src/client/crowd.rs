//! Looking for answers in turn with the thread's other tasks.
//!
//! With many askers on a thread, most answers are there when the others have had their turns. So an asker does not leave
//! its waker at once: it stays runnable, and looks again in its task's next turns, a bounded number of times. That spares
//! the waker, its way through the core and back, and the sleep of a worker that has little else to do. Where answers
//! take longer, it is done rarely.

use std::cell::Cell;

use super::lone;
use crate::patience::Patience;

/// Looks of all askers of a thread, one of which takes about 150 ns, after which one of them leaves its waker: they
/// take about as long as a worker and a core need to go to sleep and to be woken. No asker looks more often on a thread.
const LOOKS_MAX: u16 = 32;

/// Turns in which an asker looks whatever the others do: with many of them, quick answers are there in the first, and
/// answers that come together, after the last of them has asked, a few later.
const TURNS_MIN: u8 = 4;

thread_local! {
    static PATIENCE: Cell<Patience> = const { Cell::new(Patience::new()) };
    /// Looks in vain of this thread's askers.
    static LOOKS: Cell<u16> = const { Cell::new(0) };
}

fn update<T>(change: impl FnOnce(&mut Patience) -> T) -> T {
    PATIENCE.with(|patience| lone::update(patience, change))
}

/// Whether an ask that begins now is looked for in turn.
#[inline]
pub(super) fn looks() -> bool {
    update(Patience::looks)
}

/// The turns in which an asker still looks before it leaves its waker; none for one that does not look in turn.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Turns {
    looks: bool,
    /// Turns that are still its own.
    own: u8,
    /// Looks of its thread before it began.
    since: u16,
}

impl Turns {
    /// The asker looks from its next turn on.
    #[inline]
    pub(super) fn begin() -> Self {
        Self { looks: true, own: TURNS_MIN, since: LOOKS.get() }
    }

    pub(super) fn is_over(self) -> bool {
        !self.looks
    }

    /// A look was in vain: whether there is another turn.
    pub(super) fn pass(&mut self) -> bool {
        if self.is_over() {
            return false;
        }
        let looks = LOOKS.get().wrapping_add(1);
        LOOKS.set(looks);
        self.own = self.own.saturating_sub(1);
        // Where the task has come from another thread the difference may be anything, and looks end after as many
        // on this one at the latest.
        self.looks = self.own > 0 || looks.wrapping_sub(self.since) < LOOKS_MAX;
        if self.is_over() {
            update(Patience::missed);
        }
        self.looks
    }

    /// The answer is there.
    #[inline]
    pub(super) fn end(&mut self) {
        if std::mem::take(&mut self.looks) {
            update(Patience::found);
        }
    }
}

#[cfg(all(test, not(tpc_loom)))]
mod tests {
    use super::*;

    /// Turns of an asker until it leaves its waker, while `others` look in between.
    fn turns(others: usize) -> usize {
        let mut turns = Turns::begin();
        let mut others = vec![Turns::begin(); others];
        let looks = || {
            for other in &mut others {
                if !other.pass() {
                    *other = Turns::begin();
                }
            }
            turns.pass()
        };
        1 + std::iter::repeat_with(looks).take_while(|goes_on| *goes_on).count()
    }

    #[test]
    fn one_of_few_has_many_turns_and_one_of_many_has_some() {
        assert_eq!(turns(0), usize::from(LOOKS_MAX));
        assert_eq!(turns(1), usize::from(LOOKS_MAX) / 2);
        assert_eq!(turns(3), usize::from(LOOKS_MAX) / 4);
        for others in [7, 63, 1_000] {
            assert_eq!(turns(others), usize::from(TURNS_MIN), "{others}");
        }
    }

    #[test]
    fn whoever_has_no_turns_has_none_and_learns_nothing() {
        let mut none = Turns::default();
        assert!(none.is_over() && !none.pass());
        none.end();
        let mut some = Turns::begin();
        some.end();
        assert!(some.is_over() && !some.pass());
    }

    /// A task that has moved finds the looks of another thread.
    #[test]
    fn turns_end_on_any_thread() {
        for before in [0, 1, LOOKS_MAX, 1_000, u16::MAX - 3, u16::MAX] {
            LOOKS.set(500);
            let mut turns = Turns::begin();
            LOOKS.set(before);
            let looks =
                std::iter::repeat_with(|| turns.pass()).take_while(|goes_on| *goes_on).count();
            assert!(looks < usize::from(LOOKS_MAX), "{before}: {looks}");
        }
    }
}
