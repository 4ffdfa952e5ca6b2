//! How full a ring is, in three levels with hysteresis: pure decisions on counts.
//!
//! Who wants to know looks at the ring; whoever sends or receives has nothing to do for it. A level therefore falls
//! by draining alone, although nobody sends.

use std::sync::atomic::{AtomicU8, Ordering};

use super::ring::CapacityError;

/// How full a ring is: that of requests of a bridge, or that of a lane to an actor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Pressure {
    /// Send freely.
    #[default]
    Normal,
    /// Send less: the ring is filling up.
    Throttled,
    /// Stop sending: the ring is about to be full, or is.
    Suspended,
}

/// The fills, in percent of the capacity, at which the level changes.
///
/// A level is left further down than it is entered, so that a ring at the brink does not flicker. It is judged by who
/// looks: a fill that came and went between two looks changes nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Thresholds {
    /// From here on [`Pressure::Throttled`].
    pub throttle_enter_percent: u8,
    /// Back to [`Pressure::Normal`] below this.
    pub throttle_leave_percent: u8,
    /// From here on [`Pressure::Suspended`].
    pub suspend_enter_percent: u8,
    /// Back to [`Pressure::Throttled`] below this.
    pub suspend_leave_percent: u8,
}

impl Thresholds {
    /// Throttled at 85 percent and no more below 75, suspended at 95 and no more below 85.
    pub const DEFAULT: Self = Self {
        throttle_enter_percent: 85,
        throttle_leave_percent: 75,
        suspend_enter_percent: 95,
        suspend_leave_percent: 85,
    };

    /// Whether each level is left below where it is entered, at 1 to 100 percent, and throttled comes before
    /// suspended.
    pub const fn is_sound(&self) -> bool {
        self.throttle_leave_percent < self.throttle_enter_percent
            && self.suspend_leave_percent < self.suspend_enter_percent
            && self.throttle_enter_percent <= self.suspend_enter_percent
            && self.throttle_leave_percent <= self.suspend_leave_percent
            && self.throttle_enter_percent >= 1
            && self.suspend_enter_percent <= 100
    }
}

impl Default for Thresholds {
    fn default() -> Self {
        Self::DEFAULT
    }
}

/// Sizes of a bridge.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BridgeConfig {
    pub(super) request_capacity: usize,
    pub(super) response_capacity: usize,
    pub(super) thresholds: Thresholds,
}

impl BridgeConfig {
    /// Rings for this many requests and responses, with the default thresholds.
    pub const fn new(request_capacity: usize, response_capacity: usize) -> Self {
        Self { request_capacity, response_capacity, thresholds: Thresholds::DEFAULT }
    }

    /// Other fills at which the pressure changes.
    #[must_use]
    pub const fn thresholds(mut self, thresholds: Thresholds) -> Self {
        self.thresholds = thresholds;
        self
    }
}

/// Why a bridge was not built.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BridgeError {
    /// One of the rings cannot have the capacity that was asked for.
    #[error(transparent)]
    Capacity(#[from] CapacityError),
    /// The thresholds contradict themselves.
    #[error(
        "pressure must be left below where it is entered, throttle no later than suspend, and enter at \
         1 to 100 percent"
    )]
    Thresholds(Thresholds),
}

/// Thresholds as counts of one ring's items.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Levels {
    throttle_enter: usize,
    throttle_leave: usize,
    suspend_enter: usize,
    suspend_leave: usize,
}

impl Levels {
    pub(super) fn new(thresholds: Thresholds, capacity: usize) -> Result<Self, BridgeError> {
        if !thresholds.is_sound() {
            return Err(BridgeError::Thresholds(thresholds));
        }
        Ok(Self::of_sound(thresholds, capacity))
    }

    /// Of thresholds that do not contradict each other.
    pub(crate) fn of_sound(thresholds: Thresholds, capacity: usize) -> Self {
        // Rounded up: 95 % of 16 is entered by the sixteenth item and not by the fifteenth.
        let count = |percent: u8| {
            let items = (capacity as u128 * u128::from(percent)).div_ceil(100);
            usize::try_from(items).unwrap_or(usize::MAX)
        };
        Self {
            throttle_enter: count(thresholds.throttle_enter_percent),
            throttle_leave: count(thresholds.throttle_leave_percent),
            suspend_enter: count(thresholds.suspend_enter_percent),
            suspend_leave: count(thresholds.suspend_leave_percent),
        }
    }

