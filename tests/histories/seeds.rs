//! What random histories are made of.

use std::cell::Cell;
use std::ops::Range;

/// Numbers that a seed determines (Knuth's linear congruential generator).
pub struct Random(Cell<u64>);

impl Random {
    /// Another course than that of the simulation with the same seed.
    pub fn beside(seed: u64) -> Self {
        Self(Cell::new(seed ^ 0x5DEE_CE66))
    }

    pub fn below(&self, end: u64) -> u64 {
        let state = self.0.get().wrapping_mul(6_364_136_223_846_793_005);
        let state = state.wrapping_add(1_442_695_040_888_963_407);
        self.0.set(state);
        (state >> 33) % end
    }

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
