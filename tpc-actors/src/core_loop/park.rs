//! Getting ready to sleep, and looking before and after.

use std::sync::Arc;

use super::{ActiveLane, Core};
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
        self.local.wakes.overtake();
        let shared = Arc::clone(self.shared());
        if !shared.bell.park(self) {
            return false;
        }
        // Armed lanes are not polled: the ring of a producer brings them back.
        self.active.clear();
        shared.stats.parks.add(1);
        true
    }

    /// Whether any lane holds something, also one that is armed.
    pub(crate) fn any_lane_has_request(&self) -> bool {
        !self.still && self.lanes.values().any(|&(cell, lane)| self.lane_has_request(cell, lane))
    }

    /// Polls every lane that holds something, also the armed ones.
    pub(crate) fn poll_all_lanes(&mut self) {
        let mut lanes: Vec<_> = self.lanes.values().copied().collect();
        // In an order, which a simulation repeats.
        lanes.sort_unstable();
        for (cell, lane) in lanes {
            if self.lane_has_request(cell, lane) {
                self.activate(cell, lane);
            }
        }
    }

    pub(super) fn lane_has_request(&self, cell: u32, lane: u32) -> bool {
        self.cell(cell).is_some_and(|mut actor| actor.has_request(lane))
    }

    /// Calls `each` with the shares of these lanes in the wake protocol.
    pub(super) fn each_bell_of(&self, lanes: &[ActiveLane], each: impl Fn(&LaneBell)) {
        for lane in lanes {
            if let Some(actor) = self.cell(lane.cell)
                && let Some(bell) = actor.bell(lane.lane)
            {
                each(bell);
            }
        }
    }
}

/// The active lanes.
impl Polled for Core {
    fn each_bell(&self, each: impl Fn(&LaneBell)) {
        self.each_bell_of(&self.active, each);
    }

    fn has_request(&mut self) -> bool {
        // A core that stands still looks at all lanes when it goes on.
        !self.still
            && self.active.iter().any(|active| self.lane_has_request(active.cell, active.lane))
    }
}
