//! Events that learn their routes from earlier ones.

use std::time::Duration;

use tpc_actors::bus::{Enrich, Start, Subscription};
use tpc_actors::prelude::*;

#[derive(Clone, Debug, PartialEq)]
enum Packet {
    Login { connection: u32, user: &'static str },
    Data { connection: u32, user: Option<&'static str> },
    Logout { connection: u32 },
}

impl Enrich for Packet {
    type Key = u32;
    type Route = &'static str;
    const ROUTES_MAX: usize = 3;

    fn binding(&self) -> Option<(u32, &'static str)> {
        match self {
            Self::Login { connection, user } => Some((*connection, user)),
            _ => None,
        }
    }

    fn unbinding(&self) -> Option<u32> {
        match self {
            Self::Logout { connection } => Some(*connection),
            _ => None,
        }
    }

    fn unrouted(&self) -> Option<u32> {
        match self {
            Self::Data { connection, user: None } => {
                assert_ne!(*connection, 666, "a routing that panics");
                Some(*connection)
            }
            _ => None,
        }
    }

    fn set_route(&mut self, route: &'static str) {
        if let Self::Data { user, .. } = self {
            *user = Some(route);
        }
    }
}

#[core_actor(event = Packet)]
struct Gate;

#[core_actor]
impl Gate {
    #[init]
    fn new() -> Self {
        Self
    }

    #[handler]
    fn login(&mut self, cx: &mut Ctx<Self>, connection: u32, user: &'static str) {
        cx.publish(Packet::Login { connection, user });
    }

    #[handler]
    fn data(&mut self, cx: &mut Ctx<Self>, connection: u32) {
        cx.publish_with(|| Packet::Data { connection, user: None });
    }

    #[handler]
    fn logout(&mut self, cx: &mut Ctx<Self>, connection: u32) {
        cx.publish(Packet::Logout { connection });
    }

    #[handler]
    fn fail(&mut self) {
        panic!("as it is told to");
    }
}

fn stop(system: &System) {
    drop(system.shutdown_wait(Duration::from_secs(10)));
}

/// The users of data.
fn users_of(deliveries: impl Iterator<Item = Delivery<Packet>>) -> Vec<Option<&'static str>> {
    deliveries
        .filter_map(|delivery| match delivery {
            Delivery::Event { event: Packet::Data { user, .. }, .. } => Some(user),
            _ => None,
        })
        .collect()
}

/// Those of the data that has arrived.
fn users(events: &mut Subscription<Packet>) -> Vec<Option<&'static str>> {
    users_of(std::iter::from_fn(|| events.try_next()))
}

#[test]
fn a_route_is_known_to_filters_and_to_whoever_looks_back() {
    let system = System::builder().cores(1).start().unwrap();
    let gate = system.spawn::<Gate>(()).wait().unwrap();
    // Learned although nobody listens yet.
    gate.login(1, "ada").wait().unwrap();
    let of_ada = |packet: &Packet| matches!(packet, Packet::Data { user: Some("ada"), .. });
    let mut ada = system.events::<Packet>().filter(of_ada).retain(100).subscribe();
    gate.login(2, "bob").wait().unwrap();
    for connection in [1, 2, 3, 1] {
        gate.data(connection).wait().unwrap();
    }
    assert_eq!(users(&mut ada), [Some("ada"); 2]);
    gate.login(2, "ada").wait().unwrap();
    gate.data(2).wait().unwrap();
    assert_eq!(users(&mut ada), [Some("ada")], "a binding replaces the one before");
    gate.logout(1).wait().unwrap();
    gate.data(1).wait().unwrap();
    assert_eq!(users(&mut ada), []);
    // A restarted actor goes on with the routes of its core.
    gate.fail().wait().unwrap_err();
    gate.data(2).wait().unwrap();
    assert_eq!(users(&mut ada), [Some("ada")]);
    let mut all = system.events::<Packet>().from(Start::Oldest).cores([0]).subscribe();
    stop(&system);
    // As they were published: those that are kept have their routes as well.
    let kept = users_of(std::iter::from_fn(|| all.next_wait()));
    let of_ada = kept.iter().filter(|user| **user == Some("ada")).count();
    assert_eq!((kept.first(), of_ada), (Some(&Some("ada")), 4), "{kept:?}");
}

