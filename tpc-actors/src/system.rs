//! A system: its cores, the actors on them, and their end.

use std::fmt;
use std::future::{Future, IntoFuture};
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::sync::oneshot;

use crate::actor::{Actor, Settings, Sharded};
use crate::bridge::ring::check_capacity;
use crate::bus::{BusRegistry, Events};
use crate::client::Client;
use crate::client::block::block_on;
use crate::core_loop::cell::{ActorCell, MakeArgs};
use crate::core_loop::shared::CoreShared;
use crate::core_loop::{Core, on_core_thread};
use crate::error::SpawnError;
use crate::isolate::drop_quietly;
use crate::keeper::Keeper;
use crate::mailbox::Mailbox;
use crate::mailbox::lane::Envelope;
use crate::offload::Offload;
use crate::placement::Placement;

mod builder;
mod shutdown;
mod status;

pub use builder::SystemBuilder;
pub use shutdown::{Shutdown, ShutdownReport};
pub use status::{ActorState, ActorStatus, CoreStatus};

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
    ending: Mutex<Option<Arc<Ending>>>,
    /// Cores that did not end with the system.
    given_up: Mutex<Vec<usize>>,
    drop_drain_time: Duration,
    /// Prefix of the cores' thread names.
    thread_name: String,
}

struct CoreThread {
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
        Spawn::begin(self.inner(), vec![Box::new(move || args.clone())])
    }

    /// As [`Self::spawn`], for arguments that cannot be cloned: `make` is called on the actor's core, at
    /// the start and for every restart.
    pub fn spawn_with<A: Actor>(&self, make: impl FnMut() -> A::Args + Send + 'static) -> Spawn<A> {
        Spawn::begin(self.inner(), vec![Box::new(make)])
    }

    /// Spawns `shards` actors, spread over the cores in turn; `args` gives the arguments of each.
    ///
    /// The client routes by `#[key]` and is there once every shard is. If one of them does not start,
    /// the others are stopped.
    pub fn spawn_sharded<A: Sharded>(
        &self,
        shards: usize,
        mut args: impl FnMut(usize) -> A::Args,
    ) -> Spawn<A>
    where
        A::Args: Clone,
    {
        let make = |shard| -> MakeArgs<A> {
            let args = args(shard);
            Box::new(move || args.clone())
        };
        Spawn::begin(self.inner(), (0..shards).map(make).collect())
    }

    /// A subscription to the events of type `E`, to be narrowed and then started with `.subscribe()`.
    pub fn events<E: Send + Clone + 'static>(&self) -> Events<E> {
        Events::new(self.inner().bus.of::<E>())
    }

    /// How the cores were planned.
    pub fn placement(&self) -> &Placement {
        &self.inner().placement
    }

    /// Every actor, in the order in which they were spawned.
    pub fn actors(&self) -> Vec<ActorStatus> {
        let actors: Vec<_> = lock(&self.inner().actors)
            .iter()
            .map(|actor| actor.upgrade().ok_or_else(|| actor.gone()))
            .collect();
        let status = |actor: Result<Arc<dyn Observed>, ActorStatus>| match actor {
            Ok(actor) => actor.status(),
            Err(gone) => gone,
        };
        actors.into_iter().map(status).collect()
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
    /// The end begins with the call; the returned future only waits for it. A second call gets the same
    /// report.
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

/// One shard that is being started.
struct Starting<A: Actor> {
    mailbox: Arc<Mailbox<A>>,
    started: oneshot::Receiver<Result<(), SpawnError>>,
}

/// An actor that is being spawned: `.await` it, or `.wait()` for it on a plain thread.
///
/// The actor starts with the call that made this; dropping it does not stop the actor.
#[must_use = "the client comes out of this future"]
pub struct Spawn<A: Actor> {
    starting: Vec<Result<Starting<A>, SpawnError>>,
    inner: Arc<Inner>,
}

impl<A: Actor> Spawn<A> {
    fn begin(inner: &Arc<Inner>, shards: Vec<MakeArgs<A>>) -> Self {
        let inner = Arc::clone(inner);
        if shards.is_empty() {
            return Self { starting: vec![Err(SpawnError::NoShards)], inner };
        }
        // Asked once here, where it can be answered, and not when the first thread opens a lane.
        if let Err(error) = check_capacity::<Envelope<A>>(<A as Settings>::POLICY.lane_capacity()) {
            return Self { starting: vec![Err(error.into())], inner };
        }
        let starting =
            shards.into_iter().enumerate().map(|(shard, make)| inner.start(shard, make)).collect();
        Self { starting, inner }
    }

    async fn finish(self) -> Result<A::Client, SpawnError> {
        let mut failed = None;
        let mut mailboxes = Vec::new();
        for starting in self.starting {
            let started = match starting {
                // A core that ends drops the sender.
                Ok(Starting { mailbox, started }) => {
                    let outcome = started.await.unwrap_or(Err(SpawnError::CoreLost));
                    outcome.map(|()| mailbox)
                }
                Err(error) => Err(error),
            };
            match started {
                Ok(mailbox) => mailboxes.push(mailbox),
                Err(error) => failed = failed.or(Some(error)),
            }
        }
        if let Some(error) = failed {
            for mailbox in mailboxes {
                let cell = mailbox.cell.get().copied();
                drop(mailbox.core.command(Box::new(move |core| core.stop_cell(cell))));
            }
            return Err(error);
        }
        lock(&self.inner.actors).extend(mailboxes.iter().map(Watched::new));
        // The system may have ended without these meanwhile.
        let given_up = lock(&self.inner.given_up).clone();
        for mailbox in mailboxes.iter().filter(|mailbox| given_up.contains(&mailbox.core.index)) {
            mailbox.give_up();
        }
        Ok(A::Client::from(Client::new(mailboxes)))
    }

    /// Waits for the actor on this thread.
    ///
    /// # Errors
    ///
    /// As for `.await`, and [`SpawnError::WouldBlockCore`] on a core's own thread.
    pub fn wait(self) -> Result<A::Client, SpawnError> {
        if on_core_thread() {
            return Err(SpawnError::WouldBlockCore);
        }
        block_on(self.finish())
    }
}

impl<A: Actor> IntoFuture for Spawn<A> {
    type Output = Result<A::Client, SpawnError>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.finish())
    }
}

