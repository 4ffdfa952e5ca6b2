//! Every public error, one page.
//!
//! Two questions decide what a caller may do after a failure, and every error here answers both: *do
//! I get my message back?* (`TellError` carries it) and *may the handler have run?*
//! ([`AskError::never_ran`]).

mod panic;

use std::convert::Infallible;
use std::fmt;

pub use panic::PanicReport;

/// Why an ask was not answered with a value.
///
/// | variant | has the handler run? |
/// |---|---|
/// | `Handler` | yes, and `Err` was its answer |
/// | `Panicked`, `Dropped` | yes, not to its end or without answering |
/// | `Full`, `Stopped`, `WouldBlockCore` | no |
/// | `Deadline`, `Stopping`, `CoreLost` | `started` tells |
/// | `Partial` | on some shards perhaps |
#[non_exhaustive]
pub enum AskError<E = Infallible> {
    /// The handler answered with its own error.
    Handler(E),
    /// No room, and the ask was not allowed to wait for it.
    Full,
    /// The deadline passed first.
    Deadline {
        /// Whether the handler had begun.
        started: bool,
    },
    /// The handler panicked over this very request.
    Panicked(PanicReport),
    /// The handler let its [`Reply`](crate::Reply) go without answering.
    Dropped,
    /// The actor has stopped for good.
    Stopped,
    /// The system is shutting down.
    Stopping {
        /// Whether the handler had begun.
        started: bool,
    },
    /// The thread of the actor's core is gone.
    CoreLost {
        /// Whether the handler had begun.
        started: bool,
    },
    /// `.wait()` was called on a core's own thread, where it would block every actor of that core.
    WouldBlockCore,
    /// An ask to every shard failed on one of them, while others may have run.
    Partial {
        /// The shard, counted from 0.
        shard: usize,
        /// What became of its part.
        cause: Box<AskError<E>>,
    },
}

fn when(started: bool) -> &'static str {
    if started { "after the handler had begun" } else { "before the handler began" }
}

impl<E> AskError<E> {
    /// Whether the handler is certain not to have run, so that asking again is safe.
    pub fn never_ran(&self) -> bool {
        match self {
            Self::Full | Self::Stopped | Self::WouldBlockCore => true,
            Self::Deadline { started }
            | Self::Stopping { started }
            | Self::CoreLost { started } => !started,
            Self::Handler(_) | Self::Panicked(_) | Self::Dropped | Self::Partial { .. } => false,
        }
    }
}

// By hand, because the derive would ask for `Box<Self>: Display` and never find an end.
impl<E: fmt::Display> fmt::Display for AskError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Handler(error) => error.fmt(f),
            Self::Full => f.write_str("no room: the lane to the actor is full"),
            Self::Deadline { started } => write!(f, "the deadline passed {}", when(*started)),
            Self::Panicked(report) => report.fmt(f),
            Self::Dropped => f.write_str("the handler dropped its reply token without answering"),
            Self::Stopped => f.write_str("the actor has stopped"),
            Self::Stopping { started } => {
                write!(f, "the system is shutting down; it refused the request {}", when(*started))
            }
            Self::CoreLost { started } => {
                write!(f, "the actor's core is gone; it was lost {}", when(*started))
            }
            Self::WouldBlockCore => f.write_str(
                "`.wait()` would block the core that it was called on; use `cx.ask` or a task",
            ),
            Self::Partial { shard, cause } => write!(f, "shard {shard} did not answer: {cause}"),
        }
    }
}

impl<E: fmt::Debug + fmt::Display> std::error::Error for AskError<E> {}

impl<E: fmt::Debug> fmt::Debug for AskError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let with_start = |f: &mut fmt::Formatter<'_>, name: &str, started: &bool| {
            f.debug_struct(name).field("started", started).finish()
        };
        match self {
            Self::Handler(error) => f.debug_tuple("Handler").field(error).finish(),
            Self::Panicked(report) => f.debug_tuple("Panicked").field(report).finish(),
            Self::Deadline { started } => with_start(f, "Deadline", started),
            Self::Stopping { started } => with_start(f, "Stopping", started),
            Self::CoreLost { started } => with_start(f, "CoreLost", started),
            Self::Partial { shard, cause } => {
                f.debug_struct("Partial").field("shard", shard).field("cause", cause).finish()
            }
            Self::Full => f.write_str("Full"),
            Self::Dropped => f.write_str("Dropped"),
            Self::Stopped => f.write_str("Stopped"),
            Self::WouldBlockCore => f.write_str("WouldBlockCore"),
        }
    }
}

/// Why a message was not accepted; every variant hands it back. The handler has never run.
#[derive(thiserror::Error)]
#[non_exhaustive]
pub enum TellError<M> {
    /// No room, and the message was not allowed to wait for it.
    #[error("no room: the lane to the actor is full")]
    Full(M),
    /// The deadline passed while the message waited for room.
    #[error("the deadline passed before there was room")]
    Deadline(M),
    /// The actor has stopped for good.
    #[error("the actor has stopped")]
    Stopped(M),
    /// The system is shutting down.
    #[error("the system is shutting down")]
    Stopping(M),
    /// The thread of the actor's core is gone.
    #[error("the actor's core is gone")]
    CoreLost(M),
    /// `.wait()` was called on a core's own thread, where it would block every actor of that core.
    #[error("`.wait()` would block the core that it was called on; use `.now()` or a task")]
    WouldBlockCore(M),
}

impl<M> TellError<M> {
    /// The message that was not accepted.
    pub fn into_message(self) -> M {
        match self {
            Self::Full(message)
            | Self::Deadline(message)
            | Self::Stopped(message)
            | Self::Stopping(message)
            | Self::CoreLost(message)
            | Self::WouldBlockCore(message) => message,
        }
    }

    fn name(&self) -> &'static str {
        match self {
            Self::Full(_) => "Full",
            Self::Deadline(_) => "Deadline",
            Self::Stopped(_) => "Stopped",
            Self::Stopping(_) => "Stopping",
            Self::CoreLost(_) => "CoreLost",
            Self::WouldBlockCore(_) => "WouldBlockCore",
        }
    }
}

impl<M> fmt::Debug for TellError<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Without the message, so that it need not be `Debug`.
        f.debug_tuple(self.name()).finish_non_exhaustive()
    }
}

impl<M, E> From<TellError<M>> for AskError<E> {
    fn from(refused: TellError<M>) -> Self {
        match refused {
            TellError::Full(_) => Self::Full,
            TellError::Deadline(_) => Self::Deadline { started: false },
            TellError::Stopped(_) => Self::Stopped,
            TellError::Stopping(_) => Self::Stopping { started: false },
            TellError::CoreLost(_) => Self::CoreLost { started: false },
            TellError::WouldBlockCore(_) => Self::WouldBlockCore,
        }
    }
}

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
    /// An option is out of its range.
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

/// A failure that is not the handler's own, as it travels through a reply slot.
#[derive(Debug, Clone)]
pub(crate) enum Fate {
    Panicked(PanicReport),
    Dropped,
    Deadline { started: bool },
    Stopped,
    Stopping { started: bool },
    CoreLost { started: bool },
}

impl<E> From<Fate> for AskError<E> {
    fn from(fate: Fate) -> Self {
        match fate {
            Fate::Panicked(report) => Self::Panicked(report),
            Fate::Dropped => Self::Dropped,
            Fate::Deadline { started } => Self::Deadline { started },
            Fate::Stopped => Self::Stopped,
            Fate::Stopping { started } => Self::Stopping { started },
            Fate::CoreLost { started } => Self::CoreLost { started },
        }
    }
}
