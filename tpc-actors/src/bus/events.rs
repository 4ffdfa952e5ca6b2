//! The options of a subscription.

use std::fmt;
use std::sync::Arc;

use super::channel::{Channel, Filter};
use super::lane::check;
use super::registry::Bus;
use super::subscription::Subscription;
use crate::bridge::CapacityError;

/// Builds a subscription to the events of type `E`; made by
/// [`System::events`](crate::System::events).
#[must_use = "nothing is received before `.subscribe()`"]
pub struct Events<E> {
    bus: Arc<Bus<E>>,
    filter: Option<Filter<E>>,
    capacity: usize,
    retain: usize,
}

/// Why there is no subscription.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SubscribeError {
    /// The capacity is 0 or does not fit in memory.
    #[error("the subscription's ring: {0}")]
    Capacity(#[from] CapacityError),
}

impl<E: Send + Clone + 'static> Events<E> {
    /// Events that each core's ring holds when the subscriber does not say.
    pub const DEFAULT_CAPACITY: usize = 1024;

    pub(crate) fn new(bus: Arc<Bus<E>>) -> Self {
        Self { bus, filter: None, capacity: Self::DEFAULT_CAPACITY, retain: 0 }
    }

    /// Receives only what `wanted` says yes to. It runs on the publishing core, before the event is
    /// copied, so it should be quick. A filter that panics ends its subscription.
    pub fn filter(mut self, wanted: impl Fn(&E) -> bool + Send + Sync + 'static) -> Self {
        self.filter = Some(Box::new(wanted));
        self
    }

    /// Events that each core's ring holds; when it is full, newer ones are dropped and reported as a
    /// [`Gap`](super::Gap).
    pub fn capacity(mut self, events: usize) -> Self {
        self.capacity = events;
        self
    }

    /// Has each core keep its last `events` events of this type for [`Subscription::replay`].
    ///
    /// The events are kept for all subscriptions, and until the system ends: the largest number that
    /// anybody has asked for counts.
    pub fn retain(mut self, events: usize) -> Self {
        self.retain = events;
        self
    }

    /// Receives events from here on.
    ///
    /// # Panics
    ///
    /// When an option is out of its range; see [`Self::try_subscribe`].
    pub fn subscribe(self) -> Subscription<E> {
        self.try_subscribe().unwrap_or_else(|error| panic!("{error}"))
    }

    /// As [`Self::subscribe`], for options that come from outside.
    ///
    /// # Errors
    ///
    /// The capacity is 0 or does not fit in memory.
    pub fn try_subscribe(self) -> Result<Subscription<E>, SubscribeError> {
        let Self { bus, filter, capacity, retain } = self;
        check::<E>(capacity)?;
        let channel = Channel::new(filter, capacity, bus.sources());
        bus.subscribe(&channel, retain);
        Ok(Subscription::new(bus, channel))
    }
}

impl<E> fmt::Debug for Events<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Events")
            .field("filtered", &self.filter.is_some())
            .field("capacity", &self.capacity)
            .field("retain", &self.retain)
            .finish_non_exhaustive()
    }
}
