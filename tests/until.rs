//! Waiting for what another thread brings about.

use std::thread;
use std::time::{Duration, Instant};

/// Far more than anything takes.
const LONG: Duration = Duration::from_secs(20);

/// Waits until it holds.
pub(crate) fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let start = Instant::now();
    while !holds() {
        assert!(start.elapsed() < LONG, "{what} does not come");
        thread::sleep(Duration::from_millis(1));
    }
}
