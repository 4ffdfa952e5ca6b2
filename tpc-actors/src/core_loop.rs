//! The loop of one core.
//!
//! [`Core::turn`] is synchronous and has no clock, descriptor or thread of its own: they are brought by
//! a driver, which is [`idle`]'s park driver in a running system and anything else in a test. A turn goes
//! through its phases in a fixed order; each is bounded, and none is starved by the others:
//!
//! ```text
//! control ─▶ doorbell ─▶ intake ─▶ timers ─▶ tasks ─▶ local queues ─▶ publish ─▶ (idle, if nothing is left)
//! ```

use std::cell::Cell as StdCell;
use std::collections::HashMap;
use std::fmt;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::bridge::bell::{LaneBell, fence_before_recheck};
use crate::error::Fate;
use crate::isolate::{catch, drop_quietly};
use crate::mailbox::Life;
use crate::reply::{answer_lost, answer_unwound};

pub(crate) mod cell;
pub(crate) mod ctx;
pub(crate) mod idle;
pub(crate) mod local;
pub(crate) mod shared;
pub(crate) mod tasks;
pub(crate) mod timers;

pub use ctx::{Ctx, Sleep};

use cell::{Cell, Intake};
use local::CoreLocal;
use shared::CoreShared;
use tasks::Polled;
use timers::Due;

thread_local! {
    /// The system whose core this thread is; 0 for every other thread.
    static ON_CORE: StdCell<u64> = const { StdCell::new(0) };
}

/// Whether the calling thread is a core, of any system.
pub(crate) fn on_core_thread() -> bool {
    ON_CORE.get() != 0
}

/// Whether the calling thread is a core of this system.
pub(crate) fn on_core_of(system: u64) -> bool {
    ON_CORE.get() == system
}

/// Marks the calling thread as a core for as long as the value lives.
#[derive(Debug)]
pub(crate) struct OnCore(());

impl OnCore {
    pub(crate) fn enter(system: u64) -> Self {
        ON_CORE.set(system);
        Self(())
    }
}

impl Drop for OnCore {
    fn drop(&mut self) {
        ON_CORE.set(0);
    }
}

/// How much one turn may do.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Budget {
    /// Requests of one lane before the next lane has its turn.
    pub(crate) lane_messages: usize,
    /// Requests of all lanes together.
    pub(crate) turn_messages: usize,
    /// Time after which the intake ends; looked at between lanes.
    pub(crate) turn_time: Duration,
    pub(crate) timers: usize,
    pub(crate) task_polls: usize,
}

impl Default for Budget {
    fn default() -> Self {
        Self {
            lane_messages: 32,
            turn_messages: 256,
            turn_time: Duration::from_micros(500),
            timers: 64,
            task_polls: 61,
        }
    }
}

/// What a turn came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Turn {
    /// Requests, timers, task polls and continuations that ran.
    pub(crate) ran: usize,
    /// Something is runnable right now: the core must not sleep.
    pub(crate) more: bool,
    /// Nobody waited for what ran, and it was little: more is probably on its way.
    pub(crate) patient: bool,
    /// When the next timer is due.
    pub(crate) next_deadline: Option<Instant>,
}

/// A lane that is polled every turn.
#[derive(Debug, Clone, Copy)]
struct ActiveLane {
    cell: u32,
    lane: u32,
    /// Turns in which it was empty.
    idle_turns: u32,
}

/// Turns that a lane may be empty before its producer has to ring again: polling it until then costs
/// one load a turn, ringing costs a locked instruction.
const IDLE_TURNS_MAX: u32 = 1024;

/// What a turn may have run at most for the core to be patient after it.
const PATIENCE_MAX: usize = 16;

/// One core: its actors and what they share.
pub(crate) struct Core {
    pub(crate) local: Rc<CoreLocal>,
    /// `None` for an actor that did not start; an index is never used again.
    cells: Vec<Option<Box<dyn Cell>>>,
    /// What new actors begin with, once the end has begun.
    life: Life,
    /// Core-wide lane id → actor and table index.
    lanes: HashMap<u32, (u32, u32)>,
    active: Vec<ActiveLane>,
    /// Where the next intake begins, so that no lane is always last.
    first: usize,
    /// The core has finished and its driver should end.
    finished: bool,
}

