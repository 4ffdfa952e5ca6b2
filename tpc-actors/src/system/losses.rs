//! Cores that have lost their threads: whether each comes back, and when.

use std::time::{Duration, Instant};

use crate::clock::later;
use crate::supervision::{Decision, History, Supervise};

/// What has been lost so far, and what waits to be replaced.
#[derive(Debug)]
pub(super) struct Losses {
    history: History,
    /// Cores by number, each with its time.
    away: Vec<(Instant, usize)>,
}

impl Losses {
    pub(super) fn new(policy: Supervise) -> Self {
        Self { history: History::new(policy), away: Vec::new() }
    }

    /// A core is lost; false when those were too many, and it does not come back.
    pub(super) fn lost(&mut self, core: usize, now: Instant) -> bool {
        match self.history.failed(now, 0) {
            Decision::Restart { after } => {
                self.away.push((later(now, after), core));
                true
            }
            Decision::GiveUp(_) => false,
        }
    }

    /// How long until the first of them is due, but not longer than `most`.
    pub(super) fn due_within(&self, most: Duration, now: Instant) -> Duration {
        let left = self.away.iter().map(|(at, _)| at.saturating_duration_since(now));
        left.fold(most, Duration::min)
    }

    /// Those whose time has come.
    pub(super) fn take_due(&mut self, now: Instant) -> Vec<usize> {
        self.away.extract_if(.., |(at, _)| *at <= now).map(|(_, core)| core).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_comes_back_at_its_own_time() {
        let pause = Duration::from_secs(1);
        let mut losses = Losses::new(Supervise::new().max(2).backoff(pause, pause));
        let (start, most) = (Instant::now(), Duration::from_secs(10));
        let at = |millis| start + Duration::from_millis(millis);
        assert_eq!(losses.due_within(most, start), most, "nobody waits");
        assert!(losses.lost(0, start) && losses.lost(1, at(500)));
        assert_eq!(losses.due_within(most, at(500)), Duration::from_millis(500));
        assert_eq!(losses.take_due(at(999)), []);
        assert_eq!(losses.take_due(at(1000)), [0]);
        assert_eq!(losses.due_within(most, at(2000)), Duration::ZERO);
        assert_eq!(losses.take_due(at(2000)), [1]);
        assert!(!losses.lost(1, at(2001)), "too many");
        assert_eq!(losses.take_due(at(9000)), []);
    }
}
