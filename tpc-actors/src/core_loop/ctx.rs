//! What a handler sees of its surroundings.

use std::fmt;
use std::future::Future;
use std::rc::Rc;
use std::time::{Duration, Instant};

use super::sleep::{CoreClock, Sleep};
use super::tasks::{LocalFuture, Owner, Polled};
use crate::actor::Actor;
use crate::bus::Position;
use crate::bus::publisher::CorePublisher;
use crate::client::Ask;
use crate::error::AskError;
use crate::isolate::{catch, drop_quietly};
use crate::offload::NoOutput;
use crate::pinned::{LocalMailbox, Pinned, PinnedToCore};
use crate::system::{OnProgress, Progress};

/// The surroundings of a handler: time, events, tasks, other actors.
///
/// Lent to each handler for the length of its call. It never leaves the core and never leaves the call:
///
/// ```compile_fail
/// use tpc_actors::prelude::*;
///
/// # #[core_actor] pub struct Escape;
/// #[core_actor]
/// impl Escape {
///     # #[init] fn new() -> Self { Self }
///     #[handler(tell)]
///     fn run(&mut self, cx: &mut Ctx<Self>) {
///         std::thread::spawn(move || cx.now());
///     }
/// }
/// ```
pub struct Ctx<A: Actor> {
    pub(crate) me: Rc<LocalMailbox<A>>,
    pub(crate) events: Rc<CorePublisher<A::Event>>,
    pub(crate) incarnation: u64,
    pub(crate) cell: u32,
    /// The actor asked to be stopped.
    pub(crate) stopping: bool,
    pub(crate) on_progress: Option<OnProgress>,
    _pinned: PinnedToCore,
}

impl<A: Actor> Ctx<A> {
    pub(crate) fn new(
        me: Rc<LocalMailbox<A>>,
        events: Rc<CorePublisher<A::Event>>,
        cell: u32,
        on_progress: Option<OnProgress>,
    ) -> Self {
        Self {
            me,
            events,
            incarnation: 0,
            cell,
            stopping: false,
            on_progress,
            _pinned: PinnedToCore::default(),
        }
    }

    /// The time at the start of this turn of the loop; at most a turn (500 µs by default, or a few slow
    /// handlers) behind the clock.
    pub fn now(&self) -> Instant {
        self.me.local.now.get()
    }

    /// The core that the actor lives on, counted from 0.
    pub fn core(&self) -> usize {
        self.me.local.shared.index
    }

    /// The actor's shard, counted from 0; 0 for an actor that was spawned alone.
    pub fn shard(&self) -> usize {
        self.me.mailbox.shard
    }

    /// How often the state has been built before: 0 for the first time, 1 after the first restart.
    pub fn incarnation(&self) -> u64 {
        self.incarnation
    }

    /// Publishes an event to whoever has subscribed. Never blocks; without subscribers it costs one load.
    ///
    /// What the event is says `#[core_actor(event = ..)]`; without that it is [`NoEvent`](crate::actor::NoEvent).
    #[expect(clippy::inline_always, reason = "a copy of the event costs more than the rest")]
    #[inline(always)]
    pub fn publish(&mut self, event: A::Event) -> Position {
        self.events.publish(event)
    }

    /// As [`Self::publish`], for an event that is built only when somebody wants it. It has a position
    /// either way.
    #[inline]
    pub fn publish_with(&mut self, event: impl FnOnce() -> A::Event) -> Position {
        self.events.publish_with(event)
    }

    /// Whether an event published now would go anywhere; filters are not asked.
    #[inline]
    pub fn wants_events(&self) -> bool {
        self.events.is_wanted()
    }

    /// Says how far `#[init]` has come, for instance with replaying a log, to who listens with
    /// [`Spawner::on_progress`](crate::Spawner::on_progress).
    pub fn progress(&mut self, done: u64, total: u64) {
        if let Some(hear) = &self.on_progress {
            let (shard, core) = (self.shard(), self.core());
            let progress = Progress { actor: A::NAME, shard, core, done, total };
            // What it does is foreign, and no reason for the actor not to start.
            drop_quietly(catch(|| hear(progress)));
        }
    }

    /// Stops this actor once the call returns: `#[on_stop]` runs, what waits answers
    /// [`Stopped`](AskError::Stopped), and clients see [`Ended::Normal`](crate::Ended::Normal).
    pub fn stop(&mut self) {
        self.stopping = true;
    }

    /// A handle to this actor for tasks and actors on the same core.
    pub fn pinned(&self) -> A::Pinned {
        A::Pinned::from(Pinned::new(Rc::clone(&self.me)))
    }

    /// Runs a task on this core. It may await, may hold `!Send` values, and ends with this incarnation
    /// of the actor, or with the system without being waited for.
    ///
    /// # Panics
    ///
    /// When the core holds as many tasks as it may
    /// ([`tasks_max`](crate::SystemBuilder::tasks_max)); see [`Self::try_spawn`].
    pub fn spawn(&mut self, future: impl Future<Output = ()> + 'static) {
        self.check_room();
        self.me.local.tasks.spawn(self.owner(), false, Box::pin(future));
    }

