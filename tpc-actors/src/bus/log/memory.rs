//! A log in memory, for tests.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::SystemTime;

use super::super::lock;
use super::{Bounds, Cursor, EventLog, LogError, Position, Records};

/// A log in memory, whose disk may fail. Clones of it are handles of the same log.
///
/// ```
/// use tpc_actors::bus::log::{EventLog, MemoryLog, Records};
/// use tpc_actors::bus::Position;
///
/// let mut log = MemoryLog::new();
/// let epoch = log.begin_epoch()?;
/// let mut records = Records::default();
/// records.push(b"hello");
/// log.append(Position::new(0, epoch, 0), &records)?;
/// log.sync()?;
/// log.append(Position::new(0, epoch, 1), &records)?;
/// // Only what was synced survives.
/// assert_eq!(log.crash().bounds(0)?.map(|bounds| bounds.events), Some(1));
/// # Ok::<(), tpc_actors::bus::log::LogError>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct MemoryLog(Arc<Mutex<Store>>);

#[derive(Debug, Clone, Default)]
struct Store {
    events: BTreeMap<Position, (SystemTime, Vec<u8>)>,
    /// How many there are of each core, and their bytes.
    sums: BTreeMap<usize, (u64, u64)>,
    /// Appended since the last sync.
    unsynced: Vec<Position>,
    epoch: u64,
    /// Syncs that still succeed, if one is to fail.
    syncs_left: Option<u64>,
    poisoned: bool,
}

impl MemoryLog {
    /// An empty log.
    pub fn new() -> Self {
        Self::default()
    }

    /// Has the sync after the next `syncs` ones fail.
    pub fn fail_sync_after(&self, syncs: u64) {
        lock(&self.0).syncs_left = Some(syncs);
    }

    /// What would be found after a crash now: another log, with what is durable.
    #[must_use]
    pub fn crash(&self) -> Self {
        let Store { events, unsynced, epoch, .. } = lock(&self.0).clone();
        let mut store = Store { epoch, ..Store::default() };
        for (position, (at, record)) in events {
            if !unsynced.contains(&position) {
                store.keep(position, at, record);
            }
        }
        Self(Arc::new(Mutex::new(store)))
    }
}

impl Store {
    fn next(&self, core: usize) -> Option<Position> {
        Some(self.of(core).next_back()?.0.next())
    }

    fn of(
        &self,
        core: usize,
    ) -> impl DoubleEndedIterator<Item = (&Position, &(SystemTime, Vec<u8>))> {
        self.events.range(Position::new(core, 0, 0)..Position::new(core + 1, 0, 0))
    }

    fn keep(&mut self, position: Position, at: SystemTime, record: Vec<u8>) {
        let (events, bytes) = self.sums.entry(position.core).or_default();
        *events += 1;
        *bytes += record.len() as u64;
        self.events.insert(position, (at, record));
    }

    fn remove(&mut self, position: Position) {
        let Some((_, record)) = self.events.remove(&position) else { return };
        let (events, bytes) = self.sums.entry(position.core).or_default();
        *events -= 1;
        *bytes -= record.len() as u64;
    }

    fn check(&self) -> Result<(), LogError> {
        if self.poisoned { Err(LogError::Poisoned) } else { Ok(()) }
    }
}

impl EventLog for MemoryLog {
    fn begin_epoch(&mut self) -> Result<u64, LogError> {
        let mut store = lock(&self.0);
        store.check()?;
        store.epoch += 1;
        Ok(store.epoch)
    }

    fn append(&mut self, first: Position, records: &Records) -> Result<(), LogError> {
        let mut store = lock(&self.0);
        store.check()?;
        if let Some(next) = store.next(first.core)
            && first < next
        {
            return Err(LogError::Order { given: first, next });
        }
        let mut position = first;
        for record in records.iter() {
            store.keep(position, SystemTime::now(), record.to_vec());
            store.unsynced.push(position);
            position = position.next();
        }
        Ok(())
    }

    fn sync(&mut self) -> Result<Cursor, LogError> {
        let mut store = lock(&self.0);
        store.check()?;
        match &mut store.syncs_left {
            Some(0) => {
                store.poisoned = true;
                return Err(LogError::failed("the disk failed, as it was told to"));
            }
            Some(left) => *left -= 1,
            None => {}
        }
        store.unsynced.clear();
        Ok(store.events.keys().map(|position| position.next()).collect())
    }

    fn read_from(
        &mut self,
        from: Position,
        max: usize,
        each: &mut dyn FnMut(Position, &[u8]),
    ) -> Result<(), LogError> {
        let store = lock(&self.0);
        let events = store.of(from.core).filter(|(position, _)| **position >= from).take(max);
        for (position, (_, record)) in events {
            each(*position, record);
        }
        Ok(())
    }

    fn trim_to(&mut self, to: Position) -> Result<(), LogError> {
        let mut store = lock(&self.0);
        let first = |store: &Store| store.of(to.core).next().map(|(position, _)| *position);
        while let Some(position) = first(&store).filter(|position| *position < to) {
            store.remove(position);
        }
        store.unsynced.retain(|position| position.core != to.core || *position >= to);
        Ok(())
    }

    fn bounds(&mut self, core: usize) -> Result<Option<Bounds>, LogError> {
        let store = lock(&self.0);
        let Some((first, (oldest, _))) = store.of(core).next() else { return Ok(None) };
        let next = store.next(core).unwrap_or(*first);
        let sums = store.sums.get(&core).copied().unwrap_or_default();
        Ok(Some(Bounds::new((*first, next), sums, (*oldest, first.next()))))
    }
}
