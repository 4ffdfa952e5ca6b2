//! Restarts that meet each other, on virtual time: groups, lost cores, names, and what is left of an ask.

use std::pin::pin;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tpc_actors::bus::Position;
use tpc_actors::prelude::*;
use tpc_actors::sim::{Faults, Sim};
use tpc_actors::supervision::{Group, Strategy, Supervise};

const US: Duration = Duration::from_micros(1);
const MS: Duration = Duration::from_millis(1);

type Log = Arc<Mutex<Vec<&'static str>>>;

fn fail() -> ! {
    std::panic::resume_unwind(Box::new("on purpose"))
}

#[core_actor(supervise(max = 1000, within = "1s", backoff = "10ms..10ms"))]
pub struct Old(Log);

#[core_actor]
impl Old {
    /// Fails once, if that is wanted.
    #[init]
    fn new(log: Log, fails: Arc<AtomicU32>) -> Self {
        if fails.fetch_sub(1, Ordering::Relaxed) == 1 {
            fail();
        }
        log.lock().unwrap().push("old is built");
        Self(log)
    }

    #[handler(tell)]
    fn fail(&mut self) {
        self.0.lock().unwrap().push("old fails");
        fail();
    }
}

#[core_actor(supervise(max = 1000, within = "1s", backoff = "1ms..1ms"))]
pub struct Young(Log);

#[core_actor]
impl Young {
    #[init]
    fn new(log: Log) -> Self {
        log.lock().unwrap().push("young is built");
        Self(log)
    }

    #[handler(tell)]
    fn fail(&mut self) {
        self.0.lock().unwrap().push("young fails");
        fail();
    }

    #[handler]
    fn work(&mut self) {
        self.0.lock().unwrap().push("young works");
    }
}

/// An old and a young member of a group; the old one's n-th `#[init]` fails.
fn pair(strategy: Strategy, nth_fails: u32) -> (Sim, Log, OldClient, YoungClient) {
    let log = Log::default();
    let mut sim = Sim::seeded(0).cores(1).start();
    let group = sim.group(Group::new().strategy(strategy));
    let fails = Arc::new(AtomicU32::new(nth_fails));
    let old = sim.run(group.spawn::<Old>((Arc::clone(&log), fails))).unwrap();
    let young = sim.run(group.spawn::<Young>(Arc::clone(&log))).unwrap();
    log.lock().unwrap().clear();
    (sim, log, old, young)
}

#[test]
fn a_younger_member_is_not_built_while_an_older_one_is_down() {
    let (mut sim, log, old, young) = pair(Strategy::RestForOne, u32::MAX);
    young.fail().now().unwrap();
    sim.advance(100 * US);
    old.fail().now().unwrap();
    sim.advance(100 * US);
    sim.run(young.work()).unwrap();
    let steps = log.lock().unwrap().clone();
    assert_eq!(
        steps,
        ["young fails", "old fails", "old is built", "young is built", "young works"]
    );
}

#[test]
fn nor_while_the_older_one_cannot_be_built() {
    for strategy in [Strategy::RestForOne, Strategy::OneForAll] {
        let (mut sim, log, old, young) = pair(strategy, 2);
        old.fail().now().unwrap();
        sim.advance(100 * US);
        sim.run(young.work()).unwrap();
        let steps = log.lock().unwrap().clone();
        assert_eq!(steps, ["old fails", "old is built", "young is built", "young works"]);
    }
}

#[test]
fn a_member_waits_as_long_as_for_its_own_failure() {
    let log = Log::default();
    let mut sim = Sim::seeded(0).cores(1).start();
    let group = sim.group(Group::new().strategy(Strategy::RestForOne));
    // The one with the shorter pause comes first here.
    let quick = sim.run(group.spawn::<Young>(Arc::clone(&log))).unwrap();
    let never = Arc::new(AtomicU32::new(u32::MAX));
    let slow = sim.run(group.spawn::<Old>((Arc::clone(&log), never))).unwrap();
    log.lock().unwrap().clear();
    slow.fail().now().unwrap();
    sim.advance(100 * US);
    quick.fail().now().unwrap();
    sim.advance(5 * MS);
    assert_eq!(*log.lock().unwrap(), ["old fails", "young fails", "young is built"]);
    sim.advance(5 * MS);
    assert_eq!(log.lock().unwrap().last(), Some(&"old is built"));
}

/// A core that is lost once, now.
fn lose_once(sim: &mut Sim, wake: impl FnOnce()) {
    sim.faults(Faults::none().core_losses(1.0));
    wake();
    sim.advance(5 * US);
    sim.faults(Faults::none());
}

fn with_restarts() -> Sim {
    Sim::seeded(0).cores(1).core_restarts(Supervise::new().max(100).backoff(MS, MS)).start()
}

#[test]
fn an_init_that_fails_once_after_a_lost_core_is_tried_again() {
    let mut sim = with_restarts();
    let fails = Arc::new(AtomicU32::new(2));
    let old = sim.spawn::<Old>((Log::default(), fails));
    lose_once(&mut sim, || drop(old.fail().now()));
    sim.advance(5 * MS);
    assert!(old.is_alive());
    sim.advance(50 * MS);
    assert!(old.fail().now().is_ok());
    assert_eq!((sim.actors()[0].restarts(), sim.actors()[0].panics()), (2, 1));
}

