//! What concerns more than one actor of a core: groups, escalation, the core's own watchdog.
//!
//! An actor that has failed leaves an [`Incident`]; the core sees to it at the end of the same turn, when
//! no actor is being called. Everything about a group happens on one core, so no message and no lock is
//! between a failure and the restart of everyone that it concerns.

use std::collections::HashMap;
use std::time::Instant;

use super::Core;
use super::timers::Due;
use crate::clock::{later, nanos};
use crate::isolate::drop_quietly;
use crate::supervision::{Breaker, Decision, Group, History, Supervise, Then, Watchdog, affected};

/// Names a group within its system.
pub(crate) type GroupId = u64;

/// How a core looks after its actors.
#[derive(Debug, Clone, Copy)]
pub(crate) struct CorePolicy {
    /// What becomes of failures that actors and groups escalate.
    pub(crate) supervise: Supervise,
    pub(crate) watchdog: Option<Watchdog>,
}

impl Default for CorePolicy {
    fn default() -> Self {
        let minute = std::time::Duration::from_mins(1);
        let supervise = Supervise::new().max(3).within(minute).then(Then::AbortSystem);
        Self { supervise, watchdog: None }
    }
}

/// Something that an actor leaves to its core.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Incident {
    /// A call into an actor's code has failed.
    Failed,
    /// The actor is to be built anew at that time, and with it whom that concerns.
    Restarts { cell: u32, at: Instant },
    /// The actor has used up its restarts.
    Escalates { cell: u32 },
    /// The actor has stopped for good.
    Stopped { cell: u32 },
    /// An actor wants the whole system to end.
    AbortSystem,
}

struct Members {
    group: Group,
    history: History,
    /// In the order of their start.
    cells: Vec<u32>,
}

/// What a core knows of groups and of its own failures.
pub(super) struct Watch {
    groups: HashMap<GroupId, Members>,
    group_of: HashMap<u32, GroupId>,
    history: History,
    breaker: Option<Breaker>,
    /// Handlers that had run when the core last looked at its probes.
    handled: u64,
}

impl Watch {
    pub(super) fn new(policy: &CorePolicy) -> Self {
        Self {
            groups: HashMap::new(),
            group_of: HashMap::new(),
            history: History::new(policy.supervise),
            breaker: policy.watchdog.map(Breaker::new),
            handled: 0,
        }
    }
}

impl Core {
    /// Makes an actor a member of a group.
    pub(crate) fn join_group(&mut self, id: GroupId, group: Group, cell: u32) {
        let new =
            || Members { group, history: History::new(group.supervision()), cells: Vec::new() };
        self.watch.groups.entry(id).or_insert_with(new).cells.push(cell);
        self.watch.group_of.insert(cell, id);
    }

    /// Sees to what the actors have left, and to what this leads to; how many chores have had a slice.
    #[cold]
    pub(super) fn attend(&mut self, loaded: bool) -> usize {
        self.local.attention.set(false);
        self.count_probes();
        loop {
            let incidents = self.local.incidents.take();
            if incidents.is_empty() {
                break;
            }
            for incident in incidents {
                self.see_to(incident);
            }
        }
        let ran = self.do_chore(loaded);
        // Each turn that serves a probe is looked at.
        let probing = self.watch.breaker.as_ref().is_some_and(Breaker::is_half_open);
        if probing || !self.local.chores.borrow().is_empty() {
            self.local.attention.set(true);
        }
        ran
    }

    /// Sees to those incidents that decide when states are built anew, and leaves the others.
    pub(super) fn see_to_restarts(&mut self) {
        let decides = |incident: &mut Incident| {
            matches!(incident, Incident::Restarts { .. } | Incident::Escalates { .. })
        };
        let incidents: Vec<_> = self.local.incidents.borrow_mut().extract_if(.., decides).collect();
        for incident in incidents {
            self.see_to(incident);
        }
    }

    fn see_to(&mut self, incident: Incident) {
        match incident {
            Incident::Failed => self.failure(),
            Incident::Restarts { cell, at } => self.restart_with_siblings(cell, at),
            Incident::Escalates { cell } => self.escalate(cell),
            Incident::Stopped { cell } => self.remove(cell),
            Incident::AbortSystem => self.local.abort_system.set(true),
        }
    }

    // ---- restarts --------------------------------------------------------------------------------

    fn restart_with_siblings(&mut self, cell: u32, at: Instant) {
        let watch = &self.watch;
        let members = watch.group_of.get(&cell).and_then(|id| watch.groups.get(id));
        let cells = members.map_or_else(
            || vec![cell],
            |members| affected(members.group.siblings(), &members.cells, cell),
        );
        // One that has to wait longer for a failure of its own does, and with it those that build on it.
        let mut at = at;
        let mut due = Vec::with_capacity(cells.len());
        for cell in cells {
            let own = self.local.timers.borrow().restart_of(cell);
            at = own.map_or(at, |own| own.max(at));
            due.push((cell, at));
        }
        self.hold(&due);
    }

    /// Drops the states of these actors, the youngest first, and has them built anew at their times, the oldest
    /// first: timers of one time come in the order of their setting.
    fn hold(&mut self, due: &[(u32, Instant)]) {
        for &(cell, at) in due.iter().rev() {
            if let Some(mut actor) = self.cell(cell) {
                actor.hold(at);
            }
        }
        for &(cell, at) in due {
            if let Some(incarnation) = self.cell(cell).and_then(|mut actor| actor.held()) {
                let mut timers = self.local.timers.borrow_mut();
                timers.forget_restart(cell);
                timers.set(at, Due::Restart { cell, incarnation });
            }
        }
    }

