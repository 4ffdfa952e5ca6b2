//! The loop of one core.
//!
//! [`Core::turn`] is synchronous and has no clock, descriptor or thread of its own: they are brought by
//! a driver, which is [`idle`]'s park driver in a running system and anything else in a test. A turn goes
//! through its phases in a fixed order; each is bounded, and none is starved by the others:
//!
//! ```text
//! control ─▶ doorbell ─▶ intake ─▶ timers ─▶ tasks ─▶ local queues ─▶ incidents, a slice of maintenance
//!     ─▶ publish ─▶ (idle, if nothing is left)
//! ```

use std::cell::{Cell as StdCell, RefCell};
use std::collections::HashMap;
use std::fmt;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::error::Fate;
use crate::isolate::{catch, drop_quietly};
use crate::mailbox::Life;
use crate::reply::answer_unwound;

pub(crate) mod barrier;
pub(crate) mod called;
pub(crate) mod cell;
pub(crate) mod cells;
pub(crate) mod chores;
mod commands;
pub(crate) mod ctx;
pub(crate) mod idle;
pub(crate) mod in_turn;
pub(crate) mod incidents;
pub(crate) mod local;
mod pace;
mod park;
pub(crate) mod queued;
pub(crate) mod run;
pub(crate) mod shared;
mod sleep;
mod sweep;
pub(crate) mod tasks;
#[cfg(test)]
mod tests;
pub(crate) mod timers;
mod turn;
mod visitors;
pub(crate) mod wakes;

pub use ctx::Ctx;
pub use sleep::{CoreClock, Sleep};

use cell::Cell;
use cells::Cells;
use incidents::{CorePolicy, Watch};
use local::CoreLocal;
use pace::Pace;
use shared::{CoreShared, News};
use visitors::Visit;

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
pub(crate) struct OnCore {
    before: u64,
}

impl OnCore {
    pub(crate) fn enter(system: u64) -> Self {
        Self { before: ON_CORE.replace(system) }
    }
}

impl Drop for OnCore {
    fn drop(&mut self) {
        ON_CORE.set(self.before);
    }
}

/// How much one turn may do.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Budget {
    /// Requests of one lane before the next lane has its turn.
    pub(crate) lane_messages: usize,
    /// Requests of all lanes together.
    pub(crate) turn_messages: usize,
    /// Requests of the only lane, if nobody waits for the end of the turn after [`TURN_MESSAGES`] of them.
    pub(crate) alone_messages: usize,
    /// Time after which the intake ends, and after that the local work; looked at now and then.
    pub(crate) turn_time: Duration,
    pub(crate) timers: usize,
    pub(crate) task_polls: usize,
}

/// Requests of a turn.
const TURN_MESSAGES: usize = 256;

impl Default for Budget {
    fn default() -> Self {
        Self {
            lane_messages: 32,
            turn_messages: TURN_MESSAGES,
            alone_messages: 1024,
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
    /// Little ran, nobody waits for more of it, and it was not an answer that one asker waits for: more is probably on
    /// its way.
    pub(crate) patient: bool,
    /// When the next timer is due.
    pub(crate) next_deadline: Option<Instant>,
}

/// A lane that is polled every turn.
#[derive(Debug)]
struct ActiveLane {
    cell: u32,
    lane: u32,
    /// What has to come before the messages that wait in it, if it is the visitors'.
    visit: Option<Visit>,
    /// Turns in which it was empty.
    idle_turns: u32,
}

/// Turns that a lane may be empty before its producer has to ring again: polling it until then costs
/// one load a turn, ringing costs a locked instruction.
const IDLE_TURNS_MAX: u32 = 1024;

/// In place of a lane's turns: it is held, or has ended.
const HELD: u32 = u32::MAX;

/// Below so many messages in a turn the core is patient after it.
const PATIENCE_MAX: usize = 64;

/// With fewer in a turn, one asker waits for each answer before it asks again.
const LONE_MAX: usize = 2;

/// An actor, in turns with whoever else on the core may call it: a task that asks it has it answer on the spot.
pub(crate) type SharedCell = Rc<RefCell<dyn Cell>>;

/// One core: its actors and what they share.
pub(crate) struct Core {
    pub(crate) local: Rc<CoreLocal>,
    pub(crate) cells: Cells,
    /// What new actors begin with, once the end has begun.
    life: Life,
    /// Core-wide lane id → actor and table index.
    lanes: HashMap<u32, (u32, u32)>,
    active: Vec<ActiveLane>,
    /// Lanes that have rung; empty between two looks at them.
    rung: Vec<u32>,
    /// News; empty between two looks at them.
    news: News,
    /// The empty list of the last visit, for the next one.
    ahead: StdCell<Vec<(u32, usize)>>,
    /// How many requests tasks may have answered within their polls of a round, learned from how long rounds take.
    here: Pace,
    /// Where the next intake begins, so that no lane is always last.
    first: usize,
    /// Who restarts along with whom, and what the core itself has seen of failures.
    watch: Watch,
    /// The core takes commands and does nothing else: a checkpoint is being taken.
    still: bool,
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
    /// Tasks that nobody waits for have something to do.
    pub(crate) has_ready: bool,
}

impl Core {
    pub(crate) fn new(local: Rc<CoreLocal>, policy: &CorePolicy) -> Self {
        Self {
            local,
            cells: Cells::default(),
            life: Life::Open,
            lanes: HashMap::new(),
            active: Vec::new(),
            rung: Vec::new(),
            news: News::default(),
            ahead: StdCell::default(),
            here: Pace::default(),
            first: 0,
            watch: Watch::new(policy),
            still: false,
            finished: false,
        }
    }

    fn shared(&self) -> &Arc<CoreShared> {
        &self.local.shared
    }
}

impl Drop for Core {
    fn drop(&mut self) {
        // When the thread unwinds, whoever is owed an answer must still get one, and who was left to a relay must be woken;
        // the turn has woken the others. Each step on its own, so that a second panic in one of them does not keep the
        // others from their turn.
        for actor in self.cells.take_all() {
            drop_quietly(actor);
        }
        drop_quietly(catch(|| answer_unwound(&Fate::CoreLost { started: true })));
        drop_quietly(catch(|| self.local.wakes.overtake()));
        drop_quietly(catch(|| self.local.end_publishers()));
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
