//! How full the lanes of an actor are.

use super::{GROUP, Mailbox};
use crate::actor::Actor;
use crate::bridge::Pressure;

impl<A: Actor> Mailbox<A> {
    /// Requests that wait in the lanes; approximate while senders are at work.
    pub(crate) fn depth(&self) -> usize {
        let mut depth = 0;
        self.for_each_lane(|lane| depth += lane.depth());
        depth
    }

    /// How full the lane at a table index is; normal if there is none.
    pub(crate) fn lane_pressure(&self, index: u32) -> Pressure {
        let index = index as usize;
        let lane = self.lanes[index / GROUP].get().and_then(|group| group[index % GROUP].get());
        lane.map_or(Pressure::Normal, |lane| lane.pressure(&self.levels))
    }

    /// How full the fullest lane is.
    pub(crate) fn pressure(&self) -> Pressure {
        let mut highest = Pressure::Normal;
        self.for_each_lane(|lane| highest = highest.max(lane.pressure(&self.levels)));
        highest
    }
}
