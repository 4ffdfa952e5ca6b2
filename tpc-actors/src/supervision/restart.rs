//! Restarts: how many, how far apart, and what follows when there were too many.
//!
//! The intensity is a true sliding window, as in OTP's supervisors: `max` restarts within the last `within`, counted
//! anew at every failure, and never a counter that only a quiet period resets.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// What follows when an actor has used up its restarts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Then {
    /// The actor stops; everything sent to it answers `Stopped`. Other actors do not notice.
    Stop,
    /// Who is responsible for the actor decides: its group, else its core, else the system.
    Escalate,
    /// The whole system shuts down without draining.
    AbortSystem,
}

/// What a panic in a handler means for the actor's state.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum OnPanic {
    /// The state is dropped and built anew: what a panic has left half done cannot be trusted.
    #[default]
    Restart,
    /// The state is kept as the panic left it, and the next message is served. For handlers that are
    /// known to change their state in one step.
    Resume,
    /// The actor stops.
    Stop,
}

/// What a restart means for messages that wait.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Queue {
    /// They wait, and so do new ones.
    #[default]
    Keep,
    /// They are answered [`Degraded`](crate::AskError::Degraded) at once, and new ones are refused with
    /// it until the actor is served again.
    Reject,
}

/// The restart policy of an actor: `#[core_actor(supervise(..))]` as data.
///
/// ```
/// use std::time::Duration;
/// use tpc_actors::supervision::{Supervise, Then};
///
/// const PATIENT: Supervise = Supervise::new()
///     .max(100)
///     .within(Duration::from_secs(60))
///     .backoff(Duration::from_millis(1), Duration::from_secs(5))
///     .then(Then::Stop);
/// assert_eq!(PATIENT.max_restarts(), 100);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Supervise {
    max: u32,
    within: Duration,
    backoff_min: Duration,
    backoff_max: Duration,
    then: Then,
    on_panic: OnPanic,
    queue: Queue,
}

impl Default for Supervise {
    fn default() -> Self {
        Self::new()
    }
}

impl Supervise {
    /// Five restarts in ten seconds, 1 ms to 1 s apart, then stop.
    pub const fn new() -> Self {
        Self {
            max: 5,
            within: Duration::from_secs(10),
            backoff_min: Duration::from_millis(1),
            backoff_max: Duration::from_secs(1),
            then: Then::Stop,
            on_panic: OnPanic::Restart,
            queue: Queue::Keep,
        }
    }

    /// How many restarts the window holds; 0 means that the first failure is the last.
    #[must_use]
    pub const fn max(mut self, restarts: u32) -> Self {
        self.max = restarts;
        self
    }

    /// The length of the sliding window.
    ///
    /// # Panics
    ///
    /// It is 0; while compiling, where this makes a constant.
    #[must_use]
    pub const fn within(mut self, window: Duration) -> Self {
        assert!(!window.is_zero(), "a window of no time never holds a restart; write a longer one");
        self.within = window;
        self
    }

    /// The pause before a restart: `min` after the first failure, doubled by each further one in the
    /// window, `max` at the most, each with up to a quarter of random reduction.
    ///
    /// # Panics
    ///
    /// `max` is shorter than `min`; while compiling, where this makes a constant.
    #[must_use]
    pub const fn backoff(mut self, min: Duration, max: Duration) -> Self {
        assert!(
            min.as_nanos() <= max.as_nanos(),
            "a backoff that starts above its maximum; write the shorter time first"
        );
        self.backoff_min = min;
        self.backoff_max = max;
        self
    }

    /// What follows when the window is full.
    #[must_use]
    pub const fn then(mut self, then: Then) -> Self {
        self.then = then;
        self
    }

    /// What a panic in a handler means for the state.
    #[must_use]
    pub const fn on_panic(mut self, on_panic: OnPanic) -> Self {
        self.on_panic = on_panic;
        self
    }

    /// What a restart means for messages that wait.
    #[must_use]
    pub const fn queue(mut self, queue: Queue) -> Self {
        self.queue = queue;
        self
    }

    /// The number of restarts that the window holds.
    pub const fn max_restarts(&self) -> u32 {
        self.max
    }

    /// The length of the sliding window.
    pub const fn window(&self) -> Duration {
        self.within
    }

    pub(crate) const fn panic_action(&self) -> OnPanic {
        self.on_panic
    }

    pub(crate) const fn queue_action(&self) -> Queue {
        self.queue
    }
}

/// What to do about a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// Rebuild the state after a pause.
    Restart {
        /// The pause.
        after: Duration,
    },
    /// Too many failures: carry out [`Then`].
    GiveUp(Then),
}

