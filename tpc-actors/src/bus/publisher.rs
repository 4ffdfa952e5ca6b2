//! The publishing side of a bus on a core: one per event type, shared by the core's actors.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::enrich::Routing;
use super::fetch::Fetch;
use super::position::Position;
use super::registry::Bus;
use super::resting::Numbered;
use super::retained::Found;
use super::source::Source;
use crate::isolate::drop_quietly;

/// A core's publisher of one event type.
pub(crate) struct CorePublisher<E: Send + Clone + 'static> {
    bus: Arc<Bus<E>>,
    core: usize,
    epoch: u64,
    next_seq: Cell<u64>,
    /// The version of the bus that the source reflects.
    version: Cell<u64>,
    /// The same if nobody wants events, and otherwise [`NEVER`]: one comparison says that there is nothing to do.
    unheard_at: Cell<u64>,
    /// The core's flag for events that cannot be seen yet.
    unshown: Rc<Cell<bool>>,
    /// Gone once this has ended.
    source: RefCell<Option<Source<E>>>,
}

/// No version of a bus.
const NEVER: u64 = u64::MAX;

/// The version that `source` reflects, if nobody wants its events.
fn unheard_at<E: Send + Clone + 'static>(source: &Source<E>) -> u64 {
    if source.is_wanted() { NEVER } else { source.version }
}

/// Publishers of any type, at the end of a turn.
pub(crate) trait Flush {
    /// Shows what was published to its subscribers, and to the log unless that can wait for [`Self::pass_on`].
    fn show(&self, log_waits: bool);

    /// Passes what was shown on to the log and to replays.
    fn pass_on(&self);

    /// Does that, and wakes the subscribers that this turn had events for, each once.
    fn flush(&self);

    /// Leaves the source to replays, and to the core's next life. Nothing is published any more.
    fn end(&self);
}

impl<E: Send + Clone + 'static> CorePublisher<E> {
    /// Goes on where the core's last publisher ended, if there was one.
    pub(crate) fn new(bus: Arc<Bus<E>>, core: usize, unshown: Rc<Cell<bool>>) -> Self {
        let Numbered { source, next_seq } = bus.resting(core).take(&bus, core);
        let publisher = Self {
            core,
            epoch: bus.epoch(),
            next_seq: Cell::new(next_seq),
            version: Cell::new(source.version),
            unheard_at: Cell::new(unheard_at(&source)),
            unshown,
            source: RefCell::new(Some(source)),
            bus,
        };
        // Who has left while no core could be asked is let go of.
        publisher.refresh_if_stale();
        publisher
    }

    /// Has the events learn their routes.
    pub(crate) fn route_by(&self, routing: Routing<E>) {
        self.bus.route_by(routing);
    }

    /// Whether an event would go anywhere: a subscriber, the retained events.
    #[inline]
    pub(crate) fn is_wanted(&self) -> bool {
        // The one load that publishing costs when nobody listens. Relaxed: a subscription that was made
        // before this event was caused is ordered by whatever carried the cause here.
        let version = self.bus.version.load(Ordering::Relaxed);
        if version == self.unheard_at.get() {
            return false;
        }
        if version != self.version.get() {
            self.refresh();
        }
        self.unheard_at.get() == NEVER
    }

    /// Publishes to everyone whose filter wants it.
    #[expect(clippy::inline_always, reason = "a copy of the event costs more than the rest")]
    #[inline(always)]
    pub(crate) fn publish(&self, event: E) -> Position {
        // Asked first: a subscriber that is taken over now gets this event.
        let wanted = self.is_wanted();
        let position = self.take_position();
        if wanted {
            self.publish_to_all(position.seq, event);
        } else if std::mem::needs_drop::<E>() {
            drop_quietly(event);
        }
        position
    }

    /// Up to the stage, where the event is written once.
    #[expect(clippy::inline_always, reason = "as above")]
    #[inline(always)]
    fn publish_to_all(&self, seq: u64, event: E) {
        self.unshown.set(true);
        if let Some(source) = &mut *self.source.borrow_mut() {
            source.publish(&self.bus, seq, event);
        }
    }

    /// The same for an event that is built only when somebody wants it.
    #[inline]
    pub(crate) fn publish_with(&self, event: impl FnOnce() -> E) -> Position {
        if self.is_wanted() {
            // Built before it has a number: what panics here leaves no hole.
            return self.publish(event());
        }
        self.take_position()
    }

    fn take_position(&self) -> Position {
        let seq = self.next_seq.get();
        self.next_seq.set(seq + 1);
        Position { core: self.core, epoch: self.epoch, seq }
    }

    fn refresh_if_stale(&self) {
        if self.bus.version.load(Ordering::Relaxed) != self.version.get() {
            self.refresh();
        }
    }

    #[cold]
    #[inline(never)]
    fn refresh(&self) {
        let gone = self.with(|source| {
            let gone = source.refresh(&self.bus, self.next_seq.get());
            self.version.set(source.version);
            self.unheard_at.set(unheard_at(source));
            gone
        });
        gone.into_iter().for_each(drop_quietly);
    }

    /// Filters, copies and drops run in here. They have no way to a `Ctx`, but may answer somebody, which shows events.
    fn with<R: Default>(&self, call: impl FnOnce(&mut Source<E>) -> R) -> R {
        self.source.borrow_mut().as_mut().map_or_else(R::default, call)
    }

    /// Lets go of subscribers that have gone, also when nothing is published.
    pub(super) fn reap(&self) {
        self.refresh();
    }

    pub(super) fn fetch(&self, fetch: &Fetch<E>) -> Option<Found<E>> {
        self.refresh_if_stale();
        self.with(|source| {
            let found = source.fetch(&self.bus, self.next_seq.get(), fetch);
            self.unheard_at.set(unheard_at(source));
            Some(found)
        })
    }
}

impl<E: Send + Clone + 'static> Flush for CorePublisher<E> {
    fn show(&self, log_waits: bool) {
        match self.source.try_borrow_mut() {
            Ok(mut source) => {
                if let Some(source) = &mut *source {
                    source.show(&self.bus, self.next_seq.get(), log_waits);
                }
            }
            // A filter, a copy or a drop of this very publisher answers somebody.
            Err(_) => self.unshown.set(true),
        }
    }

    fn pass_on(&self) {
        match self.source.try_borrow_mut() {
            Ok(mut source) => {
                if let Some(source) = &mut *source {
                    source.pass_on(&self.bus);
                }
            }
            // As above; the end of the turn does it.
            Err(_) => self.unshown.set(true),
        }
    }

    fn flush(&self) {
        self.with(|source| source.flush(&self.bus, self.next_seq.get()));
    }

    fn end(&self) {
        if let Some(mut source) = self.source.take() {
            source.flush(&self.bus, self.next_seq.get());
            let numbered = Numbered { source, next_seq: self.next_seq.get() };
            self.bus.resting(self.core).put(numbered);
            // Who has left and asked a core that does not answer any more is let go of.
            self.bus.refresh_resting(self.core);
        }
    }
}

impl<E: Send + Clone + 'static> Drop for CorePublisher<E> {
    fn drop(&mut self) {
        self.end();
    }
}
