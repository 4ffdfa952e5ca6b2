//! Routes that events learn from other events.
//!
//! Some events name what they are about only by a key, and what a subscriber filters by is known from an
//! earlier one: a connection's events carry its number, and only the login tells the user. Such an event
//! type implements [`Enrich`], and the bus puts the route into each event before filters see it.

use std::fmt;
use std::hash::Hash;
use std::num::NonZeroUsize;

use lru::LruCache;

/// An event type whose routes are learned.
///
/// An actor that publishes it (`#[core_actor(event = E)]`) needs nothing else, unless the event is a type parameter of
/// the actor: what the parameter stands for is not known where the actor is written, so its events are learned from
/// only when another actor publishes them by name, or a publisher [with routes](super::Publisher::with_routes) is made.
/// Each core learns from the events that are published there, in their order; what one core has learned, the others do
/// not know. A restarted actor goes on with the routes of its core. Publishers outside of the cores have routes of
/// their own.
///
/// ```
/// # use std::time::Duration;
/// use tpc_actors::bus::Enrich;
/// use tpc_actors::prelude::*;
///
/// #[derive(Clone, Debug, PartialEq)]
/// enum Packet {
///     Login { connection: u32, user: String },
///     Data { connection: u32, user: Option<String>, bytes: Vec<u8> },
/// }
///
/// impl Enrich for Packet {
///     type Key = u32;
///     type Route = String;
///
///     fn binding(&self) -> Option<(u32, String)> {
///         match self {
///             Self::Login { connection, user } => Some((*connection, user.clone())),
///             Self::Data { .. } => None,
///         }
///     }
///
///     fn unrouted(&self) -> Option<u32> {
///         match self {
///             Self::Data { connection, user: None, .. } => Some(*connection),
///             _ => None,
///         }
///     }
///
///     fn set_route(&mut self, route: String) {
///         if let Self::Data { user, .. } = self {
///             *user = Some(route);
///         }
///     }
/// }
///
/// # let system = System::builder().cores(1).start()?;
/// let publisher = system.publisher::<Packet>().with_routes();
/// let of_ada = |packet: &Packet| matches!(packet, Packet::Data { user: Some(user), .. } if user == "ada");
/// let mut data = system.events().filter(of_ada).subscribe();
/// publisher.publish(Packet::Login { connection: 7, user: "ada".to_owned() })?;
/// publisher.publish(Packet::Data { connection: 7, user: None, bytes: vec![1] })?;
/// assert!(matches!(data.try_next(), Some(Delivery::Event { .. })));
/// # system.shutdown_wait(Duration::from_secs(1));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not say how its routes are learned",
    note = "implement `tpc_actors::bus::Enrich` for `{Self}`"
)]
pub trait Enrich: Sized {
    /// What events name their subject by.
    type Key: Hash + Eq + Send + 'static;
    /// What is learned about it.
    type Route: Clone + Send + 'static;

    /// Routes that each core remembers, at least 1; beyond that it forgets the one that was used least recently.
    const ROUTES_MAX: usize = 65_536;

    /// What this event teaches, if anything. It replaces what was known of the key.
    fn binding(&self) -> Option<(Self::Key, Self::Route)>;

    /// The key whose route is to be forgotten after this event.
    fn unbinding(&self) -> Option<Self::Key> {
        None
    }

    /// The key of an event that lacks its route.
    fn unrouted(&self) -> Option<Self::Key>;

    /// Takes the route of its key. Not called when that is unknown.
    fn set_route(&mut self, route: Self::Route);
}

/// How the events of a type get their routes, without the type's bounds.
pub struct Routing<E>(fn() -> Box<dyn Router<E>>);

impl<E> Clone for Routing<E> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<E> Copy for Routing<E> {}

impl<E> fmt::Debug for Routing<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Routing")
    }
}

impl<E: Enrich + 'static> Routing<E> {
    /// As the type says.
    #[must_use]
    pub const fn of() -> Self {
        Self(|| Box::new(Routes::<E>::new()))
    }
}

impl<E> Routing<E> {
    pub(super) fn router(self) -> Box<dyn Router<E>> {
        (self.0)()
    }
}

/// What a source knows of routes.
pub(super) trait Router<E>: Send {
    /// Learns from the event, or tells it its route.
    fn enrich(&mut self, event: &mut E);
    /// Routes that are known, and those that were forgotten for others.
    fn counts(&self) -> (usize, u64);
}

struct Routes<E: Enrich> {
    known: LruCache<E::Key, E::Route>,
    evicted: u64,
}

impl<E: Enrich> Routes<E> {
    fn new() -> Self {
        let max = const {
            NonZeroUsize::new(E::ROUTES_MAX)
                .expect("`ROUTES_MAX` is 0, so that nothing could be learned; write at least 1")
        };
        // Memory is taken as it is needed, up to the bound.
        let mut known = LruCache::unbounded();
        known.resize(max);
        Self { known, evicted: 0 }
    }
}

impl<E: Enrich + 'static> Router<E> for Routes<E> {
    fn enrich(&mut self, event: &mut E) {
        if let Some(key) = event.unrouted()
            && let Some(route) = self.known.get(&key)
        {
            event.set_route(route.clone());
        }
        if let Some((key, route)) = event.binding() {
            let full = self.known.len() == self.known.cap().get();
            self.evicted += u64::from(full && !self.known.contains(&key));
            self.known.push(key, route);
        }
        if let Some(key) = event.unbinding() {
            self.known.pop(&key);
        }
    }

    fn counts(&self) -> (usize, u64) {
        (self.known.len(), self.evicted)
    }
}
