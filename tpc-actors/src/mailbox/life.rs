//! The life of an actor as its senders see it, and why they are refused.

use std::time::Duration;

#[cfg(not(tpc_loom))]
use crate::error::TellError;
use crate::sync::{AtomicU32, AtomicU64, Ordering, heavy_fence, in_order, intact, whole};

/// Life of an actor, as its senders see it. Written by the actor's core (and, when that is lost, by
/// whoever noticed), read with every send.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u32)]
pub(crate) enum Life {
    /// Served, or about to be served again after a restart.
    Open,
    /// The system is draining: outside senders are refused, cores may still finish what they began.
    Draining,
    /// The drain is over; everyone is refused.
    Closing,
    /// The actor has stopped for good.
    Stopped,
    /// The core's thread is gone.
    Lost,
}

/// What is said of an actor beside its life, in the low bits of the same word, so that one look tells
/// a sender that nothing is the matter. A later life forgets them.
pub(crate) mod flag {
    /// Between two incarnations. Senders need not care.
    pub(crate) const RESTARTING: u32 = 1;
    /// The actor's own gate is shut, or ajar.
    pub(crate) const GUARDED: u32 = 1 << 1;
    /// So is the gate of its core.
    pub(crate) const CORE_GUARDED: u32 = 1 << 2;
    /// The system is simulated: every send is decided about, and counted.
    pub(crate) const SIMULATED: u32 = 1 << 3;
    /// Bits that a life leaves to the flags.
    pub(super) const BITS: u32 = 8;
}

/// Life and flags of an actor.
#[derive(Debug, Default)]
pub(crate) struct LifeWord(AtomicU32);

impl LifeWord {
    /// Whether the actor is open and nothing is to be said of it.
    #[inline]
    pub(crate) fn is_plain(&self) -> bool {
        self.0.load(Ordering::Relaxed) == 0
    }

    pub(crate) fn life(&self) -> Life {
        match self.0.load(Ordering::Relaxed) >> flag::BITS {
            0 => Life::Open,
            1 => Life::Draining,
            2 => Life::Closing,
            3 => Life::Stopped,
            _ => Life::Lost,
        }
    }

    /// Moves on to a later life; an actor never goes back.
    pub(crate) fn advance(&self, life: Life) {
        whole!("life.advance", self.0.fetch_max((life as u32) << flag::BITS, Ordering::Relaxed));
    }

    /// The core is gone or does not move any more: what it has not begun is answered by `refuse`.
    pub(crate) fn lose(&self, refuse: impl FnOnce()) {
        self.advance(Life::Lost);
        if intact!("life.lose-fence") {
            // Pairs with the light fence in `LaneBell::published`: a sender that has not seen this, in
            // [`Self::send`], is seen by `refuse`.
            heavy_fence();
        }
        refuse();
    }

    /// Sender: sends, and then looks whether the core has been lost, because `refuse` may have looked at the slots before
    /// that, and has to look again.
    #[inline]
    pub(crate) fn send<R>(&self, send: impl FnOnce() -> R, refuse: impl FnOnce()) -> R {
        let look_again = || {
            if !self.is_plain() && self.life() == Life::Lost {
                refuse();
            }
        };
        in_order!("life.send-first", send(), look_again())
    }

    /// The one way back: the core of a lost actor has a new thread.
    pub(crate) fn reopen(&self) {
        self.0.store(0, Ordering::Release);
    }

    /// Sets or clears a flag; what was written before is seen by whoever sees the flag.
    pub(crate) fn set_flag(&self, flag: u32, on: bool) {
        if on {
            whole!("life.set-flag", self.0.fetch_or(flag, Ordering::Release));
        } else {
            whole!("life.clear-flag", self.0.fetch_and(!flag, Ordering::Release));
        }
    }

    pub(crate) fn has_flag(&self, flag: u32) -> bool {
        self.0.load(Ordering::Acquire) & flag != 0
    }
}

/// What stands between senders and an actor that fails too often: shut until a time, then ajar for a
/// few probes. Looked at only by who finds the flag for it. Written by the core.
#[derive(Debug, Default)]
pub(crate) struct Gate {
    /// Nanoseconds since the clock's epoch.
    retry_at: AtomicU64,
    /// Probes that may still enter.
    permits: AtomicU32,
}

impl Gate {
    pub(crate) fn shut(&self, until: u64) {
        self.permits.store(0, Ordering::Relaxed);
        self.retry_at.store(until, Ordering::Relaxed);
    }

    /// Lets some in; should they never arrive, `until` is when others may try.
    pub(crate) fn open_for(&self, probes: u32, until: u64) {
        self.retry_at.store(until, Ordering::Relaxed);
        self.permits.store(probes, Ordering::Relaxed);
    }

    pub(crate) fn is_ajar(&self) -> bool {
        self.permits.load(Ordering::Relaxed) > 0
    }

    pub(crate) fn take_permit(&self) -> bool {
        let one_less = |permits: u32| permits.checked_sub(1);
        whole!(
            "life.permit",
            self.permits.fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_less)
        )
        .is_ok()
    }

    pub(crate) fn retry_after(&self, now: u64) -> Duration {
        Duration::from_nanos(self.retry_at.load(Ordering::Relaxed).saturating_sub(now))
    }
}

/// Why a request was not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refusal {
    Full(Shortage),
    Degraded(Duration),
    Stopped,
    Stopping,
    CoreLost,
    /// The lane belonged to an earlier thread of the core; another one is to be had.
    Reopened,
}

/// What a full lane has none of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shortage {
    /// Places in the ring, which the core frees.
    Place,
    /// Reply slots, which askers free.
    Slot,
}

#[cfg(not(tpc_loom))]
impl Refusal {
    pub(crate) fn with<M>(self, message: M) -> TellError<M> {
        match self {
            Self::Full(_) => TellError::Full(message),
            Self::Degraded(retry_after) => TellError::Degraded { message, retry_after },
            Self::Stopped => TellError::Stopped(message),
            Self::Stopping => TellError::Stopping(message),
            Self::CoreLost | Self::Reopened => TellError::CoreLost(message),
        }
    }
}

#[cfg(all(test, tpc_loom))]
mod model;
