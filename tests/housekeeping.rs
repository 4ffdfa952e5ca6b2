//! Maintenance in slices, and checkpoints behind a barrier.

mod until;

use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use tpc_actors::prelude::*;
use tpc_actors::{CheckpointError, CoreStatus};
use until::until;

const LONG: Duration = Duration::from_secs(20);

/// Keeps the core busy for about so long.
fn burn(time: Duration) {
    let start = Instant::now();
    while start.elapsed() < time {
        std::hint::spin_loop();
    }
}

#[derive(Default)]
struct Shared {
    slices: AtomicU64,
    rounds: AtomicU32,
    endless: AtomicBool,
    panics: AtomicBool,
}

#[core_actor(capacity = 1024, supervise(max = 100, within = "60s", backoff = "1ms..1ms"))]
struct Engine {
    shared: Arc<Shared>,
    left: u32,
}

#[core_actor]
impl Engine {
    #[init]
    fn new(shared: Arc<Shared>) -> Self {
        Self { shared, left: 10 }
    }

    #[handler]
    fn work(&mut self, time: Duration) -> u32 {
        burn(time);
        1
    }

    #[handler(tell)]
    fn told(&mut self, time: Duration) {
        burn(time);
    }

    #[maintenance(every = "20ms", budget = "500us")]
    fn compact(&mut self) -> Work {
        assert!(!self.shared.panics.swap(false, Ordering::Relaxed), "in maintenance");
        burn(Duration::from_micros(100));
        self.shared.slices.fetch_add(1, Ordering::Relaxed);
        self.left -= 1;
        if self.left > 0 {
            return Work::More;
        }
        self.left = 10;
        self.shared.rounds.fetch_add(1, Ordering::Relaxed);
        if self.shared.endless.load(Ordering::Relaxed) { Work::More } else { Work::Done }
    }
}

fn start() -> (System, EngineClient, Arc<Shared>) {
    let system = System::builder().cores(1).start().unwrap();
    let shared = Arc::<Shared>::default();
    let engine = system.spawn::<Engine>(Arc::clone(&shared)).wait().unwrap();
    (system, engine, shared)
}

#[test]
fn a_round_is_finished_in_slices_and_begins_again_with_the_interval() {
    let (system, engine, shared) = start();
    until("three rounds", || shared.rounds.load(Ordering::Relaxed) >= 3);
    assert_eq!(engine.work(Duration::ZERO).wait().unwrap(), 1);
    let rounds = shared.rounds.load(Ordering::Relaxed);
    assert!(shared.slices.load(Ordering::Relaxed) >= u64::from(rounds) * 10);
    // Between two rounds the core sleeps.
    let turns = system.cores()[0].turns();
    thread::sleep(Duration::from_millis(100));
    assert!(system.cores()[0].turns() - turns < 500);
    assert!(system.shutdown_wait(LONG).is_clean());
}

#[test]
fn messages_do_not_starve_maintenance() {
    let (system, engine, shared) = start();
    let stop = Arc::new(AtomicBool::new(false));
    let senders: Vec<_> = (0..2)
        .map(|_| {
            let (engine, stop) = (engine.clone(), Arc::clone(&stop));
            thread::spawn(move || {
                tpc_actors::register_thread();
                while !stop.load(Ordering::Relaxed) {
                    drop(engine.told(Duration::from_micros(20)).now());
                }
            })
        })
        .collect();
    // The lanes are full all the time, and rounds are finished nevertheless.
    let before = shared.rounds.load(Ordering::Relaxed);
    until("rounds under load", || shared.rounds.load(Ordering::Relaxed) >= before + 5);
    stop.store(true, Ordering::Relaxed);
    for sender in senders {
        sender.join().unwrap();
    }
    system.shutdown_wait(LONG);
}