/// What a core says when it is asked whether it still works.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Probe {
    /// Grows with everything that the core does.
    pub(crate) work_done: u64,
    /// Accepted work is not finished.
    pub(crate) busy: bool,
}

impl Core {
    pub(crate) fn new(local: Rc<CoreLocal>) -> Self {
        Self {
            local,
            cells: Vec::new(),
            life: Life::Open,
            lanes: HashMap::new(),
            active: Vec::new(),
            first: 0,
            finished: false,
        }
    }

    fn shared(&self) -> &Arc<CoreShared> {
        &self.local.shared
    }

    // ---- the turn ------------------------------------------------------------------------------

    /// One pass over everything that is runnable.
    pub(crate) fn turn(&mut self, now: Instant, budget: &Budget) -> Turn {
        self.local.set_now(now);
        self.take_news();
        let (mut ran, mut more) = self.intake(now, budget);
        let timers = self.run_timers(now, budget);
        let tasks = self.run_tasks(budget);
        let locals = self.run_locals(budget);
        ran += timers + tasks + locals;
        answer_lost();
        let patient = ran < PATIENCE_MAX && self.local.wakes.borrow().is_empty();
        self.local.publish();
        self.local.shared.stats.turns.add(1);
        // Asked last, because wakers may have made something runnable.
        more |= timers == budget.timers
            || self.local.tasks.has_ready()
            || !self.local.runnable.borrow().is_empty();
        let next_deadline = self.local.timers.borrow().next();
        // A task that was woken, or a lane that rang, while this turn ran.
        more |= self.shared().bell.has_news();
        Turn { ran, more, patient, next_deadline }
    }

    fn cell(&mut self, cell: u32) -> Option<&mut Box<dyn Cell>> {
        self.cells.get_mut(cell as usize)?.as_mut()
    }

    fn take_news(&mut self) {
        let shared = Arc::clone(self.shared());
        if !shared.bell.has_news() {
            return;
        }
        let mut rung = Vec::new();
        let control = shared.bell.take(|lane| rung.push(lane));
        // An unknown lane was announced before it rang, so the inbox has it even without its bell.
        if control || rung.iter().any(|lane| !self.lanes.contains_key(lane)) {
            let inbox = shared.take_inbox();
            self.adopt(&inbox.lanes);
            self.local.tasks.woken(inbox.wakes);
            for command in inbox.commands {
                command(self);
            }
        }
        for lane in rung {
            if let Some(&(cell, lane)) = self.lanes.get(&lane) {
                self.activate(cell, lane);
            }
        }
    }

    fn adopt(&mut self, announced: &[(u32, u32)]) {
        for &(_, cell) in announced {
            let mut found = Vec::new();
            let Some(actor) = self.cell(cell) else { continue };
            actor.adopt(&mut |id, lane| found.push((id, lane)));
            for (id, lane) in found {
                self.lanes.insert(id, (cell, lane));
                // It may have rung before it was known.
                self.activate(cell, lane);
            }
        }
    }

    fn activate(&mut self, cell: u32, lane: u32) {
        if let Some(bell) = self.cell(cell).and_then(|actor| actor.bell(lane)) {
            bell.disarm();
        }
        if !self.active.iter().any(|active| (active.cell, active.lane) == (cell, lane)) {
            self.active.push(ActiveLane { cell, lane, idle_turns: 0 });
        }
    }

    fn intake(&mut self, now: Instant, budget: &Budget) -> (usize, bool) {
        let mut served = 0;
        let mut more = false;
        let count = self.active.len();
        let until = now + budget.turn_time;
        // No division: the cursor only ever moves by one and wraps.
        self.first = if self.first + 1 < count { self.first + 1 } else { 0 };
        for step in 0..count {
            let at = self.first + step;
            let at = if at < count { at } else { at - count };
            if served >= budget.turn_messages || (served > 0 && self.local.clock.now() >= until) {
                more = true;
                break;
            }
            let active = self.active[at];
            let (count, left) = self.cell(active.cell).map_or((0, Intake::Ended), |actor| {
                actor.intake(active.lane, budget.lane_messages, until)
            });
            served += count;
            let active = &mut self.active[at];
            active.idle_turns = if count == 0 { active.idle_turns + 1 } else { 0 };
            match left {
                Intake::More => more = true,
                Intake::Empty => {}
                // Marked; swept below, so that indices stay valid here.
                Intake::Held | Intake::Ended => active.idle_turns = u32::MAX,
            }
        }
        self.local.shared.stats.messages.add(served as u64);
        more |= self.sweep();
        (served, more)
    }