    /// As [`Self::spawn`], or the future back when the core holds as many tasks as it may.
    ///
    /// # Errors
    ///
    /// The future.
    pub fn try_spawn<F: Future<Output = ()> + 'static>(&mut self, future: F) -> Result<(), F> {
        if self.me.local.tasks.is_full() {
            return Err(future);
        }
        self.spawn(future);
        Ok(())
    }

    /// Asks another actor, on this core or another, and goes on; `then` runs on this actor with the
    /// answer. The ask is sent before this returns if there is room, so sends keep their order.
    ///
    /// `then` does not run when this incarnation of the actor ends first. The ask is a task of the core, which takes three
    /// allocations with what follows it; one that a task of [`spawn`](Self::spawn) awaits takes none.
    ///
    /// # Panics
    ///
    /// When the core holds as many tasks as it may, or the ask is over.
    pub fn ask<B: Actor, T: 'static, E: 'static>(
        &mut self,
        ask: Ask<'_, B, T, E>,
        then: impl FnOnce(&mut A, &mut Self, Result<T, AskError<E>>) + 'static,
    ) {
        self.check_room();
        let ask = ask.into_owned();
        let me = Rc::clone(&self.me);
        let task: LocalFuture = Box::pin(async move {
            let answer = ask.await;
            me.resume(Box::new(move |this, cx| then(this, cx, answer)));
        });
        let tasks = &self.me.local.tasks;
        let id = tasks.spawn(self.owner(), true, task);
        // Polled here and now: that sends the request. Our own code only, so nothing is re-entered.
        let calling = self.me.local.shared.stats.calling.get();
        let polled = tasks.poll(id);
        // It is the handler again that panics or stalls from here on.
        self.me.local.shared.stats.calling.set(calling);
        if let Polled::Panicked { message, .. } = polled {
            // The ask was over. Its panic has been seen by the hook.
            std::panic::resume_unwind(Box::new(message));
        }
    }

    /// Runs `future` on Tokio and goes on; `then` runs on this actor with its output.
    ///
    /// Tokio is the runtime in which the system was started, or else one that the system brings.
    /// The future is aborted when this incarnation of the actor ends first. When it panics, `then` is
    /// dropped (a [`Reply`](crate::Reply) in it answers `Dropped`) and the panic is counted. So is `then`, with a log line
    /// instead, when the runtime is shut down before the future's end.
    ///
    /// What the future asks goes over the lane of its Tokio worker, like anybody's there, and of asks under way each lane has
    /// twice its actor's [`capacity`](crate::actor::Policy::capacity). Actors that answer each other only after asking back
    /// from there can use that up, and then wait for each other; [`ask`](Self::ask) has no such limit.
    ///
    /// # Panics
    ///
    /// When the core holds as many tasks as it may.
    pub fn offload<F>(
        &mut self,
        future: F,
        then: impl FnOnce(&mut A, &mut Self, F::Output) + 'static,
    ) where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        self.check_room();
        let local = Rc::clone(&self.me.local);
        let running = local.offload.spawn(future);
        let me = Rc::clone(&self.me);
        let task: LocalFuture = Box::pin(async move {
            match running.await {
                Ok(output) => me.resume(Box::new(move |this, cx| then(this, cx, output))),
                Err(NoOutput::Panicked(message)) => {
                    let report = me.local.count_panic(&me.mailbox, "offload", message);
                    me.local.tell_of_panic(&report, me.mailbox.shard);
                }
                Err(why) => {
                    tracing::error!(actor = A::NAME, %why, "an offloaded future has no output");
                }
            }
        });
        local.tasks.spawn(self.owner(), true, task);
    }

    /// Sleeps for tasks of this core: ready at the first turn of the loop after `time` has passed. A task that sleeps
    /// more than once takes the [clock](Self::clock) along.
    pub fn sleep(&self, time: Duration) -> Sleep {
        self.clock().sleep(time)
    }

    /// The time of this core, for its tasks.
    pub fn clock(&self) -> CoreClock {
        CoreClock::new(Rc::clone(&self.me.local))
    }

    fn owner(&self) -> Owner {
        Owner { cell: self.cell, incarnation: self.incarnation }
    }

    #[track_caller]
    fn check_room(&self) {
        let tasks = &self.me.local.tasks;
        assert!(!tasks.is_full(), "the core holds {} tasks, as many as it may", tasks.max());
    }
}

impl<A: Actor> fmt::Debug for Ctx<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ctx")
            .field("actor", &A::NAME)
            .field("core", &self.core())
            .field("incarnation", &self.incarnation)
            .finish_non_exhaustive()
    }
}
