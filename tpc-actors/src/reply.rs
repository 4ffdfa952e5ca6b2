//! Answers: the slot that an answer needs, and the token that owes one.

pub(crate) mod slot;
#[cfg(not(tpc_loom))]
mod token;

#[cfg(not(tpc_loom))]
pub(crate) use token::{Outcome, ReplySlab, answer_unwound};
#[cfg(not(tpc_loom))]
pub use token::{Reply, ReplySlot};
