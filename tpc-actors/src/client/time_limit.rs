//! How long a request may take: a duration until its time begins, a deadline from then on.

use std::time::Duration;

use crate::clock::{Clock, nanos};
use crate::reply::slot::NO_DEADLINE;

/// After what time a request is too late.
#[derive(Debug, Clone, Copy)]
pub(super) enum TimeLimit {
    None,
    /// So long after its first poll.
    Within(Duration),
    /// Until that deadline word.
    Until(u64),
}

impl TimeLimit {
    #[inline]
    pub(super) fn is_none(self) -> bool {
        matches!(self, Self::None)
    }

    /// Begins the time unless it has begun; says the deadline word.
    pub(super) fn begin(&mut self, clock: &dyn Clock) -> u64 {
        if let Self::Within(limit) = *self {
            let limit = u64::try_from(limit.as_nanos()).unwrap_or(u64::MAX);
            *self =
                Self::Until(nanos(clock, clock.now()).saturating_add(limit).min(NO_DEADLINE - 1));
        }
        self.deadline()
    }

    /// The deadline word of what has begun.
    pub(super) fn deadline(self) -> u64 {
        match self {
            Self::Until(deadline) => deadline,
            Self::None | Self::Within(_) => NO_DEADLINE,
        }
    }

    /// Whether that has passed.
    pub(super) fn has_passed(self, clock: &dyn Clock) -> bool {
        matches!(self, Self::Until(deadline) if nanos(clock, clock.now()) >= deadline)
    }
}
