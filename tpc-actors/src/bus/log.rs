//! Events that outlive the process.
//!
//! [`System::log_events`](crate::System::log_events) gives a bus an [`EventLog`]. A thread off the data
//! cores writes what they publish: it appends whatever has come, makes all of it durable with one sync,
//! and only then shows it to [durable](super::Events::durable) subscriptions. Whatever came meanwhile is the
//! next group. A storage engine brings its own log by implementing the trait and running the
//! [`conformance`] suite over it; [`MemoryLog`] is for tests, and the feature `log-fjall` has `FjallLog`.
//!
//! The log knows the sources by their numbers: the cores from 0 on, and then the publishers outside of them. A system
//! with another number of cores has other sources, so what is to be read again is read with as many cores as it was
//! written with.
//!
//! A core never waits for the log. If it publishes faster than the log can write for longer than
//! [`LogOptions::feed_capacity`] lasts, events are missing in the log, and are counted and reported.

use std::fmt;
use std::time::SystemTime;

use super::position::Position;
use super::start::Cursor;
use crate::bridge::CapacityError;

pub mod conformance;
pub(super) mod feed;
#[cfg(feature = "log-fjall")]
mod fjall;
pub(super) mod holes;
pub(super) mod link;
mod memory;
mod options;
pub(super) mod reads;
mod writer;

#[cfg(feature = "log-fjall")]
pub use self::fjall::FjallLog;
pub use memory::MemoryLog;
pub use options::{LogOptions, LogStatus, Retention};

/// An event that can be written to an [`EventLog`] and read back, perhaps by a later version of the
/// program.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be written to an event log",
    label = "this event has no form outside of memory",
    note = "implement `tpc_actors::bus::LogEvent` for `{Self}`"
)]
pub trait LogEvent: Sized {
    /// Appends the event's bytes to `into`.
    fn encode(&self, into: &mut Vec<u8>);

    /// The event with these bytes.
    ///
    /// # Errors
    ///
    /// The bytes are not those of an event.
    fn decode(bytes: &[u8]) -> Result<Self, DecodeError>;
}

/// Bytes that are not those of an event.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not an event: {0}")]
pub struct DecodeError(pub String);

impl LogEvent for Vec<u8> {
    fn encode(&self, into: &mut Vec<u8>) {
        into.extend_from_slice(self);
    }

    fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        Ok(bytes.to_vec())
    }
}

impl LogEvent for String {
    fn encode(&self, into: &mut Vec<u8>) {
        into.extend_from_slice(self.as_bytes());
    }

    fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        Self::from_utf8(bytes.to_vec()).map_err(|error| DecodeError(error.to_string()))
    }
}

impl LogEvent for u64 {
    fn encode(&self, into: &mut Vec<u8>) {
        into.extend_from_slice(&self.to_le_bytes());
    }

    fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let bytes = bytes.try_into();
        bytes.map(Self::from_le_bytes).map_err(|_| DecodeError("8 bytes expected".to_owned()))
    }
}

/// Why a log did not do what it was asked to.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LogError {
    /// The operating system or the storage engine failed.
    #[error("the log failed: {0}")]
    Failed(Box<dyn std::error::Error + Send + Sync>),
    /// What is stored is not what was written, and not just a torn end that was never acknowledged.
    #[error("the log is damaged: {0}")]
    Damaged(String),
    /// An earlier failure has made it impossible to tell what is stored, so nothing is acknowledged any
    /// more. Open the log anew to go on with what is durable.
    #[error("the log has failed before, and takes nothing more")]
    Poisoned,
    /// Positions must grow.
    #[error("{given} does not come after the last event; the next one is {next}")]
    Order {
        /// The position that was to be appended.
        given: Position,
        /// The earliest that could be.
        next: Position,
    },
    /// The [feed's capacity](LogOptions::feed_capacity) is 0 or does not fit in memory.
    #[error("the feed to the log: {0}")]
    Capacity(#[from] CapacityError),
    /// A bus takes a log only before anybody publishes or subscribes.
    #[error("the bus is in use; give it its log before the first actor, publisher or subscription")]
    TooLate,
    /// A bus has one log, and keeps it.
    #[error("the bus has a log already")]
    Exists,
    /// The log was closed with its system.
    #[error("the log was closed when its system ended")]
    Closed,
}

impl LogError {
    /// A failure of the operating system or a storage engine.
    pub fn failed(cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::Failed(cause.into())
    }
}

/// The bytes of consecutive events.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Records {
    bytes: Vec<u8>,
    ends: Vec<usize>,
}

