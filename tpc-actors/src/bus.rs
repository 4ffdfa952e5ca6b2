//! Events from actors to whoever subscribes.
//!
//! One ring per core and subscriber: a publisher never waits and never takes a lock, and a slow
//! subscriber costs nobody else anything. The filter runs on the publishing core, before the event is
//! copied. What a full ring does not take is counted, and the subscriber is told of it in order, as a
//! [`Gap`]: *delivered + reported missing = wanted by the filter*, also when the last events were lost.

use std::any::{Any, TypeId};
use std::collections::HashMap;
use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Waker;

use crossbeam_utils::CachePadded;

use crate::bridge::ring::{Producer, ring};

pub(crate) mod publisher;
mod subscription;

pub use subscription::{Events, Subscription};

/// Where an event stands: contiguous per core and epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub struct Position {
    /// The core that published it, counted from 0.
    pub core: usize,
    /// Grows when the numbers of the core start over.
    pub epoch: u64,
    /// Counts every event of this type on the core, wanted or not, from 0.
    pub seq: u64,
}

/// What a subscription yields.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Delivery<E> {
    /// An event.
    Event {
        /// Where it stands.
        position: Position,
        /// The event.
        event: E,
    },
    /// Events that this subscription wanted and did not get, at the place where they are missing.
    Gap(Gap),
}

/// A number of lost events of one core.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Gap {
    core: usize,
    missed: u64,
}

impl Gap {
    /// The core that published them.
    pub fn core(&self) -> usize {
        self.core
    }

    /// How many events are missing: only such as the subscription's filter wanted.
    pub fn len(&self) -> u64 {
        self.missed
    }

    /// Never: a gap has at least one event.
    pub fn is_empty(&self) -> bool {
        self.missed == 0
    }
}

/// An event in a ring.
struct Item<E> {
    position: Position,
    /// Counts what the filter wanted, from 0; a jump tells what was dropped before this item.
    wanted: u64,
    event: E,
}

type Filter<E> = Box<dyn Fn(&E) -> bool + Send + Sync>;

/// One core's end of a subscription.
struct CoreEnd<E> {
    /// Taken by the core with its first publication after the subscription was made.
    producer: Mutex<Option<Producer<Item<E>>>>,
    /// How many events the filter has wanted so far, delivered or dropped; written by the core.
    emitted: CachePadded<AtomicU64>,
}

/// What a subscription and the cores share.
struct Channel<E> {
    filter: Option<Filter<E>>,
    ends: Vec<CoreEnd<E>>,
    waker: Mutex<Option<Waker>>,
    /// The subscriber has gone, or its filter panicked.
    closed: AtomicBool,
}

impl<E> Channel<E> {
    fn wake(&self) {
        let waker = lock(&self.waker).take();
        if let Some(waker) = waker {
            crate::isolate::wake_quietly(waker);
        }
    }
}

/// The bus of one event type.
pub(crate) struct Bus<E> {
    /// Changes with every subscription that comes or goes; 0 until the first one.
    version: AtomicU64,
    channels: Mutex<Vec<Arc<Channel<E>>>>,
    cores: usize,
    /// Nothing will be published any more.
    closed: AtomicBool,
}

impl<E: Send + Clone + 'static> Bus<E> {
    fn new(cores: usize) -> Self {
        Self {
            version: AtomicU64::new(0),
            channels: Mutex::default(),
            cores,
            closed: AtomicBool::new(false),
        }
    }

    fn subscribe(
        self: Arc<Self>,
        filter: Option<Filter<E>>,
        capacity: usize,
    ) -> Result<Subscription<E>, crate::bridge::CapacityError> {
        let mut ends = Vec::new();
        let mut consumers = Vec::new();
        for _ in 0..self.cores {
            let (producer, consumer) = ring(capacity)?;
            ends.push(CoreEnd {
                producer: Mutex::new(Some(producer)),
                emitted: CachePadded::new(AtomicU64::new(0)),
            });
            consumers.push(consumer);
        }
        let channel = Arc::new(Channel {
            filter,
            ends,
            waker: Mutex::default(),
            closed: AtomicBool::new(false),
        });
        lock(&self.channels).push(Arc::clone(&channel));
        self.version.fetch_add(1, Ordering::Release);
        Ok(Subscription::new(self, channel, consumers))
    }

    fn unsubscribe(&self, channel: &Arc<Channel<E>>) {
        channel.closed.store(true, Ordering::Relaxed);
        lock(&self.channels).retain(|other| !Arc::ptr_eq(other, channel));
        self.version.fetch_add(1, Ordering::Release);
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
        let channels = lock(&self.channels).clone();
        for channel in channels {
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
    cores: usize,
}

impl BusRegistry {
    pub(crate) fn new(cores: usize) -> Self {
        Self { buses: Mutex::default(), cores }
    }

    /// The bus of `E`.
    pub(crate) fn of<E: Send + Clone + 'static>(&self) -> Arc<Bus<E>> {
        let mut buses = lock(&self.buses);
        let closed = buses.closed;
        let bus = buses.by_type.entry(TypeId::of::<E>()).or_insert_with(|| {
            let bus = Bus::<E>::new(self.cores);
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
        f.debug_struct("BusRegistry").field("cores", &self.cores).finish_non_exhaustive()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
