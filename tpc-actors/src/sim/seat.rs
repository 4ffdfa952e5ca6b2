//! One simulated core, between its turns.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::doorbell::Rung;
use crate::core_loop::shared::CoreShared;
use crate::core_loop::{Budget, Core, OnCore};
use crate::isolate::drop_quietly;
use crate::mailbox::threads::ParkedLanes;

/// One request, one timer and one task of a core's turn: whatever runs next is decided again after each of them.
const BUDGET: Budget = Budget {
    lane_messages: 1,
    turn_messages: 1,
    turn_time: Duration::from_micros(500),
    timers: 1,
    task_polls: 1,
};

/// What a core needs that has no thread of its own.
pub(super) struct Seat {
    shared: Arc<CoreShared>,
    rung: Arc<Rung>,
    /// `None` once it has finished.
    core: Option<Core>,
    lanes: ParkedLanes,
    asleep: bool,
    /// What it sleeps until at most.
    due: Option<Instant>,
    stalled_until: Option<Instant>,
}

impl Seat {
    /// `make` is called as that core.
    pub(super) fn new(
        shared: Arc<CoreShared>,
        rung: Arc<Rung>,
        make: impl FnOnce() -> Core,
    ) -> Self {
        let mut lanes = ParkedLanes::default();
        let core = {
            let _on_core = OnCore::enter(shared.system);
            let _lanes = lanes.enter();
            Some(make())
        };
        Self { shared, rung, core, lanes, asleep: false, due: None, stalled_until: None }
    }

    pub(super) fn index(&self) -> usize {
        self.shared.index
    }

    pub(super) fn shared(&self) -> &CoreShared {
        &self.shared
    }

    /// Runs `work` as the core's own thread would.
    pub(super) fn with<R>(&mut self, work: impl FnOnce(&mut Core) -> R) -> Option<R> {
        let core = self.core.as_mut()?;
        let _on_core = OnCore::enter(self.shared.system);
        let _lanes = self.lanes.enter();
        Some(work(core))
    }

    /// Whether it has something to do now.
    pub(super) fn is_ready(&self, now: Instant) -> bool {
        self.core.is_some()
            && self.stalled_until.is_none_or(|until| until <= now)
            && (!self.asleep || self.rung.is_rung() || self.due.is_some_and(|due| due <= now))
    }

    /// When it will have something to do, if nobody rings before.
    pub(super) fn next_due(&self) -> Option<Instant> {
        self.core.as_ref()?;
        let due = if self.asleep && !self.rung.is_rung() { self.due? } else { self.stalled_until? };
        Some(self.stalled_until.map_or(due, |stalled| due.max(stalled)))
    }

    /// Stands still until then, whatever comes.
    pub(super) fn stall(&mut self, until: Instant) {
        self.stalled_until = Some(until);
    }

    /// One turn, and to sleep if nothing is left; true when an actor has asked for the end of the system.
    pub(super) fn turn(&mut self, now: Instant) -> bool {
        self.stalled_until = None;
        if std::mem::take(&mut self.asleep) {
            self.shared.bell.sleep(Some(Duration::ZERO));
        }
        let turned = self.with(|core| {
            let turn = core.turn(now, &BUDGET);
            let idle = turn.ran == 0 && !turn.more;
            (idle && core.try_park(), turn.next_deadline, core.local.abort_system.take())
        });
        let Some((asleep, due, aborts)) = turned else { return false };
        (self.asleep, self.due) = (asleep, due);
        if self.core.as_ref().is_some_and(Core::is_finished) {
            self.leave();
        }
        aborts
    }

    /// Ends it, as its thread would.
    pub(super) fn leave(&mut self) {
        let Some(core) = self.core.take() else { return };
        let _on_core = OnCore::enter(self.shared.system);
        {
            let _lanes = self.lanes.enter();
            drop(core);
        }
        drop_quietly(std::mem::take(&mut self.lanes));
        self.shared.close_inbox();
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.leave();
    }
}
