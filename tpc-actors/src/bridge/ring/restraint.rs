//! How long a half of a ring lets the other one work before it looks at its position again.
//!
//! A look takes a line away from who writes there, who has to fetch it back for the next write. Two halves that
//! are close behind each other would look for every few items, and be several times slower than the same two that
//! look for a few hundred at a time.

use crate::patience::pause;

/// Who found little in the last looks waits for a moment before the next one.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Restraint {
    /// Pauses before the next look, counted in halves: to have found little once means nothing yet.
    half_pauses: u8,
}

impl Restraint {
    /// 31 pauses: from 0.3 to 1.3 microseconds, by processor.
    const MAX: u8 = 63;

    /// Before a look.
    #[inline]
    pub(super) fn wait(self) {
        pause(u32::from(self.half_pauses / 2));
    }

    /// After a look, which is worth it with `enough`, and could have been earlier with more than `plenty`. Who has
    /// found nothing may not be in anybody's way: the other half is not at work.
    #[inline]
    pub(super) fn found(&mut self, found: usize, enough: usize, plenty: usize) {
        self.half_pauses = match found {
            0 => 0,
            little if little < enough => Self::MAX.min(2 * self.half_pauses + 1),
            much if much > plenty => self.half_pauses / 2,
            _ => self.half_pauses,
        };
    }
}

#[cfg(all(test, not(tpc_loom)))]
mod tests {
    use super::*;

    fn after(looks: &[usize]) -> u8 {
        let mut restraint = Restraint::default();
        for &found in looks {
            restraint.found(found, 8, 32);
        }
        restraint.half_pauses / 2
    }

    #[test]
    fn waits_are_longer_while_little_is_found() {
        assert_eq!(after(&[]), 0);
        assert_eq!(after(&[1]), 0, "once means nothing");
        assert_eq!([after(&[1; 2]), after(&[7; 3]), after(&[1; 4])], [1, 3, 7]);
        assert_eq!(after(&[7; 200]), 31);
    }

    #[test]
    fn what_helps_is_kept_and_shortened_when_it_is_too_much() {
        assert_eq!(after(&[1, 1, 1, 8, 32, 8]), 3);
        assert_eq!(after(&[1, 1, 1, 33]), 1);
        assert_eq!(after(&[33, 33]), 0);
    }

    #[test]
    fn nobody_waits_for_a_half_that_rests() {
        assert_eq!(after(&[1, 1, 1, 1, 0]), 0);
        assert_eq!(after(&[1, 0].repeat(100)), 0, "one after the other, as answers come");
    }
}
