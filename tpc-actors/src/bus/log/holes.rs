//! What one subscription wanted of a source and the log never got, and where it stood.

use std::collections::VecDeque;
use std::sync::Mutex;

use super::super::lock;

/// Events that were lost with none that the log has got in between.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::bus) struct Hole {
    /// The first of them, wanted or not: right behind the last event that the log has got.
    pub(in crate::bus) first: u64,
    /// One past the last of them that was wanted.
    pub(in crate::bus) end: u64,
    pub(in crate::bus) wanted: u64,
}

/// Holes of a subscription that has not caught up; more of them become one that begins where the last one did.
const HOLES_MAX: usize = 4096;

/// The holes that the subscription has not been told of, oldest first. The lock is held for a few instructions, by the source when it loses an event and by the log's
/// thread when it has come there.
#[derive(Debug, Default)]
pub(in crate::bus) struct Holes(Mutex<VecDeque<Hole>>);

impl Holes {
    /// The event `seq` is lost, like all from `first` on.
    pub(super) fn lose(&self, seq: u64, first: u64) {
        let mut holes = lock(&self.0);
        let full = holes.len() >= HOLES_MAX;
        match holes.back_mut() {
            Some(hole) if hole.first == first || full => {
                hole.end = seq + 1;
                hole.wanted += 1;
            }
            _ => holes.push_back(Hole { first, end: seq + 1, wanted: 1 }),
        }
    }

    /// Takes the oldest hole if it begins before `seq`.
    pub(in crate::bus) fn take_before(&self, seq: u64) -> Option<Hole> {
        let mut holes = lock(&self.0);
        if holes.front()?.first < seq { holes.pop_front() } else { None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn holes_are_where_nothing_got_through() {
        let holes = Holes::default();
        // 2 to 5, of which 3 and 5 are wanted; 6 and 7 get through; then 8 and, when that has been told of, 9.
        holes.lose(3, 2);
        holes.lose(5, 2);
        holes.lose(8, 8);
        assert_eq!(holes.take_before(2), None);
        assert_eq!(holes.take_before(3), Some(Hole { first: 2, end: 6, wanted: 2 }));
        assert_eq!(holes.take_before(8), None);
        assert_eq!(holes.take_before(9), Some(Hole { first: 8, end: 9, wanted: 1 }));
        holes.lose(9, 8);
        assert_eq!(holes.take_before(10), Some(Hole { first: 8, end: 10, wanted: 1 }));
        assert_eq!(holes.take_before(100), None);
    }
}
