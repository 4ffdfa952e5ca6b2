//! The watchdog: a circuit breaker around an actor or a core.
//!
//! ```text
//!            `failures` in `within`                 cool-down over
//!   CLOSED ─────────────────────────▶ OPEN ◀──────────────┐
//!     ▲                                 │                 │ a probe fails: cool-down doubled
//!     │ `probes` of them succeed        ▼                 │
//!     └────────────────────────── HALF-OPEN ──────────────┘
//! ```
//!
//! After M. Nygard, "Release It!", chapter "Circuit Breaker". Failures are counted in a sliding window, whatever
//! succeeds between them: an actor that fails every other time is as broken as one that always does.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// The options of a watchdog.
///
/// ```
/// use std::time::Duration;
/// use tpc_actors::supervision::Watchdog;
///
/// let strict = Watchdog::new()
///     .failures(3)
///     .within(Duration::from_secs(60))
///     .cool_down(Duration::from_secs(30), Duration::from_mins(8))
///     .probes(2);
/// assert_ne!(strict, Watchdog::new());
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Watchdog {
    failures: u32,
    within: Duration,
    cool_down_min: Duration,
    cool_down_max: Duration,
    probes: u32,
}

impl Default for Watchdog {
    fn default() -> Self {
        Self::new()
    }
}

impl Watchdog {
    /// Three failures in a minute; cool-downs of 30 s, doubling up to 10 min; one probe.
    pub const fn new() -> Self {
        Self {
            failures: 3,
            within: Duration::from_mins(1),
            cool_down_min: Duration::from_secs(30),
            cool_down_max: Duration::from_mins(10),
            probes: 1,
        }
    }

    /// How many failures in the window are too many; at least 1.
    ///
    /// # Panics
    ///
    /// It is 0; while compiling, where this makes a constant.
    #[must_use]
    pub const fn failures(mut self, failures: u32) -> Self {
        assert!(failures > 0, "0 failures would be too many from the start; write at least 1");
        self.failures = failures;
        self
    }

    /// The length of the sliding window.
    ///
    /// # Panics
    ///
    /// It is 0; while compiling, where this makes a constant.
    #[must_use]
    pub const fn within(mut self, window: Duration) -> Self {
        assert!(!window.is_zero(), "a window of no time never holds a failure; write a longer one");
        self.within = window;
        self
    }

    /// How long nobody is served: `min` at first, doubled by each failing probe, `max` at the most.
    ///
    /// # Panics
    ///
    /// `max` is shorter than `min`; while compiling, where this makes a constant.
    #[must_use]
    pub const fn cool_down(mut self, min: Duration, max: Duration) -> Self {
        assert!(
            min.as_nanos() <= max.as_nanos(),
            "a cool-down that starts above its maximum; write the shorter time first"
        );
        self.cool_down_min = min;
        self.cool_down_max = max;
        self
    }

    /// How many requests are let in after a cool-down, all of which must succeed; at least 1.
    ///
    /// # Panics
    ///
    /// It is 0; while compiling, where this makes a constant.
    #[must_use]
    pub const fn probes(mut self, requests: u32) -> Self {
        assert!(requests > 0, "0 probes would never end a cool-down; write at least 1");
        self.probes = requests;
        self
    }

    /// How many requests are let in after a cool-down.
    pub const fn probes_max(&self) -> u32 {
        self.probes
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Closed,
    Open { until: Instant },
    HalfOpen { left: u32 },
}

/// What a watchdog has seen, and whether it lets requests through.
#[derive(Debug, Clone)]
pub struct Breaker {
    policy: Watchdog,
    /// Failures while closed, as far as the window looks back.
    failures: VecDeque<Instant>,
    state: State,
    cool_down: Duration,
}

impl Breaker {
    /// A breaker that has seen nothing.
    pub fn new(policy: Watchdog) -> Self {
        Self {
            policy,
            failures: VecDeque::new(),
            state: State::Closed,
            cool_down: policy.cool_down_min,
        }
    }

    /// Notes a failure. `Some` when nobody is to be served from here on, until that time.
    pub fn failed(&mut self, now: Instant) -> Option<Instant> {
        match self.state {
            // What was under way already when the breaker opened says nothing new.
            State::Open { .. } => return None,
            State::HalfOpen { .. } => {
                self.cool_down = self.cool_down.saturating_mul(2).min(self.policy.cool_down_max);
            }
            State::Closed => {
                let within = self.policy.within;
                let old = |at: &Instant| now.saturating_duration_since(*at) > within;
                while self.failures.front().is_some_and(old) {
                    self.failures.pop_front();
                }
                self.failures.push_back(now);
                if self.failures.len() < self.policy.failures as usize {
                    return None;
                }
                self.cool_down = self.policy.cool_down_min;
            }
        }
        let until = crate::clock::later(now, self.cool_down);
        self.state = State::Open { until };
        Some(until)
    }

    /// The cool-down may be over; true when probes are let in from here on.
    pub fn cooled(&mut self, now: Instant) -> bool {
        match self.state {
            State::Open { until } if now >= until => {
                self.state = State::HalfOpen { left: self.policy.probes };
                true
            }
            _ => false,
        }
    }

