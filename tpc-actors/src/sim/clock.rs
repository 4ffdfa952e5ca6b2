//! Time that passes when the simulation says so.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use crate::clock::Clock;

/// A clock that stands still until it is moved.
#[derive(Debug)]
pub(crate) struct VirtualClock {
    epoch: Instant,
    nanos: AtomicU64,
}

impl Default for VirtualClock {
    fn default() -> Self {
        Self { epoch: Instant::now(), nanos: AtomicU64::new(0) }
    }
}

impl VirtualClock {
    /// Where it stands still for good.
    pub(super) const END: Duration = Duration::from_nanos(u64::MAX);

    /// How far it has come.
    pub(crate) fn elapsed(&self) -> Duration {
        Duration::from_nanos(self.nanos.load(Ordering::Relaxed))
    }

    /// Moves on to this time since the start, unless it is past that already.
    pub(crate) fn advance_to(&self, elapsed: Duration) {
        let nanos = u64::try_from(elapsed.as_nanos()).unwrap_or(u64::MAX);
        self.nanos.fetch_max(nanos, Ordering::Relaxed);
    }

    /// Moves on by so much time.
    pub(crate) fn advance(&self, time: Duration) {
        self.advance_to(self.elapsed() + time);
    }

    /// How far it will have come at `at`.
    pub(crate) fn elapsed_at(&self, at: Instant) -> Duration {
        at.saturating_duration_since(self.epoch)
    }
}

impl Clock for VirtualClock {
    fn now(&self) -> Instant {
        self.epoch + self.elapsed()
    }

    fn epoch(&self) -> Instant {
        self.epoch
    }
}
