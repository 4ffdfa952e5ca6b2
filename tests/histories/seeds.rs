//! What random histories are made of.

use std::ops::Range;

pub use super::random::Random;

impl Random {
    pub fn index(&self, end: usize) -> usize {
        usize::try_from(self.below(end as u64)).expect("it is below a usize")
    }

    pub fn small(&self, end: u32) -> u32 {
        u32::try_from(self.below(end.into())).expect("it is below a u32")
    }

    /// A probability below so many percent.
    pub fn chance(&self, percent: u32) -> f64 {
        f64::from(self.small(percent)) / 100.0
    }
}

/// As many seeds as the variable `SEEDS` says, from the one on that `FROM` says: `just histories 10000`.
pub fn wanted() -> Range<u64> {
    let number = |name: &str, default| {
        std::env::var(name).map_or(default, |text| text.parse().expect("a number"))
    };
    let from = number("FROM", 0);
    from..from + number("SEEDS", 1000)
}
