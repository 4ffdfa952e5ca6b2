//! The receiving side of a bus.

use std::fmt;
use std::future::poll_fn;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll};

use super::{Bus, Channel, Delivery, Filter, Gap, Item, lock};
use crate::bridge::CapacityError;
use crate::bridge::ring::Consumer;
use crate::client::block::block_on;

/// Builds a subscription to the events of type `E`; made by
/// [`System::events`](crate::System::events).
#[must_use = "nothing is received before `.subscribe()`"]
pub struct Events<E> {
    bus: Arc<Bus<E>>,
    filter: Option<Filter<E>>,
    capacity: usize,
}

impl<E: Send + Clone + 'static> Events<E> {
    /// Places in each core's ring when the subscriber does not say.
    pub const DEFAULT_CAPACITY: usize = 1024;

    pub(crate) fn new(bus: Arc<Bus<E>>) -> Self {
        Self { bus, filter: None, capacity: Self::DEFAULT_CAPACITY }
    }

    /// Receives only what `wanted` says yes to. It runs on the publishing core, before the event is
    /// copied, so it should be quick. A filter that panics ends its subscription.
    pub fn filter(mut self, wanted: impl Fn(&E) -> bool + Send + Sync + 'static) -> Self {
        self.filter = Some(Box::new(wanted));
        self
    }

    /// Events that each core's ring holds; when it is full, newer ones are dropped and reported as a
    /// [`Gap`].
    pub fn capacity(mut self, events: usize) -> Self {
        self.capacity = events;
        self
    }

    /// Receives events from here on.
    ///
    /// # Panics
    ///
    /// When the capacity is 0 or does not fit in memory; see [`Self::try_subscribe`].
    pub fn subscribe(self) -> Subscription<E> {
        self.try_subscribe().unwrap_or_else(|error| panic!("the subscription's ring: {error}"))
    }

    /// As [`Self::subscribe`], for a capacity that comes from outside.
    ///
    /// # Errors
    ///
    /// The capacity is 0 or does not fit in memory.
    pub fn try_subscribe(self) -> Result<Subscription<E>, CapacityError> {
        self.bus.subscribe(self.filter, self.capacity)
    }
}

impl<E> fmt::Debug for Events<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Events")
            .field("filtered", &self.filter.is_some())
            .field("capacity", &self.capacity)
            .finish_non_exhaustive()
    }
}

/// What one core has in store for a subscription.
struct Inlet<E> {
    ring: Consumer<Item<E>>,
    /// Number of the next wanted event.
    expected: u64,
    /// An event whose gap is being reported first.
    held: Option<Item<E>>,
}

/// Receives the events of one type from all cores.
///
/// Events of one core arrive in the order of their positions; there is no order between cores. Dropping
/// the subscription ends it.
pub struct Subscription<E: Send + Clone + 'static> {
    bus: Arc<Bus<E>>,
    channel: Arc<Channel<E>>,
    inlets: Vec<Inlet<E>>,
    /// The inlet that is asked first, so that no core is always last.
    first: usize,
    lagged: u64,
}

impl<E: Send + Clone + 'static> Subscription<E> {
    pub(super) fn new(
        bus: Arc<Bus<E>>,
        channel: Arc<Channel<E>>,
        consumers: Vec<Consumer<Item<E>>>,
    ) -> Self {
        let inlets =
            consumers.into_iter().map(|ring| Inlet { ring, expected: 0, held: None }).collect();
        Self { bus, channel, inlets, first: 0, lagged: 0 }
    }

    /// The next event or gap; `None` when the system has shut down and everything was delivered.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future loses nothing.
    pub async fn next(&mut self) -> Option<Delivery<E>> {
        poll_fn(|context| self.poll_next(context)).await
    }

    /// Blocks a plain thread until the next event or gap.
    ///
    /// # Panics
    ///
    /// On a core's own thread, which must not block.
    pub fn next_wait(&mut self) -> Option<Delivery<E>> {
        assert!(!crate::core_loop::on_core_thread(), "`next_wait` would block the core");
        block_on(self.next())
    }

    /// What has arrived already.
    pub fn try_next(&mut self) -> Option<Delivery<E>> {
        let count = self.inlets.len();
        for step in 0..count {
            let at = self.first + step;
            let core = if at < count { at } else { at - count };
            if let Some(delivery) = self.take_from(core) {
                self.first = if core + 1 < count { core + 1 } else { 0 };
                return Some(delivery);
            }
        }
        None
    }

    /// How many events this subscription wanted and did not get, so far reported as gaps.
    pub fn lagged(&self) -> u64 {
        self.lagged
    }

    fn poll_next(&mut self, context: &Context<'_>) -> Poll<Option<Delivery<E>>> {
        if let Some(delivery) = self.try_next() {
            return Poll::Ready(Some(delivery));
        }
        // Cloned and dropped outside the lock, which a core takes: a waker is foreign code.
        let waker = Some(context.waker().clone());
        let old = std::mem::replace(&mut *lock(&self.channel.waker), waker);
        drop(old);
        // Looked at before the rings, so that nothing published before the end is missed.
        let over =
            self.bus.closed.load(Ordering::Acquire) || self.channel.closed.load(Ordering::Acquire);
        // Whoever publishes takes the waker under the same lock, so it finds either us or we find it.
        match self.try_next() {
            Some(delivery) => Poll::Ready(Some(delivery)),
            None if over => Poll::Ready(None),
            None => Poll::Pending,
        }
    }

    fn take_from(&mut self, core: usize) -> Option<Delivery<E>> {
        let inlet = &mut self.inlets[core];
        // Read before the ring: whatever is counted here and then not found was dropped.
        let emitted = self.channel.ends[core].emitted.load(Ordering::Acquire);
        let next = inlet.held.take().or_else(|| inlet.ring.pop());
        let found = next.as_ref().map_or(emitted, |item| item.wanted);
        if found > inlet.expected {
            let missed = found - inlet.expected;
            inlet.expected = found;
            inlet.held = next;
            self.lagged += missed;
            return Some(Delivery::Gap(Gap { core, missed }));
        }
        let Item { position, wanted, event } = next?;
        inlet.expected = wanted + 1;
        Some(Delivery::Event { position, event })
    }
}

impl<E: Send + Clone + 'static> Drop for Subscription<E> {
    fn drop(&mut self) {
        self.bus.unsubscribe(&self.channel);
    }
}

impl<E: Send + Clone + 'static> fmt::Debug for Subscription<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Subscription").field("lagged", &self.lagged).finish_non_exhaustive()
    }
}