#[test]
fn maintenance_that_never_ends_does_not_starve_messages() {
    let (system, engine, shared) = start();
    shared.endless.store(true, Ordering::Relaxed);
    until("the endless round", || shared.rounds.load(Ordering::Relaxed) >= 3);
    for _ in 0..200 {
        assert_eq!(engine.work(Duration::ZERO).wait().unwrap(), 1);
    }
    // Under load it has about a fifth of the core: far less than what is asked for in that time.
    let before = shared.slices.load(Ordering::Relaxed);
    let asks = Arc::new(AtomicU64::new(0));
    let start = Instant::now();
    while start.elapsed() < Duration::from_millis(300) {
        let batch: Vec<_> =
            (0..64).filter_map(|_| engine.work(Duration::from_micros(50)).now().ok()).collect();
        for ask in batch {
            ask.wait().unwrap();
            asks.fetch_add(1, Ordering::Relaxed);
        }
    }
    let maintained = (shared.slices.load(Ordering::Relaxed) - before) * 100;
    let served = asks.load(Ordering::Relaxed) * 50;
    println!("{served} us for messages, {maintained} us for maintenance");
    // Far less even where others take this thread's CPU away, so that the core is idle for a while.
    assert!(served * 8 > maintained, "{served} us for messages, {maintained} us for maintenance");
    // A drain does not wait for it.
    assert!(system.shutdown_wait(LONG).stuck_threads().is_empty());
}

#[test]
fn a_panic_in_maintenance_restarts_the_actor_and_its_intervals() {
    let (system, engine, shared) = start();
    shared.panics.store(true, Ordering::Relaxed);
    until("the panic", || !shared.panics.load(Ordering::Relaxed));
    assert_eq!(engine.work(Duration::ZERO).wait().unwrap(), 1);
    let rounds = shared.rounds.load(Ordering::Relaxed);
    until("the next round", || shared.rounds.load(Ordering::Relaxed) > rounds);
    let report = system.shutdown_wait(LONG);
    assert_eq!((report.panics(), report.restarts()), (1, 1), "{report}");
}

/// Handlers that run at the moment, anywhere.
static RUNNING: AtomicU32 = AtomicU32::new(0);

#[core_actor(capacity = 1024)]
struct Sender {
    sent: u64,
    receiver: ReceiverClient,
    book: Book,
}

type Book = Arc<Mutex<Vec<(u64, u64)>>>;

#[core_actor]
impl Sender {
    #[init]
    fn new(receiver: ReceiverClient, book: Book) -> Self {
        Self { sent: 0, receiver, book }
    }

    #[handler(tell)]
    fn pass_on(&mut self) {
        RUNNING.fetch_add(1, Ordering::SeqCst);
        if self.receiver.note().now().is_ok() {
            self.sent += 1;
        }
        RUNNING.fetch_sub(1, Ordering::SeqCst);
    }

    #[checkpoint]
    fn write_down(&mut self) {
        assert_eq!(RUNNING.load(Ordering::SeqCst), 0);
        burn(Duration::from_millis(2));
        assert_eq!(
            RUNNING.load(Ordering::SeqCst),
            0,
            "all stand still until the last hook is done"
        );
        self.book.lock().unwrap().last_mut().unwrap().0 = self.sent;
    }
}

#[core_actor(capacity = 1024)]
struct Receiver {
    received: u64,
    book: Book,
}

#[core_actor]
impl Receiver {
    #[init]
    fn new(book: Book) -> Self {
        Self { received: 0, book }
    }

    #[handler(tell)]
    fn note(&mut self) {
        RUNNING.fetch_add(1, Ordering::SeqCst);
        self.received += 1;
        RUNNING.fetch_sub(1, Ordering::SeqCst);
    }

    #[checkpoint]
    fn write_down(&mut self) -> Result<(), String> {
        assert_eq!(RUNNING.load(Ordering::SeqCst), 0);
        self.book.lock().unwrap().last_mut().unwrap().1 = self.received;
        if self.received > 1 << 40 { Err("too many".to_owned()) } else { Ok(()) }
    }
}

