//! The contract that `#[core_actor]` fulfils.
//!
//! The attribute on the struct implements [`Settings`] (policy), the attribute on the `impl` implements
//! [`Actor`] (protocol). A user reads these traits in signatures and never writes them by hand.

mod size;

use std::fmt;
use std::hash::Hash;
use std::time::Duration;

use crate::bridge::Thresholds;
use crate::bus::Routing;
use crate::client::ActorClient;
use crate::core_loop::Ctx;
use crate::error::InitError;
use crate::pinned::Pinned;
use crate::private::{HookError, ReplySlot};
use crate::supervision::{Supervise, Watchdog};

pub use size::{Variant, request_fits};

/// Policy of an actor: what `#[core_actor(..)]` on the struct says.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no actor settings",
    label = "`#[core_actor]` is missing on the struct",
    note = "put `#[core_actor]` on `struct {Self}` as well as on its `impl` block"
)]
pub trait Settings: Sized + 'static {
    /// What the actor publishes on the event bus.
    type Event: Send + Clone + 'static;
    /// The type's name, as reports show it.
    const NAME: &'static str;
    /// The options of the attribute.
    const POLICY: Policy;
    /// How the events learn their routes, if their type implements [`Enrich`](crate::bus::Enrich).
    const ROUTING: Option<Routing<Self::Event>> = None;
}

/// Protocol of an actor: what `#[core_actor]` on the `impl` block collects.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an actor",
    label = "`#[core_actor]` is missing on the `impl` block",
    note = "put `#[core_actor]` on the `impl {Self}` that holds `#[init]` and the `#[handler]`s"
)]
pub trait Actor: Settings {
    /// Arguments of `#[init]`: `()` for none, the type itself for one, a tuple for more.
    type Args: Send + 'static;
    /// One variant per handler.
    type Request: Send + fmt::Debug + 'static;
    /// One variant per handler that answers.
    type Response: Send + 'static;
    /// The typed client.
    type Client: ActorClient<Actor = Self>;
    /// The typed handle for code on the same core.
    type Pinned: From<Pinned<Self>>;
    /// The `#[every]` methods.
    const TIMERS: &'static [Timer<Self>];
    /// What the variants of a request take, in the order of the handlers.
    const VARIANTS: &'static [Variant];
    /// The `#[maintenance]` methods.
    const MAINTENANCE: &'static [Maintenance<Self>] = &[];
    /// Whether there is a `#[checkpoint]` method.
    const CHECKPOINT: bool = false;

    /// Builds the state on its core.
    ///
    /// # Errors
    ///
    /// What a fallible `#[init]` answers.
    fn init(cx: &mut Ctx<Self>, args: Self::Args) -> Result<Self, InitError>;

    /// Runs the handler of one request.
    fn handle(&mut self, cx: &mut Ctx<Self>, request: Self::Request, reply: ReplySlot<'_, Self>);

    /// The number of the method that a request belongs to.
    fn handler_number(request: &Self::Request) -> u32;

    /// The name of the method with this number.
    fn handler_name(number: u32) -> &'static str;

    /// Writes the state down while nothing runs on any core.
    ///
    /// # Errors
    ///
    /// What the hook answered.
    fn checkpoint(&mut self, cx: &mut Ctx<Self>) -> Result<(), HookError> {
        let _ = cx;
        Ok(())
    }

    /// Runs when the actor stops in good order; not after a panic.
    fn on_stop(&mut self, cx: &mut Ctx<Self>) {
        let _ = cx;
    }
}

/// An actor whose handlers say which shard a request belongs to.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no routing key, so its requests cannot be spread over shards",
    label = "no handler of this actor has a `#[key]`",
    note = "mark the argument that decides the shard with `#[key]`, or use `System::spawn`"
)]
pub trait Sharded: Actor {
    /// The type of the arguments that are marked `#[key]`.
    type Key: Hash + ?Sized;
}

