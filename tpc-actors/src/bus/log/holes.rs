//! What one subscription wanted of a source and the log never got, and where it stood.

use std::collections::VecDeque;
use std::sync::Mutex;

use super::super::lock;

/// Events that were lost with none that the log has got in between.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::bus) struct Hole {
    /// The first of them, wanted or not: right behind the last event that the log has got.
    first: u64,
    /// One past the last of them that was wanted.
    pub(in crate::bus) end: u64,
    pub(in crate::bus) wanted: u64,
}

/// Holes of a subscription that nobody polls. With more of them they are forgotten, and whatever the log did not get by
/// then counts, wanted or not.
const HOLES_MAX: usize = 4096;

#[derive(Debug, Default)]
struct Recorded {
    /// Those that the subscription has not been told of, oldest first.
    holes: VecDeque<Hole>,
    /// Where the source has learned of the subscription.
    learned_at: Option<u64>,
    /// The source records what is lost from here on; what was lost before, nobody has asked the filter about.
    from: Option<u64>,
}

/// The holes of one subscription. The lock is held for a few instructions, by the source when it loses an event and by
/// the log's thread when it has come there.
#[derive(Debug, Default)]
pub(in crate::bus) struct Holes(Mutex<Recorded>);

impl Holes {
    /// The source knows the subscription, and records what is lost from `next_seq` on.
    pub(super) fn record_from(&self, next_seq: u64) {
        let mut recorded = lock(&self.0);
        recorded.learned_at.get_or_insert(next_seq);
        recorded.from.get_or_insert(next_seq);
    }

    /// The first event that was published when the source knew the subscription.
    pub(in crate::bus) fn learned_at(&self) -> Option<u64> {
        lock(&self.0).learned_at
    }

    /// The event `seq` is lost, like all from `first` on.
    pub(super) fn lose(&self, seq: u64, first: u64) {
        let mut recorded = lock(&self.0);
        let full = recorded.holes.len() >= HOLES_MAX;
        match recorded.holes.back_mut() {
            Some(hole) if hole.first == first => {
                hole.end = seq + 1;
                hole.wanted += 1;
            }
            _ if full => {
                recorded.holes = VecDeque::new();
                recorded.from = Some(seq + 1);
            }
            _ => recorded.holes.push_back(Hole { first, end: seq + 1, wanted: 1 }),
        }
    }

    /// The subscription begins at `first`, and has been told of what lies before.
    pub(in crate::bus) fn begin_at(&self, first: u64) {
        lock(&self.0).holes.retain(|hole| hole.end > first);
    }

    /// Takes the holes that begin before `seq`; with them, where recording began.
    pub(super) fn take_before(&self, seq: u64) -> (u64, Vec<Hole>) {
        let mut recorded = lock(&self.0);
        let count = recorded.holes.partition_point(|hole| hole.first < seq);
        let holes = recorded.holes.drain(..count).collect();
        (recorded.from.unwrap_or(u64::MAX), holes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn hole(first: u64, end: u64, wanted: u64) -> Hole {
        Hole { first, end, wanted }
    }

    #[test]
    fn holes_are_where_nothing_got_through() {
        let holes = Holes::default();
        assert_eq!(holes.take_before(9), (u64::MAX, vec![]), "nothing is recorded yet");
        holes.record_from(1);
        holes.record_from(5);
        // 2 to 5, of which 3 and 5 are wanted; 6 and 7 get through; then 8 and, when that has been told of, 9.
        holes.lose(3, 2);
        holes.lose(5, 2);
        holes.lose(8, 8);
        assert_eq!(holes.take_before(2), (1, vec![]));
        assert_eq!(holes.take_before(3), (1, vec![hole(2, 6, 2)]));
        assert_eq!(holes.take_before(8), (1, vec![]));
        assert_eq!(holes.take_before(9), (1, vec![hole(8, 9, 1)]));
        holes.lose(9, 8);
        assert_eq!(holes.take_before(10), (1, vec![hole(8, 10, 1)]));
        assert_eq!(holes.take_before(100), (1, vec![]));
    }

    #[test]
    fn who_has_been_told_of_a_hole_is_not_told_again() {
        let holes = Holes::default();
        holes.record_from(0);
        (0..4).chain(17..20).for_each(|seq| holes.lose(seq, if seq < 4 { 0 } else { 10 }));
        holes.begin_at(17);
        assert_eq!(holes.take_before(100), (0, vec![hole(10, 20, 3)]));
    }

    #[test]
    fn holes_that_nobody_takes_are_bounded() {
        let holes = Holes::default();
        holes.record_from(0);
        let most = HOLES_MAX as u64;
        (0..=most).for_each(|n| holes.lose(2 * n, 2 * n));
        assert_eq!(holes.take_before(u64::MAX), (2 * most + 1, vec![]));
        assert_eq!(holes.learned_at(), Some(0), "it begins there all the same");
        // And then it begins anew.
        holes.lose(3 * most, 3 * most);
        let last = hole(3 * most, 3 * most + 1, 1);
        assert_eq!(holes.take_before(u64::MAX), (2 * most + 1, vec![last]));
    }
}