#[test]
fn a_checkpoint_sees_no_effect_without_its_cause() {
    let system = System::builder().cores(2).start().unwrap();
    let book = Book::default();
    let receiver = system.spawner().core(1).spawn::<Receiver>(Arc::clone(&book)).wait().unwrap();
    let args = (receiver, Arc::clone(&book));
    let sender = system.spawner().core(0).spawn::<Sender>(args).wait().unwrap();
    let stop = Arc::new(AtomicBool::new(false));
    let feeder = {
        let (sender, stop) = (sender.clone(), Arc::clone(&stop));
        thread::spawn(move || {
            tpc_actors::register_thread();
            while !stop.load(Ordering::Relaxed) {
                drop(sender.pass_on().now());
            }
        })
    };
    for _ in 0..20 {
        book.lock().unwrap().push((0, 0));
        let report = system.checkpoint(LONG).wait().unwrap();
        assert!(report.is_complete() && report.taken() == 2, "{report:?}");
        thread::sleep(Duration::from_millis(2));
    }
    stop.store(true, Ordering::Relaxed);
    feeder.join().unwrap();
    let book = book.lock().unwrap().clone();
    assert!(book.iter().all(|(sent, received)| received <= sent), "{book:?}");
    assert!(book.windows(2).all(|pair| pair[0] <= pair[1]) && book[19].0 > 0, "{book:?}");
    // Nothing was forgotten while the cores stood still.
    let report = system.shutdown_wait(LONG);
    assert!(report.is_clean(), "{report}");
    assert!(system.cores().iter().map(CoreStatus::backstop_rescues).all(|rescues| rescues == 0));
}

#[test]
fn hooks_that_fail_are_named_and_cores_that_do_not_stop_are_not_waited_for() {
    #[core_actor(supervise(backoff = "1ms..1ms"))]
    struct Careless(u32);

    #[core_actor]
    impl Careless {
        #[init]
        fn new() -> Self {
            Self(0)
        }

        #[handler]
        fn block(&self, time: Duration) -> u32 {
            thread::sleep(time);
            self.0
        }

        #[checkpoint]
        fn write_down(&mut self, cx: &mut Ctx<Self>) -> Result<(), std::io::Error> {
            self.0 += 1;
            match cx.incarnation() {
                0 if self.0 == 1 => Err(std::io::Error::other("disk full")),
                0 => panic!("in the hook"),
                _ => Ok(()),
            }
        }
    }

    let system = System::builder().cores(1).start().unwrap();
    let careless = system.spawn::<Careless>(()).wait().unwrap();
    let report = system.checkpoint(LONG).wait().unwrap();
    assert_eq!(report.failures()[0].cause, "disk full");
    let report = system.checkpoint(LONG).wait().unwrap();
    assert_eq!(report.failures()[0].cause, "the hook panicked");
    assert_eq!(careless.block(Duration::ZERO).wait().unwrap(), 0, "restarted");
    assert!(system.checkpoint(LONG).wait().unwrap().is_complete());

    let blocked = careless.block(Duration::from_millis(300)).now().unwrap();
    thread::sleep(Duration::from_millis(20));
    let late = system.checkpoint(Duration::from_millis(50)).wait();
    assert!(matches!(late, Err(CheckpointError::TimedOut)), "{late:?}");
    assert_eq!(blocked.wait().unwrap(), 1);
    assert_eq!(careless.block(Duration::ZERO).wait().unwrap(), 1, "and the core goes on");
    // One that nobody waits for keeps the next one no longer than that may take.
    let blocked = careless.block(Duration::from_millis(300)).now().unwrap();
    thread::sleep(Duration::from_millis(20));
    drop(system.checkpoint(LONG));
    thread::sleep(Duration::from_millis(20));
    let late = system.checkpoint(Duration::from_millis(50)).wait();
    assert!(matches!(late, Err(CheckpointError::TimedOut)), "{late:?}");
    assert_eq!(blocked.wait().unwrap(), 1);
    system.shutdown_wait(LONG);
    assert!(matches!(system.checkpoint(LONG).wait(), Err(CheckpointError::Stopping)));
}

#[test]
fn a_shutdown_does_not_wait_for_a_checkpoint() {
    let (system, _engine, _shared) = start();
    let checkpoints = {
        let system = system.clone();
        thread::spawn(move || while system.checkpoint(LONG).wait().is_ok() {})
    };
    thread::sleep(Duration::from_millis(20));
    let report = system.shutdown_wait(LONG);
    assert!(report.stuck_threads().is_empty(), "{report}");
    checkpoints.join().unwrap();
}
