//! The default log, on the storage engine `fjall`.
//!
//! A group of consecutive events is one entry, so the engine's cost per event is that of copying its
//! bytes. The engine cuts its journal where it can no longer read it, which is right for an end that was
//! never acknowledged and wrong for anything else. So every acknowledged end is also written to a small
//! file beside it ([`acknowledged`]); a log that comes back shorter than that is damaged, and says so.

mod acknowledged;
mod entry;

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

use fjall::{Database, Guard, Keyspace, KeyspaceCreateOptions, KvSeparationOptions, PersistMode};

use self::acknowledged::{Acknowledged, Marks};
use self::entry::{Entry, Header, key, position_of};
use super::{Bounds, Cursor, EventLog, LogError, Position, Records};
use crate::isolate::catch;
use crate::placement::CpuSet;

/// Where the events of a core end.
#[derive(Debug, Clone, Copy)]
struct End {
    next: Position,
    /// Events and bytes that were ever appended, as far as this log remembers.
    events: u64,
    bytes: u64,
}

/// A log in a directory of its own, on [`fjall`](https://docs.rs/fjall). Needs the feature `log-fjall`.
///
/// All cores share one journal, so one sync makes the events of all of them durable. The engine has a thread of its own
/// that sorts and merges files from time to time: [`Self::open_on`] keeps it away from the cores. Space comes back in large
/// steps: beside the events that are [kept](super::LogOptions::keep_bytes), the directory takes up to some 600 MB.
///
/// ```no_run
/// # use tpc_actors::System;
/// use tpc_actors::bus::log::{FjallLog, LogOptions};
///
/// let system = System::builder().start()?;
/// let log = FjallLog::open_on("data/events", &system.placement().control_plane())?;
/// system.log_events::<String>(log, LogOptions::new().keep_bytes(10 << 30))?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct FjallLog {
    db: Database,
    groups: Keyspace,
    meta: Keyspace,
    acknowledged: Acknowledged,
    ends: BTreeMap<usize, End>,
    epoch: u64,
    poisoned: bool,
}

impl From<fjall::Error> for LogError {
    fn from(error: fjall::Error) -> Self {
        match error {
            fjall::Error::Poisoned => Self::Poisoned,
            fjall::Error::JournalRecovery(_)
            | fjall::Error::InvalidTrailer
            | fjall::Error::InvalidTag(_)
            | fjall::Error::Decompress(_)
            | fjall::Error::Unrecoverable => Self::Damaged(error.to_string()),
            other => Self::failed(other),
        }
    }
}

const EPOCH: &[u8] = b"epoch";

