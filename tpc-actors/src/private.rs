//! What expansions may name, and nobody else should.

mod fingerprint;

use std::error::Error;
use std::marker::PhantomData;

use crate::actor::Actor;
use crate::bus::{Enrich, Routing};
use crate::error::InitError;

#[cfg(feature = "serde")]
pub use serde;
pub use std::boxed::Box;
pub use std::thread_local;

pub use fingerprint::Fingerprint;

pub use crate::actor::request_fits;
pub use crate::mailbox::threads::{LanesKey, ThreadLanes};
pub use crate::reply::{ReplySlot, batch_fits};
pub use crate::thread_lanes;

/// The return types that `#[init]` may have.
#[diagnostic::on_unimplemented(
    message = "TPC035: `#[init]` of `{A}` returns `{Self}`",
    label = "expected `Self` or `Result<Self, E>`",
    note = "in `Result<Self, E>`, `E` must be an error: `E: Into<Box<dyn Error + Send + Sync>>`"
)]
pub trait IntoInit<A> {
    /// The state, or why there is none.
    ///
    /// # Errors
    ///
    /// What `#[init]` answered.
    fn into_init(self) -> Result<A, InitError>;
}

/// What `#[init]` returned, as a result.
///
/// # Errors
///
/// What `#[init]` answered.
pub fn into_init<A, I: IntoInit<A>>(returned: I) -> Result<A, InitError> {
    returned.into_init()
}

impl<A: Actor> IntoInit<A> for A {
    fn into_init(self) -> Result<A, InitError> {
        Ok(self)
    }
}

impl<A: Actor, E: Into<Box<dyn Error + Send + Sync>>> IntoInit<A> for Result<A, E> {
    fn into_init(self) -> Result<A, InitError> {
        self.map_err(InitError::new)
    }
}

/// The two halves of a fallible answer, also behind an alias such as `io::Result<T>`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is named `Result` but is not `core::result::Result`",
    label = "this return type is taken for a fallible answer because of its name",
    note = "rename the type, or return `core::result::Result<T, E>`"
)]
pub trait Fallible {
    /// The answer.
    type Value;
    /// The handler's own error.
    type Error;

    /// The answer as what it is.
    ///
    /// # Errors
    ///
    /// The handler's own.
    fn into_result(self) -> Result<Self::Value, Self::Error>;
}

/// A fallible answer as what it is.
///
/// # Errors
///
/// The handler's own.
pub fn into_result<F: Fallible>(answer: F) -> Result<F::Value, F::Error> {
    answer.into_result()
}

impl<T, E> Fallible for Result<T, E> {
    type Value = T;
    type Error = E;

    fn into_result(self) -> Self {
        self
    }
}

/// A type that may travel to the actor's core.
#[diagnostic::on_unimplemented(
    message = "TPC009: `{Self}` cannot travel to the actor's core",
    label = "what is sent to an actor must be `Send + 'static`",
    note = "send the data it is made of, or build it on the core; a type parameter needs the bound `Send`"
)]
pub trait RequestArgument {}
#[diagnostic::do_not_recommend]
impl<T: Send + 'static> RequestArgument for T {}

/// A type that may travel back from the actor's core.
#[diagnostic::on_unimplemented(
    message = "TPC009: `{Self}` cannot travel back from the actor's core",
    label = "what an actor answers must be `Send + 'static`",
    note = "answer with the data it is made of; a type parameter needs the bound `Send`"
)]
pub trait ReplyValue {}
#[diagnostic::do_not_recommend]
impl<T: Send + 'static> ReplyValue for T {}

/// What an expansion demands of the types in its messages, in conditions like
/// `for<'a> Argument<'a, T>: Travels`.
///
/// They stand on the associated types of `Actor`, which are `Send` with or without them. rustc looks at
/// the conditions first, and when one of them fails, it leaves the bounds alone: one mistake, one
/// message, at the type that the user wrote. The lifetime makes the conditions depend on something;
/// otherwise a failed one would be reported a second time, for not depending on anything.
pub trait Travels {}
impl<T: RequestArgument> Travels for Argument<'_, T> {}
impl<T: ReplyValue> Travels for Answer<'_, T> {}

/// An argument's type, in a condition.
#[derive(Debug)]
pub struct Argument<'a, T>(PhantomData<(&'a (), T)>);

/// An answer's type, in a condition.
#[derive(Debug)]
pub struct Answer<'a, T>(PhantomData<(&'a (), T)>);

/// Checks an argument that a `#[cfg]` decides about; conditions cannot have one.
pub const fn request_argument<T: RequestArgument>() {}

/// Checks an answer that a `#[cfg]` decides about.
pub const fn reply_value<T: ReplyValue>() {}

/// Why a checkpoint hook has failed.
pub type HookError = Box<dyn Error + Send + Sync>;

/// The return types that `#[checkpoint]` may have.
#[diagnostic::on_unimplemented(
    message = "`#[checkpoint]` returns `{Self}`",
    label = "expected nothing or `Result<(), E>`",
    note = "in `Result<(), E>`, `E` must be an error: `E: Into<Box<dyn Error + Send + Sync>>`"
)]
pub trait IntoCheckpoint {
    /// Whether the state was written down.
    ///
    /// # Errors
    ///
    /// What the hook answered.
    fn into_checkpoint(self) -> Result<(), HookError>;
}

impl IntoCheckpoint for () {
    fn into_checkpoint(self) -> Result<(), HookError> {
        Ok(())
    }
}

impl<E: Into<HookError>> IntoCheckpoint for Result<(), E> {
    fn into_checkpoint(self) -> Result<(), HookError> {
        self.map_err(Into::into)
    }
}

/// What `#[checkpoint]` returned, as a result.
///
/// # Errors
///
/// What the hook answered.
pub fn into_checkpoint<R: IntoCheckpoint>(returned: R) -> Result<(), HookError> {
    returned.into_checkpoint()
}

/// Nothing. A variant that holds it cannot exist.
#[derive(Debug, Clone, Copy)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum Never {}

/// Tells whether an event type implements [`Enrich`]: the inherent constant is there only if it does, and
/// stands before the trait's.
#[derive(Debug)]
pub struct EventProbe<E>(PhantomData<E>);

impl<E: Enrich + 'static> EventProbe<E> {
    /// As the type says.
    pub const ROUTING: Option<Routing<E>> = Some(Routing::of());
}

/// What an expansion finds of an event type whose routes are not learned.
pub trait NotEnriched {
    /// The event type.
    type Event;
    /// Nothing.
    const ROUTING: Option<Routing<Self::Event>> = None;
}

impl<E> NotEnriched for EventProbe<E> {
    type Event = E;
}
