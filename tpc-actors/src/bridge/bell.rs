//! The wake protocol between producers and the one thread that serves them.
//!
//! ```text
//! producer                                   consumer (about to sleep)
//!   write item, publish tail                   arm every active lane
//!   light fence  ───────────── pairs with ───▶ heavy fence
//!   armed?  no → done                          look at every tail again: something? disarm, go on
//!           yes → CAS ARMED→ACTIVE wins        CAS summary 0→PARKED: fails? disarm, go on
//!             set ready bit; first in word?    wait on the doorbell
//!               set summary bit                swap summary, swap ready words, serve those lanes
//!               found exactly PARKED? ring
//! ```
//!
//! *No lost wake.* Publishing and arming are a store followed by a load of the other's word on both
//! sides; the two fences forbid that both loads miss. A producer passes its fence with every message and
//! the consumer only on its way to sleep, so the consumer fences for both where the system can do that
//! (`membarrier`), and each for itself where it cannot. *One ring per park.* The bitmap words are only
//! written by read-modify-writes, so all of them are totally ordered, and just the one that finds
//! `PARKED` alone writes the eventfd. *Silent lanes are free.* An armed lane is not polled at all.
//!
//! After Dekker's store-buffer argument as used by Seastar's sleeping reactors, with a two-level
//! bitmap in place of a scan over all queues.

use std::sync::Arc;

use crossbeam_utils::CachePadded;

use super::doorbell::Doorbell;
use crate::sync::planted;
use crate::sync::{AtomicU32, AtomicU64, Ordering, heavy_fence, intact, light_fence, whole};

/// A command waits in the core's inbox. The sign, because that is looked at after every message.
const COMMAND: u64 = 1 << 63;
/// The consumer sleeps, or is about to.
const PARKED: u64 = 1 << 62;
/// A task wake or a new lane waits in the core's inbox.
const NEWS: u64 = 1 << 61;
/// Summary bits that stand for groups of lanes.
const GROUPS: usize = 61;
/// Words of 64 lanes behind one summary bit.
const WORDS_PER_GROUP: usize = if cfg!(tpc_loom) { 2 } else { 16 };

/// Lanes that one consumer can tell apart.
pub(crate) const LANES_MAX: usize = GROUPS * WORDS_PER_GROUP * 64;

/// What one consumer sleeps on: the two-level bitmap and the doorbell.
#[derive(Debug)]
pub(crate) struct CoreBell {
    summary: CachePadded<AtomicU64>,
    ready: Box<[AtomicU64]>,
    doorbell: Arc<dyn Doorbell>,
}

impl CoreBell {
    pub(crate) fn new(doorbell: Arc<dyn Doorbell>) -> Self {
        let words = if cfg!(tpc_loom) { 2 * WORDS_PER_GROUP } else { GROUPS * WORDS_PER_GROUP };
        Self {
            summary: CachePadded::new(AtomicU64::new(0)),
            ready: (0..words).map(|_| AtomicU64::new(0)).collect(),
            doorbell,
        }
    }

    /// Announces a command in the inbox, which is taken before the next request.
    pub(crate) fn ring_command(&self) {
        self.announce(COMMAND);
    }

    /// Announces something else in the inbox, which is taken with the next turn.
    pub(crate) fn ring_news(&self) {
        self.announce(NEWS);
    }

    fn ring_lane(&self, lane: u32) {
        let word = lane as usize / 64;
        // Whoever sets the first bit of a word announces it; a later one finds the announcement made, because the
        // consumer swaps the summary before it swaps the word. Released, what came before this is seen with the bit, also
        // where an earlier announcement led to it. Acquired, an announcement after the second swap is not before the
        // first; no model shows that, as loom runs nothing ahead of what comes first in its thread.
        let before =
            whole!("bell.ready", self.ready[word].fetch_or(1 << (lane % 64), Ordering::AcqRel));
        let first = before == 0;
        if first {
            self.announce(1 << (word / WORDS_PER_GROUP));
        }
    }

    fn announce(&self, bit: u64) {
        let before = whole!("bell.announce", self.summary.fetch_or(bit, Ordering::AcqRel));
        // Any other bit means that a ring is on its way already.
        if before == PARKED && intact!("bell.ring") && !planted!("lost-ring", 1 in 100) {
            self.doorbell.ring();
        }
    }

    /// Whether [`Self::take`] would find something; one relaxed load.
    #[inline]
    pub(crate) fn has_news(&self) -> bool {
        self.summary.load(Ordering::Relaxed) & !PARKED != 0
    }

    /// Whether a command waits in the inbox; one relaxed load.
    #[inline]
    pub(crate) fn has_command(&self) -> bool {
        self.summary.load(Ordering::Relaxed) & COMMAND != 0
    }

    /// Takes all announcements: calls `lane` for each lane that rang, and says whether the inbox did.
    pub(crate) fn take(&self, mut lane: impl FnMut(u32)) -> bool {
        let summary =
            whole!("bell.take-summary", self.summary.swap(0, Ordering::Acquire)) & !PARKED;
        let mut groups = summary & !(COMMAND | NEWS);
        while groups != 0 {
            let group = groups.trailing_zeros() as usize;
            groups &= groups - 1;
            for word in group * WORDS_PER_GROUP..(group + 1) * WORDS_PER_GROUP {
                // The announcement ordered the bit before us, so a zero here is really a zero.
                if self.ready[word].load(Ordering::Relaxed) == 0 {
                    continue;
                }
                let mut bits =
                    whole!("bell.take-ready", self.ready[word].swap(0, Ordering::AcqRel));
                while bits != 0 {
                    lane(u32::try_from(word).unwrap_or(0) * 64 + bits.trailing_zeros());
                    bits &= bits - 1;
                }
            }
        }
        summary & (COMMAND | NEWS) != 0
    }