#[test]
fn the_least_recently_used_route_is_forgotten_and_counted() {
    let system = System::builder().cores(1).start().unwrap();
    let gate = system.spawn::<Gate>(()).wait().unwrap();
    let mut events = system.events::<Packet>().subscribe();
    for (connection, user) in [(1, "ada"), (2, "bob"), (3, "cyd")] {
        gate.login(connection, user).wait().unwrap();
    }
    gate.data(1).wait().unwrap();
    gate.login(4, "dee").wait().unwrap();
    for connection in [1, 2, 3, 4] {
        gate.data(connection).wait().unwrap();
    }
    assert_eq!(users(&mut events), [Some("ada"), Some("ada"), None, Some("cyd"), Some("dee")]);
    let source = system.event_sources::<Packet>()[0];
    assert_eq!((source.routes, source.routes_evicted), (3, 1));
    // A routing that panics costs its event the route, and nobody anything else.
    gate.data(666).wait().unwrap();
    gate.data(4).wait().unwrap();
    assert_eq!(users(&mut events), [None, Some("dee")]);
    stop(&system);
}

#[test]
fn each_core_learns_for_itself_and_so_do_publishers_outside() {
    let system = System::builder().cores(2).start().unwrap();
    let gates: Vec<_> = (0..2).map(|_| system.spawn::<Gate>(()).wait().unwrap()).collect();
    let mut events = system.events::<Packet>().subscribe();
    gates[0].login(1, "ada").wait().unwrap();
    gates[0].data(1).wait().unwrap();
    gates[1].data(1).wait().unwrap();
    let outside = system.publisher::<Packet>();
    outside.publish(Packet::Data { connection: 1, user: None }).unwrap();
    let mut seen = users(&mut events);
    seen.sort_unstable();
    assert_eq!(seen, [None, None, Some("ada")]);
    outside.publish(Packet::Login { connection: 1, user: "eve" }).unwrap();
    outside.publish(Packet::Data { connection: 1, user: None }).unwrap();
    assert_eq!(users(&mut events), [Some("eve")]);
    stop(&system);
}

/// Comes from somebody who is known, perhaps, and makes somebody else known.
#[derive(Clone, Debug, PartialEq)]
struct Invitation {
    from: u32,
    by: Option<&'static str>,
    to: u32,
    name: &'static str,
}

impl Enrich for Invitation {
    type Key = u32;
    type Route = &'static str;

    fn binding(&self) -> Option<(u32, &'static str)> {
        Some((self.to, self.name))
    }

    fn unrouted(&self) -> Option<u32> {
        self.by.is_none().then_some(self.from)
    }

    fn set_route(&mut self, route: &'static str) {
        self.by = Some(route);
    }
}

#[test]
fn an_event_that_tells_of_a_route_learns_its_own() {
    let system = System::builder().cores(1).start().unwrap();
    let publisher = system.publisher::<Invitation>().with_routes();
    let mut events = system.events::<Invitation>().subscribe();
    let invite = |from, to, name| Invitation { from, by: None, to, name };
    for invitation in [invite(0, 1, "ada"), invite(1, 2, "bob"), invite(2, 2, "eve")] {
        publisher.publish(invitation).unwrap();
    }
    let mut by = || match events.next_wait() {
        Some(Delivery::Event { event, .. }) => event.by,
        other => panic!("{other:?}"),
    };
    // Before it tells of another one with the same key.
    assert_eq!([by(), by(), by()], [None, Some("ada"), Some("bob")]);
    system.shutdown_wait(Duration::from_secs(5));
}
