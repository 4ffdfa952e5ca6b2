//! Whole systems under a seed and virtual time.
//!
//! A [`Sim`] runs the same actors as a [`System`], and the same loop, lanes, wake protocol, supervision and
//! event bus, without threads: on the thread of a test, one step after the other. Which core has the next turn is
//! decided by a seed, and so is every fault that is injected; time passes when nothing else is left to do, or when
//! [`Sim::advance`] says so. One seed is one history: a test that fails once fails again with the same seed, and
//! other seeds are other histories.
//!
//! ```
//! use std::time::Duration;
//! use tpc_actors::prelude::*;
//! use tpc_actors::sim::{Faults, Sim};
//!
//! #[core_actor(supervise(max = 1000, within = "1s", backoff = "1ms..10ms"))]
//! pub struct Counter(u64);
//!
//! #[core_actor]
//! impl Counter {
//!     #[init]
//!     fn new() -> Self {
//!         Self(0)
//!     }
//!
//!     #[handler]
//!     fn add(&mut self, more: u64) -> u64 {
//!         self.0 += more;
//!         self.0
//!     }
//!
//!     #[every("1h")]
//!     fn forget(&mut self) {
//!         self.0 = 0;
//!     }
//! }
//!
//! for seed in 0..20 {
//!     let mut sim = Sim::seeded(seed).cores(2).start();
//!     let counter = sim.spawn::<Counter>(());
//!     assert_eq!(sim.run(counter.add(7)).unwrap(), 7);
//!     sim.advance(Duration::from_secs(3601)); // no test waits an hour
//!     assert_eq!(sim.run(counter.add(1)).unwrap(), 1);
//!
//!     sim.faults(Faults::none().handler_panics(0.2).stalls(0.1, Duration::from_millis(5)));
//!     for _ in 0..20 {
//!         let answer = sim.run(counter.add(1).deadline(Duration::from_millis(100)));
//!         assert!(!matches!(answer, Err(AskError::Full)), "nobody is refused for want of room: {answer:?}");
//!     }
//!     assert!(sim.ledger().balances(), "{}", sim.ledger());
//! }
//! ```
//!
//! # What is simulated
//!
//! Time: [`Ctx::now`](crate::Ctx::now), timers, sleeps, deadlines, back-offs and cool-downs. Order: of the cores'
//! turns, of the future that is run, and of futures that were offloaded, which the simulation polls itself. A turn handles one
//! message, so every order of messages that the lanes allow can come up. A step takes about a microsecond.
//!
//! # What is not
//!
//! The system's clock and random numbers that an actor asks for by itself, hash maps that it iterates, other threads,
//! and Tokio: an offloaded future that needs its timers or sockets panics, which is told of as any other panic of it. There
//! is no event log, and no report of stalls. Two threads never run at the same time: what the
//! memory model allows is the business of the [models](https://docs.rs/loom) of the crate itself, which check the lanes
//! and the wake protocol that a simulation goes through.

mod builder;
mod clock;
mod doorbell;
mod faults;
mod ledger;
mod live;
mod offloaded;
mod run;
mod script;
mod seat;
mod trace;
mod woken;
mod world;

use std::cell::RefCell;
use std::fmt;
use std::future::IntoFuture;
use std::rc::Rc;
use std::time::Duration;

use crate::actor::{Actor, Sharded};
use crate::bus::{Events, Publisher, SourceStatus};
use crate::supervision::Group;
use crate::{
    ActorClient, ActorGroup, ActorStatus, CheckpointReport, CoreStatus, ShutdownReport, Spawner,
    System,
};

pub use builder::SimBuilder;
#[cfg(test)]
pub(crate) use clock::VirtualClock;
pub use faults::Faults;
pub use ledger::Ledger;
pub(crate) use live::run_here;
pub(crate) use offloaded::OffloadedFutures;
pub(crate) use script::Script;

use run::run;
use world::World;

/// A simulated system, which moves when it is [run](Self::run) or time is [advanced](Self::advance).
///
/// Its clients are those of any system. A `.wait()` or a blocking receive on the thread that has the simulation is a
/// [run](Self::run); on another thread it waits for somebody who runs it, and histories depend on when that thread sends.
///
/// Dropping it ends the system without a drain. When that happens because a test fails, the seed and the last lines of the
/// [trace](Self::trace) go to standard error.
pub struct Sim {
    world: Rc<RefCell<World>>,
    system: System,
}

/// Lines of the trace that are shown when a test fails.
const LAST_LINES: usize = 20;

impl Sim {
    /// Options for a simulation with this seed.
    pub fn seeded(seed: u64) -> SimBuilder {
        SimBuilder::new(seed)
    }

    /// The seed that it was started with.
    pub fn seed(&self) -> u64 {
        self.world.borrow().seed()
    }

    // ---- time ------------------------------------------------------------------------------------

    /// Goes on until `future` has its output. Where everybody waits, time jumps to when somebody goes on.
    ///
    /// # Panics
    ///
    /// `future` waits, and nobody will ever go on: it waits for a reply that is kept, or for something outside of the
    /// simulation. The same after an [hour of virtual time](SimBuilder::run_time_max) or ten million
    /// [steps](SimBuilder::run_steps_max).
    #[track_caller]
    pub fn run<F: IntoFuture>(&mut self, future: F) -> F::Output {
        run(&self.world, future.into_future())
    }

