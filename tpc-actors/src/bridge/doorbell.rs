//! What a thread sleeps on when nothing is left to do.
//!
//! A doorbell remembers one ring: ringing before the wait makes the wait return at once. Who may ring
//! and when is decided by the protocol in [`bell`](super::bell); a doorbell only sleeps and wakes.

use std::fmt;
#[cfg(any(test, not(target_os = "linux")))]
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Duration;
#[cfg(any(test, not(target_os = "linux")))]
use std::time::Instant;

#[cfg(target_os = "linux")]
mod eventfd;
#[cfg(target_os = "linux")]
pub(crate) mod membarrier;
#[cfg(target_os = "linux")]
pub(crate) use eventfd::{Event, EventFd};

/// Sleeping and waking, as a loop or a bridge end sees it.
pub(crate) trait Doorbell: Send + Sync + fmt::Debug {
    /// Wakes the sleeper, or makes its next wait return at once.
    fn ring(&self);

    /// Sleeps until a ring or until `timeout` has passed; true when it was a ring.
    ///
    /// `None` waits without limit. May return early without a ring.
    fn wait(&self, timeout: Option<Duration>) -> bool;
}

/// The doorbell of this platform: an eventfd on Linux, a condition variable elsewhere.
///
/// # Errors
///
/// The operating system refused a descriptor.
pub(crate) fn platform_doorbell() -> std::io::Result<std::sync::Arc<dyn Doorbell>> {
    #[cfg(target_os = "linux")]
    {
        membarrier::prepare();
        Ok(std::sync::Arc::new(EventFd::new()?))
    }
    #[cfg(not(target_os = "linux"))]
    {
        Ok(std::sync::Arc::new(CondvarDoorbell::default()))
    }
}

/// A portable doorbell without a descriptor.
#[cfg(any(test, not(target_os = "linux")))]
#[derive(Debug, Default)]
pub(crate) struct CondvarDoorbell {
    rung: Mutex<bool>,
    changed: Condvar,
}

#[cfg(any(test, not(target_os = "linux")))]
impl Doorbell for CondvarDoorbell {
    fn ring(&self) {
        *self.rung.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.changed.notify_one();
    }

    fn wait(&self, timeout: Option<Duration>) -> bool {
        let until = timeout.and_then(|timeout| Instant::now().checked_add(timeout));
        let mut rung = self.rung.lock().unwrap_or_else(PoisonError::into_inner);
        while !*rung {
            rung = match until {
                None => self.changed.wait(rung).unwrap_or_else(PoisonError::into_inner),
                Some(until) => {
                    let left = until.saturating_duration_since(Instant::now());
                    if left.is_zero() {
                        return false;
                    }
                    let waited = self.changed.wait_timeout(rung, left);
                    waited.unwrap_or_else(PoisonError::into_inner).0
                }
            };
        }
        *rung = false;
        true
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    fn behaves(doorbell: &Arc<dyn Doorbell>) {
        let moment = Some(Duration::from_millis(1));
        assert!(!doorbell.wait(moment), "silent at first");
        doorbell.ring();
        doorbell.ring();
        assert!(doorbell.wait(None), "a ring before the wait is remembered");
        assert!(!doorbell.wait(moment), "and two of them are one");
        let ringer = Arc::clone(doorbell);
        let thread = std::thread::spawn(move || {
            std::thread::sleep(Duration::from_millis(5));
            ringer.ring();
        });
        assert!(doorbell.wait(Some(Duration::from_mins(1))));
        thread.join().unwrap();
    }

    #[test]
    fn the_portable_doorbell_remembers_one_ring() {
        behaves(&(Arc::new(CondvarDoorbell::default()) as _));
    }

    #[test]
    fn the_doorbell_of_this_platform_remembers_one_ring() {
        behaves(&platform_doorbell().unwrap());
    }
}
