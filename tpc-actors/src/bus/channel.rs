//! What a subscription and the sources share.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use atomic_waker::AtomicWaker;
use crossbeam_utils::CachePadded;

use super::lane::LaneReader;
use super::lock;
use crate::isolate::wake_quietly;

pub(super) type Filter<E> = Box<dyn Fn(&E) -> bool + Send + Sync>;

/// Where a source leaves the reading end of its lane.
struct End<E> {
    attached: AtomicBool,
    reader: Mutex<Option<LaneReader<E>>>,
}

/// One subscription, as the sources know it.
pub(super) struct Channel<E> {
    pub(super) filter: Option<Filter<E>>,
    /// Places in each lane, in events.
    pub(super) capacity: usize,
    /// By source.
    ends: Box<[End<E>]>,
    waker: CachePadded<AtomicWaker>,
    /// The subscriber has gone, or its filter panicked. Latched.
    closed: AtomicBool,
}

impl<E> Channel<E> {
    pub(super) fn new(filter: Option<Filter<E>>, capacity: usize, sources: usize) -> Arc<Self> {
        let end = || End { attached: AtomicBool::new(false), reader: Mutex::default() };
        Arc::new(Self {
            filter,
            capacity,
            ends: (0..sources).map(|_| end()).collect(),
            waker: CachePadded::default(),
            closed: AtomicBool::new(false),
        })
    }

    /// Whether `source` still has to attach.
    pub(super) fn awaits(&self, source: usize) -> bool {
        !self.ends[source].attached.load(Ordering::Relaxed)
    }

    pub(super) fn attach(&self, source: usize, reader: LaneReader<E>) {
        *lock(&self.ends[source].reader) = Some(reader);
        self.ends[source].attached.store(true, Ordering::Release);
    }

    pub(super) fn is_attached(&self, source: usize) -> bool {
        self.ends[source].attached.load(Ordering::Acquire)
    }

    /// The reading end of a source's lane, once.
    pub(super) fn take_reader(&self, source: usize) -> Option<LaneReader<E>> {
        if !self.is_attached(source) {
            return None;
        }
        lock(&self.ends[source].reader).take()
    }

    pub(super) fn register(&self, waker: &std::task::Waker) {
        self.waker.register(waker);
    }

    pub(super) fn wake(&self) {
        if let Some(waker) = self.waker.take() {
            wake_quietly(waker);
        }
    }

    /// Ends the subscription; true for the first to do so.
    pub(super) fn close(&self) -> bool {
        !self.closed.swap(true, Ordering::AcqRel)
    }

    pub(super) fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Acquire)
    }
}
