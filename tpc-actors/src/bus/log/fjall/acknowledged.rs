//! What has been acknowledged, beside the engine's own files.
//!
//! Written after a sync has succeeded and before anybody is told, without a sync of its own: whatever
//! of it survives a crash names only what was durable before. Two places are written in turn, so that a
//! torn write leaves the mark before.

use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::Path;

use xxhash_rust::xxh3::xxh3_64;

use super::super::{Cursor, LogError};
use super::entry::{key, position_of};

/// Room for each of the two marks: more than a thousand cores take.
const PLACE: u64 = 32 * 1024;

#[derive(Debug, Clone, Default)]
pub(super) struct Marks {
    pub(super) epoch: u64,
    pub(super) ends: Cursor,
}

pub(super) struct Acknowledged {
    file: File,
    turn: u64,
    marks: Option<Marks>,
}

impl Acknowledged {
    pub(super) fn open(path: &Path) -> Result<Self, LogError> {
        let (file, bytes) = Self::read(path).map_err(LogError::failed)?;
        let place = usize::try_from(PLACE).unwrap_or(usize::MAX);
        match bytes.chunks(place).filter_map(decode).max_by_key(|(turn, _)| *turn) {
            Some((turn, marks)) => Ok(Self { file, turn, marks: Some(marks) }),
            None if bytes.is_empty() => Ok(Self { file, turn: 0, marks: None }),
            None => Err(LogError::Damaged("the file `acknowledged` cannot be read".to_owned())),
        }
    }

    fn read(path: &Path) -> std::io::Result<(File, Vec<u8>)> {
        let mut options = OpenOptions::new();
        let options = options.read(true).write(true).create(true).truncate(false);
        let mut file = options.open(path)?;
        let mut bytes = Vec::new();
        (&mut file).take(2 * PLACE).read_to_end(&mut bytes)?;
        if let Some(parent) = path.parent()
            && bytes.is_empty()
        {
            // The name must survive as well.
            file.sync_all()?;
            File::open(parent)?.sync_all()?;
        }
        Ok((file, bytes))
    }

    pub(super) fn marks(&self) -> Option<Marks> {
        self.marks.clone()
    }

    /// Says that nothing has been acknowledged, and has that survive: a log without any mark would be one that has lost it.
    pub(super) fn begin(&mut self) -> Result<(), LogError> {
        self.write(&Marks::default())?;
        self.file.sync_all().map_err(LogError::failed)
    }

    pub(super) fn write(&mut self, marks: &Marks) -> Result<(), LogError> {
        self.turn += 1;
        let bytes = encode(self.turn, marks);
        let place = self.turn % 2 * PLACE;
        let written =
            self.file.seek(SeekFrom::Start(place)).and_then(|_| self.file.write_all(&bytes));
        written.map_err(LogError::failed)
    }
}

fn encode(turn: u64, marks: &Marks) -> Vec<u8> {
    let ends = marks.ends.positions();
    let mut bytes = Vec::with_capacity(32 + 20 * ends.len());
    for number in [turn, marks.epoch, ends.len() as u64] {
        bytes.extend_from_slice(&number.to_be_bytes());
    }
    for end in ends {
        bytes.extend_from_slice(&key(*end));
    }
    bytes.extend_from_slice(&xxh3_64(&bytes).to_be_bytes());
    bytes
}

fn decode(bytes: &[u8]) -> Option<(u64, Marks)> {
    let number = |at: usize| Some(u64::from_be_bytes(bytes.get(at..at + 8)?.try_into().ok()?));
    let count = usize::try_from(number(16)?).ok()?;
    let end = 24 + count.checked_mul(20)?;
    if number(end)? != xxh3_64(&bytes[..end]) {
        return None;
    }
    let (keys, _) = bytes[24..end].as_chunks::<20>();
    let ends = keys.iter().map(|key| position_of(key)).collect::<Result<Cursor, _>>().ok()?;
    Some((number(0)?, Marks { epoch: number(8)?, ends }))
}
