//! Looking for answers in turn with the thread's other tasks.
//!
//! With many askers on a thread, most answers are there when the others have had their turns. So an asker does not leave
//! its waker at once: it stays runnable, and looks again in its task's next turns, a few times at most. That spares
//! the waker, its way through the core and back, and the sleep of a worker that has little else to do. Where answers
//! take longer, it is done rarely.

use std::cell::Cell;

use crate::patience::Patience;

/// Turns in which an asker looks: enough for two tasks to outlast a quick answer.
pub(super) const TURNS: u8 = 8;

thread_local! {
    static PATIENCE: Cell<Patience> = const { Cell::new(Patience::new()) };
}

fn update<T>(change: impl FnOnce(&mut Patience) -> T) -> T {
    PATIENCE.with(|patience| {
        let mut changed = patience.get();
        let done = change(&mut changed);
        patience.set(changed);
        done
    })
}

/// Whether an ask that begins now is looked for in turn.
#[inline]
pub(super) fn looks() -> bool {
    update(Patience::looks)
}

/// The answer was there in one of the turns.
#[inline]
pub(super) fn found() {
    update(Patience::found);
}

/// It was there in none of them.
#[cold]
pub(super) fn missed() {
    update(Patience::missed);
}
