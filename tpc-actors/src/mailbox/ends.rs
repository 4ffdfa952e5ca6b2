//! The two ends of a lane's ring, which go one by one, on different threads: with the second one the lane may be used again.

use crate::sync::{AtomicBool, Ordering, whole};

/// Whether one of the two is gone.
#[derive(Debug, Default)]
pub(super) struct Ends {
    one_gone: AtomicBool,
}

impl Ends {
    /// Either end goes; true for the one that is second, which sees what the first one did before. Both are there again
    /// then, for the next ring.
    pub(super) fn one_is_gone(&self) -> bool {
        let second = whole!("ends.gone", self.one_gone.swap(true, Ordering::AcqRel));
        if second {
            // Nobody else has the lane before the caller hands it on, under a lock.
            self.one_gone.store(false, Ordering::Relaxed);
        }
        second
    }
}

#[cfg(all(test, tpc_loom))]
mod model;