/// A method that runs at a fixed interval.
pub struct Timer<A: Actor> {
    pub(crate) name: &'static str,
    pub(crate) every: Duration,
    pub(crate) run: fn(&mut A, &mut Ctx<A>),
}

impl<A: Actor> Timer<A> {
    /// A timer that calls `run` every `every`.
    pub const fn new(name: &'static str, every: Duration, run: fn(&mut A, &mut Ctx<A>)) -> Self {
        Self { name, every, run }
    }
}

impl<A: Actor> fmt::Debug for Timer<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Timer")
            .field("name", &self.name)
            .field("every", &self.every)
            .finish_non_exhaustive()
    }
}

/// Whether a `#[maintenance]` method has something left to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use = "`More` has the method called again"]
pub enum Work {
    /// It is called again soon.
    More,
    /// It is called again with the next interval.
    Done,
}

/// A method that does housekeeping in slices.
pub struct Maintenance<A: Actor> {
    pub(crate) name: &'static str,
    pub(crate) every: Duration,
    pub(crate) budget: Duration,
    pub(crate) run: fn(&mut A, &mut Ctx<A>) -> Work,
}

impl<A: Actor> Maintenance<A> {
    /// Housekeeping that begins every `every`, a millisecond at a time.
    pub const fn new(
        name: &'static str,
        every: Duration,
        run: fn(&mut A, &mut Ctx<A>) -> Work,
    ) -> Self {
        Self { name, every, budget: Duration::from_millis(1), run }
    }

    /// How long it goes on before messages have their turn.
    #[must_use]
    pub const fn budget(mut self, budget: Duration) -> Self {
        self.budget = budget;
        self
    }
}

impl<A: Actor> fmt::Debug for Maintenance<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Maintenance")
            .field("name", &self.name)
            .field("every", &self.every)
            .field("budget", &self.budget)
            .finish_non_exhaustive()
    }
}

/// Options of an actor, as data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Policy {
    capacity: usize,
    max_request_bytes: usize,
    deadline: Option<Duration>,
    pressure: Thresholds,
    supervise: Supervise,
    watchdog: Option<Watchdog>,
}

impl Default for Policy {
    fn default() -> Self {
        Self::new()
    }
}

impl Policy {
    /// Places in each lane when the actor does not say.
    pub const DEFAULT_CAPACITY: usize = 256;

    /// The defaults.
    pub const fn new() -> Self {
        Self {
            capacity: Self::DEFAULT_CAPACITY,
            max_request_bytes: usize::MAX,
            deadline: None,
            pressure: Thresholds::DEFAULT,
            supervise: Supervise::new(),
            watchdog: None,
        }
    }

    /// Messages that each lane to the actor holds.
    #[must_use]
    pub const fn capacity(mut self, messages: usize) -> Self {
        self.capacity = messages;
        self
    }

