//! Where a subscription begins, and where one has come to.

use std::fmt;
use std::str::FromStr;

use super::position::{ParsePositionError, Position};

/// Where a subscription begins.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Start {
    /// With the next event of each core.
    #[default]
    Latest,
    /// With the oldest event of each core that is kept.
    Oldest,
    /// With the events at these positions; with the oldest that are kept of cores that are not among
    /// them.
    At(Cursor),
}

impl From<Cursor> for Start {
    fn from(cursor: Cursor) -> Self {
        Self::At(cursor)
    }
}

impl From<&Cursor> for Start {
    fn from(cursor: &Cursor) -> Self {
        Self::At(cursor.clone())
    }
}

impl From<Position> for Start {
    fn from(position: Position) -> Self {
        Self::At(Cursor::from_iter([position]))
    }
}

/// The position of the next event of each core: where a subscription has come to, and where another one
/// can go on.
///
/// It is a list of [`Position`]s, at most one for each core, that can be stored as such, or as its text.
///
/// ```
/// use tpc_actors::bus::{Cursor, Position};
///
/// let cursor = Cursor::from_iter([Position::new(0, 0, 17), Position::new(1, 0, 4)]);
/// assert_eq!(cursor.of(1), Some(Position::new(1, 0, 4)));
/// assert_eq!(cursor.to_string(), "0:0:17 1:0:4");
/// assert_eq!("0:0:17 1:0:4".parse(), Ok(cursor));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(from = "Vec<Position>", into = "Vec<Position>")
)]
pub struct Cursor(Vec<Position>);

impl Cursor {
    /// The position in the events of `core`.
    pub fn of(&self, core: usize) -> Option<Position> {
        self.0.iter().find(|position| position.core == core).copied()
    }

    /// All of them, by core.
    pub fn positions(&self) -> &[Position] {
        &self.0
    }
}

impl FromIterator<Position> for Cursor {
    /// Of several positions of a core, the last one counts.
    fn from_iter<I: IntoIterator<Item = Position>>(positions: I) -> Self {
        let mut cursor = Vec::<Position>::new();
        for position in positions {
            cursor.retain(|other| other.core != position.core);
            cursor.push(position);
        }
        cursor.sort_unstable_by_key(|position| position.core);
        Self(cursor)
    }
}

impl From<Vec<Position>> for Cursor {
    /// As from any iterator.
    fn from(positions: Vec<Position>) -> Self {
        positions.into_iter().collect()
    }
}

impl From<Cursor> for Vec<Position> {
    fn from(cursor: Cursor) -> Self {
        cursor.0
    }
}

impl IntoIterator for Cursor {
    type Item = Position;
    type IntoIter = std::vec::IntoIter<Position>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl FromStr for Cursor {
    type Err = ParsePositionError;

    fn from_str(text: &str) -> Result<Self, ParsePositionError> {
        text.split_whitespace().map(str::parse).collect()
    }
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, position) in self.0.iter().enumerate() {
            let space = if index > 0 { " " } else { "" };
            write!(f, "{space}{position}")?;
        }
        Ok(())
    }
}