    /// Removes lanes that are held, ended or silent; true when a silent one has just spoken.
    fn sweep(&mut self) -> bool {
        let now = self.local.now.get();
        if self.active.iter().all(|active| active.idle_turns <= IDLE_TURNS_MAX) {
            return false;
        }
        let mut spoken = false;
        let swept: Vec<ActiveLane> =
            self.active.extract_if(.., |active| active.idle_turns > IDLE_TURNS_MAX).collect();
        for lane in &swept {
            let Some(actor) = self.cell(lane.cell) else { continue };
            if lane.idle_turns == u32::MAX {
                let (_, left) = actor.intake(lane.lane, 0, now);
                if left == Intake::Ended {
                    let id = actor.bell(lane.lane).map(LaneBell::lane);
                    actor.end_lane(lane.lane);
                    if let Some(id) = id {
                        self.lanes.remove(&id);
                    }
                }
                continue;
            }
            if let Some(bell) = actor.bell(lane.lane) {
                bell.arm();
            }
        }
        fence_before_recheck();
        for lane in swept.iter().filter(|lane| lane.idle_turns != u32::MAX) {
            if self.cell(lane.cell).is_some_and(|actor| actor.has_request(lane.lane)) {
                self.activate(lane.cell, lane.lane);
                spoken = true;
            }
        }
        spoken
    }

    fn run_timers(&mut self, now: Instant, budget: &Budget) -> usize {
        let mut ran = 0;
        while ran < budget.timers {
            let due = self.local.timers.borrow_mut().take_due(now);
            let Some((at, due)) = due else { break };
            ran += 1;
            match due {
                Due::Every { cell, incarnation, index } => {
                    if let Some(actor) = self.cell(cell) {
                        actor.tick(incarnation, index, at);
                    }
                }
                Due::Restart { cell, incarnation } => {
                    if self.cell(cell).is_some_and(|actor| actor.restart(incarnation)) {
                        self.activate_all(cell);
                    }
                }
                Due::Wake(alarm) => alarm.ring(),
            }
        }
        ran
    }

    /// Polls every lane of an actor that is served again.
    fn activate_all(&mut self, cell: u32) {
        let mut lanes = Vec::new();
        if let Some(actor) = self.cell(cell) {
            actor.each_lane(&mut |_, lane| lanes.push(lane));
        }
        for lane in lanes {
            self.activate(cell, lane);
        }
    }

    fn run_tasks(&mut self, budget: &Budget) -> usize {
        let mut polls = 0;
        while polls < budget.task_polls {
            match self.local.tasks.run_one() {
                None => break,
                Some(Polled::Alive | Polled::Ended) => {}
                Some(Polled::Panicked { owner, message }) => {
                    if let Some(actor) = self.cell(owner.cell) {
                        actor.task_panicked(message);
                    }
                }
            }
            polls += 1;
        }
        polls
    }

    fn run_locals(&mut self, budget: &Budget) -> usize {
        let mut ran = 0;
        // What is added meanwhile waits for the next turn, or two actors that talk would never end it.
        let waiting = self.local.runnable.borrow().len();
        for _ in 0..waiting {
            let cell = self.local.runnable.borrow_mut().pop_front();
            let Some(cell) = cell else { break };
            ran += self.cell(cell).map_or(0, |actor| actor.run_local(budget.lane_messages).0);
        }
        ran
    }

    // ---- sleeping ------------------------------------------------------------------------------

