//! Options and figures of a bus's log.

use std::time::Duration;

use super::Cursor;

/// What a log keeps of each core. A limit that is `None` does not limit; the strictest one counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Retention {
    /// At most this many events, or those of one group more.
    pub events_max: Option<u64>,
    /// At most this many bytes, or those of one group more.
    pub bytes_max: Option<u64>,
    /// Nothing older than this, once something newer is there.
    pub age_max: Option<Duration>,
}

/// Options of a bus's log.
#[derive(Debug, Clone)]
#[must_use = "options do nothing by themselves"]
pub struct LogOptions {
    pub(in crate::bus) feed_capacity: usize,
    pub(in crate::bus) commit_interval: Duration,
    pub(in crate::bus) retention: Retention,
}

impl Default for LogOptions {
    fn default() -> Self {
        Self {
            feed_capacity: 65_536,
            commit_interval: Duration::from_millis(10),
            retention: Retention::default(),
        }
    }
}

impl LogOptions {
    /// The defaults: 65,536 events on their way from each core, a group begun at most once in ten milliseconds,
    /// and everything is kept.
    pub fn new() -> Self {
        Self::default()
    }

    /// Events of each core that may wait to be written. What comes when it is full is missing in the log;
    /// it bounds for how long the log may be slower than the core.
    pub fn feed_capacity(mut self, events: usize) -> Self {
        self.feed_capacity = events;
        self
    }

    /// How long after the beginning of one group the next one begins, at the earliest; half a full feed does not
    /// wait for it. An event that comes after silence is written at once.
    ///
    /// The log's thread is woken and takes its time away from others once a group, so fewer groups are less in
    /// the way of whoever shares its CPU; an event becomes durable later by this much at most. Zero makes a group
    /// of whatever has come while the last one was written.
    pub fn commit_interval(mut self, interval: Duration) -> Self {
        self.commit_interval = interval;
        self
    }

    /// Keeps at most this many events of each core, or those of one group more.
    pub fn keep_events(mut self, events: u64) -> Self {
        self.retention.events_max = Some(events);
        self
    }

    /// Keeps at most this many bytes of each core's events, or those of one group more.
    pub fn keep_bytes(mut self, bytes: u64) -> Self {
        self.retention.bytes_max = Some(bytes);
        self
    }

    /// Removes each core's events that are older than this, once newer ones are written.
    pub fn keep_for(mut self, age: Duration) -> Self {
        self.retention.age_max = Some(age);
        self
    }
}

/// How far a bus's log has come, at one moment.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct LogStatus {
    /// Where the events of each core that were handed to the log end.
    pub appended: Cursor,
    /// Where its durable events end.
    pub durable: Cursor,
    /// Events that the log does not have, because they came faster than it could write, or could not be copied or encoded.
    pub missing: u64,
    /// Groups that were made durable.
    pub syncs: u64,
    /// Why the log takes nothing more, if it does not.
    pub failed: Option<String>,
}
