//! The buses of a system, one per event type.

use std::any::{Any, TypeId};
use std::collections::HashMap;
use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock};

use super::channel::Channel;
use super::lock;
use super::source::Source;
use crate::core_loop::shared::CoreShared;
use crate::isolate::drop_quietly;

/// A source with the number of its next event.
pub(super) struct Numbered<E> {
    pub(super) source: Source<E>,
    pub(super) next_seq: u64,
}

/// The bus of one event type.
pub(crate) struct Bus<E> {
    /// Changes with every subscription that comes or goes; 0 until the first one.
    pub(super) version: AtomicU64,
    channels: Mutex<Vec<Arc<Channel<E>>>>,
    /// Events that each source keeps for replay.
    pub(super) retain: AtomicUsize,
    pub(super) cores: Arc<[Arc<CoreShared>]>,
    /// Sources that no core holds, by index: those of cores that have ended.
    resting: Box<[Mutex<Option<Numbered<E>>>]>,
    epoch: OnceLock<u64>,
    /// Nothing will be published any more.
    closed: AtomicBool,
}

impl<E: Send + Clone + 'static> Bus<E> {
    fn new(cores: Arc<[Arc<CoreShared>]>) -> Self {
        Self {
            version: AtomicU64::new(0),
            channels: Mutex::default(),
            retain: AtomicUsize::new(0),
            resting: cores.iter().map(|_| Mutex::default()).collect(),
            cores,
            epoch: OnceLock::new(),
            closed: AtomicBool::new(false),
        }
    }

    /// How many sources there are.
    pub(super) fn sources(&self) -> usize {
        self.resting.len()
    }

    #[inline]
    pub(super) fn epoch(&self) -> u64 {
        self.epoch.get().copied().unwrap_or(0)
    }

    pub(super) fn channels(&self) -> Vec<Arc<Channel<E>>> {
        lock(&self.channels).clone()
    }

    fn changed(&self) {
        self.version.fetch_add(1, Ordering::Release);
    }

    pub(super) fn subscribe(&self, channel: &Arc<Channel<E>>, retain: usize) {
        self.retain.fetch_max(retain, Ordering::Relaxed);
        lock(&self.channels).push(Arc::clone(channel));
        self.changed();
    }

    /// Ends a subscription and tells it so; the sources let go of it when they next look.
    pub(super) fn end(&self, channel: &Arc<Channel<E>>) {
        if channel.close() {
            lock(&self.channels).retain(|other| !Arc::ptr_eq(other, channel));
            self.changed();
        }
        channel.wake();
    }

    /// Ends a subscription and has its sources let go of it, also those that publish nothing more.
    pub(super) fn unsubscribe(self: &Arc<Self>, channel: &Arc<Channel<E>>) {
        self.end(channel);
        for index in (0..self.sources()).filter(|index| channel.is_attached(*index)) {
            let bus = Arc::clone(self);
            let reap = move |core: &mut crate::core_loop::Core| {
                core.local.publisher_of(&bus).reap();
            };
            if self.cores[index].command(Box::new(reap)).is_err() {
                let gone = self
                    .with_resting(index, |Numbered { source, next_seq }| source.refresh(*next_seq));
                gone.into_iter().flatten().for_each(drop_quietly);
            }
        }
    }

    /// The source of a core, for the core's own publisher.
    pub(super) fn take_source(self: &Arc<Self>, index: usize) -> Numbered<E> {
        let resting = lock(&self.resting[index]).take();
        let fresh = || Numbered { source: Source::new(Arc::clone(self), index), next_seq: 0 };
        resting.unwrap_or_else(fresh)
    }

    pub(super) fn rest_source(&self, index: usize, source: Numbered<E>) {
        let old = lock(&self.resting[index]).replace(source);
        drop_quietly(old);
    }

    /// Does something with a source that no core holds; `None` when one does.
    pub(super) fn with_resting<R>(
        &self,
        index: usize,
        call: impl FnOnce(&mut Numbered<E>) -> R,
    ) -> Option<R> {
        lock(&self.resting[index]).as_mut().map(call)
    }

    pub(super) fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Acquire)
    }
}

/// Ends a bus whatever its event type.
trait Close: Any + Send + Sync {
    fn close(&self);
    fn into_any(self: Arc<Self>) -> Arc<dyn Any + Send + Sync>;
}

impl<E: Send + Clone + 'static> Close for Bus<E> {
    fn close(&self) {
        self.closed.store(true, Ordering::Release);
        for channel in self.channels() {
            channel.wake();
        }
    }

    fn into_any(self: Arc<Self>) -> Arc<dyn Any + Send + Sync> {
        self
    }
}

#[derive(Default)]
struct Buses {
    by_type: HashMap<TypeId, Arc<dyn Close>>,
    closed: bool,
}

/// The buses of a system, one per event type.
pub(crate) struct BusRegistry {
    buses: Mutex<Buses>,
    cores: Arc<[Arc<CoreShared>]>,
}

impl BusRegistry {
    pub(crate) fn new(cores: &[Arc<CoreShared>]) -> Self {
        Self { buses: Mutex::default(), cores: cores.into() }
    }

    /// The bus of `E`.
    pub(crate) fn of<E: Send + Clone + 'static>(&self) -> Arc<Bus<E>> {
        let mut buses = lock(&self.buses);
        let closed = buses.closed;
        let bus = buses.by_type.entry(TypeId::of::<E>()).or_insert_with(|| {
            let bus = Bus::<E>::new(Arc::clone(&self.cores));
            bus.closed.store(closed, Ordering::Relaxed);
            Arc::new(bus)
        });
        let bus = Arc::clone(bus).into_any().downcast();
        bus.unwrap_or_else(|_| unreachable!("buses are kept by the type of their events"))
    }

    /// Ends all subscriptions once they have yielded what was published.
    pub(crate) fn close(&self) {
        let buses: Vec<_> = {
            let mut buses = lock(&self.buses);
            buses.closed = true;
            buses.by_type.values().cloned().collect()
        };
        for bus in buses {
            bus.close();
        }
    }
}

impl fmt::Debug for BusRegistry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BusRegistry").field("cores", &self.cores.len()).finish_non_exhaustive()
    }
}
