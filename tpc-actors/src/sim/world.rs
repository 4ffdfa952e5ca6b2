//! Who goes on next, and what time it is then.

mod ending;

use std::sync::atomic::Ordering;
use std::sync::{Arc, mpsc};
use std::time::Duration;

use super::clock::VirtualClock;
use super::doorbell::Rung;
use super::run::{Limits, unconstrained};
use super::seat::Seat;
use super::{Ledger, OffloadedFutures, Script};
use crate::clock::{Clock, FOREVER, later};
use crate::core_loop::Core;
use crate::isolate::drop_quietly;
use crate::supervision::{Decision, History};
use crate::{CheckpointReport, ShutdownReport, StartError, System, SystemBuilder};

/// What a step takes at least, and what it may take longer: time goes on also where work never ends.
const STEP_NANOS_MIN: u64 = 500;
const STEP_NANOS_MORE: u64 = 1000;

/// Steps after which work that never ends does not hold up whoever advances the time.
const STEPS_AT_ONCE_MAX: u32 = 100_000;

/// What is to be done next.
#[derive(Debug, Clone, Copy)]
enum Step {
    /// A turn of a core.
    Core(usize),
    /// A look at deadlines.
    Deadlines,
    /// A poll of an offloaded future.
    Offloaded(usize),
    /// A poll of the future that the simulation is run for.
    Caller,
}

/// A system and everything that moves it.
pub(super) struct World {
    // Before the system, whose cores they are.
    seats: Vec<Seat>,
    system: System,
    seed: u64,
    limits: Limits,
    clock: Arc<VirtualClock>,
    script: Arc<Script>,
    futures: Arc<OffloadedFutures>,
    /// How often cores have been lost lately.
    losses: History,
    /// Names of those.
    lost: Vec<String>,
    report: Option<ShutdownReport>,
    /// The end has begun.
    ending: bool,
    /// It is not to wait any longer.
    cut_short: bool,
}

impl World {
    pub(super) fn new(
        builder: &SystemBuilder,
        cores: usize,
        seed: u64,
        limits: Limits,
        trace_lines_max: usize,
    ) -> Result<Self, StartError> {
        let clock = Arc::<VirtualClock>::default();
        let script = Script::new(seed, Arc::clone(&clock), trace_lines_max);
        let futures = Arc::<OffloadedFutures>::default();
        let rung: Vec<_> = (0..cores).map(|_| Arc::<Rung>::default()).collect();
        let system = builder.simulate(
            rung.iter().map(|rung| Arc::clone(rung) as _).collect(),
            Arc::clone(&clock) as _,
            Arc::clone(&script),
            Arc::clone(&futures),
        )?;
        let shared = system.shared_cores().iter().map(Arc::clone);
        let seats = shared.zip(rung).map(|(shared, rung)| Seat::new(shared, rung)).collect();
        let losses = History::new(builder.core_restart_policy());
        let (lost, report, ending, cut_short) = (Vec::new(), None, false, false);
        let mut this = Self {
            seats,
            system,
            seed,
            limits,
            clock,
            script,
            futures,
            losses,
            lost,
            report,
            ending,
            cut_short,
        };
        (0..cores).for_each(|core| this.start(core));
        Ok(this)
    }

    pub(super) fn system(&self) -> &System {
        &self.system
    }

    pub(super) fn script(&self) -> &Arc<Script> {
        &self.script
    }

    pub(super) fn seed(&self) -> u64 {
        self.seed
    }

    pub(super) fn limits(&self) -> Limits {
        self.limits
    }

    pub(super) fn elapsed(&self) -> Duration {
        self.clock.elapsed()
    }

    // ---- steps -----------------------------------------------------------------------------------

    /// One step: of somebody who has something to do, or to the time when somebody has. `caller` says whether the
    /// future that all this is for has something to do. True when it is its turn, and `None` when nothing will
    /// ever happen again by itself.
    pub(super) fn step(&mut self, caller: bool) -> Option<bool> {
        if let Some(step) = self.choose(caller) {
            return Some(self.take(step));
        }
        let due = self.next_due()?;
        self.clock.advance_to(due);
        Some(false)
    }

    /// Lets so much time pass, and then everybody finish what can be done at that time.
    pub(super) fn advance(&mut self, time: Duration) {
        let until = (self.elapsed() + time.min(FOREVER)).min(VirtualClock::END);
        while self.elapsed() < until {
            if let Some(step) = self.choose(false) {
                self.take(step);
                continue;
            }
            let due = self.next_due().map_or(until, |due| due.min(until));
            self.clock.advance_to(due);
        }
        for _ in 0..STEPS_AT_ONCE_MAX {
            let Some(step) = self.choose(false) else { return };
            self.take_now(step);
        }
    }

