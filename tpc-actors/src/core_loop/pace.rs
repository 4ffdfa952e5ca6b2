//! How many messages come between two looks at the clock.

use std::time::Duration;

/// Messages between two pauses, at most: what a run of quick messages may take of slow ones before it notices.
const PAUSE_EVERY_MAX: usize = 64;

/// Messages before the first pause of a run, at most: runs may be short, and their messages slower than the last.
const FIRST_PAUSE_AT: usize = 16;

/// What messages take between two pauses: with less, there are more of them between the next two, and with more
/// fewer.
pub(super) const QUICK: Duration = Duration::from_micros(10);
const SLOW: Duration = Duration::from_micros(40);

/// How many messages an actor handles between two pauses of a run, learned from how long they take.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pace(usize);

impl Default for Pace {
    fn default() -> Self {
        Self(FIRST_PAUSE_AT)
    }
}

impl Pace {
    /// Messages that are handled before the next look at the clock.
    pub(crate) fn messages(self) -> usize {
        self.0
    }

    /// Messages that are handled before the first look of a run.
    pub(super) fn first(self) -> usize {
        self.0.min(FIRST_PAUSE_AT)
    }

    pub(crate) fn learn(&mut self, took: Duration) {
        if took < QUICK {
            self.0 = PAUSE_EVERY_MAX.min(2 * self.0);
        } else if took > SLOW {
            self.0 = (self.0 / 2).max(1);
        }
    }
}