    /// Notes requests that succeeded; true when everybody is served again.
    pub fn succeeded(&mut self, requests: u32) -> bool {
        let State::HalfOpen { left } = &mut self.state else { return false };
        *left = left.saturating_sub(requests);
        if *left > 0 {
            return false;
        }
        self.state = State::Closed;
        self.failures.clear();
        true
    }

    /// Until when nobody is served.
    pub fn open_until(&self) -> Option<Instant> {
        match self.state {
            State::Open { until } => Some(until),
            _ => None,
        }
    }

    /// Whether a few are let in to find out.
    pub fn is_half_open(&self) -> bool {
        matches!(self.state, State::HalfOpen { .. })
    }

    /// The length of the last cool-down, or of the next one.
    pub(crate) fn pause(&self) -> Duration {
        self.cool_down
    }

    pub(crate) fn probes(&self) -> u32 {
        self.policy.probes
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const S: Duration = Duration::from_secs(1);

    #[test]
    fn alternating_failures_and_successes_degrade() {
        let mut breaker = Breaker::new(Watchdog::new());
        let start = Instant::now();
        assert_eq!(breaker.failed(start), None);
        assert!(!breaker.succeeded(1000));
        assert_eq!(breaker.failed(start + S), None);
        assert!(!breaker.succeeded(1000));
        assert_eq!(breaker.failed(start + 2 * S), Some(start + 32 * S));
        assert!(breaker.open_until().is_some());
    }

    #[test]
    fn what_is_older_than_the_window_does_not_count() {
        let mut breaker = Breaker::new(Watchdog::new());
        let start = Instant::now();
        for n in 0..1000 {
            assert_eq!(breaker.failed(start + 31 * S * n), None, "failure {n}");
        }
    }

    #[test]
    fn cool_downs_double_up_to_their_maximum_and_start_over_after_success() {
        let policy = Watchdog::new().failures(1).cool_down(S, 5 * S).probes(2);
        let mut breaker = Breaker::new(policy);
        let mut now = Instant::now();
        let mut pauses = Vec::new();
        for _ in 0..5 {
            let until = breaker.failed(now).expect("opens");
            pauses.push(until - now);
            assert!(!breaker.cooled(now), "not before its time");
            assert!(breaker.cooled(until) && breaker.is_half_open());
            now = until;
        }
        assert_eq!(pauses, [S, 2 * S, 4 * S, 5 * S, 5 * S]);
        assert!(!breaker.succeeded(1), "two probes decide");
        assert!(breaker.succeeded(1));
        assert_eq!(breaker.failed(now), Some(now + S));
    }

    #[test]
    fn failures_of_what_was_under_way_do_not_prolong_the_cool_down() {
        let mut breaker = Breaker::new(Watchdog::new().failures(1).cool_down(S, 8 * S));
        let now = Instant::now();
        assert_eq!(breaker.failed(now), Some(now + S));
        assert_eq!(breaker.failed(now + S / 2), None);
        assert!(breaker.cooled(now + S));
    }

    /// The same rules, written down the slow way: all failures ever, and no queue.
    #[derive(Default)]
    struct Reference {
        failures: Vec<u64>,
        open_until: Option<u64>,
        half_open: Option<u32>,
        doubled: u32,
    }

    impl Reference {
        fn failed(&mut self, now: u64) -> Option<u64> {
            if self.open_until.is_some() {
                return None;
            }
            if self.half_open.take().is_some() {
                self.doubled += 1;
            } else {
                self.failures.push(now);
                let recent = self.failures.iter().filter(|at| now - **at <= 10).count();
                if recent < 3 {
                    return None;
                }
                self.doubled = 0;
            }
            let until = now + (5 << self.doubled).min(17);
            self.open_until = Some(until);
            Some(until)
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]
        #[test]
        fn the_breaker_agrees_with_the_reference(steps in prop::collection::vec((0..3u8, 0..7u64), 1..80)) {
            let policy = Watchdog::new().within(10 * S).cool_down(5 * S, 17 * S).probes(2);
            let mut breaker = Breaker::new(policy);
            let mut reference = Reference::default();
            let start = Instant::now();
            let mut now = 0;
            for (what, pause) in steps {
                now += pause;
                let at = start + Duration::from_secs(now);
                match what {
                    0 => {
                        let until = reference.failed(now).map(|until| start + Duration::from_secs(until));
                        prop_assert_eq!(breaker.failed(at), until);
                    }
                    1 => {
                        let cooled = reference.open_until.is_some_and(|until| now >= until);
                        if cooled {
                            reference.open_until = None;
                            reference.half_open = Some(2);
                        }
                        prop_assert_eq!(breaker.cooled(at), cooled);
                    }
                    _ => {
                        let mut closed = false;
                        if let Some(left) = reference.half_open {
                            closed = left == 1;
                            reference.half_open = (!closed).then_some(left - 1);
                            if closed {
                                reference.failures.clear();
                            }
                        }
                        prop_assert_eq!(breaker.succeeded(1), closed);
                    }
                }
            }
        }
    }
}