impl FjallLog {
    /// Opens the log in the directory `path`, or creates it. The engine's own thread may run where the caller may.
    ///
    /// An end that was torn by a crash and never acknowledged is cut off. With debug assertions, the engine takes some of
    /// those for damage; `[profile.dev.package.fjall] debug-assertions = false` has it cut them as well. What a power failure
    /// has left of a group without its middle is reported as damage in any build, acknowledged or not.
    ///
    /// # Errors
    ///
    /// The directory cannot be used, somebody else has the log open, or acknowledged events are damaged
    /// or missing.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, LogError> {
        // The engine asserts some of what it reads from its files.
        let opened = catch(|| Self::open_in(path.as_ref()));
        opened.unwrap_or_else(|message| Err(LogError::Damaged(message)))
    }

    /// As [`Self::open`]; the engine's own thread runs on `cpus` only.
    ///
    /// # Errors
    ///
    /// As for [`Self::open`], and when there is no thread to open it on.
    pub fn open_on(path: impl AsRef<Path>, cpus: &CpuSet) -> Result<Self, LogError> {
        let path = path.as_ref();
        std::thread::scope(|scope| {
            // A thread inherits the CPUs of the one that starts it.
            let open = || {
                cpus.bind_current_thread();
                Self::open(path)
            };
            let thread = std::thread::Builder::new().name("tpc-log-open".to_owned());
            let opening = thread.spawn_scoped(scope, open).map_err(LogError::failed)?;
            opening.join().unwrap_or_else(|_| Err(LogError::failed("opening it panicked")))
        })
    }

    fn open_in(path: &Path) -> Result<Self, LogError> {
        std::fs::create_dir_all(path).map_err(LogError::failed)?;
        let db = Database::builder(path.join("db")).worker_threads(1).open()?;
        // Groups are written once and never again; the engine need not copy them about.
        let options = || {
            KeyspaceCreateOptions::default()
                .with_kv_separation(Some(KvSeparationOptions::default()))
                .manual_journal_persist(true)
        };
        let groups = db.keyspace("groups", options)?;
        let meta = db.keyspace("meta", KeyspaceCreateOptions::default)?;
        let acknowledged = Acknowledged::open(&path.join("acknowledged"))?;
        let epoch = match meta.get(EPOCH)? {
            Some(bytes) => entry::number(&bytes)?,
            None => 0,
        };
        let ends = BTreeMap::new();
        let mut log = Self { db, groups, meta, acknowledged, ends, epoch, poisoned: false };
        log.find_ends()?;
        log.check_acknowledged()?;
        Ok(log)
    }

    /// Looks for the last group of each core.
    fn find_ends(&mut self) -> Result<(), LogError> {
        let mut core = 0;
        while let Some(found) = self.groups.range(key(Position::new(core, 0, 0))..).next() {
            core = position_of(&found.key()?)?.core;
            let Some((first, last)) = self.last_group(core)? else { break };
            let entry = Entry::read(&last, first)?;
            let (events, bytes) = entry.after();
            self.ends.insert(core, End { next: entry.next(), events, bytes });
            core += 1;
        }
        // Of a core whose events are all gone, it is only known where they ended.
        for trimmed in self.meta.prefix(b"trimmed") {
            let (_, value) = trimmed.into_inner()?;
            let next = position_of(&value)?;
            let end = End { next, events: 0, bytes: 0 };
            self.ends.entry(next.core).or_insert(end);
        }
        let ends = self.ends.values().map(|end| end.next.epoch);
        self.epoch = ends.chain([self.epoch]).max().unwrap_or(0);
        Ok(())
    }

    /// What has been acknowledged must be there.
    fn check_acknowledged(&mut self) -> Result<(), LogError> {
        let Some(marks) = self.acknowledged.marks() else {
            if self.ends.is_empty() {
                return self.acknowledged.begin();
            }
            return Err(LogError::Damaged("the file `acknowledged` is missing".to_owned()));
        };
        for mark in marks.ends.positions() {
            let next = self.ends.get(&mark.core).map(|end| end.next);
            if next.is_none_or(|next| next < *mark) {
                let there = next.map_or_else(|| "nothing".to_owned(), |next| next.to_string());
                return Err(LogError::Damaged(format!(
                    "events before {mark} were acknowledged, and those from {there} on are missing"
                )));
            }
        }
        self.epoch = self.epoch.max(marks.epoch);
        Ok(())
    }

    fn last_group(&self, core: usize) -> Result<Option<(Position, fjall::Slice)>, LogError> {
        let (from, to) = (Position::new(core, 0, 0), Position::new(core + 1, 0, 0));
        self.groups.range(key(from)..key(to)).next_back().map(placed).transpose()
    }

    fn first_group(&self, core: usize) -> Result<Option<(Position, fjall::Slice)>, LogError> {
        let (from, to) = (Position::new(core, 0, 0), Position::new(core + 1, 0, 0));
        self.groups.range(key(from)..key(to)).next().map(placed).transpose()
    }

    fn check(&self) -> Result<(), LogError> {
        if self.poisoned { Err(LogError::Poisoned) } else { Ok(()) }
    }

    /// Passes a result on; after an error nothing is taken any more.
    fn or_poison<T>(&mut self, result: Result<T, LogError>) -> Result<T, LogError> {
        self.poisoned |= result.is_err();
        result
    }

    fn marks(&self) -> Marks {
        Marks { epoch: self.epoch, ends: self.ends.values().map(|end| end.next).collect() }
    }

    fn try_begin_epoch(&mut self) -> Result<u64, LogError> {
        self.epoch += 1;
        self.meta.insert(EPOCH, self.epoch.to_be_bytes())?;
        self.db.persist(PersistMode::SyncAll)?;
        self.acknowledged.write(&self.marks())?;
        Ok(self.epoch)
    }
}

