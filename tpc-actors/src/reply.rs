//! Answers: the slots that they need, and the tokens that owe them.

#[cfg(not(tpc_loom))]
mod batch;
#[cfg(not(tpc_loom))]
mod caller;
#[cfg(not(tpc_loom))]
mod credit;
#[cfg(not(tpc_loom))]
mod owed;
pub(crate) mod slot;
#[cfg(not(tpc_loom))]
mod token;

#[cfg(not(tpc_loom))]
pub use batch::{Batch, BatchMembers};
#[cfg(not(tpc_loom))]
pub(crate) use caller::{OnTheSpot, Spot};
#[cfg(not(tpc_loom))]
pub(crate) use credit::{Credit, Outcome};
#[cfg(not(tpc_loom))]
pub(crate) use owed::{Answers, Ways};
#[cfg(not(tpc_loom))]
pub use token::{Reply, ReplySlot, batch_fits};
#[cfg(not(tpc_loom))]
pub(crate) use token::{answer_lost, answer_unwound, fate_of_ending, while_ending};
