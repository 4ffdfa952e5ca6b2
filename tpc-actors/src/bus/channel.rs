//! What a subscription and the sources share.

use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex, OnceLock};

use atomic_waker::AtomicWaker;
use crossbeam_utils::CachePadded;

use super::end_reason::EndReason;
use super::lane::{LaneReader, Policy};
use super::lock;
use super::log::holes::Holes;
use super::presence::Presence;
use super::stats::{Consumption, LaneStats, ReaderStats, Received};
use crate::isolate::wake_quietly;

/// What a subscription wants.
pub(super) trait Wanted<E>: Send + Sync {
    fn wants(&self, event: &E) -> bool;

    /// The same for up to 64 events at once, a bit for each: one call through a pointer, not many.
    fn select(&self, events: &[E]) -> u64;
}

impl<E, F: Fn(&E) -> bool + Send + Sync> Wanted<E> for F {
    #[inline]
    fn wants(&self, event: &E) -> bool {
        self(event)
    }

    fn select(&self, events: &[E]) -> u64 {
        let events = &events[..events.len().min(64)];
        // In at the lower end, which is one instruction for each event, and turned round when all are there.
        let bits = events.iter().fold(0, |bits: u64, event| (bits << 1) + u64::from(self(event)));
        let unused = 64 - u32::try_from(events.len()).unwrap_or(0);
        bits.reverse_bits().checked_shr(unused).unwrap_or(0)
    }
}

pub(super) type Filter<E> = Arc<dyn Wanted<E>>;

/// How a source stands to a subscription.
pub(super) mod end {
    /// The source attaches with its next event.
    pub(crate) const OPEN: u8 = 0;
    /// The source attaches once the subscription has caught up with it.
    pub(crate) const LATE: u8 = 1;
    /// The subscription does not want this source.
    pub(crate) const NEVER: u8 = 2;
    /// The lane is there.
    pub(crate) const ATTACHED: u8 = 3;
}

/// Where a source leaves the reading end of its lane.
struct End<E> {
    state: AtomicU8,
    reader: Mutex<Option<LaneReader<E>>>,
    stats: CachePadded<LaneStats>,
    /// Written by the subscriber.
    received: CachePadded<ReaderStats>,
    /// Wanted events that the log never got.
    holes: Holes,
    begins_at: u64,
}

/// Where a subscription begins with a source.
#[derive(Debug, Clone, Copy)]
pub(super) struct Begin {
    /// How the source stands to the subscription: one of [`end`].
    pub(super) state: u8,
    /// Earlier events than this are not wanted, whatever the filter says.
    pub(super) from: u64,
}

/// One subscription, as the sources know it.
pub(super) struct Channel<E> {
    pub(super) filter: Option<Filter<E>>,
    /// Places in each lane, in events.
    pub(super) capacity: usize,
    /// Sees what the log has made durable, and nothing else.
    pub(super) durable: bool,
    pub(super) policy: Arc<Policy<E>>,
    /// By source.
    ends: Box<[End<E>]>,
    waker: CachePadded<AtomicWaker>,
    /// Over when the subscriber has gone, or the subscription has ended.
    pub(super) presence: Presence,
    /// Why it has ended, if the subscriber has not gone.
    end_reason: OnceLock<EndReason>,
}

impl<E> Channel<E> {
    /// `ends` gives the beginning with each source.
    pub(super) fn new(
        filter: Option<Filter<E>>,
        (capacity, durable): (usize, bool),
        policy: Policy<E>,
        ends: impl Iterator<Item = Begin>,
    ) -> Arc<Self> {
        let end = |begin: Begin| End {
            state: AtomicU8::new(begin.state),
            reader: Mutex::default(),
            stats: CachePadded::default(),
            received: CachePadded::default(),
            holes: Holes::default(),
            begins_at: begin.from,
        };
        Arc::new(Self {
            filter,
            capacity,
            durable,
            policy: Arc::new(policy),
            ends: ends.map(end).collect(),
            waker: CachePadded::default(),
            presence: Presence::default(),
            end_reason: OnceLock::new(),
        })
    }

    /// Whether the filter wants the event; foreign code.
    pub(super) fn wants(&self, event: &E) -> bool {
        self.filter.as_ref().is_none_or(|filter| filter.wants(event))
    }

    pub(super) fn state(&self, source: usize) -> u8 {
        self.ends[source].state.load(Ordering::Acquire)
    }

    pub(super) fn attach(&self, source: usize, reader: LaneReader<E>) {
        *lock(&self.ends[source].reader) = Some(reader);
        self.ends[source].state.store(end::ATTACHED, Ordering::Release);
    }

    /// Why it has ended, if it has by itself.
    pub(super) fn end_reason(&self) -> Option<&EndReason> {
        self.end_reason.get()
    }

    /// The first reason counts.
    pub(super) fn ends_because(&self, reason: EndReason) {
        drop(self.end_reason.set(reason));
    }

    /// The reading end of a source's lane, once.
    pub(super) fn take_reader(&self, source: usize) -> Option<LaneReader<E>> {
        if self.state(source) != end::ATTACHED {
            return None;
        }
        lock(&self.ends[source].reader).take()
    }

    pub(super) fn stats(&self, source: usize) -> &LaneStats {
        &self.ends[source].stats
    }

    /// Shows what the subscriber has counted of a source.
    pub(super) fn set_received(&self, source: usize, received: &Received) {
        self.ends[source].received.set(received);
    }

    pub(super) fn consumption(&self, source: usize) -> Consumption {
        let End { stats, received, .. } = &self.ends[source];
        Consumption::of(self.capacity, stats, received)
    }

    /// Events of the source with smaller numbers are not wanted.
    pub(super) fn begins_at(&self, source: usize) -> u64 {
        self.ends[source].begins_at
    }

    /// What the log never got of the source.
    pub(super) fn holes(&self, source: usize) -> &Holes {
        &self.ends[source].holes
    }

    pub(super) fn register(&self, waker: &std::task::Waker) {
        self.waker.register(waker);
    }

    pub(super) fn wake(&self) {
        if let Some(waker) = self.waker.take() {
            wake_quietly(waker);
        }
    }
}
