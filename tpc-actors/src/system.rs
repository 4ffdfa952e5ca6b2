//! A system: its cores, the actors on them, and their end.

use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use crate::actor::{Actor, Sharded};
use crate::bus::log::{EventLog, LogError, LogEvent, LogOptions, LogStatus};
use crate::bus::{BusRegistry, Events, Publisher, SourceStatus};
use crate::client::block::block_on;
use crate::client::{ActorClient, Closed};
use crate::core_loop::shared::CoreShared;
use crate::core_loop::{Core, on_core_thread};
use crate::keeper::Keeper;
use crate::nap::Nap;
use crate::offload::Offload;
use crate::placement::Placement;
use crate::supervision::Group;

mod assembly;
mod builder;
mod checkpoint;
mod cores;
mod drain;
mod group;
mod losses;
mod names;
mod shutdown;
mod simulated;
mod spawn;
mod stall_report;
mod starting;
mod status;
mod warden;

pub use builder::SystemBuilder;
pub use checkpoint::{Checkpoint, CheckpointError, CheckpointFailure, CheckpointReport};
pub use group::ActorGroup;
pub use shutdown::{Shutdown, ShutdownReport};
pub(crate) use spawn::OnProgress;
pub use spawn::{Progress, Spawn, Spawner};
pub use stall_report::StallReport;
pub use status::{ActorState, ActorStatus, CoreStatus};

use cores::CorePlan;
use names::Names;
use shutdown::Ending;
use status::{Observed, Watched};

/// A running system. Cheap to clone; dropping the last clone shuts the system down in the background.
///
/// ```
/// use std::time::Duration;
/// use tpc_actors::System;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let system = System::builder().cores(1).start()?;
/// let report = system.shutdown(Duration::from_secs(1)).await;
/// assert!(report.is_clean(), "{report}");
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct System {
    handle: Arc<Handle>,
}

/// Ends the system with the last clone.
struct Handle {
    inner: Arc<Inner>,
}

impl Drop for Handle {
    fn drop(&mut self) {
        // In the background, because this may be async code or one of the system's own cores.
        drop(self.inner.shut_down(self.inner.drop_drain_time));
    }
}

/// What belongs to a system, as its own threads see it.
struct Inner {
    cores: Vec<Arc<CoreShared>>,
    threads: Mutex<Vec<CoreThread>>,
    keeper: Arc<Keeper>,
    keeper_thread: Mutex<Option<JoinHandle<()>>>,
    bus: Arc<BusRegistry>,
    offload: Arc<Offload>,
    placement: Placement,
    bound: Vec<Option<usize>>,
    next_core: AtomicUsize,
    actors: Mutex<Vec<Watched>>,
    names: Mutex<Names>,
    checkpoints: checkpoint::Turns,
    ending: Mutex<Option<Arc<Ending>>>,
    drop_drain_time: Duration,
    /// Prefix of the cores' thread names.
    thread_name: String,
    plan: CorePlan,
    /// Names of threads that were lost and replaced, or not.
    lost_cores: Mutex<Vec<String>>,
    /// The warden's.
    nap: Arc<Nap>,
    warden_thread: Mutex<Option<JoinHandle<()>>>,
}

struct CoreThread {
    index: usize,
    name: String,
    thread: JoinHandle<()>,
}

impl System {
    /// Options for a new system.
    pub fn builder() -> SystemBuilder {
        SystemBuilder::new()
    }

    fn inner(&self) -> &Arc<Inner> {
        &self.handle.inner
    }

    /// Spawns one actor on the next core. `args` are those of its `#[init]`: `()` for none, the value
    /// for one, a tuple for more. Every restart uses a clone of them.
    ///
    /// `.await` the result, or `.wait()` for it on a plain thread.
    pub fn spawn<A: Actor>(&self, args: A::Args) -> Spawn<A>
    where
        A::Args: Clone,
    {
        self.spawner().spawn(args)
    }

