//! Publishing from outside of the cores.

use std::fmt;
use std::sync::Arc;

use super::enrich::{Enrich, Routing};
use super::position::Position;
use super::registry::Bus;

/// Publishes events of type `E` from Tokio or any other thread; made by
/// [`System::publisher`](crate::System::publisher).
///
/// All publishers of a type that are not a core's own share one sequence of positions, whose
/// [`core`](Position::core) is the number of cores. They take turns, so this is for control-plane events; a
/// handler publishes through its `Ctx`.
pub struct Publisher<E> {
    bus: Arc<Bus<E>>,
}

/// The system has shut down; here is the event.
#[derive(Clone, PartialEq, Eq, thiserror::Error)]
#[error("the system has shut down, and nobody receives events any more")]
pub struct PublishError<E>(pub E);

impl<E> fmt::Debug for PublishError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PublishError(..)")
    }
}

impl<E: Send + Clone + 'static> Publisher<E> {
    pub(crate) fn new(bus: Arc<Bus<E>>) -> Self {
        Self { bus }
    }

    /// Has the events learn their [routes](Enrich), also when no actor publishes them.
    #[must_use]
    pub fn with_routes(self) -> Self
    where
        E: Enrich,
    {
        self.bus.route_by(Routing::of());
        self
    }

    /// Publishes to everyone whose filter wants it, and wakes them. First come, first served, it waits for others like this
    /// one that are publishing right now, and for subscribers that [catch up](super::Events::from) or
    /// [replay](super::Subscription::replay) with what was published like this: each has it for 200 µs or one call of its
    /// filter at a time. So filters, copies and wakers may publish events of the same type, which come after this one,
    /// and must not publish those of another type whose filters publish this one's.
    ///
    /// Events are taken until the system [shuts down](crate::System::shutdown).
    ///
    /// # Errors
    ///
    /// The event, when the system has shut down: then it was not published, and nobody misses it.
    pub fn publish(&self, event: E) -> Result<Position, PublishError<E>> {
        let core = self.bus.cores.len();
        let published = self.bus.resting(core).publish(&self.bus, core, event);
        let seq = published.map_err(PublishError)?;
        Ok(Position { core, epoch: self.bus.epoch(), seq })
    }
}

impl<E> Clone for Publisher<E> {
    fn clone(&self) -> Self {
        Self { bus: Arc::clone(&self.bus) }
    }
}

impl<E> fmt::Debug for Publisher<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Publisher").field("event", &std::any::type_name::<E>()).finish()
    }
}
