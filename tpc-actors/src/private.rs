//! What expansions may name, and nobody else should.

use std::error::Error;

use crate::actor::Actor;
use crate::error::InitError;

pub use crate::reply::ReplySlot;

/// The return types that `#[init]` may have.
#[diagnostic::on_unimplemented(
    message = "`#[init]` of `{A}` returns `{Self}`",
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
}

impl<T, E> Fallible for Result<T, E> {
    type Value = T;
    type Error = E;
}

/// A type that may travel to the actor's core.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot travel to the actor's core",
    label = "arguments of a handler must be `Send + 'static`",
    note = "send the data it is made of, or build it inside the handler"
)]
pub trait RequestArgument {}
impl<T: Send + 'static> RequestArgument for T {}

/// A type that may travel back from the actor's core.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot travel back from the actor's core",
    label = "answers of a handler must be `Send + 'static`",
    note = "answer with the data it is made of"
)]
pub trait ReplyValue {}
impl<T: Send + 'static> ReplyValue for T {}

/// Checked once per argument, at the argument.
pub const fn request_argument<T: RequestArgument>() {}

/// Checked once per answer, at the return type.
pub const fn reply_value<T: ReplyValue>() {}