impl Records {
    /// Adds an event's bytes, which `write` appends to what it is given.
    pub fn push_with(&mut self, write: impl FnOnce(&mut Vec<u8>)) {
        write(&mut self.bytes);
        self.ends.push(self.bytes.len());
    }

    /// Adds an event's bytes.
    pub fn push(&mut self, record: &[u8]) {
        self.push_with(|bytes| bytes.extend_from_slice(record));
    }

    /// The events, in order.
    pub fn iter(&self) -> impl Iterator<Item = &[u8]> {
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        starts.zip(&self.ends).map(|(start, end)| &self.bytes[start..*end])
    }

    /// How many events there are.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// The sum of their sizes.
    pub fn bytes(&self) -> usize {
        self.bytes.len()
    }

    /// Forgets all of them and keeps the memory.
    pub fn clear(&mut self) {
        self.bytes.clear();
        self.ends.clear();
    }

    /// Goes back to `len` events, also when the last one was written in part.
    pub(super) fn truncate(&mut self, len: usize) {
        self.ends.truncate(len);
        self.bytes.truncate(self.ends.last().copied().unwrap_or(0));
    }
}

/// What a log has of one core.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Bounds {
    /// The oldest event.
    pub first: Position,
    /// The one after the newest.
    pub next: Position,
    /// How many there are.
    pub events: u64,
    /// What their records take, as the log counts it.
    pub bytes: u64,
    /// When the oldest of them was appended.
    pub oldest: SystemTime,
    /// The earliest position to which [`EventLog::trim_to`] would remove something.
    pub trims_at: Position,
}

impl Bounds {
    /// All of the figures, for logs outside of this crate.
    pub fn new(
        (first, next): (Position, Position),
        (events, bytes): (u64, u64),
        (oldest, trims_at): (SystemTime, Position),
    ) -> Self {
        Self { first, next, events, bytes, oldest, trims_at }
    }
}

/// Stores the events of all cores of one bus.
///
/// One thread calls it, off the data cores, so it may block. Positions of a core only grow: by sequence
/// number within an epoch, and by epoch.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an event log",
    note = "use `MemoryLog` or another log of `tpc_actors::bus`, or implement `EventLog` for `{Self}`"
)]
pub trait EventLog: Send + 'static {
    /// Makes an epoch durable that is greater than any before, and greater than that of any event here:
    /// numbers of events that were lost are never given to others.
    ///
    /// # Errors
    ///
    /// As the log fails.
    fn begin_epoch(&mut self) -> Result<u64, LogError>;

    /// Appends consecutive events of one core, the first of them at `first`.
    ///
    /// # Errors
    ///
    /// [`LogError::Order`] when `first` is not after the core's last event; nothing changes then. As the
    /// log fails; it is poisoned then.
    fn append(&mut self, first: Position, records: &Records) -> Result<(), LogError>;

    /// Makes everything appended so far durable; says where the durable events of each core end.
    ///
    /// # Errors
    ///
    /// As the log fails. From then on it must not acknowledge anything: after a failed `fsync` a second
    /// one may succeed without having written what the first one lost. It refuses `append`, `sync` and `begin_epoch`
    /// until it is opened again, and what it has acknowledged can still be read;
    /// [`check_failure`](conformance::check_failure) looks at that.
    fn sync(&mut self) -> Result<Cursor, LogError>;

    /// Passes up to `max` events of the core to `each`, in order, from the first one that is not before
    /// `from`.
    ///
    /// # Errors
    ///
    /// [`LogError::Damaged`] when stored events cannot be read; as the log fails.
    fn read_from(
        &mut self,
        from: Position,
        max: usize,
        each: &mut dyn FnMut(Position, &[u8]),
    ) -> Result<(), LogError>;

    /// Removes events of the core before `to`; may keep some of them.
    ///
    /// # Errors
    ///
    /// As the log fails.
    fn trim_to(&mut self, to: Position) -> Result<(), LogError>;

    /// What there is of a core; `None` when there is nothing.
    ///
    /// # Errors
    ///
    /// As [`Self::read_from`].
    fn bounds(&mut self, core: usize) -> Result<Option<Bounds>, LogError>;
}

impl fmt::Debug for dyn EventLog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("EventLog")
    }
}

/// A log is foreign code; one that panics has failed.
fn guarded<T>(call: impl FnOnce() -> Result<T, LogError>) -> Result<T, LogError> {
    crate::isolate::catch(call).unwrap_or_else(|message| Err(LogError::failed(message)))
}