impl<A: Actor> fmt::Debug for Spawn<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Spawn").field("actor", &A::NAME).finish_non_exhaustive()
    }
}

impl Inner {
    fn thread_name(&self, core: usize) -> String {
        format!("{}-{core}", self.thread_name)
    }

    /// Has the next core start one shard.
    fn start<A: Actor>(
        &self,
        shard: usize,
        make_args: MakeArgs<A>,
    ) -> Result<Starting<A>, SpawnError> {
        let turn = self.next_core.fetch_add(1, Ordering::Relaxed);
        let core = &self.cores[turn % self.cores.len()];
        let mailbox = Mailbox::<A>::new(Arc::clone(core), Arc::clone(&self.keeper), shard)
            .ok_or(SpawnError::TooManyLanes)?;
        let (report, started) = oneshot::channel();
        let theirs = Arc::clone(&mailbox);
        let command = move |core: &mut Core| {
            if core.is_finished() {
                drop_quietly(report.send(Err(SpawnError::Stopping)));
                drop_quietly(make_args);
                return;
            }
            let cell = core.next_cell();
            let local = std::rc::Rc::clone(&core.local);
            let started = ActorCell::start(cell, &local, Arc::clone(&theirs), make_args);
            let outcome = match started {
                Ok(actor) => {
                    let _ = theirs.cell.set(cell);
                    core.add(Some(Box::new(actor)));
                    Ok(())
                }
                Err(error) => {
                    core.add(None);
                    Err(error)
                }
            };
            // Nobody may be waiting any more; the actor runs all the same.
            drop_quietly(report.send(outcome));
        };
        if core.command(Box::new(command)).is_err() {
            let ending = lock(&self.ending).is_some();
            return Err(if ending { SpawnError::Stopping } else { SpawnError::CoreLost });
        }
        Ok(Starting { mailbox, started })
    }
}