/// The failures of one actor, as far as its policy looks back.
#[derive(Debug, Clone)]
pub struct History {
    policy: Supervise,
    restarts: VecDeque<Instant>,
}

impl History {
    /// An actor that has not failed yet.
    pub fn new(policy: Supervise) -> Self {
        Self { policy, restarts: VecDeque::new() }
    }

    /// Decides about a failure at `now`; `jitter` is a random number that spreads the pauses.
    pub fn failed(&mut self, now: Instant, jitter: u64) -> Decision {
        let within = self.policy.within;
        while self.restarts.front().is_some_and(|&at| now.saturating_duration_since(at) > within) {
            self.restarts.pop_front();
        }
        let recent = u32::try_from(self.restarts.len()).unwrap_or(u32::MAX);
        if recent >= self.policy.max {
            return Decision::GiveUp(self.policy.then);
        }
        self.restarts.push_back(now);
        Decision::Restart { after: self.pause(recent, jitter) }
    }

    /// Starts over, as after a restart that somebody else has ordered.
    pub fn forgive(&mut self) {
        self.restarts.clear();
    }

    fn pause(&self, recent: u32, jitter: u64) -> Duration {
        let factor = 1u32.checked_shl(recent).unwrap_or(u32::MAX);
        let full = self.policy.backoff_min.saturating_mul(factor).min(self.policy.backoff_max);
        // 0 to 255 of 1024 parts: at most a quarter less, so that pauses of equals do not align.
        full.saturating_sub(full / 1024 * u32::try_from(jitter % 256).unwrap_or(0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    fn history(max: u32, within: Duration) -> History {
        History::new(Supervise::new().max(max).within(within).backoff(MS, 10 * MS))
    }

    #[test]
    #[should_panic(expected = "a window of no time")]
    fn a_window_has_a_length() {
        let _ = Supervise::new().max(1).within(Duration::ZERO);
    }

    #[test]
    fn a_steady_trickle_below_the_intensity_never_gives_up() {
        // One failure per 300 ms is never more than two in any 400 ms.
        let mut history = history(3, 400 * MS);
        let start = Instant::now();
        for n in 0..1000 {
            let decision = history.failed(start + 300 * MS * n, 0);
            assert!(matches!(decision, Decision::Restart { .. }), "failure {n}: {decision:?}");
        }
    }

    #[test]
    fn the_window_slides_and_the_next_failure_after_the_last_restart_gives_up() {
        let mut history = history(3, 100 * MS);
        let start = Instant::now();
        for n in 0..3 {
            assert!(matches!(history.failed(start + MS * n, 0), Decision::Restart { .. }));
        }
        assert_eq!(history.failed(start + 50 * MS, 0), Decision::GiveUp(Then::Stop));
        // The first restart leaves the window; exactly one place is free again.
        assert!(matches!(history.failed(start + MS * 101, 0), Decision::Restart { .. }));
        assert_eq!(history.failed(start + MS * 101, 0), Decision::GiveUp(Then::Stop));
    }

    #[test]
    fn no_restart_at_all_when_the_maximum_is_zero() {
        assert_eq!(history(0, MS).failed(Instant::now(), 0), Decision::GiveUp(Then::Stop));
    }

    #[test]
    fn pauses_double_up_to_their_maximum_and_start_over_after_a_healthy_window() {
        let mut history = history(100, 1000 * MS);
        let start = Instant::now();
        let mut pauses = Vec::new();
        for _ in 0..6 {
            let Decision::Restart { after } = history.failed(start, 0) else { panic!("gave up") };
            pauses.push(after);
        }
        assert_eq!(pauses, [MS, 2 * MS, 4 * MS, 8 * MS, 10 * MS, 10 * MS]);
        let later = start + 2000 * MS;
        assert_eq!(history.failed(later, 0), Decision::Restart { after: MS });
    }

    #[test]
    fn jitter_only_shortens_and_by_less_than_a_quarter() {
        for jitter in 0..1024 {
            let policy = Supervise::new().backoff(1000 * MS, 1000 * MS);
            let decision = History::new(policy).failed(Instant::now(), jitter);
            let Decision::Restart { after } = decision else { panic!("gave up") };
            assert!(after > 750 * MS && after <= 1000 * MS, "{after:?}");
        }
    }

    #[test]
    fn huge_numbers_saturate() {
        let mut history =
            History::new(Supervise::new().max(u32::MAX).backoff(Duration::MAX, Duration::MAX));
        let now = Instant::now();
        for _ in 0..100 {
            assert!(matches!(history.failed(now, u64::MAX), Decision::Restart { .. }));
        }
    }
}
