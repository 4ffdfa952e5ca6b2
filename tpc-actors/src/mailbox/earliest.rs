//! The earliest deadline among what waits for one actor, as far as the keeper has been told.
//!
//! ```text
//! asker                                      keeper
//!   write the deadline into a slot             forget what it was told
//!   fence  ─────────────────── pairs with ───▶ fence
//!   earlier than what the keeper knows?        look at the deadlines of all slots
//!   then note it, and tell                     note the earliest
//! ```
//!
//! Both sides write one word and then look at the other's, and the fences forbid that each misses the other. No word
//! here is lower than what somebody has told the keeper, or is about to; one that is higher has it told once more. So
//! loads and stores are enough.

use crate::reply::slot::NO_DEADLINE;
use crate::sync::{AtomicU64, Ordering, fence, in_order, intact};

/// In nanoseconds since the clock's epoch.
#[derive(Debug)]
pub(super) struct Earliest(AtomicU64);

impl Earliest {
    pub(super) fn new() -> Self {
        Self(AtomicU64::new(NO_DEADLINE))
    }

    /// Asker: has `place` put the deadline where the keeper finds it, and has `tell` tell the keeper if it has to.
    pub(super) fn note<R>(
        &self,
        deadline: u64,
        place: impl FnOnce() -> R,
        tell: impl FnOnce(),
    ) -> R {
        let tell_of_news = || {
            if self.is_news(deadline) {
                tell();
            }
        };
        in_order!("deadlines.place-first", place(), tell_of_news())
    }

    fn is_news(&self, deadline: u64) -> bool {
        if intact!("deadlines.asker-fence") {
            // Pairs with the fence in `look`.
            fence(Ordering::SeqCst);
        }
        let earlier = deadline < self.0.load(Ordering::Relaxed);
        if earlier {
            self.0.store(deadline, Ordering::Relaxed);
        }
        earlier
    }

    /// Keeper: what `look` finds to be the earliest deadline, at which the keeper comes back.
    pub(super) fn look(&self, look: impl FnOnce() -> u64) -> u64 {
        self.0.store(NO_DEADLINE, Ordering::Relaxed);
        if intact!("deadlines.keeper-fence") {
            // Pairs with the fence in `is_news`.
            fence(Ordering::SeqCst);
        }
        let earliest = look();
        if earliest < self.0.load(Ordering::Relaxed) {
            self.0.store(earliest, Ordering::Relaxed);
        }
        earliest
    }
}

#[cfg(all(test, tpc_loom))]
mod model;