    /// Lets so much time pass, up to ten years, with everything that happens in it. Then everybody finishes what can be
    /// done at that time; work that never ends is left after 100,000 steps.
    pub fn advance(&mut self, time: Duration) {
        self.world.borrow_mut().advance(time);
    }

    /// How much time has passed since the start.
    pub fn elapsed(&self) -> Duration {
        self.world.borrow().elapsed()
    }

    // ---- faults and books --------------------------------------------------------------------------

    /// Injects these faults from here on, instead of those before.
    pub fn faults(&mut self, faults: Faults) {
        self.world.borrow().script().set_faults(faults);
    }

    /// What has become of all requests so far. It balances at any moment, unless other threads send meanwhile.
    pub fn ledger(&self) -> Ledger {
        self.world.borrow_mut().ledger()
    }

    /// What has happened so far, a line each: calls, panics, restarts, stalls. Two runs of the same program with the same
    /// seed have the same trace.
    pub fn trace(&self) -> Vec<String> {
        self.world.borrow().script().trace()
    }

    // ---- the system ------------------------------------------------------------------------------

    /// Spawns an actor, as [`System::spawn`].
    ///
    /// # Panics
    ///
    /// It does not start; `sim.run(sim.spawner().spawn::<A>(args))` gives the error.
    #[track_caller]
    pub fn spawn<A: Actor>(&mut self, args: A::Args) -> A::Client
    where
        A::Args: Clone,
    {
        let spawn = self.system.spawn::<A>(args);
        self.started(spawn)
    }

    /// As [`Self::spawn`], for arguments that cannot be cloned; see [`System::spawn_with`].
    ///
    /// # Panics
    ///
    /// It does not start.
    #[track_caller]
    pub fn spawn_with<A: Actor>(
        &mut self,
        make: impl FnMut() -> A::Args + Send + 'static,
    ) -> A::Client {
        let spawn = self.system.spawn_with::<A>(make);
        self.started(spawn)
    }

    /// Spawns the shards of an actor, as [`System::spawn_sharded`].
    ///
    /// # Panics
    ///
    /// One of them does not start.
    #[track_caller]
    pub fn spawn_sharded<A: Sharded>(
        &mut self,
        shards: usize,
        args: impl FnMut(usize) -> A::Args,
    ) -> A::Client
    where
        A::Args: Clone,
    {
        let spawn = self.system.spawn_sharded::<A>(shards, args);
        self.started(spawn)
    }

    #[track_caller]
    fn started<A: Actor>(&mut self, spawn: crate::Spawn<A>) -> A::Client {
        self.run(spawn).unwrap_or_else(|error| panic!("{} does not start: {error}", A::NAME))
    }

    /// Options for the next actor, as [`System::spawner`]; what it spawns is to be [run](Self::run).
    pub fn spawner(&self) -> Spawner<'_> {
        self.system.spawner()
    }

    /// A new supervision group, as [`System::group`].
    pub fn group(&self, options: Group) -> ActorGroup {
        self.system.group(options)
    }

    /// The actor with this name, as [`System::find`].
    pub fn find<A: Actor>(&self, name: &str) -> Option<A::Client> {
        self.system.find::<A>(name)
    }

    /// Stops an actor with all of its shards, as [`System::stop`], and waits for that.
    ///
    /// # Panics
    ///
    /// As [`Self::run`].
    #[track_caller]
    pub fn stop<C: ActorClient>(&mut self, client: &C) {
        let closed = self.system.stop(client);
        self.run(closed);
    }

    /// A subscription, as [`System::events`].
    pub fn events<E: Send + Clone + 'static>(&self) -> Events<E> {
        self.system.events()
    }

    /// A publisher, as [`System::publisher`].
    pub fn publisher<E: Send + Clone + 'static>(&self) -> Publisher<E> {
        self.system.publisher()
    }

    /// What each core has published, as [`System::event_sources`].
    pub fn event_sources<E: Send + Clone + 'static>(&self) -> Vec<SourceStatus> {
        self.system.event_sources::<E>()
    }

    /// Has every actor with a `#[checkpoint]` write its state down, between two steps.
    pub fn checkpoint(&mut self) -> CheckpointReport {
        self.world.borrow_mut().checkpoint()
    }

    /// Every actor, as [`System::actors`].
    pub fn actors(&self) -> Vec<ActorStatus> {
        self.system.actors()
    }

    /// Every core, as [`System::cores`].
    pub fn cores(&self) -> Vec<CoreStatus> {
        self.system.cores()
    }

    /// Ends the system, as [`System::shutdown`]; the drain takes virtual time.
    pub fn shutdown(&mut self, drain_time: Duration) -> ShutdownReport {
        self.world.borrow_mut().end(drain_time)
    }
}

impl Drop for Sim {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            return;
        }
        let Ok(world) = self.world.try_borrow() else { return };
        let (seed, trace) = (world.seed(), world.script().trace());
        let last = &trace[trace.len().saturating_sub(LAST_LINES)..];
        #[expect(clippy::print_stderr, reason = "a test has failed, and this is how to repeat it")]
        {
            eprintln!("the simulation had seed {seed}; its last steps:\n{}", last.join("\n"));
        }
    }
}

impl fmt::Debug for Sim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sim").field("seed", &self.seed()).finish_non_exhaustive()
    }
}
