//! A core without a thread: the test turns it by hand, with a clock of its own.

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use super::cell::ActorCell;
use super::incidents::CorePolicy;
use super::local::CoreLocal;
use super::shared::CoreShared;
use super::{Budget, Core, IDLE_TURNS_MAX, OnCore, PATIENCE_MAX};
use crate::bridge::doorbell::Doorbell;
use crate::bus::BusRegistry;
use crate::client::Client;
use crate::clock::Clock;
use crate::keeper::Keeper;
use crate::mailbox::Mailbox;
use crate::mailbox::orphan::Kept;
use crate::offload::Offload;
use crate::placement::{CpuSet, Home};
use crate::prelude::*;
use crate::sim::VirtualClock;

/// Counts its rings; nobody ever sleeps on it.
#[derive(Debug, Default)]
struct CountingDoorbell(AtomicUsize);

impl Doorbell for CountingDoorbell {
    fn ring(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    fn wait(&self, _timeout: Option<Duration>) -> bool {
        true
    }
}

#[core_actor(capacity = 1000, supervise(max = 1, within = "1s", backoff = "10ms..10ms"))]
struct Ticker {
    ticks: u32,
}

#[core_actor]
impl Ticker {
    #[init]
    fn new() -> Self {
        Self { ticks: 0 }
    }

    #[every("20ms")]
    fn tick(&mut self) {
        self.ticks += 1;
    }

    #[handler]
    fn ticks(&self) -> u32 {
        self.ticks
    }

    #[handler(tell)]
    fn fail(&self) {
        panic!("a test's panic");
    }

    #[handler(tell)]
    fn run(&self, what: Box<dyn FnOnce() + Send>) {
        what();
    }
}

struct Bench {
    clock: Arc<VirtualClock>,
    doorbell: Arc<CountingDoorbell>,
    core: Core,
    ticker: TickerClient,
    /// After the core, which leaves its actors for another thread when it is dropped unfinished.
    _orphans: Orphans,
}

struct Orphans(Arc<CoreShared>);

impl Drop for Orphans {
    fn drop(&mut self) {
        self.0.abandon_orphans();
    }
}

fn bench() -> Bench {
    let clock = Arc::<VirtualClock>::default();
    let doorbell = Arc::<CountingDoorbell>::default();
    let shared = CoreShared::new(u64::MAX, 0, Home::Anywhere, Arc::clone(&doorbell) as _, None);
    let offload = Arc::new(Offload::new(None, CpuSet::default()));
    let bus = Arc::new(BusRegistry::new(std::slice::from_ref(&shared)));
    let time = Arc::clone(&clock) as Arc<dyn Clock>;
    let local = CoreLocal::new(Arc::clone(&shared), Arc::clone(&time), 1, 16, offload, bus);
    let mut core = Core::new(local, &CorePolicy::default());
    let orphans = Orphans(Arc::clone(&shared));
    let mailbox = Mailbox::<Ticker>::new(shared, Keeper::new(time), 0).unwrap();
    let local = std::rc::Rc::clone(&core.local);
    let cell = {
        let kept = Kept { make_args: Box::new(|| ()), on_progress: None };
        ActorCell::start(0, &local, Arc::clone(&mailbox), kept)
    }
    .unwrap();
    mailbox.cell.set(0).unwrap();
    core.add(0, cell);
    let ticker = TickerClient::from(Client::new(vec![mailbox]));
    Bench { clock, doorbell, core, ticker, _orphans: orphans }
}

impl Bench {
    fn turn(&mut self) -> super::Turn {
        let _on_core = OnCore::enter(u64::MAX);
        self.core.turn(self.clock.now(), &Budget::default())
    }

    /// Turns the core until it has nothing left to do; how often.
    fn settle(&mut self) -> usize {
        for turns in 1..10_000 {
            let turn = self.turn();
            if !turn.more && turn.ran == 0 {
                return turns;
            }
        }
        panic!("the core never comes to rest");
    }

