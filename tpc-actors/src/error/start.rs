//! Why systems and actors do not start.

use std::fmt;

use super::PanicReport;

/// Why an actor was not spawned.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SpawnError {
    /// `#[init]` answered with an error.
    #[error("`{actor}` did not start: {cause}")]
    Init {
        /// The actor's type name.
        actor: &'static str,
        /// What `#[init]` said.
        cause: InitError,
    },
    /// `#[init]` panicked.
    #[error("{0}")]
    Panicked(PanicReport),
    /// A sharded actor needs at least one shard.
    #[error("0 shards could not own any key; use at least 1")]
    NoShards,
    /// The core that was asked for is not there.
    #[error("there is no core {core}; the system has {cores}, counted from 0")]
    NoSuchCore {
        /// The core that was asked for.
        core: usize,
        /// How many there are.
        cores: usize,
    },
    /// A group's actors live on one core, and another one was asked for.
    #[error(
        "the actors of this group live on core {home}, not on {core}; leave out `core`, or spawn outside of the group"
    )]
    OutsideGroup {
        /// The core that was asked for.
        core: usize,
        /// The core of the group.
        home: usize,
    },
    /// An actor of the same type has the name and has not ended.
    #[error("another `{actor}` is named {name:?}; stop it first, or choose another name")]
    NameTaken {
        /// The actor's type name.
        actor: &'static str,
        /// The name.
        name: String,
    },
    /// The core already serves as many lanes as it can tell apart.
    #[error("the core has no lane left for another actor")]
    TooManyLanes,
    /// The capacity of the actor's lanes does not fit in memory.
    #[error(transparent)]
    Capacity(#[from] crate::bridge::CapacityError),
    /// The system is shutting down.
    #[error("the system is shutting down")]
    Stopping,
    /// The thread of the core is gone.
    #[error("the core is gone")]
    CoreLost,
    /// `.wait()` was called on a core's own thread.
    #[error("`.wait()` would block the core that it was called on")]
    WouldBlockCore,
}

/// What a fallible `#[init]` answered.
#[derive(Debug)]
pub struct InitError(Box<dyn std::error::Error + Send + Sync>);

impl InitError {
    pub(crate) fn new(cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self(cause.into())
    }

    /// The error as `#[init]` returned it.
    pub fn into_inner(self) -> Box<dyn std::error::Error + Send + Sync> {
        self.0
    }
}

impl fmt::Display for InitError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl std::error::Error for InitError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.source()
    }
}

/// Why a system was not started.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// A system without a core cannot run anything.
    #[error("0 cores cannot run anything; use at least 1")]
    NoCores,
    /// An option is out of its range, or contradicts another one.
    #[error("`{option}` is {given}; {instead}")]
    Option {
        /// The builder's method.
        option: &'static str,
        /// What it was given.
        given: String,
        /// What to write instead.
        instead: &'static str,
    },
    /// The CPUs that were asked for are not there.
    #[error(transparent)]
    Placement(#[from] crate::placement::PlacementError),
    /// The operating system refused a thread or a descriptor.
    #[error("the operating system refused a thread or a descriptor: {0}")]
    Os(#[from] std::io::Error),
}
