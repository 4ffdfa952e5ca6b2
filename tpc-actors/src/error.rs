//! Every public error: of asks and tells here, of starts in `start`.
//!
//! Two questions decide what a caller may do after a failure, and every error here answers both: *do
//! I get my message back?* (`TellError` carries it) and *may the handler have run?*
//! ([`AskError::never_ran`]).

mod panic;
mod start;

use std::convert::Infallible;
use std::fmt;
use std::time::Duration;

pub use panic::PanicReport;
pub use start::{InitError, SpawnError, StartError};

/// Why an ask was not answered with a value.
///
/// | variant | has the handler run? |
/// |---|---|
/// | `Handler` | yes, and `Err` was its answer |
/// | `Panicked`, `Dropped` | yes, not to its end or without answering |
/// | `Full`, `Degraded`, `Stopped`, `WouldBlockCore` | no |
/// | `Deadline`, `Cancelled`, `Stopping`, `CoreLost` | `started` tells |
/// | `Partial` | on some shards perhaps |
///
/// The text of `Handler` is the handler's own. Its `source()` is not looked for, because a handler's error may be any
/// type: match the variant to walk the chain.
#[derive(Clone, PartialEq)]
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
    /// A [`Canceller`](crate::client::Canceller) ended it.
    Cancelled {
        /// Whether the handler had begun.
        started: bool,
    },
    /// The handler panicked over this very request, or its [`Reply`](crate::Reply) was kept by an incarnation that a later panic
    /// ended: the report names the handler that panicked.
    Panicked(PanicReport),
    /// The handler let its [`Reply`](crate::Reply) go without answering.
    Dropped,
    /// The actor is not served for a while: its watchdog or its core's has seen too many failures, or
    /// it restarts and its policy keeps no queue meanwhile.
    Degraded {
        /// When asking again makes sense.
        retry_after: Duration,
    },
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

/// What both errors say about an actor that is not served for a while.
struct NotServed(Duration);

impl fmt::Display for NotServed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the actor is degraded after failures; try again in {:?}", self.0)
    }
}

fn when(started: bool) -> &'static str {
    if started { "after the handler had begun" } else { "before the handler began" }
}

/// Slots count as room: that of an ask is taken until its answer is.
const NO_ROOM: &str =
    "no room: the lane to the actor is full, or has as many asks under way as it may have";

impl<E> AskError<E> {
    /// The same with another error of the handler.
    ///
    /// ```
    /// use tpc_actors::AskError;
    ///
    /// #[derive(Debug, PartialEq)]
    /// enum Refused { Unknown }
    ///
    /// // Of a handler that cannot fail.
    /// let error: AskError = AskError::Full;
    /// let error: AskError<Refused> = error.map(|never| match never {});
    /// assert!(matches!(error, AskError::Full));
    /// ```
    pub fn map<F>(self, handler: impl FnOnce(E) -> F) -> AskError<F> {
        match self {
            Self::Handler(error) => AskError::Handler(handler(error)),
            Self::Full => AskError::Full,
            Self::Deadline { started } => AskError::Deadline { started },
            Self::Cancelled { started } => AskError::Cancelled { started },
            Self::Panicked(report) => AskError::Panicked(report),
            Self::Dropped => AskError::Dropped,
            Self::Degraded { retry_after } => AskError::Degraded { retry_after },
            Self::Stopped => AskError::Stopped,
            Self::Stopping { started } => AskError::Stopping { started },
            Self::CoreLost { started } => AskError::CoreLost { started },
            Self::WouldBlockCore => AskError::WouldBlockCore,
            Self::Partial { shard, cause } => {
                AskError::Partial { shard, cause: Box::new(cause.map_boxed(handler)) }
            }
        }
    }

    /// Through one pointer, because a closure of a closure of a closure is a type without end.
    fn map_boxed<F>(self, handler: impl FnOnce(E) -> F) -> AskError<F> {
        let handler: Box<dyn FnOnce(E) -> F + '_> = Box::new(handler);
        self.map(handler)
    }

