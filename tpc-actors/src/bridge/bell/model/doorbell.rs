//! What a model's threads sleep on.

use std::fmt;
use std::time::Duration;

use loom::sync::atomic::{AtomicUsize, Ordering};
use loom::sync::{Condvar, Mutex};

use crate::bridge::doorbell::Doorbell;

/// An eventfd as loom can see it; counts its rings.
pub(crate) struct ModelDoorbell {
    rung: Mutex<bool>,
    changed: Condvar,
    rings: AtomicUsize,
}

impl ModelDoorbell {
    pub(crate) fn new() -> Self {
        Self { rung: Mutex::new(false), changed: Condvar::new(), rings: AtomicUsize::new(0) }
    }

    pub(super) fn rings(&self) -> usize {
        self.rings.load(Ordering::Relaxed)
    }
}

impl fmt::Debug for ModelDoorbell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ModelDoorbell")
    }
}

impl Doorbell for ModelDoorbell {
    fn ring(&self) {
        self.rings.fetch_add(1, Ordering::Relaxed);
        *self.rung.lock().unwrap() = true;
        self.changed.notify_one();
    }

    /// Without a limit: a lost wake is a deadlock, which loom reports.
    fn wait(&self, _timeout: Option<Duration>) -> bool {
        let mut rung = self.rung.lock().unwrap();
        while !*rung {
            rung = self.changed.wait(rung).unwrap();
        }
        *rung = false;
        true
    }
}
