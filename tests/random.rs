//! Numbers that look random.

use std::cell::Cell;

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
}
