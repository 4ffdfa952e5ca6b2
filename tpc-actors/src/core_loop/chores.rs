//! Housekeeping between turns: a slice at a time, so that neither messages nor the housekeeping starve.
//!
//! When its interval has come, a `#[maintenance]` method becomes a chore. At the end of each turn one chore
//! has a slice: calls until it is done, its budget is used up, or a command waits. A slice is followed by a
//! rest four times as long, which a core that has nothing else to do skips: under load, all chores together
//! have at most a fifth of the core, and always nearly that.

use std::time::Instant;

use super::Core;
use crate::clock::later;

/// A `#[maintenance]` method that has something to do.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Chore {
    pub(crate) cell: u32,
    pub(crate) incarnation: u64,
    pub(crate) index: usize,
    /// When its interval had come, which the next one counts from.
    pub(crate) due: Instant,
    /// The end of its rest.
    pub(crate) not_before: Instant,
}

/// How much longer than a slice its rest is.
const REST: u32 = 4;

impl Core {
    /// Gives one chore a slice; how many have had one.
    pub(super) fn do_chore(&mut self, loaded: bool) -> usize {
        let Some(mut chore) = self.local.chores.borrow_mut().pop_front() else { return 0 };
        let clock = std::sync::Arc::clone(&self.local.clock);
        let begin = clock.now();
        if loaded && begin < chore.not_before {
            // Behind the others, which may have rested long enough.
            self.local.chores.borrow_mut().push_back(chore);
            return 0;
        }
        if self.cell(chore.cell).is_some_and(|mut actor| actor.maintain(&chore)) {
            let end = clock.now();
            chore.not_before = later(end, end.saturating_duration_since(begin) * REST);
            self.local.chores.borrow_mut().push_back(chore);
        }
        1
    }
}
