//! The publishing side of a bus: one per core and event type, shared by the core's actors.

use std::cell::{Cell, RefCell};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::{Bus, Channel, Item, Position, lock};
use crate::bridge::ring::Producer;
use crate::isolate::{catch, drop_quietly};

/// One subscriber, as seen from a core.
struct Outlet<E> {
    channel: Arc<Channel<E>>,
    ring: Producer<Item<E>>,
    /// Events that the filter has wanted so far.
    wanted: u64,
    /// The subscriber has not been woken since the last of them.
    unseen: bool,
}

/// A core's publisher of one event type.
pub(crate) struct Publisher<E> {
    bus: Arc<Bus<E>>,
    core: usize,
    next_seq: Cell<u64>,
    /// The version of the bus that `outlets` reflects.
    version: Cell<u64>,
    outlets: RefCell<Vec<Outlet<E>>>,
}

/// Publishers of any type, at the end of a turn.
pub(crate) trait Flush {
    /// Wakes the subscribers that this turn had events for, each once.
    fn flush(&self);
}

impl<E: Send + Clone + 'static> Publisher<E> {
    pub(crate) fn new(bus: Arc<Bus<E>>, core: usize) -> Self {
        Self {
            bus,
            core,
            next_seq: Cell::new(0),
            version: Cell::new(0),
            outlets: RefCell::default(),
        }
    }

    /// Publishes to everyone whose filter wants it.
    pub(crate) fn publish(&self, event: E) {
        let seq = self.next_seq.replace(self.next_seq.get() + 1);
        // The one load that publishing costs when nobody listens. Relaxed: a subscription that was made
        // before this event was caused is ordered by whatever carried the cause here.
        if self.bus.version.load(Ordering::Relaxed) != self.version.get() {
            self.refresh();
        }
        // Taken out for the loop: filters and clones are foreign code and may publish themselves.
        let mut outlets = self.outlets.take();
        let position = Position { core: self.core, epoch: 0, seq };
        for outlet in &mut outlets {
            outlet.offer(self.core, position, &event);
        }
        drop_quietly(event);
        let added = self.outlets.replace(outlets);
        self.outlets.borrow_mut().extend(added);
    }

    /// Takes over new subscribers and lets go of those that have gone.
    #[cold]
    fn refresh(&self) {
        self.version.set(self.bus.version.load(Ordering::Acquire));
        let channels = lock(&self.bus.channels).clone();
        let mut outlets = self.outlets.borrow_mut();
        let gone = |outlet: &mut Outlet<E>| outlet.channel.closed.load(Ordering::Relaxed);
        let gone: Vec<_> = outlets.extract_if(.., gone).collect();
        for channel in channels {
            let fresh = lock(&channel.ends[self.core].producer).take();
            if let Some(ring) = fresh {
                outlets.push(Outlet { channel, ring, wanted: 0, unseen: false });
            }
        }
        drop(outlets);
        for outlet in gone {
            if outlet.unseen {
                // The filter panicked: its subscriber is still to be told of the end.
                outlet.channel.wake();
            }
            // Events, filter and waker of a subscriber that has gone are foreign.
            drop_quietly(outlet);
        }
    }
}

impl<E: Clone> Outlet<E> {
    fn offer(&mut self, core: usize, position: Position, event: &E) {
        if self.channel.closed.load(Ordering::Relaxed) {
            return;
        }
        if let Some(filter) = &self.channel.filter {
            match catch(|| filter(event)) {
                Ok(true) => {}
                Ok(false) => return,
                Err(message) => {
                    tracing::error!(
                        core,
                        message,
                        "an event filter panicked; its subscription ends"
                    );
                    self.channel.closed.store(true, Ordering::Relaxed);
                    self.unseen = true;
                    return;
                }
            }
        }
        let wanted = self.wanted;
        self.wanted += 1;
        self.unseen = true;
        // An event that cannot be copied is missing for this subscriber like one that found no room.
        if self.ring.free() > 0
            && let Ok(event) = catch(|| event.clone())
        {
            drop(self.ring.push(Item { position, wanted, event }));
        }
        // Pairs with the `Acquire` in the subscription, which reads this before it drains: an event that
        // is counted here and not found in the ring has been dropped.
        self.channel.ends[core].emitted.store(self.wanted, Ordering::Release);
    }
}

impl<E: Send + Clone + 'static> Flush for Publisher<E> {
    fn flush(&self) {
        for outlet in &mut *self.outlets.borrow_mut() {
            if std::mem::take(&mut outlet.unseen) {
                outlet.channel.wake();
            }
        }
    }
}
