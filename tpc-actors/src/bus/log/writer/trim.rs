//! Removing what the log keeps no longer.

use std::time::SystemTime;

use super::Writer;
use crate::bus::log::{Position, Retention, guarded};

/// Calls of the log after a group that was written, so that trimming holds up nobody; with more events in that group as many
/// as they are, so that it keeps up with a log that removes one event at a time.
const TRIMS_MAX: usize = 8;

impl<E: Send + Clone + 'static> Writer<E> {
    /// Removes what is kept no longer, after so many events have been `written`.
    pub(super) fn trim(&mut self, core: usize, written: usize) {
        let Retention { events_max, bytes_max, age_max } = self.link.options.retention;
        if (events_max, bytes_max, age_max) == (None, None, None) {
            return;
        }
        for _ in 0..written.max(TRIMS_MAX) {
            let Ok(Some(bounds)) = guarded(|| self.log.bounds(core)) else { return };
            let age = SystemTime::now().duration_since(bounds.oldest).unwrap_or_default();
            let over = events_max.is_some_and(|max| bounds.events > max)
                || bytes_max.is_some_and(|max| bounds.bytes > max)
                || age_max.is_some_and(|max| age > max);
            if !over || bounds.trims_at >= bounds.next {
                return;
            }
            // As many numbers as there are events too many: some may have none, and nothing is removed that is to be kept.
            let too_many = events_max.map_or(0, |max| bounds.events.saturating_sub(max));
            let behind = Position { seq: bounds.first.seq + too_many, ..bounds.first };
            let to = bounds.trims_at.max(behind);
            if let Err(error) = guarded(|| self.log.trim_to(to)) {
                tracing::error!(core, %error, "the event log does not forget");
                return;
            }
        }
    }
}
