//! What a system can tell about its actors and cores while they run.

use std::fmt;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Weak};

use crate::actor::Actor;
use crate::bridge::Pressure;
use crate::core_loop::called;
use crate::core_loop::shared::CoreShared;
use crate::mailbox::{Life, Mailbox, flag};

/// Whether an actor is served.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ActorState {
    /// It takes messages.
    Open,
    /// It takes messages, and will serve them once its state is built anew.
    Restarting,
    /// It serves nobody for a while, or a few to find out whether it can.
    Degraded,
    /// The system is shutting down.
    Stopping,
    /// It has stopped for good.
    Stopped,
    /// Its core's thread is gone.
    CoreLost,
}

/// One actor at one moment. The figures are read without stopping it, so they may be a turn old.
#[derive(Debug, Clone)]
pub struct ActorStatus {
    name: &'static str,
    given_name: Option<Arc<str>>,
    core: usize,
    shard: usize,
    state: ActorState,
    queue_depth: usize,
    pressure: Pressure,
    handled: u64,
    panics: u64,
    restarts: u64,
    incarnation: u64,
}

impl ActorStatus {
    /// The actor's type name.
    pub fn name(&self) -> &str {
        self.name
    }

    /// The name that it was [spawned under](crate::Spawner::name), if it was.
    pub fn given_name(&self) -> Option<&str> {
        self.given_name.as_deref()
    }

    /// Its core, counted from 0.
    pub fn core(&self) -> usize {
        self.core
    }

    /// Its shard, counted from 0.
    pub fn shard(&self) -> usize {
        self.shard
    }

    /// Whether it is served.
    pub fn state(&self) -> ActorState {
        self.state
    }

    /// Requests that wait in its lanes.
    pub fn queue_depth(&self) -> usize {
        self.queue_depth
    }

    /// How full the fullest of its lanes is.
    pub fn pressure(&self) -> Pressure {
        self.pressure
    }

    /// Handlers that were run.
    pub fn handled(&self) -> u64 {
        self.handled
    }

    /// Panics that were caught in it.
    pub fn panics(&self) -> u64 {
        self.panics
    }

    /// How often its state was built anew.
    pub fn restarts(&self) -> u64 {
        self.restarts
    }

    /// How many lives its state has had before this one; attempts to build it count.
    pub fn incarnation(&self) -> u64 {
        self.incarnation
    }
}

impl fmt::Display for ActorStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            name,
            given_name,
            core,
            shard,
            state,
            queue_depth,
            pressure,
            handled,
            panics,
            restarts,
            incarnation,
        } = self;
        write!(f, "{name}[{shard}]")?;
        if let Some(given_name) = given_name {
            write!(f, " {given_name:?}")?;
        }
        write!(
            f,
            " on core {core}: {state:?}, {queue_depth} queued ({pressure:?}), {handled} handled, {panics} panics, \
             {restarts} restarts, incarnation {incarnation}"
        )
    }
}

/// One core at one moment.
#[derive(Debug, Clone)]
pub struct CoreStatus {
    index: usize,
    cpu: Option<usize>,
    turns: u64,
    messages: u64,
    parks: u64,
    backstop_rescues: u64,
    cancelled: u64,
    expired: u64,
    stalls: u64,
}

impl fmt::Display for CoreStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { index, turns, messages, parks, cancelled, expired, stalls, .. } = self;
        write!(f, "core {index}")?;
        if let Some(cpu) = self.cpu {
            write!(f, " on CPU {cpu}")?;
        }
        write!(
            f,
            ": {messages} messages in {turns} turns, {parks} sleeps, {cancelled} cancelled, {expired} expired, \
             {stalls} stalls"
        )
    }
}

impl CoreStatus {
    pub(super) fn of(core: &CoreShared, cpu: Option<usize>) -> Self {
        let stats = &core.stats;
        Self {
            index: core.index,
            cpu,
            turns: stats.turns.get(),
            messages: stats.messages.get(),
            parks: stats.parks.get(),
            backstop_rescues: stats.backstop_rescues.get(),
            cancelled: stats.cancelled.get(),
            expired: stats.expired.get(),
            stalls: core.stalls.load(Ordering::Relaxed),
        }
    }

    /// The core, counted from 0.
    pub fn index(&self) -> usize {
        self.index
    }

    /// The CPU that its thread is bound to, if it is.
    pub fn cpu(&self) -> Option<usize> {
        self.cpu
    }

    /// Passes of its loop.
    pub fn turns(&self) -> u64 {
        self.turns
    }

    /// Requests that it took out of lanes.
    pub fn messages(&self) -> u64 {
        self.messages
    }

