//! Spawning actors: where, under which name, and waiting for their start.

use std::fmt;
use std::future::{Future, IntoFuture};
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;

use tokio::sync::oneshot;

use super::starting::Starting;
use super::{Inner, lock};
use crate::actor::{Actor, Settings, Sharded, request_fits};
use crate::bridge::bell::LANES_MAX;
use crate::bridge::ring::check_capacity;
use crate::client::Client;
use crate::client::block::block_on_of;
use crate::core_loop::cell::{ActorCell, MakeArgs};
use crate::core_loop::incidents::GroupId;
use crate::core_loop::{Core, on_core_thread};
use crate::error::SpawnError;
use crate::isolate::drop_quietly;
use crate::mailbox::Mailbox;
use crate::mailbox::lane::Envelope;
use crate::mailbox::orphan::Kept;
use crate::supervision::Group;

/// How far an `#[init]` has come, as it says itself with [`Ctx::progress`](crate::Ctx::progress).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Progress {
    /// The actor's type name.
    pub actor: &'static str,
    /// Its shard, counted from 0.
    pub shard: usize,
    /// Its core, counted from 0.
    pub core: usize,
    /// Steps that are done.
    pub done: u64,
    /// Steps in all.
    pub total: u64,
}

/// Who hears of progress.
pub(crate) type OnProgress = Arc<dyn Fn(Progress) + Send + Sync>;

/// Options of the next actor; made by [`System::spawner`](crate::System::spawner) and
/// [`ActorGroup::spawner`](super::ActorGroup::spawner).
///
/// ```
/// # use std::time::Duration;
/// # use tpc_actors::prelude::*;
/// # #[core_actor]
/// # pub struct Store(u64);
/// # #[core_actor]
/// # impl Store {
/// #     #[init] fn new(cx: &mut Ctx<Self>) -> Self { cx.progress(1, 1); Self(7) }
/// #     #[handler] fn size(&self) -> u64 { self.0 }
/// # }
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let system = System::builder().cores(2).start()?;
/// let store = system
///     .spawner()
///     .name("orders")
///     .core(1)
///     .on_progress(|progress| println!("{} of {} replayed", progress.done, progress.total))
///     .spawn::<Store>(())
///     .wait()?;
/// let same = system.find::<Store>("orders").expect("it runs");
/// assert_eq!(same.size().wait()?, store.size().wait()?);
/// # system.shutdown_wait(Duration::from_secs(5));
/// # Ok(())
/// # }
/// ```
#[must_use = "nothing is spawned before one of the `spawn` methods"]
pub struct Spawner<'a> {
    inner: &'a Arc<Inner>,
    name: Option<String>,
    core: Option<usize>,
    group: Option<(GroupId, Group)>,
    /// The core of the group.
    home: Option<usize>,
    on_progress: Option<OnProgress>,
}

impl<'a> Spawner<'a> {
    pub(super) fn new(inner: &'a Arc<Inner>) -> Self {
        Self { inner, name: None, core: None, group: None, home: None, on_progress: None }
    }

    pub(super) fn in_group(mut self, id: GroupId, group: Group, home: usize) -> Self {
        self.group = Some((id, group));
        self.home = Some(home);
        self
    }

    /// The name that [`System::find`](crate::System::find) finds the actor by, until it ends. Actors of
    /// different types may have the same name.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// The core for the actor, or for its first shard, counted from 0; by default the next in turn.
    /// Members of a group live on the core of their group; another one is refused with
    /// [`SpawnError::OutsideGroup`].
    pub fn core(mut self, core: usize) -> Self {
        self.core = Some(core);
        self
    }

    /// Has `hear` called with what `#[init]` says about its progress, on the actor's core, at the start
    /// and with every restart. It should be quick; a panic in it is swallowed.
    pub fn on_progress(mut self, hear: impl Fn(Progress) + Send + Sync + 'static) -> Self {
        self.on_progress = Some(Arc::new(hear));
        self
    }

    /// As [`System::spawn`](crate::System::spawn).
    pub fn spawn<A: Actor>(self, args: A::Args) -> Spawn<A>
    where
        A::Args: Clone,
    {
        self.begin(vec![Box::new(move || args.clone())])
    }

    /// As [`System::spawn_with`](crate::System::spawn_with).
    pub fn spawn_with<A: Actor>(self, make: impl FnMut() -> A::Args + Send + 'static) -> Spawn<A> {
        self.begin(vec![Box::new(make)])
    }

    /// As [`System::spawn_sharded`](crate::System::spawn_sharded).
    pub fn spawn_sharded<A: Sharded>(
        self,
        shards: usize,
        mut args: impl FnMut(usize) -> A::Args,
    ) -> Spawn<A>
    where
        A::Args: Clone,
    {
        if shards > self.inner.cores.len().saturating_mul(LANES_MAX) {
            // Not asked of each shard first: there may be no memory for as many questions.
            let awaited = vec![Err(SpawnError::TooManyLanes)];
            return Spawn { awaited, inner: Arc::clone(self.inner) };
        }
        let make = |shard| -> MakeArgs<A> {
            let args = args(shard);
            Box::new(move || args.clone())
        };
        self.begin((0..shards).map(make).collect())
    }

