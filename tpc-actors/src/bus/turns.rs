//! Turns of tasks that receive: one that always finds something would keep its runtime from everything else,
//! timeouts among them.

use std::time::{Duration, Instant};

/// When a task that always finds something lets the others of its runtime have their turn.
#[derive(Debug, Default)]
pub(super) struct Turns {
    looks: u32,
    /// When it was first noticed that it finds something each time.
    since: Option<Instant>,
}

/// How long that may be.
const TURN_MAX: Duration = Duration::from_micros(500);

/// Looks around between two looks at the clock, which cost as much as an event.
const LOOKS: u32 = 8;

impl Turns {
    /// Asked at each look; from the runtime's view the task has just begun when this is true.
    pub(super) fn is_over(&mut self) -> bool {
        self.looks += 1;
        if self.looks < LOOKS {
            return false;
        }
        self.looks = 0;
        let now = Instant::now();
        let is_over = now - *self.since.get_or_insert(now) > TURN_MAX;
        if is_over {
            self.since = None;
        }
        is_over
    }

    /// The task waits, which gives the others their turn.
    pub(super) fn waits(&mut self) {
        self.since = None;
    }
}
