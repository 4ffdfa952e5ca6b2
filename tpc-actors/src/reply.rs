//! Answers: the slots that they need, and the tokens that owe them.

#[cfg(not(tpc_loom))]
mod batch;
#[cfg(not(tpc_loom))]
mod caller;
pub(crate) mod credit;
#[cfg(not(tpc_loom))]
mod owed;
pub(crate) mod slot;
#[cfg(not(tpc_loom))]
mod token;

#[cfg(not(tpc_loom))]
pub use batch::{Batch, BatchMembers};
#[cfg(not(tpc_loom))]
pub(crate) use caller::{OnTheSpot, Spot};
/// What travels through a reply slot.
#[cfg(not(tpc_loom))]
pub(crate) type Outcome<R> = Result<R, crate::error::Fate>;

/// The right to ask an actor.
#[cfg(not(tpc_loom))]
pub(crate) type Credit<A> = credit::Credit<Outcome<<A as crate::actor::Actor>::Response>>;
#[cfg(not(tpc_loom))]
pub(crate) use owed::{Answers, Ways};
#[cfg(not(tpc_loom))]
pub use token::{Reply, ReplySlot, batch_fits};
#[cfg(not(tpc_loom))]
pub(crate) use token::{answer_lost, answer_unwound, fate_of_ending, while_ending};
