//! A waker that only remembers that it was woken.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Wake, Waker};

/// Whether a future has something to do.
#[derive(Debug)]
pub(super) struct Woken(AtomicBool);

impl Woken {
    /// A future that has not been polled has.
    pub(super) fn now() -> Arc<Self> {
        Arc::new(Self(AtomicBool::new(true)))
    }

    pub(super) fn is_woken(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }

    /// The future is about to be polled.
    pub(super) fn take(&self) {
        self.0.swap(false, Ordering::AcqRel);
    }

    pub(super) fn waker(self: &Arc<Self>) -> Waker {
        Waker::from(Arc::clone(self))
    }
}

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.0.store(true, Ordering::Release);
    }
}
