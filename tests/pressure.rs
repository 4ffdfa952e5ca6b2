//! How full lanes are, as their senders and status pages see it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use tpc_actors::bridge::{BridgeConfig, BridgeError, Pressure, Thresholds, channel};
use tpc_actors::prelude::*;

const LONG: Duration = Duration::from_mins(1);

/// Takes nothing while its door is shut.
#[core_actor(capacity = 20)]
struct Door {
    open: Arc<AtomicBool>,
}

#[core_actor]
impl Door {
    #[init]
    fn new(open: Arc<AtomicBool>) -> Self {
        Self { open }
    }

    #[handler(tell)]
    fn pass(&self) {
        while !self.open.load(Ordering::Acquire) {
            thread::yield_now();
        }
    }
}

#[core_actor(
    capacity = 20,
    pressure(
        throttle_enter_percent = 25,
        throttle_leave_percent = 5,
        suspend_enter_percent = 50,
        suspend_leave_percent = 30
    )
)]
struct Nervous {
    open: Arc<AtomicBool>,
}

#[core_actor]
impl Nervous {
    #[init]
    fn new(open: Arc<AtomicBool>) -> Self {
        Self { open }
    }

    #[handler(tell)]
    fn pass(&self) {
        while !self.open.load(Ordering::Acquire) {
            thread::yield_now();
        }
    }
}

/// Sends until there is no room, and says what the pressure was with how many in the lane.
fn fill(client: &impl ActorClient, mut send: impl FnMut() -> bool) -> Vec<Pressure> {
    let mut levels = Vec::new();
    while send() {
        levels.push(client.pressure());
    }
    levels
}

/// Where the level changes.
fn changes(levels: &[Pressure]) -> Vec<(usize, Pressure)> {
    let mut last = Pressure::Normal;
    let mut changes = Vec::new();
    for (sent, level) in (1..).zip(levels) {
        if *level != last {
            changes.push((sent, *level));
            last = *level;
        }
    }
    changes
}

/// Nobody sends, and the level falls by itself.
fn falls(client: &impl ActorClient) {
    while client.pressure() != Pressure::Normal {
        thread::yield_now();
    }
}

#[test]
fn a_lane_is_throttled_at_85_percent_and_suspended_at_95() {
    let system = System::builder().cores(1).start().unwrap();
    let open = Arc::<AtomicBool>::default();
    let door = system.spawn::<Door>(Arc::clone(&open)).wait().unwrap();
    assert_eq!(door.pressure(), Pressure::Normal, "nothing was ever sent");
    // The first one is with its handler, and its place is free only when the run ends: so count from there.
    let levels = fill(&door, || door.pass().now().is_ok());
    let found = changes(&levels);
    assert_eq!(
        found.iter().map(|(_, level)| *level).collect::<Vec<_>>(),
        [Pressure::Throttled, Pressure::Suspended]
    );
    // 17 and 19 of 20, and up to one that has left the lane.
    assert!((17..=18).contains(&found[0].0) && (19..=20).contains(&found[1].0), "{found:?}");
    assert_eq!(system.actors()[0].pressure(), Pressure::Suspended);
    open.store(true, Ordering::Release);
    falls(&door);
    assert_eq!(system.actors()[0].pressure(), Pressure::Normal);
    assert!(system.shutdown_wait(LONG).is_clean());
}

#[test]
fn each_lane_has_its_own_level() {
    let system = System::builder().cores(1).start().unwrap();
    let open = Arc::<AtomicBool>::default();
    let door = system.spawn::<Door>(Arc::clone(&open)).wait().unwrap();
    let ordered = door.ordered();
    assert_eq!(ordered.pressure(), Pressure::Normal, "it has no lane yet");
    fill(&ordered, || ordered.pass().now().is_ok());
    assert_eq!(ordered.pressure(), Pressure::Suspended);
    assert_eq!(ordered.clone().pressure(), Pressure::Suspended, "clones share the lane");
    assert_eq!(door.pressure(), Pressure::Normal, "the visitors' lane is empty");
    let registered = door.clone();
    thread::spawn(move || {
        tpc_actors::register_thread();
        assert_eq!(registered.pressure(), Pressure::Normal);
        fill(&registered, || registered.pass().now().is_ok());
        assert_eq!(registered.pressure(), Pressure::Suspended);
    })
    .join()
    .unwrap();
    open.store(true, Ordering::Release);
    falls(&ordered);
    assert!(system.shutdown_wait(LONG).is_clean());
}

#[test]
fn the_levels_are_the_actors_to_choose() {
    let system = System::builder().cores(1).start().unwrap();
    let open = Arc::<AtomicBool>::default();
    let nervous = system.spawn::<Nervous>(Arc::clone(&open)).wait().unwrap();
    let found = changes(&fill(&nervous, || nervous.pass().now().is_ok()));
    assert!((5..=6).contains(&found[0].0) && (10..=11).contains(&found[1].0), "{found:?}");
    open.store(true, Ordering::Release);
    falls(&nervous);
    assert!(system.shutdown_wait(LONG).is_clean());
}

/// Both ends of a bridge see the levels that were chosen for it, which fall as it is drained.
#[test]
fn the_levels_of_a_bridge_are_its_owners_to_choose() {
    let thresholds = Thresholds {
        throttle_enter_percent: 25,
        throttle_leave_percent: 5,
        suspend_enter_percent: 50,
        suspend_leave_percent: 30,
    };
    let config = BridgeConfig::new(64, 64).thresholds(thresholds);
    let (mut control, data) = channel::<u64, u64>(config).unwrap();
    let mut data = data.pin();
    let mut levels = vec![];
    for n in 0..40 {
        control.try_send(n).unwrap();
        levels.push(control.pressure());
    }
    // A quarter of 64, and a half.
    assert_eq!(changes(&levels), [(16, Pressure::Throttled), (32, Pressure::Suspended)]);
    let mut requests = Vec::new();
    // Nobody sends. 30 percent are 19.2 items, and 5 percent 3.2.
    for (taken, left, level) in [
        (20, 20, Pressure::Suspended),
        (1, 19, Pressure::Throttled),
        (15, 4, Pressure::Throttled),
        (1, 3, Pressure::Normal),
    ] {
        assert_eq!(data.drain(&mut requests, taken), taken);
        assert_eq!(control.pressure(), level, "{left} are left");
    }

    for unsound in [
        Thresholds { throttle_leave_percent: 25, ..thresholds },
        Thresholds { suspend_enter_percent: 101, ..thresholds },
        Thresholds { throttle_enter_percent: 60, ..thresholds },
    ] {
        let refused = channel::<u64, u64>(BridgeConfig::new(64, 64).thresholds(unsound));
        assert_eq!(refused.err(), Some(BridgeError::Thresholds(unsound)));
    }
}
