//! Waiting for the other end of a pipe: with a waker, with a descriptor, or with both.
//!
//! ```text
//! who waits                                  the other end
//!   leave the waker; or lower the descriptor   write or read items, publish the position; or close
//!   set the bit in `armed`    (RMW)            fence
//!   fence  ─────────────────── pairs with ───▶ armed?  no → done
//!   look at the ring and at its closing again          yes → swap 0, wake, raise
//!   nothing? sleep
//! ```
//!
//! *No lost wake.* Both sides write one word and then look at the other's; the fences forbid that both
//! look too early. *One wake per sleep.* Only who waits sets a bit, and whoever swaps it out is the one
//! that wakes, so an armed descriptor is written to once and an unarmed one never. *No ordering* but that of the
//! fences: what the bits stand for is behind a lock, or never changes.
//!
//! Both sides fence for themselves: the task that drives a bridge goes to sleep after every few items, so
//! that `membarrier` on its side (as in [`bell`](super::bell)) would cost more than it spares the other.

use std::fmt;
use std::sync::{Arc, OnceLock, PoisonError};
use std::task::Waker;

use crate::isolate::{drop_quietly, wake_quietly};
use crate::sync::{AtomicU32, Mutex, MutexGuard, Ordering, fence, intact, whole};

/// A waker is to be woken.
const WAKER: u32 = 1;
/// The descriptor is to be raised.
const SIGNAL: u32 = 1 << 1;

/// What a reactor looks at: an eventfd, or what a model has in its place.
pub(super) trait Signal: Send + Sync + fmt::Debug {
    /// Makes it readable.
    fn raise(&self);
    /// Makes it unreadable.
    fn lower(&self);
}

#[cfg(all(not(tpc_loom), target_os = "linux"))]
impl Signal for super::doorbell::Event {
    fn raise(&self) {
        Self::raise(self);
    }

    fn lower(&self) {
        Self::lower(self);
    }
}

/// Who waits for one thing: for items, or for room.
#[derive(Debug)]
pub(super) struct Waiting {
    /// Which of the two below wait; set by who waits, and swapped out by the other end.
    armed: AtomicU32,
    waker: Mutex<Option<Waker>>,
    /// Made by the first who asks for it.
    signal: OnceLock<Arc<dyn Signal>>,
}

impl Waiting {
    pub(super) fn new() -> Self {
        Self { armed: AtomicU32::new(0), waker: Mutex::new(None), signal: OnceLock::new() }
    }

    fn waker(&self) -> MutexGuard<'_, Option<Waker>> {
        self.waker.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Has `signal` raised from now on, whenever it is armed.
    pub(super) fn connect(&self, signal: Arc<dyn Signal>) {
        // There is one end on this side, and it connects once.
        drop(self.signal.set(signal));
    }

    /// Leaves the waker. The caller must look at the ring once more after this.
    pub(super) fn register(&self, waker: &Waker) {
        // Cloned and dropped outside the lock: a waker is foreign code.
        let waker = waker.clone();
        let before = self.waker().replace(waker);
        whole!("pipe.register", self.armed.fetch_or(WAKER, Ordering::Relaxed));
        Self::fence_before_recheck();
        drop_quietly(before);
    }

    /// Says so of one that nobody can arm, also while there is no reason to.
    ///
    /// # Panics
    ///
    /// Nobody has got a descriptor yet.
    pub(super) fn check_descriptor(&self) {
        assert!(self.signal.get().is_some(), "a descriptor is armed after it was asked for");
    }

    /// Lowers and arms the descriptor. The caller must look at the ring once more after this.
    ///
    /// # Panics
    ///
    /// Nobody has got a descriptor yet.
    pub(super) fn arm(&self) {
        let signal = self.signal.get().expect("a descriptor is armed after it was asked for");
        // Before the second look, which finds whatever a write stood for that is swallowed here. One that
        // the last arming is still owed may come later, and costs its receiver a look for nothing.
        signal.lower();
        self.set_signal(SIGNAL);
        Self::fence_before_recheck();
    }

    /// The second look found something: the descriptor need not be raised.
    pub(super) fn disarm(&self) {
        self.set_signal(0);
    }

    fn set_signal(&self, signal: u32) {
        // The other end may have swapped the waker's bit out meanwhile, and it comes back: without a waker behind it.
        let waker = self.armed.load(Ordering::Relaxed) & WAKER;
        self.armed.store(waker | signal, Ordering::Relaxed);
    }

    /// The end that waited here is gone: nobody is to be woken, and its task is not kept.
    pub(super) fn leave(&self) {
        self.armed.store(0, Ordering::Relaxed);
        let waker = self.waker().take();
        // Outside the lock: a waker is foreign code.
        drop_quietly(waker);
    }

    fn fence_before_recheck() {
        if intact!("pipe.waiter-fence") {
            // Pairs with the fence in `notify`: we see the new position or they see the bit.
            fence(Ordering::SeqCst);
        }
    }

    /// Wakes whoever waits. The caller has published its position, or has closed.
    #[inline]
    pub(super) fn notify(&self) {
        if intact!("pipe.notifier-fence") {
            // Pairs with the fence in `fence_before_recheck`.
            fence(Ordering::SeqCst);
        }
        if self.armed.load(Ordering::Relaxed) != 0 {
            self.notify_cold();
        }
    }

    #[cold]
    fn notify_cold(&self) {
        let armed = whole!("pipe.notify", self.armed.swap(0, Ordering::Relaxed));
        if armed & SIGNAL != 0
            && let Some(signal) = self.signal.get()
        {
            signal.raise();
        }
        if armed & WAKER != 0 {
            let waker = self.waker().take();
            // Outside the lock: a waker is foreign code.
            waker.into_iter().for_each(wake_quietly);
        }
    }
}