    fn begin<A: Actor>(self, shards: Vec<MakeArgs<A>>) -> Spawn<A> {
        // The size of a generic actor's requests is known no earlier than here.
        const { request_fits::<A>() };
        let inner = Arc::clone(self.inner);
        let awaited = match self.mailboxes::<A>(shards.len()) {
            Err(error) => vec![Err(error)],
            Ok(mailboxes) => {
                let pairs = Starting::all(&inner, mailboxes).into_iter().zip(shards);
                pairs.map(|(starting, make)| self.start(starting, make)).collect()
            }
        };
        Spawn { awaited, inner }
    }

    /// A mailbox for each shard, under the name if there is one.
    fn mailboxes<A: Actor>(&self, shards: usize) -> Result<Vec<Arc<Mailbox<A>>>, SpawnError> {
        let cores = &self.inner.cores;
        if lock(&self.inner.ending).is_some() {
            return Err(SpawnError::Stopping);
        }
        if shards == 0 {
            return Err(SpawnError::NoShards);
        }
        if let Some(core) = self.core.filter(|core| *core >= cores.len()) {
            return Err(SpawnError::NoSuchCore { core, cores: cores.len() });
        }
        if let (Some(core), Some(home)) = (self.core, self.home)
            && core != home
        {
            return Err(SpawnError::OutsideGroup { core, home });
        }
        // Asked once here, where it can be answered, and not when the first thread opens a lane.
        check_capacity::<Envelope<A>>(<A as Settings>::POLICY.lane_capacity())?;
        let mailbox = |shard| {
            let core = match (self.home, self.core) {
                (Some(home), _) => home,
                (None, Some(first)) => (first + shard) % cores.len(),
                (None, None) => self.inner.next_core(),
            };
            let keeper = Arc::clone(&self.inner.keeper);
            Mailbox::<A>::new(Arc::clone(&cores[core]), keeper, shard)
                .ok_or(SpawnError::TooManyLanes)
        };
        let mailboxes = (0..shards).map(mailbox).collect::<Result<Vec<_>, _>>()?;
        if let Some(name) = &self.name {
            let mut names = lock(&self.inner.names);
            if !names.take::<A>(name, &mailboxes) {
                return Err(SpawnError::NameTaken { actor: A::NAME, name: name.clone() });
            }
            let name: Arc<str> = name.as_str().into();
            for mailbox in &mailboxes {
                drop(mailbox.given_name.set(Arc::clone(&name)));
            }
        }
        Ok(mailboxes)
    }

    /// Has the mailbox's core start one shard.
    fn start<A: Actor>(
        &self,
        starting: Starting<A>,
        make_args: MakeArgs<A>,
    ) -> Result<Awaited<A>, SpawnError> {
        let (report, started) = oneshot::channel();
        let mailbox = Arc::clone(starting.mailbox());
        let (group, on_progress) = (self.group, self.on_progress.clone());
        let command = move |core: &mut Core| {
            if core.is_finished() {
                drop_quietly(starting);
                drop_quietly(report.send(Err(SpawnError::Stopping)));
                drop_quietly(make_args);
                return;
            }
            let theirs = Arc::clone(starting.mailbox());
            let cell = core.cells.number();
            let local = Rc::clone(&core.local);
            theirs.set_group(group);
            let kept = Kept { make_args, on_progress };
            let started = ActorCell::start(cell, &local, Arc::clone(&theirs), kept);
            let outcome = started.map(|actor| {
                let _ = theirs.cell.set(cell);
                core.add(cell, actor);
                if let Some((id, group)) = group {
                    core.join_group(id, group, cell);
                }
            });
            match &outcome {
                Ok(()) => starting.has_started(),
                Err(_) => drop_quietly(starting),
            }
            // Nobody may be waiting any more; the actor runs all the same.
            drop_quietly(report.send(outcome));
        };
        if mailbox.core.command(Box::new(command)).is_err() {
            let ending = lock(&self.inner.ending).is_some();
            return Err(if ending { SpawnError::Stopping } else { SpawnError::CoreLost });
        }
        Ok(Awaited { mailbox, started })
    }
}

impl fmt::Debug for Spawner<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Spawner")
            .field("name", &self.name)
            .field("core", &self.core)
            .finish_non_exhaustive()
    }
}

/// One shard whose start is awaited.
struct Awaited<A: Actor> {
    mailbox: Arc<Mailbox<A>>,
    started: oneshot::Receiver<Result<(), SpawnError>>,
}

/// An actor that is being spawned: `.await` it, or `.wait()` for it on a plain thread.
///
/// The actor starts with the call that made this; dropping it does not stop the actor.
#[must_use = "the client comes out of this future"]
pub struct Spawn<A: Actor> {
    awaited: Vec<Result<Awaited<A>, SpawnError>>,
    inner: Arc<Inner>,
}

impl<A: Actor> Spawn<A> {
    async fn finish(self) -> Result<A::Client, SpawnError> {
        let mut failed = None;
        let mut mailboxes = Vec::new();
        for shard in self.awaited {
            let started = match shard {
                // A core that ends drops the sender.
                Ok(Awaited { mailbox, started }) => {
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
        failed.map_or_else(|| Ok(A::Client::from(Client::new(mailboxes))), Err)
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
        block_on_of(self.inner.cores[0].system, self.finish())
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
