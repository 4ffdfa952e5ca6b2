//! A group of events as one entry of the engine, which checks its bytes.

use std::time::{Duration, SystemTime};

use super::{LogError, Position, Records};

/// Orders groups by core, epoch and sequence number.
pub(super) fn key(position: Position) -> [u8; 20] {
    let mut key = [0; 20];
    let core = u32::try_from(position.core).unwrap_or(u32::MAX);
    key[..4].copy_from_slice(&core.to_be_bytes());
    key[4..12].copy_from_slice(&position.epoch.to_be_bytes());
    key[12..].copy_from_slice(&position.seq.to_be_bytes());
    key
}

pub(super) fn position_of(key: &[u8]) -> Result<Position, LogError> {
    let mut bytes = Bytes(key);
    let core = usize::try_from(bytes.u32()?).unwrap_or(usize::MAX);
    Ok(Position::new(core, bytes.u64_be()?, bytes.u64_be()?))
}

pub(super) fn number(bytes: &[u8]) -> Result<u64, LogError> {
    Bytes(bytes).u64_be()
}

/// Bytes that are read from the front; never beyond their end.
struct Bytes<'a>(&'a [u8]);

impl<'a> Bytes<'a> {
    fn take(&mut self, count: usize) -> Result<&'a [u8], LogError> {
        let (taken, rest) = self
            .0
            .split_at_checked(count)
            .ok_or_else(|| LogError::Damaged("an entry is shorter than it says".to_owned()))?;
        self.0 = rest;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], LogError> {
        let mut array = [0; N];
        array.copy_from_slice(self.take(N)?);
        Ok(array)
    }

    fn u32(&mut self) -> Result<u32, LogError> {
        self.array().map(u32::from_be_bytes)
    }

    fn u64_be(&mut self) -> Result<u64, LogError> {
        self.array().map(u64::from_be_bytes)
    }
}

const VERSION: u32 = 1;

/// What stands before the events of a group. Events and bytes are counted from the core's first group
/// on, so that what lies between two groups is a difference.
#[derive(Debug, Clone, Copy)]
pub(super) struct Header {
    millis: u64,
    pub(super) events_before: u64,
    pub(super) bytes_before: u64,
}

impl Header {
    pub(super) fn now(events_before: u64, bytes_before: u64) -> Self {
        let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let millis = u64::try_from(since.as_millis()).unwrap_or(u64::MAX);
        Self { millis, events_before, bytes_before }
    }

    pub(super) fn time(&self) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_millis(self.millis)
    }
}

/// The bytes of a group: header, number of events, their sizes, then themselves.
pub(super) fn write(header: Header, records: &Records) -> Vec<u8> {
    let mut value = Vec::with_capacity(32 + 4 * records.len() + records.bytes());
    value.extend_from_slice(&VERSION.to_be_bytes());
    for number in [header.millis, header.events_before, header.bytes_before] {
        value.extend_from_slice(&number.to_be_bytes());
    }
    let size = |size: usize| u32::try_from(size).unwrap_or(u32::MAX).to_be_bytes();
    value.extend_from_slice(&size(records.len()));
    for record in records.iter() {
        value.extend_from_slice(&size(record.len()));
    }
    for record in records.iter() {
        value.extend_from_slice(record);
    }
    value
}

/// A group that has been read.
pub(super) struct Entry<'a> {
    first: Position,
    header: Header,
    sizes: &'a [u8],
    bytes: &'a [u8],
}

impl<'a> Entry<'a> {
    pub(super) fn read(value: &'a [u8], first: Position) -> Result<Self, LogError> {
        let mut rest = Bytes(value);
        let version = rest.u32()?;
        if version != VERSION {
            return Err(LogError::Damaged(format!("the group at {first} has format {version}")));
        }
        let (millis, events_before, bytes_before) =
            (rest.u64_be()?, rest.u64_be()?, rest.u64_be()?);
        let count = usize::try_from(rest.u32()?).unwrap_or(usize::MAX);
        let sizes = rest.take(count.saturating_mul(4))?;
        let header = Header { millis, events_before, bytes_before };
        let entry = Self { first, header, sizes, bytes: rest.0 };
        let bytes: usize = entry.sizes().sum();
        if bytes != entry.bytes.len() {
            return Err(LogError::Damaged(format!("the group at {first} has a wrong length")));
        }
        Ok(entry)
    }

    fn sizes(&self) -> impl Iterator<Item = usize> + use<'a> {
        let (sizes, _) = self.sizes.as_chunks::<4>();
        sizes.iter().map(|size| usize::try_from(u32::from_be_bytes(*size)).unwrap_or(usize::MAX))
    }

    fn len(&self) -> u64 {
        self.sizes.len() as u64 / 4
    }

    pub(super) fn header(&self) -> Header {
        self.header
    }

    /// The position after the last event.
    pub(super) fn next(&self) -> Position {
        Position { seq: self.first.seq + self.len(), ..self.first }
    }

    /// Events and bytes up to the end of the group.
    pub(super) fn after(&self) -> (u64, u64) {
        let Header { events_before, bytes_before, .. } = self.header;
        (events_before + self.len(), bytes_before + self.bytes.len() as u64)
    }

    pub(super) fn events(&self) -> impl Iterator<Item = (Position, &'a [u8])> + use<'a> {
        let mut rest = Bytes(self.bytes);
        let mut position = self.first;
        self.sizes().map(move |size| {
            let at = position;
            position = position.next();
            // The sizes have been added up against the bytes that are there.
            (at, rest.take(size).unwrap_or_default())
        })
    }
}
