//! What a simulated core sleeps on: a note that somebody rang.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::bridge::doorbell::Doorbell;

/// Remembers a ring until the core wakes. Nobody ever waits on it.
#[derive(Debug, Default)]
pub(super) struct Rung(AtomicBool);

impl Rung {
    pub(super) fn is_rung(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }
}

impl Doorbell for Rung {
    fn ring(&self) {
        self.0.store(true, Ordering::Release);
    }

    fn wait(&self, _timeout: Option<Duration>) -> bool {
        self.0.swap(false, Ordering::AcqRel)
    }
}