    /// Gets ready to sleep; false when there is something to do after all, and all lanes are polled as before.
    pub(crate) fn park(&self, polled: &mut impl Polled) -> bool {
        if silence(polled) || !self.announce_sleep() {
            polled.each_bell(LaneBell::disarm);
            return false;
        }
        true
    }

    /// Gets ready for a sleep that ends by itself, in which nobody rings for lanes that are polled.
    pub(crate) fn announce_sleep(&self) -> bool {
        let parked = whole!(
            "bell.park",
            self.summary.compare_exchange(0, PARKED, Ordering::Relaxed, Ordering::Relaxed)
        )
        .is_ok();
        parked || !intact!("bell.park-rechecks-summary")
    }

    /// Sleeps after a successful [`Self::park`]; true when it was a ring that ended the sleep.
    pub(crate) fn sleep(&self, timeout: Option<std::time::Duration>) -> bool {
        let rung = self.doorbell.wait(timeout);
        // From here on nobody needs to ring; announcements made meanwhile stay.
        whole!("bell.awake", self.summary.fetch_and(!PARKED, Ordering::Relaxed));
        rung
    }
}

/// The lanes that a consumer polls, or some of them.
pub(crate) trait Polled {
    /// Calls `each` with the share of every one of them in the wake protocol.
    fn each_bell(&self, each: impl Fn(&LaneBell));

    /// Looks into each of them; true when one has something for the consumer.
    fn has_request(&mut self) -> bool;
}

/// From now on the producers of these lanes must ring; true when one of them has sent something just before.
pub(crate) fn silence(polled: &mut impl Polled) -> bool {
    polled.each_bell(LaneBell::arm);
    if intact!("bell.consumer-fence") {
        // Pairs with the light fence in `LaneBell::published`.
        heavy_fence();
    }
    intact!("bell.recheck") && polled.has_request()
}

/// Values of a lane's `armed` word. The producer moves it in one way only, by an exchange; so the consumer stores.
mod armed {
    /// The consumer polls the lane; nobody rings. Set by the consumer, or by the producer that rings.
    pub(super) const ACTIVE: u32 = 0;
    /// The consumer does not look; the next publish must ring. Set by the consumer only.
    pub(super) const ARMED: u32 = 1;
    /// The consumer will never look again. Set by the consumer once, never cleared.
    pub(super) const CLOSED: u32 = 2;
}

/// The consumer will never look at this lane again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct LaneClosed;

/// One lane's share of the protocol; both ends hold it.
#[derive(Debug)]
pub(crate) struct LaneBell {
    armed: CachePadded<AtomicU32>,
    lane: u32,
    core: Arc<CoreBell>,
}

impl LaneBell {
    /// A new lane starts armed, so that its first item announces it.
    pub(crate) fn new(core: Arc<CoreBell>, lane: u32) -> Self {
        Self { armed: CachePadded::new(AtomicU32::new(armed::ARMED)), lane, core }
    }

    pub(crate) fn lane(&self) -> u32 {
        self.lane
    }

    /// Producer: call after each publish; rings if the consumer does not look, and says whether it had to.
    ///
    /// # Errors
    ///
    /// The consumer has left. What was published may or may not have been read by then; the ring's
    /// `reclaim` tells.
    #[inline]
    pub(crate) fn published(&self) -> Result<bool, LaneClosed> {
        if intact!("bell.producer-fence") {
            // Pairs with the heavy fence in `silence` and in `close`.
            light_fence();
        }
        match self.armed.load(Ordering::Relaxed) {
            armed::ACTIVE => Ok(false),
            _ => self.published_cold(),
        }
    }

    #[cold]
    fn published_cold(&self) -> Result<bool, LaneClosed> {
        let (armed, active) = (armed::ARMED, armed::ACTIVE);
        match whole!(
            "bell.won",
            self.armed.compare_exchange(armed, active, Ordering::Relaxed, Ordering::Acquire)
        ) {
            Ok(_) => self.core.ring_lane(self.lane),
            Err(armed::CLOSED) => return Err(LaneClosed),
            Err(_) => return Ok(false),
        }
        Ok(true)
    }

    /// Producer: announces the lane whatever its state, so that its closing is noticed.
    pub(crate) fn ring(&self) {
        self.core.ring_lane(self.lane);
    }

    /// Consumer: from now on the producer must ring.
    fn arm(&self) {
        self.armed.store(armed::ARMED, Ordering::Relaxed);
    }

    /// Consumer: the lane is polled again.
    pub(crate) fn disarm(&self) {
        self.armed.store(armed::ACTIVE, Ordering::Relaxed);
    }

    /// Consumer: this was the last look but one; drain once more after this call, then drop the ring.
    pub(crate) fn close(&self) {
        whole!("bell.close", self.armed.swap(armed::CLOSED, Ordering::Release));
        if intact!("bell.close-fence") {
            // Pairs with the light fence in `published`: the producer sees CLOSED or we see its item.
            heavy_fence();
        }
    }
}

#[cfg(all(test, tpc_loom))]
pub(crate) mod model;
