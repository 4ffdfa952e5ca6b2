//! Getting ready to sleep, and looking before and after.

use std::sync::Arc;

use super::Core;
use crate::bridge::bell::{LaneBell, Polled};

impl Core {
    /// Whether a turn would find something; cheap enough to spin on.
    pub(crate) fn has_work(&mut self) -> bool {
        if self.shared().bell.has_news() {
            return true;
        }
        Polled::has_request(self)
    }

    /// Prepares to sleep; false when there is something to do after all.
    ///
    /// After `true` the driver must sleep on the bell and then take the news.
    pub(crate) fn try_park(&mut self) -> bool {
        self.local.overtake_relays();
        let shared = Arc::clone(self.shared());
        if !shared.bell.park(self) {
            return false;
        }
        // Armed lanes are not polled: the ring of a producer brings them back.
        self.active.clear();
        shared.stats.parks.add(1);
        true
    }

    /// Looks into every lane, also the armed ones; true when one of them holds something.
    pub(crate) fn poll_all_lanes(&mut self) -> bool {
        let lanes: Vec<_> = self.lanes.values().copied().collect();
        let mut found = false;
        if self.still {
            return false;
        }
        for (cell, lane) in lanes {
            if self.cell(cell).is_some_and(|mut actor| actor.has_request(lane)) {
                self.activate(cell, lane);
                found = true;
            }
        }
        found
    }
}

/// The active lanes.
impl Polled for Core {
    fn each_bell(&self, each: impl Fn(&LaneBell)) {
        for active in &self.active {
            if let Some(actor) = self.cell(active.cell)
                && let Some(bell) = actor.bell(active.lane)
            {
                each(bell);
            }
        }
    }

    fn has_request(&mut self) -> bool {
        // A core that stands still looks at all lanes when it goes on.
        !self.still
            && self.active.iter().any(|active| {
                self.cell(active.cell).is_some_and(|mut actor| actor.has_request(active.lane))
            })
    }
}
