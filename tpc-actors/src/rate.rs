//! How often something is told that may happen all the time.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// Reports in a minute.
const MOST: usize = 5;
const MINUTE: Duration = Duration::from_mins(1);

/// Lets five reports a minute pass, in a sliding window, and counts the others.
#[derive(Debug, Default)]
pub(crate) struct FiveAMinute {
    told: VecDeque<Instant>,
    untold: u64,
}

impl FiveAMinute {
    pub(crate) const fn new() -> Self {
        Self { told: VecDeque::new(), untold: 0 }
    }

    /// `Some` when this one may be told, with how many before it were not.
    pub(crate) fn admit(&mut self, now: Instant) -> Option<u64> {
        let old = |at: &Instant| now.saturating_duration_since(*at) >= MINUTE;
        while self.told.front().is_some_and(old) {
            self.told.pop_front();
        }
        if self.told.len() >= MOST {
            self.untold += 1;
            return None;
        }
        self.told.push_back(now);
        Some(std::mem::take(&mut self.untold))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn five_pass_in_any_minute_and_the_others_are_counted() {
        let mut rate = FiveAMinute::default();
        let start = Instant::now();
        let second = Duration::from_secs(1);
        for n in 0..5 {
            assert_eq!(rate.admit(start + second * n), Some(0));
        }
        for n in 5..60 {
            assert_eq!(rate.admit(start + second * n), None, "second {n}");
        }
        assert_eq!(rate.admit(start + second * 60), Some(55));
        assert_eq!(rate.admit(start + second * 60), None);
        assert_eq!(rate.admit(start + second * 61), Some(1));
    }
}
