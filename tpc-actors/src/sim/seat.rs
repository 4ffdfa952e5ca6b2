//! One simulated core, between its turns.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::doorbell::Rung;
use super::run::unconstrained;
use crate::core_loop::shared::CoreShared;
use crate::core_loop::{Budget, Core, OnCore};
use crate::isolate::{catch, drop_quietly};
use crate::mailbox::threads::LanesAside;

/// One request, one timer and one task of a core's turn: whatever runs next is decided again after each of them.
const BUDGET: Budget = Budget {
    lane_messages: 1,
    turn_messages: 1,
    alone_messages: 1,
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
    lanes: LanesAside,
    asleep: bool,
    /// What it sleeps until at most.
    due: Option<Instant>,
    stalled_until: Option<Instant>,
    /// When it is there again, while it is lost.
    back_at: Option<Instant>,
}

impl Seat {
    /// A core that has not started.
    pub(super) fn new(shared: Arc<CoreShared>, rung: Arc<Rung>) -> Self {
        Self {
            shared,
            rung,
            core: None,
            lanes: LanesAside::default(),
            asleep: false,
            due: None,
            stalled_until: None,
            back_at: None,
        }
    }

    /// Starts the core, which `make` makes, with the actors that its last thread has left.
    pub(super) fn start(&mut self, make: impl FnOnce() -> Core) {
        if self.back_at.take().is_some() {
            self.shared.reopen();
        }
        let _on_core = OnCore::enter(self.shared.system);
        let _lanes = self.lanes.enter();
        unconstrained(|| {
            self.core.insert(make()).revive_orphans();
        });
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
        Some(unconstrained(|| work(core)))
    }

    /// Whether it has something to do now.
    pub(super) fn is_ready(&self, now: Instant) -> bool {
        if self.core.is_none() {
            return self.back_at.is_some_and(|back| back <= now);
        }
        self.stalled_until.is_none_or(|until| until <= now)
            && (!self.asleep || self.rung.is_rung() || self.due.is_some_and(|due| due <= now))
    }

    /// When it will have something to do, if nobody rings before.
    pub(super) fn next_due(&self) -> Option<Instant> {
        if self.core.is_none() {
            return self.back_at;
        }
        let due = if self.asleep && !self.rung.is_rung() { self.due? } else { self.stalled_until? };
        Some(self.stalled_until.map_or(due, |stalled| due.max(stalled)))
    }

    /// Whether it is lost, and will be there again.
    pub(super) fn is_lost(&self) -> bool {
        self.core.is_none() && self.back_at.is_some()
    }

    /// Loses the core as a panic of its thread does, which unwinds through it.
    pub(super) fn lose(&mut self) {
        self.wake();
        let Some(core) = self.core.take() else { return };
        let _on_core = OnCore::enter(self.shared.system);
        let lost = catch(|| {
            let _lanes = self.lanes.enter();
            let _unwinds = core;
            std::panic::resume_unwind(Box::new("the core is lost"))
        });
        let Err(_message) = lost;
        self.end();
    }

    /// When it is there again.
    pub(super) fn comes_back(&mut self, at: Instant) {
        self.back_at = Some(at);
    }

    /// It does not come back, should it be lost.
    pub(super) fn stays_away(&mut self) {
        self.back_at = None;
    }

    fn wake(&mut self) {
        self.stalled_until = None;
        if std::mem::take(&mut self.asleep) {
            self.shared.bell.sleep(Some(Duration::ZERO));
        }
    }

    /// Stands still until then, whatever comes.
    pub(super) fn stall(&mut self, until: Instant) {
        self.stalled_until = Some(until);
    }

    /// One turn, and to sleep if nothing is left; true when an actor has asked for the end of the system.
    pub(super) fn turn(&mut self, now: Instant) -> bool {
        self.wake();
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
        self.back_at = None;
        let Some(core) = self.core.take() else { return };
        let _on_core = OnCore::enter(self.shared.system);
        {
            let _lanes = self.lanes.enter();
            drop(core);
        }
        self.end();
    }

    /// What a thread does last.
    fn end(&mut self) {
        drop_quietly(std::mem::take(&mut self.lanes));
        self.shared.close_inbox();
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.leave();
    }
}
