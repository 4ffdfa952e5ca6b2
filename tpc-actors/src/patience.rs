//! Whether looking a little longer is worth it, learned from how it went before.

/// Looks in vain, one after the other, from the second of which on occasions are let pass: 1, 3, 7 and so on.
const MISSES_MAX: u8 = 7;

/// Looks at every occasion for as long as that helps, and less and less often when it does not.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Patience {
    misses: u8,
    /// Occasions that are still to be let pass.
    skip: u8,
}

impl Patience {
    /// A patience that nothing is known of.
    pub(crate) const fn new() -> Self {
        Self { misses: 0, skip: 0 }
    }

    /// An occasion: whether to look this time.
    pub(crate) fn looks(&mut self) -> bool {
        if self.skip > 0 {
            self.skip -= 1;
            return false;
        }
        // Others may come before it is known how this look ends: while that is in doubt, they let occasions pass.
        self.skip = self.doubt();
        true
    }

    /// The look was worth it.
    pub(crate) fn found(&mut self) {
        *self = Self::new();
    }

    /// The look was in vain. Once says nothing: somebody else may have had the CPU for a moment.
    pub(crate) fn missed(&mut self) {
        self.misses = (self.misses + 1).min(MISSES_MAX);
        self.skip = self.doubt();
    }

    /// Occasions to be let pass after a look.
    fn doubt(self) -> u8 {
        (1 << self.misses.saturating_sub(1)) - 1
    }
}

/// Lets some time pass between two looks; about ten nanoseconds for each of `pauses`, or forty on some processors.
#[inline]
pub(crate) fn pause(pauses: u32) {
    for _ in 0..pauses {
        std::hint::spin_loop();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn vain_looks_become_rare_and_come_back_with_luck() {
        let mut patience = Patience::new();
        let mut looks = 0;
        for _ in 0..1_000 {
            if patience.looks() {
                looks += 1;
                patience.missed();
            }
        }
        assert!((10..30).contains(&looks), "{looks}");
        while !patience.looks() {}
        patience.found();
        assert!(patience.looks());
        patience.missed();
        assert!(patience.looks(), "once says nothing");
        patience.found();
        assert!((0..100).all(|_| patience.looks()));
    }

    /// Of many who look at a time nobody knows yet how it ends.
    #[test]
    fn a_crowd_in_doubt_sends_a_few_ahead() {
        let mut patience = Patience::new();
        (0..1_000).for_each(|_| patience.missed());
        let looks = |patience: &mut Patience| (0..1_024).filter(|_| patience.looks()).count();
        assert_eq!(looks(&mut patience), 16);
        patience.missed();
        assert!(looks(&mut patience) <= 16);
        patience.found();
        assert_eq!(looks(&mut patience), 1_024);
    }
}
