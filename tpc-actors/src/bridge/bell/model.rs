//! Every interleaving of sleeping and waking, and the fences without which a wake is lost.
//!
//! The ring stands for itself here: one counter per lane, with the orderings of a ring's tail.

use std::time::Duration;

use loom::sync::atomic::{AtomicBool, AtomicUsize};
use loom::sync::{Condvar, Mutex};
use loom::thread;

use super::*;
use crate::sync::mutants::{explore, mutant};

/// An eventfd as loom can see it; counts its rings.
struct ModelDoorbell {
    rung: Mutex<bool>,
    changed: Condvar,
    rings: AtomicUsize,
}

impl std::fmt::Debug for ModelDoorbell {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ModelDoorbell")
    }
}

impl Doorbell for ModelDoorbell {
    fn ring(&self) {
        self.rings.fetch_add(1, Ordering::Relaxed);
        *self.rung.lock().unwrap() = true;
        self.changed.notify_one();
    }

    /// Without a limit: a lost wake is a deadlock, which loom reports.
    fn wait(&self, _timeout: Option<Duration>) -> bool {
        let mut rung = self.rung.lock().unwrap();
        while !*rung {
            rung = self.changed.wait(rung).unwrap();
        }
        *rung = false;
        true
    }
}

fn core() -> (Arc<ModelDoorbell>, Arc<CoreBell>) {
    let doorbell = Arc::new(ModelDoorbell {
        rung: Mutex::new(false),
        changed: Condvar::new(),
        rings: AtomicUsize::new(0),
    });
    let bell = Arc::new(CoreBell::new(Arc::clone(&doorbell) as _));
    (doorbell, bell)
}

/// One lane: its bell and a counter in place of its ring.
#[derive(Clone)]
struct Lane {
    bell: Arc<LaneBell>,
    tail: Arc<AtomicUsize>,
}

impl Lane {
    fn new(core: &Arc<CoreBell>, id: u32) -> Self {
        Self {
            bell: Arc::new(LaneBell::new(Arc::clone(core), id)),
            tail: Arc::new(AtomicUsize::new(0)),
        }
    }

    fn send(&self) -> Result<(), LaneClosed> {
        self.tail.fetch_add(1, Ordering::Release);
        self.bell.published().map(|_| ())
    }
}

/// The consumer's side as the core loop runs it: serve, arm, recheck, park.
fn serve(core: &CoreBell, lanes: &[Lane], total: usize) -> usize {
    let mut heads = vec![0; lanes.len()];
    let mut active: Vec<usize> = Vec::new();
    let mut parks = 0;
    loop {
        if core.has_news() {
            core.take(|id| {
                let index = lanes.iter().position(|lane| lane.bell.lane() == id).unwrap();
                lanes[index].bell.disarm();
                if !active.contains(&index) {
                    active.push(index);
                }
            });
        }
        for &index in &active {
            heads[index] = lanes[index].tail.load(Ordering::Acquire);
        }
        if heads.iter().sum::<usize>() == total {
            return parks;
        }
        for &index in &active {
            lanes[index].bell.arm();
        }
        fence_before_recheck();
        let found = intact!("bell.recheck")
            && active
                .iter()
                .any(|&index| lanes[index].tail.load(Ordering::Acquire) != heads[index]);
        if found || !core.try_park() {
            for &index in &active {
                lanes[index].bell.disarm();
            }
            continue;
        }
        active.clear();
        parks += 1;
        core.sleep(None);
    }
}

fn one_producer() {
    explore(3, || {
        let (doorbell, core) = core();
        let lane = Lane::new(&core, 3);
        let sender = lane.clone();
        let producer = thread::spawn(move || {
            sender.send().unwrap();
            sender.send().unwrap();
        });
        let parks = serve(&core, &[lane], 2);
        producer.join().unwrap();
        let rings = doorbell.rings.load(Ordering::Relaxed);
        assert!(rings <= parks, "{rings} rings for {parks} parks");
    });
}

/// Two lanes in different words, so that both levels of the bitmap are at work.
fn two_producers() {
    explore(2, || {
        let (doorbell, core) = core();
        let lanes = [Lane::new(&core, 1), Lane::new(&core, 64)];
        let producers: Vec<_> =
            lanes.iter().cloned().map(|lane| thread::spawn(move || lane.send().unwrap())).collect();
        let parks = serve(&core, &lanes, 2);
        for producer in producers {
            producer.join().unwrap();
        }
        let rings = doorbell.rings.load(Ordering::Relaxed);
        assert!(rings <= parks, "{rings} rings for {parks} parks");
    });
}

/// Two producers in one word: the second finds the word announced and leaves it at that.
fn one_word() {
    explore(2, || {
        let (_doorbell, core) = core();
        let lanes = [Lane::new(&core, 1), Lane::new(&core, 2)];
        let producers: Vec<_> =
            lanes.iter().cloned().map(|lane| thread::spawn(move || lane.send().unwrap())).collect();
        serve(&core, &lanes, 2);
        for producer in producers {
            producer.join().unwrap();
        }
    });
}

/// A command wakes a core that has no lane at all.
fn control() {
    explore(3, || {
        let (_doorbell, core) = core();
        let order = Arc::new(AtomicBool::new(false));
        let (theirs, bell) = (Arc::clone(&order), Arc::clone(&core));
        let commander = thread::spawn(move || {
            theirs.store(true, Ordering::Release);
            bell.ring_command();
        });
        loop {
            if core.has_news() && core.take(|_| {}) {
                break;
            }
            if core.try_park() {
                core.sleep(None);
            }
        }
        assert!(order.load(Ordering::Acquire));
        commander.join().unwrap();
    });
}

/// The core leaves while a producer sends: the item is seen by the last look or by its sender.
fn close() {
    explore(3, || {
        let (_doorbell, core) = core();
        let lane = Lane::new(&core, 0);
        lane.bell.disarm();
        let sender = lane.clone();
        let producer = thread::spawn(move || sender.send().is_err());
        lane.bell.close();
        let seen = lane.tail.load(Ordering::Relaxed) == 1;
        let refused = producer.join().unwrap();
        assert!(seen || refused, "the item is lost");
    });
}

#[test]
fn model_bell_one_producer() {
    one_producer();
}

#[test]
fn model_bell_two_producers() {
    two_producers();
}

#[test]
fn model_bell_one_word() {
    one_word();
}

#[test]
fn model_bell_control() {
    control();
}

#[test]
fn model_bell_close() {
    close();
}

mutant!(mutant_producer_fence: "bell.producer-fence" breaks one_producer);
mutant!(mutant_consumer_fence: "bell.consumer-fence" breaks one_producer);
mutant!(mutant_recheck: "bell.recheck" breaks one_producer);
mutant!(mutant_park_rechecks_summary: "bell.park-rechecks-summary" breaks control);
mutant!(mutant_ring: "bell.ring" breaks one_producer);
mutant!(mutant_announce: "bell.announce" breaks control);
mutant!(mutant_close_fence: "bell.close-fence" breaks close);
mutant!(mutant_close_producer_fence: "bell.producer-fence" breaks close);
