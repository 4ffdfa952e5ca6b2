//! The life of an actor as its senders see it, and why they are refused.

use crate::error::TellError;

/// Life of an actor, as its senders see it. Written by the actor's core (and, when that is lost, by
/// whoever noticed), read with every send.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u32)]
pub(crate) enum Life {
    /// Served, or about to be served again after a restart.
    Open,
    /// The system is draining: outside senders are refused, cores may still finish what they began.
    Draining,
    /// The drain is over; everyone is refused.
    Closing,
    /// The actor has stopped for good.
    Stopped,
    /// The core's thread is gone.
    Lost,
}

/// Why a request was not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refusal {
    Full(Shortage),
    Stopped,
    Stopping,
    CoreLost,
}

/// What a full lane has none of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shortage {
    /// Places in the ring, which the core frees.
    Place,
    /// Reply slots, which askers free.
    Slot,
}

impl Refusal {
    pub(crate) fn with<M>(self, message: M) -> TellError<M> {
        match self {
            Self::Full(_) => TellError::Full(message),
            Self::Stopped => TellError::Stopped(message),
            Self::Stopping => TellError::Stopping(message),
            Self::CoreLost => TellError::CoreLost(message),
        }
    }
}