    /// As [`Self::spawn`], for arguments that cannot be cloned: `make` is called on the actor's core, at
    /// the start and for every restart.
    pub fn spawn_with<A: Actor>(&self, make: impl FnMut() -> A::Args + Send + 'static) -> Spawn<A> {
        self.spawner().spawn_with(make)
    }

    /// Spawns `shards` actors, spread over the cores in turn; `args` gives the arguments of each.
    ///
    /// The client routes by `#[key]` and is there once every shard is. If one of them does not start,
    /// the others are stopped.
    pub fn spawn_sharded<A: Sharded>(
        &self,
        shards: usize,
        args: impl FnMut(usize) -> A::Args,
    ) -> Spawn<A>
    where
        A::Args: Clone,
    {
        self.spawner().spawn_sharded(shards, args)
    }

    /// Options for the next actor: its name, its core, who hears of its start's progress.
    pub fn spawner(&self) -> Spawner<'_> {
        Spawner::new(self.inner())
    }

    /// A new supervision group, on the next core.
    pub fn group(&self, options: Group) -> ActorGroup {
        ActorGroup::new(Arc::clone(self.inner()), options)
    }

    /// The actor that was spawned with this name and has not ended.
    pub fn find<A: Actor>(&self, name: &str) -> Option<A::Client> {
        self.inner().find::<A>(name)
    }

    /// Has every actor with a `#[checkpoint]` write its state down while nothing runs on any core.
    ///
    /// All cores stand still at a barrier, between two handlers; only then do the hooks run, on each core
    /// one after the other, and when the last has returned, all cores go on. So no state shows the effect of
    /// a message whose sender had not sent it yet. Messages that wait in lanes are not part of it. When a
    /// core does not come to a stop `within` that time, all go on. The checkpoint begins with the call.
    pub fn checkpoint(&self, within: Duration) -> Checkpoint {
        self.inner().checkpoint(within)
    }

    /// Stops an actor with all of its shards: each finishes the handler that it is in, runs `#[on_stop]`,
    /// and answers [`Stopped`](crate::AskError::Stopped) to what waits. The stop begins with the call, so that
    /// nothing which the same thread sends over a client afterwards is handled; the returned future only waits for it. A core that is lost
    /// before it comes to it does not bring the actor back.
    pub fn stop<C: ActorClient>(&self, client: &C) -> Closed {
        for mailbox in client.untyped().mailboxes() {
            mailbox.stop(Core::stop_actor);
        }
        client.closed()
    }

    /// A subscription to the events of type `E`, to be narrowed and then started with `.subscribe()`.
    pub fn events<E: Send + Clone + 'static>(&self) -> Events<E> {
        Events::new(self.inner().bus.of::<E>())
    }

    /// A publisher of events of type `E` for Tokio tasks and plain threads. Events that learn their
    /// [routes](crate::bus::Enrich) do so from the start of the first actor that publishes them, or from
    /// [`with_routes`](Publisher::with_routes) on.
    pub fn publisher<E: Send + Clone + 'static>(&self) -> Publisher<E> {
        Publisher::new(self.inner().bus.of::<E>())
    }

    /// Writes the events of type `E` to `log`, from a thread off the data cores, before anybody publishes or
    /// subscribes. Positions begin a new epoch with it. See [`bus::log`](crate::bus::log).
    ///
    /// ```
    /// # use std::time::Duration;
    /// use tpc_actors::bus::log::{LogOptions, MemoryLog};
    /// use tpc_actors::prelude::*;
    ///
    /// # let system = System::builder().cores(1).start()?;
    /// system.log_events::<String>(MemoryLog::new(), LogOptions::new().keep_events(1_000_000))?;
    /// let mut durable = system.events::<String>().durable().subscribe();
    /// system.publisher().publish("kept".to_owned())?;
    /// assert!(matches!(durable.next_wait(), Some(Delivery::Event { event, .. }) if event == "kept"));
    /// # system.shutdown_wait(Duration::from_secs(1));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// The log fails, or it is [too late](LogError::TooLate) for one.
    pub fn log_events<E: LogEvent + Send + Clone + 'static>(
        &self,
        log: impl EventLog,
        options: LogOptions,
    ) -> Result<(), LogError> {
        let inner = self.inner();
        inner.bus.of::<E>().log_to(Box::new(log), options, inner.placement.control_plane())
    }

    /// How far the log of the events of type `E` has come; `None` when there is none.
    pub fn log_status<E: Send + Clone + 'static>(&self) -> Option<LogStatus> {
        self.inner().bus.of::<E>().log_status()
    }

    /// What each core has published of the events of type `E`, by core; last come the publishers outside.
    pub fn event_sources<E: Send + Clone + 'static>(&self) -> Vec<SourceStatus> {
        self.inner().bus.of::<E>().status()
    }

    /// How the cores were planned.
    pub fn placement(&self) -> &Placement {
        &self.inner().placement
    }

    /// Every actor that has started, in the order in which they were spawned. One that has ended is listed for as long as
    /// somebody holds a client of it, and until another one is spawned.
    pub fn actors(&self) -> Vec<ActorStatus> {
        let actors: Vec<_> = lock(&self.inner().actors)
            .iter()
            .map(|actor| actor.upgrade().ok_or_else(|| actor.gone()))
            .collect();
        let status = |actor: Result<Arc<dyn Observed>, ActorStatus>| match actor {
            Ok(actor) => actor.has_started().then(|| actor.status()),
            Err(gone) => Some(gone),
        };
        actors.into_iter().filter_map(status).collect()
    }

    /// Has the thread of a core panic outside of every actor, for tests of what follows.
    #[doc(hidden)]
    pub fn crash_core(&self, core: usize) {
        let crash = |_: &mut Core| panic!("a core was told to crash");
        drop(self.inner().cores[core].command(Box::new(crash)));
    }

    /// Every core, with what it has done so far.
    pub fn cores(&self) -> Vec<CoreStatus> {
        let inner = self.inner();
        inner.cores.iter().zip(&inner.bound).map(|(core, cpu)| CoreStatus::of(core, *cpu)).collect()
    }

    /// Ends the system: refuses new work, finishes what was accepted within `drain_time`, runs the
    /// `#[on_stop]` hooks, answers what is left, joins the threads, and reports.
    ///
    /// While the system drains, its own cores may still send to each other; everyone else is refused, and
    /// so is a future that an actor has offloaded to Tokio.
    ///
    /// A core that does not come to an end is left behind, and what waits for it is refused. A request that it runs is
    /// answered when its handler ends, or has its deadline: its asker can be woken by nobody else. An event log has two
    /// seconds more to make durable what was published, and is left behind then.
    ///
    /// The end begins with the call: what the same thread sends or spawns afterwards is refused. The returned future only
    /// waits for it. A second call gets the same report.
    pub fn shutdown(&self, drain_time: Duration) -> Shutdown {
        self.inner().shut_down(drain_time)
    }

    /// As [`Self::shutdown`], for plain threads.
    ///
    /// # Panics
    ///
    /// On a core's own thread, which would wait for itself; use [`Self::shutdown`] there.
    pub fn shutdown_wait(&self, drain_time: Duration) -> ShutdownReport {
        assert!(!on_core_thread(), "a core cannot wait for its own end");
        block_on(self.shutdown(drain_time))
    }
}

impl fmt::Debug for System {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("System").field("cores", &self.inner().cores.len()).finish_non_exhaustive()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Inner {
    pub(super) fn next_core(&self) -> usize {
        self.next_core.fetch_add(1, Ordering::Relaxed) % self.cores.len()
    }

    fn thread_name(&self, core: usize) -> String {
        format!("{}-{core}", self.thread_name)
    }
}
