//! The contract that `#[core_actor]` fulfils.
//!
//! The attribute on the struct implements [`Settings`] (policy), the attribute on the `impl` implements
//! [`Actor`] (protocol). A user reads these traits in signatures and never writes them by hand.

mod policy;
mod size;

use std::fmt;
use std::hash::Hash;
use std::time::Duration;

use crate::bus::Routing;
use crate::client::ActorClient;
use crate::core_loop::Ctx;
use crate::error::InitError;
use crate::pinned::Pinned;
use crate::private::{HookError, LanesKey, ReplySlot};

pub use policy::Policy;
pub use size::{Variant, request_fits};

/// What an actor publishes whose `#[core_actor]` has no `event = ..`: there is no value of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoEvent {}

/// Policy of an actor: what `#[core_actor(..)]` on the struct says.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no actor settings",
    label = "`#[core_actor]` is missing on the struct",
    note = "put `#[core_actor]` on `struct {Self}` as well as on its `impl` block"
)]
pub trait Settings: Sized + 'static {
    /// What the actor publishes on the event bus; [`NoEvent`] without `#[core_actor(event = ..)]`.
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
    /// Where each thread has its lanes to actors of this type; `None` for generic ones.
    #[doc(hidden)]
    const LANES: LanesKey<Self> = None;
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

    /// Runs the handler of a tell that comes on its own; gives any other request back.
    fn handle_tell(&mut self, cx: &mut Ctx<Self>, request: Self::Request) -> Option<Self::Request> {
        let _ = cx;
        Some(request)
    }

    /// The number of the method that a request belongs to.
    fn handler_number(request: &Self::Request) -> u32;

    /// Whether requests like this one are handled together with others of their kind.
    fn is_batched(request: &Self::Request) -> bool {
        let _ = request;
        false
    }

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