    /// Whether the handler is certain not to have run, so that asking again is safe.
    pub fn never_ran(&self) -> bool {
        match self {
            Self::Full | Self::Degraded { .. } | Self::Stopped | Self::WouldBlockCore => true,
            Self::Deadline { started }
            | Self::Cancelled { started }
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
            Self::Full => f.write_str(NO_ROOM),
            Self::Deadline { started } => write!(f, "the deadline passed {}", when(*started)),
            Self::Cancelled { started } => write!(f, "the ask was cancelled {}", when(*started)),
            Self::Panicked(report) => report.fmt(f),
            Self::Degraded { retry_after } => write!(f, "{}", NotServed(*retry_after)),
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
            Self::Cancelled { started } => with_start(f, "Cancelled", started),
            Self::Degraded { retry_after } => {
                f.debug_struct("Degraded").field("retry_after", retry_after).finish()
            }
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
    #[error("{NO_ROOM}")]
    Full(M),
    /// The deadline passed while the message waited for room.
    #[error("the deadline passed before there was room")]
    Deadline(M),
    /// The actor is not served for a while; see [`AskError::Degraded`].
    #[error("{}", NotServed(*retry_after))]
    Degraded {
        /// The message.
        message: M,
        /// When telling again makes sense.
        retry_after: Duration,
    },
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
            | Self::Degraded { message, .. }
            | Self::Stopped(message)
            | Self::Stopping(message)
            | Self::CoreLost(message)
            | Self::WouldBlockCore(message) => message,
        }
    }

    /// The reason alone, for errors that are kept or converted.
    ///
    /// ```
    /// use tpc_actors::TellError;
    ///
    /// #[derive(Debug, thiserror::Error)]
    /// enum IngestError {
    ///     #[error("not told: {0}")]
    ///     NotTold(#[from] TellError<()>),
    /// }
    ///
    /// fn ingest(told: Result<(), TellError<Vec<u8>>>) -> Result<(), IngestError> {
    ///     Ok(told.map_err(TellError::without_message)?)
    /// }
    ///
    /// assert!(ingest(Err(TellError::Full(vec![1]))).is_err());
    /// ```
    pub fn without_message(self) -> TellError<()> {
        self.split().0
    }

    /// The reason and the message, each on its own.
    pub(crate) fn split(self) -> (TellError<()>, M) {
        match self {
            Self::Full(message) => (TellError::Full(()), message),
            Self::Deadline(message) => (TellError::Deadline(()), message),
            Self::Degraded { message, retry_after } => {
                (TellError::Degraded { message: (), retry_after }, message)
            }
            Self::Stopped(message) => (TellError::Stopped(()), message),
            Self::Stopping(message) => (TellError::Stopping(()), message),
            Self::CoreLost(message) => (TellError::CoreLost(()), message),
            Self::WouldBlockCore(message) => (TellError::WouldBlockCore(()), message),
        }
    }

    fn name(&self) -> &'static str {
        match self {
            Self::Full(_) => "Full",
            Self::Deadline(_) => "Deadline",
            Self::Degraded { .. } => "Degraded",
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
            TellError::Degraded { retry_after, .. } => Self::Degraded { retry_after },
            TellError::Stopped(_) => Self::Stopped,
            TellError::Stopping(_) => Self::Stopping { started: false },
            TellError::CoreLost(_) => Self::CoreLost { started: false },
            TellError::WouldBlockCore(_) => Self::WouldBlockCore,
        }
    }
}

/// A failure that is not the handler's own, as it travels through a reply slot.
#[derive(Debug, Clone)]
pub(crate) enum Fate {
    Panicked(PanicReport),
    Dropped,
    Deadline { started: bool },
    Degraded { retry_after: Duration },
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
            Fate::Degraded { retry_after } => Self::Degraded { retry_after },
            Fate::Stopped => Self::Stopped,
            Fate::Stopping { started } => Self::Stopping { started },
            Fate::CoreLost { started } => Self::CoreLost { started },
        }
    }
}
