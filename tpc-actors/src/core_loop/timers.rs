//! Timers of one core: a binary heap, so that the order of equal times is the order of their setting.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::rc::Rc;
use std::time::{Duration, Instant};

use super::sleep::Alarm;
use crate::clock::later;

/// What happens when a timer is due.
#[derive(Debug, Clone)]
pub(crate) enum Due {
    /// An actor's `#[every]` method, by its index; void after a restart.
    Every { cell: u32, incarnation: u64, index: usize },
    /// An actor's state is built anew.
    Restart { cell: u32, incarnation: u64 },
    /// An actor's `#[maintenance]` method, by its index; void after a restart.
    Maintain { cell: u32, incarnation: u64, index: usize },
    /// An actor's watchdog may let probes in.
    Cooled { cell: u32 },
    /// So may the watchdog of the core.
    CoreCooled,
    /// A sleeping task goes on.
    Wake(Rc<Alarm>),
}

impl Due {
    fn is_restart_of(&self, actor: u32) -> bool {
        matches!(self, Self::Restart { cell, .. } if *cell == actor)
    }
}

#[derive(Debug)]
struct Entry {
    at: Instant,
    /// Breaks ties; also what a simulation repeats exactly.
    order: u64,
    due: Due,
}

impl PartialEq for Entry {
    fn eq(&self, other: &Self) -> bool {
        (self.at, self.order) == (other.at, other.order)
    }
}
impl Eq for Entry {}
impl PartialOrd for Entry {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Entry {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.at, self.order).cmp(&(other.at, other.order))
    }
}

/// The pending timers of one core.
#[derive(Debug, Default)]
pub(crate) struct Timers {
    heap: BinaryHeap<Reverse<Entry>>,
    order: u64,
}

impl Timers {
    pub(crate) fn set(&mut self, at: Instant, due: Due) {
        self.order += 1;
        self.heap.push(Reverse(Entry { at, order: self.order, due }));
    }

    /// Forgets the timers that `keep` says no to.
    pub(crate) fn retain(&mut self, mut keep: impl FnMut(&Due) -> bool) {
        self.heap.retain(|Reverse(entry)| keep(&entry.due));
    }

    /// When the state of this actor is to be built anew, if it is.
    pub(crate) fn restart_of(&self, actor: u32) -> Option<Instant> {
        let restart = self.heap.iter().find(|Reverse(entry)| entry.due.is_restart_of(actor));
        restart.map(|Reverse(entry)| entry.at)
    }

    /// Its state is to be built anew at another time.
    pub(crate) fn forget_restart(&mut self, actor: u32) {
        self.heap.retain(|Reverse(entry)| !entry.due.is_restart_of(actor));
    }

    /// How many timers are pending.
    pub(crate) fn len(&self) -> usize {
        self.heap.len()
    }

    /// The earliest time that something is due.
    pub(crate) fn next(&self) -> Option<Instant> {
        self.heap.peek().map(|Reverse(entry)| entry.at)
    }

    /// Takes the first timer that is due at `now`, with the time that it was set for.
    pub(crate) fn take_due(&mut self, now: Instant) -> Option<(Instant, Due)> {
        if self.next()? > now {
            return None;
        }
        self.heap.pop().map(|Reverse(entry)| (entry.at, entry.due))
    }
}

/// When an interval timer that was due at `due` is due again: on its grid, without the ticks missed.
pub(crate) fn next_tick(due: Instant, every: Duration, now: Instant) -> Instant {
    let next = later(due, every);
    if next > now {
        return next;
    }
    let behind = (now - due).as_nanos();
    let missed = behind / every.as_nanos().max(1);
    let ahead = every.as_nanos().saturating_mul(missed + 1);
    later(due, Duration::from_nanos(u64::try_from(ahead).unwrap_or(u64::MAX)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    fn index(due: &Due) -> usize {
        let Due::Every { index, .. } = due else { panic!("not an interval timer") };
        *index
    }

    #[test]
    fn due_timers_come_by_time_and_equal_times_in_the_order_they_were_set() {
        let start = Instant::now();
        let mut timers = Timers::default();
        for (offset, index) in [(5, 0), (1, 1), (5, 2), (3, 3)] {
            timers.set(start + MS * offset, Due::Every { cell: 0, incarnation: 0, index });
        }
        assert_eq!(timers.next(), Some(start + MS));
        let mut order = Vec::new();
        while let Some((_, due)) = timers.take_due(start + 4 * MS) {
            order.push(index(&due));
        }
        assert_eq!(order, [1, 3]);
        while let Some((_, due)) = timers.take_due(start + 5 * MS) {
            order.push(index(&due));
        }
        assert_eq!(order, [1, 3, 0, 2]);
    }

    #[test]
    fn ticks_stay_on_their_grid_and_missed_ones_are_skipped() {
        let start = Instant::now();
        assert_eq!(next_tick(start, 10 * MS, start + MS), start + 10 * MS);
        assert_eq!(next_tick(start, 10 * MS, start + 10 * MS), start + 20 * MS);
        assert_eq!(next_tick(start, 10 * MS, start + 35 * MS), start + 40 * MS);
        assert_eq!(next_tick(start, 10 * MS, start + 40 * MS), start + 50 * MS);
    }
}