    /// Bytes that a request may take; an actor with larger ones does not compile.
    ///
    /// Requests lie in the lanes, so the largest one decides how much memory a lane takes and moves.
    /// `#[boxed]` on an argument, or `#[handler(boxed)]`, trades room in the request for an allocation.
    /// The requests of a generic actor are looked at where it is spawned:
    ///
    /// ```
    /// use tpc_actors::prelude::*;
    ///
    /// #[core_actor(max_request_bytes = 16)]
    /// struct Last<T>(Option<T>);
    ///
    /// #[core_actor]
    /// impl<T: Send> Last<T> {
    ///     #[init]
    ///     fn new() -> Self {
    ///         Self(None)
    ///     }
    ///
    ///     #[handler]
    ///     fn put(&mut self, value: T) -> Option<T> {
    ///         self.0.replace(value)
    ///     }
    /// }
    ///
    /// let system = System::builder().cores(1).start()?;
    /// let last = system.spawn::<Last<u64>>(()).wait()?;
    /// assert_eq!(last.put(1).wait()?, None);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// ```compile_fail,E0080
    /// # use tpc_actors::prelude::*;
    /// # #[core_actor(max_request_bytes = 16)]
    /// # struct Last<T>(Option<T>);
    /// # #[core_actor]
    /// # impl<T: Send> Last<T> {
    /// #     #[init]
    /// #     fn new() -> Self { Self(None) }
    /// #     #[handler]
    /// #     fn put(&mut self, value: T) -> Option<T> { self.0.replace(value) }
    /// # }
    /// # let system = System::builder().cores(1).start()?;
    /// let large = system.spawn::<Last<[u64; 8]>>(()).wait()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub const fn max_request_bytes(mut self, bytes: usize) -> Self {
        self.max_request_bytes = bytes;
        self
    }

    /// How long asks wait for an answer when neither the handler nor the caller says so: without room for the
    /// request, or without an answer, they end with [`AskError::Deadline`](crate::AskError::Deadline) then.
    ///
    /// `#[handler(deadline = "..")]` says so for one handler, and [`Ask::deadline`](crate::client::Ask::deadline)
    /// for one ask. Asks through the pinned handle have none: they wait for their own core.
    ///
    /// ```
    /// use std::time::Duration;
    /// use tpc_actors::prelude::*;
    ///
    /// #[core_actor(deadline = "20ms")]
    /// struct Slow(Vec<Reply<u32>>);
    ///
    /// #[core_actor]
    /// impl Slow {
    ///     #[init]
    ///     fn new() -> Self {
    ///         Self(Vec::new())
    ///     }
    ///
    ///     /// Answers some other time.
    ///     #[handler]
    ///     fn later(&mut self, reply: Reply<u32>) {
    ///         self.0.push(reply);
    ///     }
    /// }
    ///
    /// let system = System::builder().cores(1).start()?;
    /// let slow = system.spawn::<Slow>(()).wait()?;
    /// assert!(matches!(slow.later().wait(), Err(AskError::Deadline { started: true })));
    /// # system.shutdown_wait(Duration::from_secs(5));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub const fn deadline(mut self, limit: Duration) -> Self {
        self.deadline = Some(limit);
        self
    }

    /// The fills at which [`ActorClient::pressure`] changes: `#[core_actor(pressure(throttle_enter_percent = 50,
    /// throttle_leave_percent = 25))]`; what is not said stays at its default.
    ///
    /// # Panics
    ///
    /// The levels contradict each other; while compiling, where this makes a constant.
    #[must_use]
    pub const fn pressure(mut self, levels: Thresholds) -> Self {
        assert!(
            levels.is_sound(),
            "a level of pressure is entered at 1 to 100 percent and left below that, and throttled comes before \
             suspended"
        );
        self.pressure = levels;
        self
    }

    /// The restart policy.
    #[must_use]
    pub const fn supervise(mut self, supervise: Supervise) -> Self {
        self.supervise = supervise;
        self
    }

    /// The watchdog; without this there is none.
    #[must_use]
    pub const fn watchdog(mut self, watchdog: Watchdog) -> Self {
        self.watchdog = Some(watchdog);
        self
    }

    /// Messages that each lane to the actor holds.
    pub const fn lane_capacity(&self) -> usize {
        self.capacity
    }

    /// Bytes that a request may take; `usize::MAX` without a limit.
    pub const fn request_limit(&self) -> usize {
        self.max_request_bytes
    }

    /// How long asks wait for an answer, if the actor says so.
    pub const fn default_deadline(&self) -> Option<Duration> {
        self.deadline
    }

    /// The fills at which the pressure in a lane changes.
    pub const fn pressure_levels(&self) -> Thresholds {
        self.pressure
    }

    /// The restart policy.
    pub const fn supervision(&self) -> Supervise {
        self.supervise
    }

    /// The watchdog, if there is one.
    pub const fn guard(&self) -> Option<Watchdog> {
        self.watchdog
    }
}
