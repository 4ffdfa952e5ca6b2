//! Every interleaving of sleeping and waking, and the fences without which a wake is lost.
//!
//! The ring stands for itself here: one counter per lane, with the orderings of a ring's tail.

mod doorbell;

use loom::sync::atomic::{AtomicBool, AtomicUsize};
use loom::thread;

use super::*;
use crate::sync::mutants::{explore, mutant};
pub(crate) use doorbell::ModelDoorbell;

fn core() -> (Arc<ModelDoorbell>, Arc<CoreBell>) {
    let doorbell = Arc::new(ModelDoorbell::new());
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

/// A consumer and the lanes that it polls.
struct Consumer<'a> {
    core: &'a CoreBell,
    lanes: &'a [Lane],
    heads: Vec<usize>,
    active: Vec<usize>,
}

impl<'a> Consumer<'a> {
    fn new(core: &'a CoreBell, lanes: &'a [Lane]) -> Self {
        Self { core, lanes, heads: vec![0; lanes.len()], active: Vec::new() }
    }

    /// Lanes that rang are polled from now on; what rang has something to show.
    fn take_news(&mut self) {
        let Self { core, lanes, active, .. } = self;
        if !core.has_news() {
            return;
        }
        core.take(|id| {
            let index = lanes.iter().position(|lane| lane.bell.lane() == id).unwrap();
            lanes[index].bell.disarm();
            let tail = lanes[index].tail.load(Ordering::Relaxed);
            assert!(tail > 0, "lane {id} rings for an item that cannot be seen yet");
            if !active.contains(&index) {
                active.push(index);
            }
        });
    }

    /// Reads all that the active lanes hold; what has been read in all.
    fn read(&mut self) -> usize {
        for &index in &self.active {
            self.heads[index] = self.lanes[index].tail.load(Ordering::Acquire);
        }
        self.heads.iter().sum()
    }
}

impl Polled for Consumer<'_> {
    fn each_bell(&self, each: impl Fn(&LaneBell)) {
        self.active.iter().for_each(|&index| each(&self.lanes[index].bell));
    }

    fn has_request(&mut self) -> bool {
        let Self { lanes, heads, active, .. } = self;
        active.iter().any(|&index| lanes[index].tail.load(Ordering::Acquire) != heads[index])
    }
}

/// Reads until everything has come, and sleeps in between; how often it slept.
fn serve(core: &CoreBell, lanes: &[Lane], total: usize) -> usize {
    let mut consumer = Consumer::new(core, lanes);
    let mut parks = 0;
    loop {
        consumer.take_news();
        if consumer.read() == total {
            return parks;
        }
        if core.park(&mut consumer) {
            consumer.active.clear();
            parks += 1;
            core.sleep(None);
        }
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
        let rings = doorbell.rings();
        assert!(rings <= parks, "{rings} rings for {parks} parks");
    });
}

/// Two lanes in different words, so that both levels of the bitmap are at work.
fn two_producers(lanes: [u32; 2]) {
    explore(2, move || {
        let (doorbell, core) = core();
        let lanes = lanes.map(|id| Lane::new(&core, id));
        let producers: Vec<_> =
            lanes.iter().cloned().map(|lane| thread::spawn(move || lane.send().unwrap())).collect();
        let parks = serve(&core, &lanes, 2);
        for producer in producers {
            producer.join().unwrap();
        }
        let rings = doorbell.rings();
        assert!(rings <= parks, "{rings} rings for {parks} parks");
    });
}

/// Of two groups.
fn two_groups() {
    two_producers([1, 64 * WORDS_PER_GROUP as u32]);
}

/// Of one group, which both announce, or the first of them for itself alone.
fn one_group() {
    two_producers([1, 64]);
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

/// A lane is polled no more while its producer sends; the consumer sleeps without having armed it again.
fn silenced() {
    explore(3, || {
        let (_doorbell, core) = core();
        let lanes = [Lane::new(&core, 3)];
        let sender = lanes[0].clone();
        let mut consumer = Consumer::new(&core, &lanes);
        lanes[0].bell.disarm();
        consumer.active.push(0);
        let producer = thread::spawn(move || sender.send().unwrap());
        // As the core's sweep does it.
        let spoken = silence(&mut consumer);
        if spoken {
            lanes[0].bell.disarm();
        } else {
            consumer.active.clear();
        }
        while consumer.read() != 1 {
            if core.announce_sleep() {
                core.sleep(None);
            }
            consumer.take_news();
        }
        producer.join().unwrap();
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
            if core.announce_sleep() {
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

/// A producer that closes its lane is noticed, also when the ring of its last item is still on its way.
fn ring() {
    explore(3, || {
        let (_doorbell, core) = core();
        let lane = Lane::new(&core, 3);
        let closed = Arc::new(AtomicBool::new(false));
        let (sender, theirs) = (lane.clone(), Arc::clone(&closed));
        let producer = thread::spawn(move || {
            sender.send().unwrap();
            theirs.store(true, Ordering::Relaxed);
            sender.bell.ring();
        });
        loop {
            let mut seen = false;
            // Whoever looks because of the ring sees why it rang.
            core.take(|_| seen |= closed.load(Ordering::Relaxed));
            if seen {
                break;
            }
            if core.announce_sleep() {
                core.sleep(None);
            }
        }
        producer.join().unwrap();
    });
}

#[test]
fn model_bell_ring() {
    ring();
}

#[test]
fn model_bell_one_producer() {
    one_producer();
}

#[test]
fn model_bell_two_groups() {
    two_groups();
}

#[test]
fn model_bell_one_group() {
    one_group();
}

#[test]
fn model_bell_one_word() {
    one_word();
}

#[test]
fn model_bell_silenced() {
    silenced();
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
mutant!(mutant_silence_fence: "bell.consumer-fence" breaks silenced);
mutant!(mutant_silence_recheck: "bell.recheck" breaks silenced);
mutant!(mutant_park_rechecks_summary: "bell.park-rechecks-summary" breaks control);
mutant!(mutant_ring: "bell.ring" breaks one_producer);
mutant!(mutant_announce: "bell.announce/relaxed" breaks control);
mutant!(mutant_torn_ready: "bell.ready" breaks one_word);
mutant!(mutant_relaxed_ready: "bell.ready/relaxed" breaks ring);
mutant!(mutant_relaxed_ring_take_ready: "bell.take-ready/relaxed" breaks ring);
mutant!(mutant_torn_take_ready: "bell.take-ready" breaks one_word);
mutant!(mutant_relaxed_take_ready: "bell.take-ready/relaxed" breaks one_word);
mutant!(mutant_torn_announce: "bell.announce" breaks control);
mutant!(mutant_torn_take_summary: "bell.take-summary" breaks two_groups);
mutant!(mutant_relaxed_take_summary: "bell.take-summary/relaxed" breaks control);
mutant!(mutant_torn_park: "bell.park" breaks control);
mutant!(mutant_torn_awake: "bell.awake" breaks two_groups);
mutant!(mutant_close_fence: "bell.close-fence" breaks close);
mutant!(mutant_close_producer_fence: "bell.producer-fence" breaks close);