    /// Whether a look into the active lanes would find something; cheap enough to spin on.
    pub(crate) fn has_request(&mut self) -> bool {
        if self.shared().bell.has_news() {
            return true;
        }
        self.active_has_request()
    }

    fn active_has_request(&mut self) -> bool {
        let Self { active, cells, .. } = self;
        active.iter().any(|active| {
            let actor = cells.get_mut(active.cell as usize).and_then(Option::as_mut);
            actor.is_some_and(|actor| actor.has_request(active.lane))
        })
    }

    /// The share in the wake protocol of every lane that is polled.
    fn active_bells(&self) -> impl Iterator<Item = &LaneBell> {
        self.active
            .iter()
            .filter_map(|active| self.cells.get(active.cell as usize)?.as_ref()?.bell(active.lane))
    }

    /// Prepares to sleep; false when there is something to do after all.
    ///
    /// After `true` the driver must sleep on the bell and then take the news.
    pub(crate) fn try_park(&mut self) -> bool {
        self.active_bells().for_each(LaneBell::arm);
        fence_before_recheck();
        if self.active_has_request() || !self.shared().bell.try_park() {
            self.active_bells().for_each(LaneBell::disarm);
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
        for (cell, lane) in lanes {
            if self.cell(cell).is_some_and(|actor| actor.has_request(lane)) {
                self.activate(cell, lane);
                found = true;
            }
        }
        found
    }

    // ---- commands ------------------------------------------------------------------------------

    /// The index that the next actor will have.
    pub(crate) fn next_cell(&self) -> u32 {
        u32::try_from(self.cells.len())
            .expect("fewer actors than lanes, which are counted in 32 bits")
    }

    /// Adds an actor, or the place of one that did not start.
    pub(crate) fn add(&mut self, cell: Option<Box<dyn Cell>>) {
        if let Some(actor) = &cell {
            actor.advance(self.life);
        }
        self.cells.push(cell);
    }

    /// Ends one actor whose siblings did not start.
    pub(crate) fn stop_cell(&mut self, cell: Option<u32>) {
        if let Some(actor) = cell.and_then(|cell| self.cells.get_mut(cell as usize)?.take()) {
            let mut actor: Box<dyn Cell> = actor;
            actor.close();
            drop_quietly(actor);
        }
    }

    /// Refuses outside senders from here on, and goes on with what was accepted.
    pub(crate) fn drain(&mut self) {
        self.life = Life::Draining;
        for actor in self.cells.iter().flatten() {
            actor.advance(Life::Draining);
        }
    }

    /// Whether anything accepted is unfinished, and how much has been done so far.
    pub(crate) fn probe(&mut self) -> Probe {
        let busy = self.local.tasks.awaited() > 0
            || self.local.tasks.has_ready()
            || self.cells.iter_mut().flatten().any(|actor| actor.has_work());
        let stats = &self.local.shared.stats;
        Probe { work_done: stats.handled.get() + stats.cancelled.get() + stats.expired.get(), busy }
    }

    /// Ends every actor, the youngest first, and then the loop; says how many continuations are lost.
    pub(crate) fn finish(&mut self) -> usize {
        let mut abandoned = self.local.tasks.awaited();
        // Everyone is refused before the first actor ends: none may be fed by another that is ending.
        for actor in self.cells.iter().flatten() {
            actor.advance(Life::Closing);
        }
        for actor in self.cells.iter_mut().rev().flatten() {
            abandoned += actor.close();
        }
        self.finished = true;
        abandoned
    }

    pub(crate) fn is_finished(&self) -> bool {
        self.finished
    }
}

impl Drop for Core {
    fn drop(&mut self) {
        // When the thread unwinds, whoever was answered or owed an answer must still be woken. Each step
        // on its own, so that a second panic in one of them does not keep the others from their turn.
        for actor in self.cells.drain(..).flatten() {
            drop_quietly(actor);
        }
        drop_quietly(catch(|| answer_unwound(&Fate::CoreLost { started: true })));
        drop_quietly(catch(|| self.local.publish()));
    }
}

impl fmt::Debug for Core {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Core")
            .field("index", &self.local.shared.index)
            .field("actors", &self.cells.len())
            .finish_non_exhaustive()
    }
}