    fn ticks(&mut self) -> u32 {
        // Requests come before timers within a turn, so what is due runs in a turn of its own.
        self.settle();
        let ticker = self.ticker.clone();
        let mut ask = pin!(ticker.ticks());
        let mut context = Context::from_waker(Waker::noop());
        assert!(ask.as_mut().poll(&mut context).is_pending());
        self.settle();
        match ask.as_mut().poll(&mut context) {
            Poll::Ready(ticks) => ticks.unwrap(),
            Poll::Pending => panic!("a settled core has answered"),
        }
    }
}

#[test]
fn time_passes_only_when_the_clock_says_so() {
    let mut bench = bench();
    assert_eq!(bench.ticks(), 0);
    for expected in 1..=3 {
        bench.clock.advance(Duration::from_millis(20));
        assert_eq!(bench.ticks(), expected);
        assert_eq!(bench.ticks(), expected);
    }
    // Ticks that were missed are skipped, and the next one stays on the grid.
    bench.clock.advance(Duration::from_millis(70));
    assert_eq!(bench.ticks(), 4);
    let next = bench.turn().next_deadline.unwrap();
    assert_eq!(next.duration_since(bench.clock.epoch()), Duration::from_millis(140));
}

#[test]
fn a_restart_waits_for_its_backoff_and_keeps_the_queue() {
    let mut bench = bench();
    bench.clock.advance(Duration::from_millis(20));
    assert_eq!(bench.ticks(), 1);
    bench.ticker.fail().now().unwrap();
    let behind = bench.ticker.clone();
    let mut behind = pin!(behind.ticks());
    let mut context = Context::from_waker(Waker::noop());
    assert!(behind.as_mut().poll(&mut context).is_pending());
    bench.settle();
    assert!(behind.as_mut().poll(&mut context).is_pending(), "held until the restart");
    bench.clock.advance(Duration::from_millis(10));
    bench.settle();
    assert_eq!(behind.as_mut().poll(&mut context).map(Result::unwrap), Poll::Ready(0));
}

#[test]
fn a_turn_is_bounded_and_says_that_there_is_more() {
    let mut bench = bench();
    let ticker = bench.ticker.clone();
    let asks: Vec<_> = (0..1000).map(|_| ticker.ticks().now().unwrap()).collect();
    let turn = bench.turn();
    assert!(turn.more && turn.ran <= Budget::default().turn_messages, "{turn:?}");
    assert!(!bench.core.try_park(), "a core that knows of work does not sleep");
    bench.settle();
    assert!(bench.core.try_park());
    drop(asks);
}

/// A turn costs as much as many quick messages, so what nobody waits for goes on; who does wait for its end waits until the
/// next pause.
#[test]
fn a_turn_goes_on_for_tells_and_not_for_whom_its_end_is_awaited() {
    let mut bench = bench();
    let (ticker, other) = (bench.ticker.ordered(), bench.ticker.ordered());
    let tells = |count: u32| (0..count).for_each(|_| ticker.run(Box::new(|| {})).now().unwrap());
    tells(1000);
    assert_eq!(bench.turn().ran, 1000);
    let ask = ticker.ticks().now().unwrap();
    tells(999);
    assert_eq!(bench.turn().ran, Budget::default().turn_messages, "somebody was answered");
    bench.settle();
    drop(ask);
    tells(1000);
    bench.clock.advance(Duration::from_millis(20));
    assert_eq!(bench.turn().ran, Budget::default().turn_messages + 1, "a timer is due");
    bench.settle();
    tells(900);
    other.run(Box::new(|| {})).now().unwrap();
    assert!(bench.turn().ran < 900, "another lane has its turn");
    bench.settle();
    assert!(bench.core.try_park(), "no lane is polled any more");
    bench.core.local.shared.bell.sleep(None);
    tells(300);
    ticker.run(Box::new(move || other.run(Box::new(|| {})).now().unwrap())).now().unwrap();
    tells(600);
    let ran = bench.turn().ran;
    assert!((301..=364).contains(&ran), "{ran}: somebody came meanwhile");
    bench.settle();
}

/// Slow messages end a turn early, and those behind them are there already.
#[test]
fn a_core_is_not_patient_while_many_wait() {
    let mut bench = bench();
    for _ in 0..400 {
        let clock = Arc::clone(&bench.clock);
        let slow = move || clock.advance(Duration::from_micros(100));
        bench.ticker.run(Box::new(slow)).now().unwrap();
    }
    let turn = bench.turn();
    assert!(turn.ran < PATIENCE_MAX && turn.more && !turn.patient, "{turn:?}");
    bench.settle();
}

#[test]
fn the_doorbell_rings_once_a_sleep_and_never_while_the_core_is_awake() {
    let mut bench = bench();
    assert_eq!(bench.ticks(), 0);
    assert_eq!(bench.doorbell.0.load(Ordering::Relaxed), 0, "awake from the start");
    for sleeps in 1..=10 {
        bench.settle();
        assert!(bench.core.try_park());
        let ticker = bench.ticker.clone();
        let asks: Vec<_> = (0..10).map(|_| ticker.ticks().now().unwrap()).collect();
        assert_eq!(bench.doorbell.0.load(Ordering::Relaxed), sleeps);
        // The sleep ends at once, because this doorbell never waits.
        bench.core.local.shared.bell.sleep(None);
        bench.settle();
        drop(asks);
    }
}

/// A lane that says nothing is not looked at, however many there are: while the core is busy with another one, and when it
/// gets ready to sleep.
#[test]
fn silent_lanes_cost_neither_a_turn_nor_a_sleep() {
    let mut bench = bench();
    let clients: Vec<_> = (0..300).map(|_| bench.ticker.ordered()).collect();
    let ask = |client: &TickerClient| drop(client.ticks().now().unwrap());
    clients.iter().for_each(ask);
    bench.settle();
    assert_eq!(bench.core.lanes.len(), 300);
    let busy = &clients[7];
    for _ in 0..=IDLE_TURNS_MAX {
        ask(busy);
        bench.turn();
    }
    assert_eq!(bench.core.active.len(), 1, "only the lane that is at work is polled");
    for client in [busy, &clients[100]] {
        assert!(bench.core.try_park());
        assert_eq!(bench.core.active.len(), 0, "nobody is polled by a core that sleeps");
        bench.core.local.shared.bell.sleep(None);
        ask(client);
        bench.turn();
        assert_eq!(bench.core.active.len(), 1, "only the lane that has spoken is polled");
        bench.settle();
    }
}

#[test]
fn a_core_is_patient_with_a_trickle_and_not_with_a_crowd() {
    let mut bench = bench();
    bench.settle();
    let ticker = bench.ticker.clone();
    let budget = Budget { turn_messages: 10, alone_messages: 10, ..Budget::default() };
    let mut turn = || {
        let _on_core = OnCore::enter(u64::MAX);
        bench.core.turn(bench.clock.now(), &budget)
    };
    let asks =
        |count: u32| -> Vec<_> { (0..count).map(|_| ticker.ticks().now().unwrap()).collect() };
    let trickle = asks(10);
    assert!(turn().patient, "the turn has taken all there was");
    let crowd = asks(11);
    assert!(!turn().patient, "one more than a turn may take");
    drop((trickle, crowd));
    bench.settle();
    assert!(!bench.turn().patient, "nothing came");
}
