//! Where events stand, and what a subscription yields.

use std::fmt;
use std::str::FromStr;

/// Where an event stands: contiguous per core and epoch.
///
/// Its text, as in `2:1:17`, can be parsed again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
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
        Self { seq: self.seq.saturating_add(1), ..self }
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { core, epoch, seq } = self;
        write!(f, "{core}:{epoch}:{seq}")
    }
}

/// A text is not a [`Position`], nor a [`Cursor`](super::Cursor).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a position; write `core:epoch:seq`, as in `2:1:17`")]
pub struct ParsePositionError(String);

impl FromStr for Position {
    type Err = ParsePositionError;

    fn from_str(text: &str) -> Result<Self, ParsePositionError> {
        let parse = || {
            let mut parts = text.split(':');
            let core = parts.next()?.parse().ok()?;
            let epoch = parts.next()?.parse().ok()?;
            let seq = parts.next()?.parse().ok()?;
            parts.next().is_none().then_some(Self { core, epoch, seq })
        };
        parse().ok_or_else(|| ParsePositionError(text.to_owned()))
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bus::Cursor;

    #[test]
    fn a_position_s_text_is_one_again() {
        let position = Position::new(2, 1, u64::MAX);
        assert_eq!(position.to_string().parse(), Ok(position));
        for text in ["", "1:2", "1:2:3:4", "1:2:x", "-1:0:0", "1:2: 3"] {
            let error = text.parse::<Position>().unwrap_err();
            assert!(error.to_string().contains("core:epoch:seq"), "{text}: {error}");
        }
        let cursor: Cursor = "1:0:4 0:0:17 1:0:5\n".parse().unwrap();
        assert_eq!(cursor.to_string(), "0:0:17 1:0:5", "the last one of a core counts");
        assert_eq!("".parse(), Ok(Cursor::default()));
        assert!("0:0:17,1:0:4".parse::<Cursor>().is_err());
    }
}