    /// The level that follows `level` at a fill of `items`.
    pub(crate) fn next(&self, level: Pressure, items: usize) -> Pressure {
        let suspended = match level {
            Pressure::Suspended => items >= self.suspend_leave && items > 0,
            _ => items >= self.suspend_enter,
        };
        if suspended {
            return Pressure::Suspended;
        }
        let throttled = match level {
            Pressure::Normal => items >= self.throttle_enter,
            _ => items >= self.throttle_leave && items > 0,
        };
        if throttled { Pressure::Throttled } else { Pressure::Normal }
    }
}

/// The level of one ring, judged anew by every look.
#[derive(Debug, Default)]
pub(crate) struct Level(AtomicU8);

impl Level {
    /// The level now that the ring holds as many items as `fill` says.
    pub(crate) fn at(&self, fill: impl FnOnce() -> usize, levels: &Levels) -> Pressure {
        // Before the fill, and stored only if nobody has stored another one meanwhile: their look is not older.
        let found = self.0.load(Ordering::Acquire);
        let level = levels.next(Self::of(found), fill());
        if level as u8 == found {
            return level;
        }
        match self.0.compare_exchange(found, level as u8, Ordering::AcqRel, Ordering::Acquire) {
            Ok(_) => level,
            Err(newer) => Self::of(newer),
        }
    }

    fn of(word: u8) -> Pressure {
        match word {
            0 => Pressure::Normal,
            1 => Pressure::Throttled,
            _ => Pressure::Suspended,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn walk(levels: &Levels, fills: impl IntoIterator<Item = usize>) -> Vec<Pressure> {
        let mut level = Pressure::Normal;
        fills
            .into_iter()
            .map(|fill| {
                level = levels.next(level, fill);
                level
            })
            .collect()
    }

    #[test]
    fn levels_are_entered_high_and_left_low() {
        use Pressure::{Normal, Suspended, Throttled};
        let levels = Levels::new(Thresholds::default(), 100).unwrap();
        let levels = walk(&levels, [84, 85, 94, 95, 86, 85, 84, 75, 74, 80, 85, 0]);
        assert_eq!(
            levels,
            [
                Normal, Throttled, Throttled, Suspended, Suspended, Suspended, Throttled,
                Throttled, Normal, Normal, Throttled, Normal
            ]
        );
    }

    #[test]
    fn an_empty_ring_is_normal_whatever_the_capacity() {
        for capacity in [1, 2, 3, 16, 1000] {
            let levels = Levels::new(Thresholds::default(), capacity).unwrap();
            assert_eq!(levels.next(Pressure::Normal, capacity), Pressure::Suspended);
            assert_eq!(levels.next(Pressure::Suspended, 0), Pressure::Normal);
            assert_eq!(levels.next(Pressure::Throttled, 0), Pressure::Normal);
        }
    }

    #[test]
    fn contradictions_are_refused() {
        let sound = Thresholds::default();
        for broken in [
            Thresholds { throttle_leave_percent: 85, ..sound },
            Thresholds { suspend_leave_percent: 95, ..sound },
            Thresholds { suspend_enter_percent: 101, ..sound },
            Thresholds { throttle_enter_percent: 0, ..sound },
            Thresholds { throttle_enter_percent: 96, ..sound },
            Thresholds { suspend_leave_percent: 70, ..sound },
        ] {
            assert!(Levels::new(broken, 16).is_err(), "{broken:?}");
        }
    }

    #[test]
    fn a_look_that_is_overtaken_changes_nothing() {
        let levels = Levels::new(Thresholds::default(), 100).unwrap();
        let level = Level::default();
        assert_eq!(level.at(|| 100, &levels), Pressure::Suspended);
        let overtaken = || {
            assert_eq!(level.at(|| 0, &levels), Pressure::Normal);
            80
        };
        assert_eq!(level.at(overtaken, &levels), Pressure::Normal);
        assert_eq!(level.at(|| 80, &levels), Pressure::Normal);
    }
}
