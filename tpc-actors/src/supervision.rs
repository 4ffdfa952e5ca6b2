//! What happens after a failure: pure policy, data in and decision out.
//!
//! Nothing here sleeps, logs or reads a clock; the core loop carries the decisions out.
//!
//! A panic ends one incarnation of one actor. [`Supervise`] says what follows: a restart after a pause,
//! and what to do when there were too many of them. [`Group`] says whom else a restart concerns.
//! [`Watchdog`] says when an actor, or a whole core, fails so often that nobody should ask it for a while.
//! What an actor cannot settle it may escalate: to its group, which restarts together, then to its core,
//! which restarts all of its actors, and then to the system, which shuts down.

mod group;
mod restart;
mod watchdog;

pub use group::{Group, Strategy};
pub use restart::{Decision, History, OnPanic, Queue, Supervise, Then};
pub use watchdog::{Breaker, Watchdog};

pub(crate) use group::affected;