    /// The same for actors that are forgiven what they had to wait for.
    fn hold_all(&mut self, cells: &[u32], at: Instant) {
        let due: Vec<_> = cells.iter().map(|cell| (*cell, at)).collect();
        self.hold(&due);
    }

    fn forgive(&mut self, cells: &[u32]) {
        for &cell in cells {
            if let Some(mut actor) = self.cell(cell) {
                actor.forgive();
            }
        }
    }

    /// Actor to group, group to core, core to system.
    fn escalate(&mut self, cell: u32) {
        let now = self.local.clock.now();
        let jitter = self.local.random.next();
        let watch = &mut self.watch;
        let members = watch.group_of.get(&cell).and_then(|id| watch.groups.get_mut(id));
        let Some(members) = members else { return self.escalate_to_core(now) };
        let cells = members.cells.clone();
        match members.history.failed(now, jitter) {
            Decision::Restart { after } => {
                tracing::warn!(core = self.local.shared.index, "a group restarts");
                self.forgive(&cells);
                self.hold_all(&cells, later(now, after));
            }
            Decision::GiveUp(Then::Escalate) => self.escalate_to_core(now),
            Decision::GiveUp(Then::Stop) => {
                tracing::error!(
                    core = self.local.shared.index,
                    "a group has failed too often: stopped"
                );
                self.stop_cells(&cells);
            }
            Decision::GiveUp(Then::AbortSystem) => self.local.abort_system.set(true),
        }
    }

    fn escalate_to_core(&mut self, now: Instant) {
        let cells = self.cells.numbers();
        match self.watch.history.failed(now, self.local.random.next()) {
            Decision::Restart { after } => {
                tracing::warn!(core = self.local.shared.index, "all actors of the core restart");
                self.forgive(&cells);
                self.watch.groups.values_mut().for_each(|members| members.history.forgive());
                self.hold_all(&cells, later(now, after));
            }
            Decision::GiveUp(Then::Stop) => {
                tracing::error!(
                    core = self.local.shared.index,
                    "too many failures: all actors stopped"
                );
                self.stop_cells(&cells);
            }
            Decision::GiveUp(Then::Escalate | Then::AbortSystem) => {
                tracing::error!(
                    core = self.local.shared.index,
                    "too many failures: the system ends"
                );
                self.local.abort_system.set(true);
            }
        }
    }

    fn stop_cells(&mut self, cells: &[u32]) {
        for &cell in cells.iter().rev() {
            if let Some(mut actor) = self.cell(cell) {
                actor.stop_by_policy();
            }
        }
    }

    /// Lets go of an actor that has stopped; closing its lanes has late senders refused.
    fn remove(&mut self, cell: u32) {
        if let Some(id) = self.watch.group_of.remove(&cell)
            && let Some(members) = self.watch.groups.get_mut(&id)
        {
            members.cells.retain(|other| *other != cell);
            if members.cells.is_empty() {
                self.watch.groups.remove(&id);
            }
        }
        self.active.retain(|lane| lane.cell != cell);
        self.lanes.retain(|_, (other, _)| *other != cell);
        drop_quietly(self.cells.remove(cell));
    }

    // ---- the core's watchdog -----------------------------------------------------------------------

    fn failure(&mut self) {
        let now = self.local.clock.now();
        let Some(until) = self.watch.breaker.as_mut().and_then(|breaker| breaker.failed(now))
        else {
            return;
        };
        tracing::error!(core = self.local.shared.index, "too many failures: the core is degraded");
        self.local.shared.gate.shut(nanos(&*self.local.clock, until));
        self.local.timers.borrow_mut().set(until, Due::CoreCooled);
        self.guard_all(true, Some(until));
    }

    /// The cool-down is over, or the probes have not come to a decision in all that time.
    pub(super) fn core_cooled(&mut self) {
        let now = self.local.clock.now();
        let Some(breaker) = &mut self.watch.breaker else { return };
        if !breaker.cooled(now) && !breaker.is_half_open() {
            return;
        }
        let again = later(now, breaker.pause());
        let probes = breaker.probes();
        self.watch.handled = self.local.shared.stats.handled.get();
        self.local.shared.gate.open_for(probes, nanos(&*self.local.clock, again));
        self.local.timers.borrow_mut().set(again, Due::CoreCooled);
        self.local.attention.set(true);
        self.guard_all(true, None);
    }

    /// Counts what has succeeded since the last look; failures are incidents of their own.
    fn count_probes(&mut self) {
        let failed = self.local.incidents.borrow().contains(&Incident::Failed);
        let handled = self.local.shared.stats.handled.get();
        let served = handled.wrapping_sub(std::mem::replace(&mut self.watch.handled, handled));
        let Some(breaker) = self.watch.breaker.as_mut().filter(|_| !failed && served > 0) else {
            return;
        };
        if breaker.succeeded(u32::try_from(served).unwrap_or(u32::MAX)) {
            tracing::info!(core = self.local.shared.index, "the core is served again");
            self.guard_all(false, None);
        }
    }

    fn guard_all(&mut self, guarded: bool, shut_until: Option<Instant>) {
        for actor in self.cells.iter() {
            actor.borrow_mut().guarded_by_core(guarded, shut_until);
        }
    }

    /// An actor that is new on a degraded core is as degraded.
    pub(super) fn guard_new(&self, actor: &mut dyn super::cell::Cell) {
        let Some(breaker) = &self.watch.breaker else { return };
        let until = breaker.open_until();
        if until.is_some() || breaker.is_half_open() {
            actor.guarded_by_core(true, until);
        }
    }
}
