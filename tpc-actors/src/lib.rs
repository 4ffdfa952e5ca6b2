#![doc = include_str!("../../README.md")]
#![deny(unsafe_op_in_unsafe_fn, unsafe_code, missing_docs)]
#![warn(missing_debug_implementations)]
#![cfg_attr(docsrs, feature(doc_cfg))]
#![cfg_attr(
    tpc_loom,
    allow(dead_code, reason = "a model builds the protocols without their users")
)]

#[cfg(all(panic = "abort", not(feature = "panic-abort")))]
compile_error!(
    "tpc-actors isolates and restarts actors by catching their panics, and `panic = \"abort\"` ends the process \
     instead; remove it from the profile, or accept that the first panic is the last with \
     `tpc-actors = { features = [\"panic-abort\"] }`"
);

// Expansions name the crate; its own tests use the macros as well.
#[cfg(all(test, not(tpc_loom)))]
extern crate self as tpc_actors;

// In reading order. A model (`--cfg tpc_loom`) builds the protocols alone.
#[cfg(not(tpc_loom))]
pub mod actor;
pub mod bridge;
pub mod bus;
#[cfg(not(tpc_loom))]
pub mod client;
#[cfg(tpc_loom)]
mod client {
    mod cancelled;
}
#[cfg(not(tpc_loom))]
mod core_loop;
#[cfg(tpc_loom)]
mod core_loop {
    mod queued;
}
#[cfg(not(tpc_loom))]
mod error;
#[cfg(not(tpc_loom))]
mod mailbox;
#[cfg(tpc_loom)]
mod mailbox {
    mod closing;
    mod earliest;
    mod ends;
    mod life;
    pub(crate) mod waiters;
}
#[cfg(not(tpc_loom))]
pub mod pinned;
#[cfg(not(tpc_loom))]
pub mod placement;
mod reply;
#[cfg(not(tpc_loom))]
pub mod sim;
#[cfg(not(tpc_loom))]
pub mod supervision;
#[cfg(not(tpc_loom))]
mod system;

#[cfg(not(tpc_loom))]
mod clock;
#[cfg(all(test, not(tpc_loom)))]
mod counted;
#[cfg(not(tpc_loom))]
mod hook;
mod isolate;
#[cfg(not(tpc_loom))]
mod join;
#[cfg(not(tpc_loom))]
mod keeper;
mod nap;
#[cfg(not(tpc_loom))]
mod offload;
mod patience;
#[cfg(not(tpc_loom))]
#[doc(hidden)]
pub mod private;
#[cfg(not(tpc_loom))]
mod random;
#[cfg(not(tpc_loom))]
mod rate;
#[cfg(not(tpc_loom))]
mod relay;
#[cfg(not(tpc_loom))]
mod stats;
mod sync;

#[cfg(not(tpc_loom))]
pub use {
    actor::{Actor, Work},
    bus::{Delivery, Gap, Overflow, Position, Start, Subscription},
    client::ActorClient,
    core_loop::{CoreClock, Ctx, Sleep},
    error::{AskError, InitError, PanicReport, SpawnError, StartError, TellError},
    mailbox::{Ended, threads::register_thread},
    reply::{Batch, BatchMembers, Reply},
    system::{
        ActorGroup, ActorState, ActorStatus, Checkpoint, CheckpointError, CheckpointFailure,
        CheckpointReport, CoreStatus, Progress, Shutdown, ShutdownReport, Spawn, Spawner,
        StallReport, System, SystemBuilder,
    },
    tpc_actors_macros::{checkpoint, core_actor, every, handler, init, maintenance, on_stop},
};

/// The guide's code, compiled and run with the documentation's other examples.
#[cfg(doctest)]
#[doc = include_str!("../../docs/first-actor.md")]
#[doc = include_str!("../../docs/events.md")]
#[doc = include_str!("../../docs/simulation.md")]
#[doc = include_str!("../../docs/supervision.md")]
mod guide {}

/// What a program with actors needs: `use tpc_actors::prelude::*;`.
#[cfg(not(tpc_loom))]
pub mod prelude {
    pub use crate::{
        ActorClient, AskError, Batch, Ctx, Delivery, Gap, Reply, ShutdownReport, SpawnError,
        System, TellError, Work, checkpoint, core_actor, every, handler, init, maintenance,
        on_stop,
    };
}