fn placed(group: Guard) -> Result<(Position, fjall::Slice), LogError> {
    let (key, value) = group.into_inner()?;
    Ok((position_of(&key)?, value))
}

impl EventLog for FjallLog {
    fn begin_epoch(&mut self) -> Result<u64, LogError> {
        self.check()?;
        let epoch = self.try_begin_epoch();
        self.or_poison(epoch)
    }

    fn append(&mut self, first: Position, records: &Records) -> Result<(), LogError> {
        self.check()?;
        let end = self.ends.get(&first.core).copied();
        let end = end.unwrap_or(End { next: Position::new(first.core, 0, 0), events: 0, bytes: 0 });
        if first < end.next {
            return Err(LogError::Order { given: first, next: end.next });
        }
        if records.is_empty() {
            return Ok(());
        }
        let value = entry::write(Header::now(end.events, end.bytes), records);
        let inserted = self.groups.insert(key(first), value).map_err(LogError::from);
        self.or_poison(inserted)?;
        let (count, bytes) = (records.len() as u64, records.bytes() as u64);
        let next = Position { seq: first.seq + count, ..first };
        let end = End { next, events: end.events + count, bytes: end.bytes + bytes };
        self.ends.insert(first.core, end);
        Ok(())
    }

    fn sync(&mut self) -> Result<Cursor, LogError> {
        self.check()?;
        let synced = self.db.persist(PersistMode::SyncData).map_err(LogError::from);
        self.or_poison(synced)?;
        let marks = self.marks();
        let written = self.acknowledged.write(&marks);
        self.or_poison(written)?;
        Ok(marks.ends)
    }

    fn read_from(
        &mut self,
        from: Position,
        max: usize,
        each: &mut dyn FnMut(Position, &[u8]),
    ) -> Result<(), LogError> {
        // The group that begins before `from` may reach beyond it.
        let before = self.groups.range(key(Position::new(from.core, 0, 0))..=key(from)).next_back();
        let start = before.map(placed).transpose()?.map_or(from, |(first, _)| first);
        let end = Position::new(from.core + 1, 0, 0);
        let mut left = max;
        for group in self.groups.range(key(start)..key(end)) {
            let (first, value) = placed(group)?;
            for (position, record) in Entry::read(&value, first)?.events() {
                if left == 0 {
                    return Ok(());
                }
                if position >= from {
                    each(position, record);
                    left -= 1;
                }
            }
        }
        Ok(())
    }

    fn trim_to(&mut self, to: Position) -> Result<(), LogError> {
        self.check()?;
        let mut batch = self.db.batch();
        let end = self.ends.get(&to.core).map(|end| end.next);
        for group in self.groups.range(key(Position::new(to.core, 0, 0))..key(to)) {
            let (first, value) = placed(group)?;
            if Entry::read(&value, first)?.next() > to {
                break;
            }
            batch.remove(&self.groups, key(first));
        }
        if let Some(end) = end {
            let name = [b"trimmed".as_slice(), &key(Position::new(to.core, 0, 0))].concat();
            batch.insert(&self.meta, name, key(end));
        }
        let trimmed = batch.commit().map_err(LogError::from);
        self.or_poison(trimmed)
    }

    fn bounds(&mut self, core: usize) -> Result<Option<Bounds>, LogError> {
        let Some((first, value)) = self.first_group(core)? else { return Ok(None) };
        let Some(end) = self.ends.get(&core) else { return Ok(None) };
        let entry = Entry::read(&value, first)?;
        let header = entry.header();
        let counts = (end.events - header.events_before, end.bytes - header.bytes_before);
        Ok(Some(Bounds::new((first, end.next), counts, (header.time(), entry.next()))))
    }
}

impl fmt::Debug for FjallLog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { ends, epoch, poisoned, .. } = self;
        f.debug_struct("FjallLog")
            .field("ends", ends)
            .field("epoch", epoch)
            .field("poisoned", poisoned)
            .finish_non_exhaustive()
    }
}
