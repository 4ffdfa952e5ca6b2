//! Lanes that are polled no more: held, ended or silent.

use super::cell::Intake;
use super::{ActiveLane, Core, HELD, IDLE_TURNS_MAX};
use crate::bridge::bell::{LaneBell, Polled, silence};

impl Core {
    /// Removes such lanes; true when a silent one has just spoken.
    pub(super) fn sweep(&mut self) -> bool {
        if self.active.iter().all(|active| active.idle_turns <= IDLE_TURNS_MAX) {
            return false;
        }
        let removed = self.active.extract_if(.., |active| active.idle_turns > IDLE_TURNS_MAX);
        let (held, lanes): (Vec<_>, Vec<_>) = removed.partition(|lane| lane.idle_turns == HELD);
        for lane in held {
            self.forget_ended(&lane);
        }
        !lanes.is_empty() && silence(&mut Silent { core: self, lanes })
    }

    /// Forgets a lane for good, if it is not merely held.
    fn forget_ended(&mut self, lane: &ActiveLane) {
        let now = self.local.now.get();
        let Some(mut actor) = self.cell(lane.cell) else { return };
        let (_, left) = actor.intake(lane.lane, 0, now, false);
        if left == Intake::Ended {
            let id = actor.bell(lane.lane).map(LaneBell::lane);
            actor.end_lane(lane.lane);
            drop(actor);
            if let Some(id) = id {
                self.lanes.remove(&id);
            }
        }
    }
}

/// Lanes that had nothing for many turns.
struct Silent<'a> {
    core: &'a mut Core,
    lanes: Vec<ActiveLane>,
}

impl Polled for Silent<'_> {
    fn each_bell(&self, each: impl Fn(&LaneBell)) {
        self.core.each_bell_of(&self.lanes, each);
    }

    /// Those that have spoken are polled again.
    fn has_request(&mut self) -> bool {
        let Self { core, lanes } = self;
        let mut spoken = false;
        for lane in lanes {
            if core.lane_has_request(lane.cell, lane.lane) {
                core.activate(lane.cell, lane.lane);
                spoken = true;
            }
        }
        spoken
    }
}
