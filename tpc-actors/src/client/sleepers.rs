//! What is quicker where a core sleeps: to look for the answer meanwhile, or to sleep as well.
//!
//! Who looks spares the wake on the way back. But a virtual CPU may share a physical one with the CPU that has to
//! wake, which then does not wake before the look ends; and some wake later than anybody would look. None of that
//! can be asked of the system, so it is learned from how long asks took both ways.
//!
//! A bandit with two arms and optimistic estimates (Sutton and Barto, "Reinforcement Learning", 2.6): both begin as
//! if they cost nothing, and the one that is not taken seems a little cheaper each time, until it is tried again.

use std::time::Duration;

/// For how long an answer is looked for. Sleeping cores have answered after 40 to 150 microseconds where there was a
/// CPU for them.
pub(super) const LOOK_MAX: Duration = Duration::from_micros(200);

/// What an ask counts for at most: a slow handler and a thread that was interrupted say nothing about waking.
const TIME_MAX: Duration = Duration::from_micros(800);

/// How long asks of cores that had to be woken took, in both ways.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sleepers {
    looking: Duration,
    sleeping: Duration,
}

impl Sleepers {
    /// Nothing is known.
    pub(super) const fn new() -> Self {
        Self { looking: Duration::ZERO, sleeping: Duration::ZERO }
    }

    /// Whether this time the answer is looked for.
    pub(super) fn looks(&mut self) -> bool {
        let looks = self.looking <= self.sleeping;
        let other = if looks { &mut self.sleeping } else { &mut self.looking };
        // One that takes twice as long is tried once in about sixty times, and one that takes about as long often.
        *other = other.saturating_sub(*other / 256 + Duration::from_nanos(1));
        looks
    }

    /// An ask has taken so long.
    pub(super) fn took(&mut self, looked: bool, time: Duration) {
        // What was looked for in vain has also taken the time of a CPU, which others may have needed.
        let in_vain = if looked && time > LOOK_MAX { TIME_MAX } else { Duration::ZERO };
        let estimate = if looked { &mut self.looking } else { &mut self.sleeping };
        *estimate = (*estimate * 3 + time.min(TIME_MAX) + in_vain) / 4;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How many of a thousand asks are looked for, where asks take so many microseconds.
    fn looks(sleepers: &mut Sleepers, looking: u64, sleeping: u64) -> usize {
        let ask = |_: &i32| {
            let looks = sleepers.looks();
            let time = if looks { looking } else { sleeping };
            sleepers.took(looks, Duration::from_micros(time));
            looks
        };
        (0..1_000).filter(ask).count()
    }

    #[test]
    fn the_quicker_way_is_taken_nearly_always_and_also_when_it_changes() {
        let mut sleepers = Sleepers::new();
        for _ in 0..3 {
            let found = looks(&mut sleepers, 80, 160);
            let starved = looks(&mut sleepers, 360, 160);
            assert!(found > 600 && starved < 20, "{found} {starved}");
        }
    }

    #[test]
    fn what_is_slow_anyway_is_rarely_looked_for() {
        let found = looks(&mut Sleepers::new(), 50_000, 50_000);
        assert!(found < 30, "{found}");
    }
}
