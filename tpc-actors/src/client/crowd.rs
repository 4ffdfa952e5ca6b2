//! Looking for answers in turn with the thread's other tasks.
//!
//! With many askers on a thread, most answers are there when the others have had their turns. So an asker does not leave
//! its waker at once: it stays runnable, and looks again in its task's next turns, a few times at most. That spares
//! the waker, its way through the core and back, and the sleep of a worker that has little else to do. Where answers
//! take longer, it is done rarely.

use std::cell::Cell;

use super::lone;
use crate::patience::Patience;

/// Turns in which an asker looks: enough for two tasks to outlast a quick answer.
const TURNS: u8 = 8;

thread_local! {
    static PATIENCE: Cell<Patience> = const { Cell::new(Patience::new()) };
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
pub(super) struct Turns(u8);

impl Turns {
    pub(super) const ALL: Self = Self(TURNS);

    pub(super) fn is_over(self) -> bool {
        self.0 == 0
    }

    /// A look was in vain: whether there is another turn.
    pub(super) fn pass(&mut self) -> bool {
        if self.0 == 0 {
            return false;
        }
        self.0 -= 1;
        if self.0 == 0 {
            update(Patience::missed);
        }
        self.0 > 0
    }

    /// The answer is there.
    #[inline]
    pub(super) fn end(&mut self) {
        if std::mem::take(&mut self.0) > 0 {
            update(Patience::found);
        }
    }
}
