//! Time, as the loop and the clients see it.
//!
//! The loop reads a clock once per turn and never calls the system's itself, so that a simulation can
//! bring its own. Deadlines travel as nanoseconds since the clock's epoch: one word, where an
//! `Option<Instant>` takes two.

use std::fmt;
use std::time::{Duration, Instant};

/// A source of monotonic time.
pub(crate) trait Clock: Send + Sync + fmt::Debug {
    /// The time now; never earlier than a time returned before.
    fn now(&self) -> Instant;

    /// A fixed instant not after any that [`Self::now`] returns.
    fn epoch(&self) -> Instant;
}

/// The system's monotonic clock. On Linux it stands still while the machine is suspended.
#[derive(Debug)]
pub(crate) struct SystemClock {
    epoch: Instant,
}

impl Default for SystemClock {
    fn default() -> Self {
        Self { epoch: Instant::now() }
    }
}

impl Clock for SystemClock {
    fn now(&self) -> Instant {
        Instant::now()
    }

    fn epoch(&self) -> Instant {
        self.epoch
    }
}

/// Nanoseconds from the clock's epoch to `at`; saturates just below "no deadline".
pub(crate) fn nanos(clock: &dyn Clock, at: Instant) -> u64 {
    let since = at.saturating_duration_since(clock.epoch());
    u64::try_from(since.as_nanos()).unwrap_or(u64::MAX).min(u64::MAX - 1)
}

/// What is further away is as good as never, and would overflow the clock: ten years.
pub(crate) const FOREVER: Duration = Duration::from_hours(87_600);

/// `at + more` for any duration.
pub(crate) fn later(at: Instant, more: Duration) -> Instant {
    at + more.min(FOREVER)
}