#[test]
fn an_actor_is_found_while_its_core_is_about_to_come_back() {
    let mut sim = with_restarts();
    let named = sim.spawner().name("a").spawn::<Young>(Log::default());
    let named = sim.run(named).unwrap();
    let weak = named.downgrade();
    lose_once(&mut sim, || drop(named.fail().now()));
    assert!(named.is_alive() && weak.upgrade().is_some());
    let found = sim.find::<Young>("a").unwrap();
    sim.advance(5 * MS);
    sim.run(found.work()).unwrap();
    sim.stop(&named);
    assert!(weak.upgrade().is_none() && sim.find::<Young>("a").is_none());
}

#[core_actor]
pub struct Part {
    shard: usize,
    ran: Arc<Mutex<Vec<usize>>>,
}

#[core_actor]
impl Part {
    #[init]
    fn new(cx: &mut Ctx<Self>, ran: Arc<Mutex<Vec<usize>>>) -> Self {
        Self { shard: cx.shard(), ran }
    }

    #[handler]
    fn of(&self, #[key] key: u64) -> u64 {
        key
    }

    #[handler(all)]
    fn every(&mut self) -> usize {
        self.ran.lock().unwrap().push(self.shard);
        if self.shard == 0 {
            fail();
        }
        self.shard
    }
}

#[test]
fn an_ask_of_all_shards_that_has_failed_runs_no_more_of_them() {
    for seed in 0..20 {
        let ran = Arc::<Mutex<Vec<usize>>>::default();
        let mut sim = Sim::seeded(seed).cores(3).start();
        let parts = sim.spawn_sharded::<Part>(3, |_| Arc::clone(&ran));
        let mut all = pin!(parts.every().into_owned());
        assert!(sim.run(all.as_mut()).is_err());
        let before = ran.lock().unwrap().len();
        sim.advance(MS);
        assert_eq!(ran.lock().unwrap().len(), before, "seed {seed}");
    }
}

#[test]
fn a_gap_at_the_beginning_has_a_position_behind_it() {
    let mut sim = Sim::seeded(0).cores(1).start();
    let publisher = sim.publisher::<u64>();
    let _keeper = sim.events::<u64>().retain(2).filter(|_| false).subscribe();
    for n in 0..5 {
        publisher.publish(n).unwrap();
    }
    let mut first = sim.events::<u64>().from(Position::new(1, 0, 0)).subscribe();
    assert!(matches!(first.try_next(), Some(Delivery::Gap(gap)) if gap.len() == 3));
    let mut second = sim.events::<u64>().from(first.position()).subscribe();
    drop(first);
    for n in 5..10 {
        publisher.publish(n).unwrap();
    }
    sim.shutdown(Duration::ZERO);
    let mut came = 0;
    while let Some(delivery) = sim.run(second.next()) {
        came += match delivery {
            Delivery::Event { .. } => 1,
            Delivery::Gap(gap) => gap.len(),
        };
    }
    assert_eq!(came, 7, "of 3 to 9");
}

#[core_actor(capacity = 4096, supervise(on_panic = resume))]
pub struct Noisy(Arc<AtomicU32>);

#[core_actor]
impl Noisy {
    #[init]
    fn new(failed: Arc<AtomicU32>) -> Self {
        Self(failed)
    }

    #[handler(tell)]
    fn fail(&mut self) {
        self.0.fetch_add(1, Ordering::Relaxed);
        fail();
    }
}

#[core_actor]
pub struct Quiet {
    failed: Arc<AtomicU32>,
    seen: Arc<Mutex<Vec<u32>>>,
}

#[core_actor]
impl Quiet {
    #[init]
    fn new(failed: Arc<AtomicU32>, seen: Arc<Mutex<Vec<u32>>>) -> Self {
        Self { failed, seen }
    }

    #[every("100us")]
    fn tick(&mut self) {
        self.seen.lock().unwrap().push(self.failed.load(Ordering::Relaxed));
    }
}

#[test]
fn timers_of_others_go_on_while_an_actor_fails_all_the_time() {
    let (failed, seen) = (Arc::<AtomicU32>::default(), Arc::<Mutex<Vec<u32>>>::default());
    let mut sim = Sim::seeded(1).cores(1).start();
    let noisy = sim.spawn::<Noisy>(Arc::clone(&failed));
    let _quiet = sim.spawn::<Quiet>((failed, Arc::clone(&seen)));
    for _ in 0..2000 {
        noisy.fail().now().unwrap();
    }
    sim.advance(20 * MS);
    let meanwhile = seen.lock().unwrap().iter().filter(|failed| **failed < 2000).count();
    assert!(meanwhile > 10, "{meanwhile} ticks");
}

#[test]
fn an_actor_that_has_stopped_with_a_lost_core_is_stopped_once() {
    let mut sim = with_restarts();
    let first = sim.spawn::<Young>(Log::default());
    lose_once(&mut sim, || drop(first.fail().now()));
    sim.stop(&first);
    sim.advance(5 * MS);
    let second = sim.spawn::<Young>(Log::default());
    sim.stop(&first);
    sim.run(second.work()).unwrap();
}
