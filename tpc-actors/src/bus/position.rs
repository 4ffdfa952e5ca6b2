//! Where events stand, and what a subscription yields.

use std::fmt;

/// Where an event stands: contiguous per core and epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub struct Position {
    /// The core that published it, counted from 0; the number of cores for a
    /// [publisher](crate::System::publisher) outside of them.
    pub core: usize,
    /// Grows when the numbers of the core start over on a bus that has a [log](super::log); 0 without one, where numbers
    /// start over with each run, and a position of an earlier run means nothing.
    pub epoch: u64,
    /// Counts every event of this type on the core, wanted or not, from 0.
    pub seq: u64,
}

impl Position {
    /// The position of the event `seq` of `core` in `epoch`, as it was stored somewhere.
    pub const fn new(core: usize, epoch: u64, seq: u64) -> Self {
        Self { core, epoch, seq }
    }

    /// The position after this one, in the same epoch.
    #[must_use]
    pub const fn next(self) -> Self {
        Self { seq: self.seq + 1, ..self }
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { core, epoch, seq } = self;
        write!(f, "{core}:{epoch}:{seq}")
    }
}

/// What a subscription yields.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Delivery<E> {
    /// An event.
    Event {
        /// Where it stands.
        position: Position,
        /// The event.
        event: E,
    },
    /// Events that this subscription wanted and did not get, at the place where they are missing.
    Gap(Gap),
}

/// A number of lost events of one core.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Gap {
    pub(super) from: Position,
    pub(super) to: u64,
    pub(super) missed: u64,
}

impl Gap {
    /// The core that published them.
    pub fn core(&self) -> usize {
        self.from.core
    }

    /// How many events are missing: only such as the subscription's filter wanted, or all there were between two
    /// positions if they were gone before the subscription had caught up, and the filter could not be asked.
    pub fn len(&self) -> u64 {
        self.missed
    }

    /// Never: a gap has at least one event.
    pub fn is_empty(&self) -> bool {
        self.missed == 0
    }

    /// No missing event stands before this position.
    pub fn from(&self) -> Position {
        self.from
    }

    /// Every missing event stands before this position, which has the epoch and core of
    /// [`from`](Self::from).
    pub fn to(&self) -> Position {
        Position { seq: self.to, ..self.from }
    }
}

impl fmt::Display for Gap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} events missing between {} and {}", self.missed, self.from, self.to())
    }
}
