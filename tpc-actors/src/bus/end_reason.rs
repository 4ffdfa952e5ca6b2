//! Why a subscription is over.

use super::position::Position;
use crate::bridge::CapacityError;

/// Why a subscription has ended although its system has not; see
/// [`Subscription::end_reason`](super::Subscription::end_reason).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EndReason {
    /// Its filter, or the key that its events are conflated by, has panicked.
    #[error("its filter or key panicked")]
    FilterPanicked,
    /// It waits for what becomes durable, and the log has failed.
    #[error("its log failed: {0}")]
    LogFailed(String),
    /// What it has missed is in the log, which cannot be read from [where it has come
    /// to](super::Subscription::position) on.
    #[error("its log cannot be read: {0}")]
    LogUnreadable(String),
    /// What it has missed is in the log, which was closed with the system before it had read all of it; another one can
    /// go on [there](super::Subscription::position).
    #[error("its log was closed with the system before it had caught up")]
    LogClosed,
    /// A core had no memory for its ring.
    #[error("its ring: {0}")]
    NoMemory(CapacityError),
    /// What it has missed is on a core that was stuck when its system ended, and was left behind.
    #[error("core {core} was left behind with what it has missed")]
    SourceUnreachable {
        /// Which core.
        core: usize,
    },
    /// It was to begin with an event that has not been published: its position is of another run, perhaps.
    #[error("there is no event {position}; the next one is {next}")]
    NoSuchPosition {
        /// Where it was to begin.
        position: Position,
        /// What the next event's position was when its core was asked.
        next: Position,
    },
}