    /// A step of somebody who has something to do.
    fn choose(&self, caller: bool) -> Option<Step> {
        let now = self.clock.now();
        let ready = |(_, seat): &(usize, &Seat)| seat.is_ready(now);
        let cores = self.seats.iter().enumerate().filter(ready).map(|(core, _)| Step::Core(core));
        let deadlines = self.has_deadline().then_some(Step::Deadlines);
        let offloaded = (0..self.futures.ready()).map(Step::Offloaded);
        let caller = caller.then_some(Step::Caller);
        let steps: Vec<_> = cores.chain(deadlines).chain(offloaded).chain(caller).collect();
        let which = usize::try_from(self.script.below(steps.len() as u64)).ok()?;
        steps.get(which).copied()
    }

    fn has_deadline(&self) -> bool {
        self.system
            .keeper()
            .next_due()
            .is_some_and(|due| Duration::from_nanos(due) <= self.elapsed())
    }

    /// Takes a step; true when it is the caller's.
    fn take(&mut self, step: Step) -> bool {
        let took = STEP_NANOS_MIN + self.script.below(STEP_NANOS_MORE);
        self.clock.advance(Duration::from_nanos(took));
        self.take_now(step)
    }

    /// The same, in no time.
    fn take_now(&mut self, step: Step) -> bool {
        match step {
            Step::Core(core) => self.turn(core),
            Step::Deadlines => self.system.keeper().look(),
            Step::Offloaded(future) => unconstrained(|| self.futures.poll(future)),
            Step::Caller => return true,
        }
        false
    }

    fn start(&mut self, core: usize) {
        let seed = self.script.below(u64::MAX);
        let system = &self.system;
        self.seats[core].start(|| system.make_core(core, seed));
    }

    fn turn(&mut self, core: usize) {
        let now = self.clock.now();
        if self.seats[core].is_lost() {
            self.script.note(Some(core), format_args!("is there again"));
            return self.start(core);
        }
        if self.script.loses_core() {
            return self.lose(core);
        }
        if let Some(stall) = self.script.stall() {
            self.script.note(Some(core), format_args!("stands still for {stall:?}"));
            return self.seats[core].stall(now + stall);
        }
        if self.seats[core].turn(now) {
            self.script.note(Some(core), format_args!("the system is to end"));
            self.end(Duration::ZERO);
        }
    }

    /// Loses a core, and has it come back if that has not happened too often.
    fn lose(&mut self, core: usize) {
        self.script.note(Some(core), format_args!("is lost"));
        self.seats[core].lose();
        self.lost.push(self.system.core_name(core));
        if self.ending {
            return;
        }
        let now = self.clock.now();
        match self.losses.failed(now, 0) {
            Decision::Restart { after } => self.seats[core].comes_back(later(now, after)),
            Decision::GiveUp(_) => {
                self.script.note(None, format_args!("too many cores are lost"));
                self.end(Duration::ZERO);
            }
        }
    }

    /// When somebody will have something to do.
    fn next_due(&self) -> Option<Duration> {
        let cores = self.seats.iter().filter_map(Seat::next_due);
        let cores = cores.map(|at| self.clock.elapsed_at(at));
        cores.chain(self.system.keeper().next_due().map(Duration::from_nanos)).min()
    }

    // ---- books -------------------------------------------------------------------------------------

    pub(super) fn ledger(&mut self) -> Ledger {
        let (accepted, left) = self.script.books();
        let mut ledger = Ledger { accepted, cancelled: left, ..Ledger::default() };
        for seat in &mut self.seats {
            let waiting = seat.with(|core| core.waiting()).unwrap_or(0);
            let shared = seat.shared();
            let stats = &shared.stats;
            ledger.handled += stats.handled.get();
            ledger.cancelled += stats.cancelled.get();
            ledger.expired += stats.expired.get();
            ledger.rejected += shared.rejected.load(Ordering::Relaxed);
            ledger.waiting += waiting as u64;
            ledger.panics += stats.panics.get();
            ledger.restarts += stats.restarts.get();
        }
        ledger
    }

    /// Has every actor with a `#[checkpoint]` write its state down. No handler runs meanwhile.
    pub(super) fn checkpoint(&mut self) -> CheckpointReport {
        self.on_every_core(Core::stand_still);
        let taken = self.on_every_core(Core::checkpoint);
        self.on_every_core(Core::go_on);
        CheckpointReport::of(taken)
    }

    /// Has every core do something in a turn, as its first; a core that is lost does not.
    fn on_every_core<R: Send + 'static>(&mut self, what: fn(&mut Core) -> R) -> Vec<(usize, R)> {
        let (answer, answers) = mpsc::channel();
        let mut aborts = false;
        for seat in &mut self.seats {
            let (answer, index) = (answer.clone(), seat.index());
            let command = move |core: &mut Core| drop_quietly(answer.send((index, what(core))));
            drop(seat.shared().command(Box::new(command)));
            aborts |= seat.turn(self.clock.now());
        }
        if aborts {
            self.end(Duration::ZERO);
        }
        answers.try_iter().collect()
    }
}
