//! Getting ready to sleep, and looking before and after.

use super::Core;
use crate::bridge::bell::{LaneBell, fence_before_recheck};

impl Core {
    /// Whether a look into the active lanes would find something; cheap enough to spin on.
    pub(crate) fn has_request(&mut self) -> bool {
        if self.shared().bell.has_news() {
            return true;
        }
        self.active_has_request()
    }

    fn active_has_request(&mut self) -> bool {
        if self.still {
            // All lanes are looked at when the core goes on.
            return false;
        }
        self.active.iter().any(|active| {
            self.cell(active.cell).is_some_and(|mut actor| actor.has_request(active.lane))
        })
    }

    /// Calls `each` with the share in the wake protocol of every lane that is polled.
    fn active_bells(&self, each: impl Fn(&LaneBell)) {
        for active in &self.active {
            if let Some(actor) = self.cell(active.cell)
                && let Some(bell) = actor.bell(active.lane)
            {
                each(bell);
            }
        }
    }

    /// Prepares to sleep; false when there is something to do after all.
    ///
    /// After `true` the driver must sleep on the bell and then take the news.
    pub(crate) fn try_park(&mut self) -> bool {
        self.local.overtake_relays();
        self.active_bells(LaneBell::arm);
        fence_before_recheck();
        if self.active_has_request() || !self.shared().bell.try_park() {
            self.active_bells(LaneBell::disarm);
            return false;
        }
        // Armed lanes are not polled: the ring of a producer brings them back.
        self.active.clear();
        self.shared().stats.parks.add(1);
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
