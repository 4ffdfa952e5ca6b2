//! Options of a simulation.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use super::run::Limits;
use super::world::World;
use super::{Sim, live};
use crate::core_loop::on_core_thread;
use crate::supervision::{Supervise, Watchdog};
use crate::{StartError, System, SystemBuilder};

/// Options of a simulation; made by [`Sim::seeded`].
///
/// ```
/// use tpc_actors::sim::Sim;
///
/// let sim = Sim::seeded(7).cores(2).tasks_max(64).trace_lines_max(1000).start();
/// assert_eq!(sim.cores().len(), 2);
/// ```
#[derive(Debug, Clone)]
#[must_use = "nothing is simulated before `.start()`"]
pub struct SimBuilder {
    seed: u64,
    cores: usize,
    trace_lines_max: usize,
    limits: Limits,
    system: SystemBuilder,
}

impl SimBuilder {
    pub(super) fn new(seed: u64) -> Self {
        let limits = Limits { time_max: Duration::from_hours(1), steps_max: 10_000_000 };
        Self { seed, cores: 4, trace_lines_max: 65_536, limits, system: System::builder() }
    }

    /// How many cores to simulate; 4 by default, whatever the machine has.
    pub fn cores(mut self, cores: usize) -> Self {
        self.cores = cores;
        self
    }

    /// How many tasks (`cx.spawn`, `cx.ask`, `cx.offload`) each core may hold at a time; 65,536 by default.
    pub fn tasks_max(mut self, tasks: usize) -> Self {
        self.system = self.system.tasks_max(tasks);
        self
    }

    /// As [`SystemBuilder::core_supervision`].
    pub fn core_supervision(mut self, policy: Supervise) -> Self {
        self.system = self.system.core_supervision(policy);
        self
    }

    /// As [`SystemBuilder::core_watchdog`].
    pub fn core_watchdog(mut self, watchdog: Watchdog) -> Self {
        self.system = self.system.core_watchdog(watchdog);
        self
    }

    /// As [`SystemBuilder::core_restarts`], for cores that are lost to a [fault](super::Faults::core_losses).
    pub fn core_restarts(mut self, policy: Supervise) -> Self {
        self.system = self.system.core_restarts(policy);
        self
    }

    /// How many lines of [`Sim::trace`] are kept, the latest ones; 65,536 by default.
    pub fn trace_lines_max(mut self, lines: usize) -> Self {
        self.trace_lines_max = lines;
        self
    }

    /// How much virtual time one [`Sim::run`] may take; an hour by default. It bounds the wait for what never comes,
    /// where timers keep the system busy.
    pub fn run_time_max(mut self, time: Duration) -> Self {
        self.limits.time_max = time;
        self
    }

    /// How many steps one [`Sim::run`] may take; ten million by default. It bounds the wait for what never comes, where
    /// somebody always has something to do.
    pub fn run_steps_max(mut self, steps: u64) -> Self {
        self.limits.steps_max = steps;
        self
    }

    /// Starts the simulation, at the time 0.
    ///
    /// # Panics
    ///
    /// An option is out of range; see [`Self::try_start`]. On the thread of a core, which has other things to do.
    #[track_caller]
    pub fn start(self) -> Sim {
        self.try_start().unwrap_or_else(|error| panic!("no simulation: {error}"))
    }

    /// As [`Self::start`].
    ///
    /// # Errors
    ///
    /// An option is out of range.
    ///
    /// # Panics
    ///
    /// On the thread of a core.
    #[track_caller]
    pub fn try_start(self) -> Result<Sim, StartError> {
        assert!(!on_core_thread(), "a core cannot drive a simulation");
        crate::hook::install();
        let Self { seed, cores, trace_lines_max, limits, system } = self;
        let world = World::new(&system, cores, seed, limits, trace_lines_max)?;
        let system = world.system().clone();
        let world = Rc::new(RefCell::new(world));
        live::add(system.id(), &world);
        Ok(Sim { world, system })
    }
}
