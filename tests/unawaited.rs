//! Actors whose start nobody waits for: they start all the same, and have all that others have.

mod until;

use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::Duration;

use tpc_actors::prelude::*;
use until::until;

const LONG: Duration = Duration::from_secs(20);

#[core_actor]
struct Gate;

#[core_actor]
impl Gate {
    #[init]
    fn new() -> Self {
        Self
    }

    #[handler]
    fn number(&self) -> u32 {
        7
    }

    /// Keeps the core busy until the sender is gone.
    #[handler(tell)]
    fn hold(&mut self, begun: Sender<()>, until: Receiver<()>) {
        begun.send(()).unwrap();
        let _ = until.recv();
    }
}

/// Begins a start, and finds the actor.
fn unawaited(system: &System) -> GateClient {
    drop(system.spawner().name("gate").spawn::<Gate>(()));
    let mut gate = None;
    until("the actor", || {
        gate = system.find::<Gate>("gate").filter(|gate| gate.number().wait().is_ok());
        gate.is_some()
    });
    gate.unwrap()
}

#[test]
fn it_is_listed_and_stops_when_it_is_told_to() {
    let system = System::builder().cores(1).start().unwrap();
    let gate = unawaited(&system);
    assert_eq!(system.actors()[0].given_name(), Some("gate"));
    system.stop(&gate).wait();
    drop(gate);
    assert!(system.spawner().name("gate").spawn::<Gate>(()).wait().is_ok(), "the name is free");
    assert!(system.shutdown_wait(LONG).is_clean());
}

#[test]
fn who_asks_it_is_refused_when_its_core_does_not_come_to_its_end() {
    let system = System::builder().cores(1).start().unwrap();
    let gate = unawaited(&system);
    let (begun, has_begun) = channel();
    let (go, until) = channel::<()>();
    gate.hold(begun, until).now().unwrap();
    has_begun.recv().unwrap();
    let ask = gate.number().now().unwrap();
    let report = system.shutdown_wait(Duration::from_millis(50));
    assert_eq!(report.stuck_threads(), ["tpc-core-0"]);
    let refused = ask.deadline(LONG).wait();
    assert!(matches!(refused, Err(AskError::CoreLost { started: false })), "{refused:?}");
    drop(go);
}

/// Has two shards, of which the second one does not start.
#[core_actor]
struct Half(Sender<()>);

#[core_actor]
impl Half {
    #[init]
    fn new(shard: usize, gone: Sender<()>) -> Result<Self, String> {
        if shard == 1 { Err("not this one".to_owned()) } else { Ok(Self(gone)) }
    }

    #[handler]
    fn number(&self, #[key] key: u64) -> u64 {
        key
    }

    #[on_stop]
    fn gone(&mut self) {
        self.0.send(()).unwrap();
    }
}

#[test]
fn half_an_actor_does_not_go_on() {
    let system = System::builder().cores(2).start().unwrap();
    let (gone, is_gone) = channel();
    let half = || {
        let gone = gone.clone();
        system.spawner().name("half").spawn_sharded::<Half>(2, move |shard| (shard, gone.clone()))
    };
    drop(half());
    is_gone.recv_timeout(LONG).unwrap();
    until("the name", || matches!(half().wait(), Err(SpawnError::Init { .. })));
    assert!(system.actors().iter().all(|actor| actor.shard() == 0), "what failed is not listed");
    assert!(system.shutdown_wait(LONG).is_clean());
}

/// A start that is still under way when its system ends, and nobody waits for.
#[core_actor]
struct Slow;

#[core_actor]
impl Slow {
    #[init]
    fn new(begun: Sender<()>) -> Self {
        begun.send(()).unwrap();
        thread::sleep(Duration::from_millis(20));
        Self
    }

    #[handler]
    fn number(&self) -> u32 {
        7
    }
}

#[test]
fn an_end_comes_while_it_starts() {
    let system = System::builder().cores(1).start().unwrap();
    let (begun, has_begun) = channel();
    drop(system.spawn::<Slow>(begun));
    has_begun.recv().unwrap();
    assert!(system.actors().is_empty(), "it has not started");
    assert!(system.shutdown_wait(LONG).is_clean());
    assert_eq!(system.actors().len(), 1);
}
