//! Joining threads that may not come to an end.

use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// Between two looks whether a thread has ended.
const PAUSE: Duration = Duration::from_micros(500);

/// Waits for the end of a thread, but not longer than `until`: what it has returned, or the thread.
pub(crate) fn join_until<T>(
    thread: JoinHandle<T>,
    until: Instant,
) -> Result<std::thread::Result<T>, JoinHandle<T>> {
    while !thread.is_finished() {
        if Instant::now() >= until {
            return Err(thread);
        }
        std::thread::sleep(PAUSE);
    }
    Ok(thread.join())
}
