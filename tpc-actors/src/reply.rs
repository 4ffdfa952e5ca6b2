//! Answers: the slots that they need, and the tokens that owe them.

#[cfg(not(tpc_loom))]
mod credit;
pub(crate) mod slot;
#[cfg(not(tpc_loom))]
mod token;

#[cfg(not(tpc_loom))]
pub(crate) use credit::{Credit, Outcome};
#[cfg(not(tpc_loom))]
pub use token::{Reply, ReplySlot};
#[cfg(not(tpc_loom))]
pub(crate) use token::{answer_lost, answer_unwound, while_ending};