    /// How often it went to sleep.
    pub fn parks(&self) -> u64 {
        self.parks
    }

    /// Work that was found by the backstop and not by a wake: anything but 0 is a defect.
    pub fn backstop_rescues(&self) -> u64 {
        self.backstop_rescues
    }

    /// Requests that did not run because their askers had left.
    pub fn cancelled(&self) -> u64 {
        self.cancelled
    }

    /// How often it was in one call for too long; see
    /// [`SystemBuilder::stall_after`](super::SystemBuilder::stall_after).
    pub fn stalls(&self) -> u64 {
        self.stalls
    }

    /// Requests that did not run because their deadline had passed.
    pub fn expired(&self) -> u64 {
        self.expired
    }
}

/// An actor's mailbox without its type, and without keeping it.
pub(super) struct Watched {
    mailbox: Weak<dyn Observed>,
    /// What it was when it was spawned, for when it is gone.
    first: ActorStatus,
}

/// A mailbox of any type.
pub(super) trait Observed: Send + Sync {
    fn status(&self) -> ActorStatus;
    fn core(&self) -> &Arc<CoreShared>;
    fn has_started(&self) -> bool;
    fn advance(&self, life: Life);
    fn give_up(&self);
    /// Type name, shard and method, if it is the actor at this index that is being called.
    fn called(&self, cell: u32, word: u64) -> Option<(&'static str, usize, &'static str)>;
}

impl<A: Actor> Observed for Mailbox<A> {
    fn status(&self) -> ActorStatus {
        status(self)
    }

    fn core(&self) -> &Arc<CoreShared> {
        &self.core
    }

    fn has_started(&self) -> bool {
        self.cell.get().is_some()
    }

    fn advance(&self, life: Life) {
        Mailbox::advance(self, life);
    }

    fn give_up(&self) {
        Mailbox::give_up(self);
    }

    fn called(&self, cell: u32, word: u64) -> Option<(&'static str, usize, &'static str)> {
        let code = u32::try_from(word & u64::from(u32::MAX)).unwrap_or(0);
        let ours = self.cell.get() == Some(&cell);
        ours.then(|| (A::NAME, self.shard, called::name::<A>(code)))
    }
}

impl Watched {
    pub(super) fn new<A: Actor>(mailbox: &Arc<Mailbox<A>>) -> Self {
        let weak: Weak<Mailbox<A>> = Arc::downgrade(mailbox);
        Self { mailbox: weak, first: status(mailbox) }
    }

    pub(super) fn is<A: Actor>(&self, mailbox: &Arc<Mailbox<A>>) -> bool {
        std::ptr::addr_eq(self.mailbox.as_ptr(), Arc::as_ptr(mailbox))
    }

    pub(super) fn is_there(&self) -> bool {
        self.mailbox.strong_count() > 0
    }

    /// The mailbox, unless it went away with its core and its last client.
    pub(super) fn upgrade(&self) -> Option<Arc<dyn Observed>> {
        self.mailbox.upgrade()
    }

    /// The mailbox, if it is there and belongs to `core`.
    pub(super) fn on(&self, core: &CoreShared) -> Option<Arc<dyn Observed>> {
        self.upgrade().filter(|mailbox| mailbox.core().index == core.index)
    }

    /// What is known once the mailbox is gone.
    pub(super) fn gone(&self) -> ActorStatus {
        ActorStatus { state: ActorState::Stopped, ..self.first.clone() }
    }
}

fn status<A: Actor>(mailbox: &Mailbox<A>) -> ActorStatus {
    ActorStatus {
        name: A::NAME,
        given_name: mailbox.given_name.get().cloned(),
        core: mailbox.core.index,
        shard: mailbox.shard,
        state: match mailbox.life() {
            Life::Draining | Life::Closing if mailbox.ending.get().is_some() => ActorState::Stopped,
            Life::Open if mailbox.has_flag(flag::GUARDED | flag::CORE_GUARDED) => {
                ActorState::Degraded
            }
            Life::Open if mailbox.has_flag(flag::RESTARTING) => ActorState::Restarting,
            Life::Open => ActorState::Open,
            Life::Draining | Life::Closing => ActorState::Stopping,
            Life::Stopped => ActorState::Stopped,
            Life::Lost => ActorState::CoreLost,
        },
        queue_depth: mailbox.depth(),
        pressure: mailbox.pressure(),
        handled: mailbox.stats.handled.get(),
        panics: mailbox.stats.panics.get(),
        restarts: mailbox.stats.restarts.get(),
        incarnation: mailbox.stats.incarnation.get(),
    }
}
