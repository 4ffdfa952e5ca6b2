//! Removing what the log keeps no longer.

use std::time::SystemTime;

use super::Writer;
use crate::bus::log::{Retention, guarded};

/// Groups that are removed after one that was written, so that trimming keeps up and holds up nobody.
const TRIMS_MAX: usize = 8;

impl<E: Send + Clone + 'static> Writer<E> {
    /// Removes what is kept no longer.
    pub(super) fn trim(&mut self, core: usize) {
        let Retention { events_max, bytes_max, age_max } = self.link.options.retention;
        if (events_max, bytes_max, age_max) == (None, None, None) {
            return;
        }
        for _ in 0..TRIMS_MAX {
            let Ok(Some(bounds)) = guarded(|| self.log.bounds(core)) else { return };
            let age = SystemTime::now().duration_since(bounds.oldest).unwrap_or_default();
            let over = events_max.is_some_and(|max| bounds.events > max)
                || bytes_max.is_some_and(|max| bounds.bytes > max)
                || age_max.is_some_and(|max| age > max);
            if !over || bounds.trims_at >= bounds.next {
                return;
            }
            if let Err(error) = guarded(|| self.log.trim_to(bounds.trims_at)) {
                tracing::error!(core, %error, "the event log does not forget");
                return;
            }
        }
    }
}
