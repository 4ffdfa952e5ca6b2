//! The end of a system in the middle of something else: its start, a restart, a cool-down, a drop.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::task::Poll;
use std::thread;
use std::time::{Duration, Instant};

use tpc_actors::ActorState;
use tpc_actors::prelude::*;

const LONG: Duration = Duration::from_secs(20);

#[core_actor(
    supervise(max = 100, within = "60s", backoff = "10s..10s"),
    watchdog(failures = 3, cool_down = "20s..20s")
)]
struct Sickly {
    built: Arc<AtomicU32>,
    held: Option<DropsTheSystem>,
}

#[core_actor]
impl Sickly {
    #[init]
    fn new(built: Arc<AtomicU32>, slow: Duration) -> Self {
        thread::sleep(slow);
        built.fetch_add(1, Ordering::Relaxed);
        Self { built, held: None }
    }

    #[handler]
    fn alive(&self) -> u32 {
        self.built.load(Ordering::Relaxed)
    }

    #[handler]
    fn fail(&self) -> u32 {
        panic!("on demand")
    }

    #[handler]
    fn hold(&mut self, handle: DropsTheSystem) -> bool {
        self.held = Some(handle);
        true
    }
}

/// Shuts the system down when it is dropped, on the core that drops it.
#[derive(Debug, Clone)]
struct DropsTheSystem(Arc<Mutex<Option<System>>>);

impl Drop for DropsTheSystem {
    fn drop(&mut self) {
        if let Some(system) = self.0.lock().unwrap().take() {
            drop(system.shutdown(LONG));
            drop(system);
        }
    }
}

fn system() -> System {
    System::builder().cores(1).start().unwrap()
}

#[test]
fn during_a_start() {
    for drain in [Duration::ZERO, LONG] {
        let system = system();
        let starting = system.spawn::<Sickly>((Arc::default(), Duration::from_millis(50)));
        let behind = system.spawn::<Sickly>((Arc::default(), Duration::ZERO));
        let report = system.shutdown_wait(drain);
        assert!(report.stuck_threads().is_empty(), "{report}");
        // Started before the end, or refused by it; never left waiting.
        for spawn in [starting, behind] {
            match spawn.wait() {
                Ok(sickly) => assert!(sickly.alive().wait().unwrap_err().never_ran()),
                Err(error) => assert!(matches!(error, SpawnError::Stopping | SpawnError::CoreLost)),
            }
        }
    }
}

#[test]
fn during_a_restart_and_with_a_queue_behind_it() {
    let system = system();
    let sickly = system.spawn::<Sickly>((Arc::default(), Duration::ZERO)).wait().unwrap();
    drop(sickly.fail().wait());
    // Held for ten seconds.
    let waiting: Vec<_> = (0..10).map(|_| sickly.alive().now().unwrap()).collect();
    let report = system.shutdown_wait(Duration::from_millis(100));
    assert_eq!(report.rejected(), 10, "{report}");
    for ask in waiting {
        let refused = ask.wait().unwrap_err();
        assert!(matches!(refused, AskError::Stopping { started: false }), "{refused:?}");
    }
}

#[test]
fn while_degraded() {
    #[core_actor(
        supervise(max = 100, within = "60s", backoff = "1ms..1ms"),
        watchdog(failures = 2, cool_down = "20s..20s")
    )]
    struct Weak;

    #[core_actor]
    impl Weak {
        #[init]
        fn new() -> Self {
            Self
        }

        #[handler]
        fn fail(&self) -> u32 {
            panic!("on demand")
        }
    }

    let system = system();
    let weak = system.spawn::<Weak>(()).wait().unwrap();
    while !matches!(weak.fail().wait(), Err(AskError::Degraded { .. })) {}
    let report = system.shutdown_wait(LONG);
    assert!(report.stuck_threads().is_empty(), "{report}");
    assert!(matches!(weak.fail().wait(), Err(AskError::Stopping { .. })));
}

#[test]
fn from_a_drop_on_a_core() {
    let system = system();
    let sickly = system.spawn::<Sickly>((Arc::default(), Duration::ZERO)).wait().unwrap();
    let handle = DropsTheSystem(Arc::new(Mutex::new(Some(system.clone()))));
    assert!(sickly.hold(handle).wait().unwrap());
    // The state goes down with a panic, and takes the system along.
    drop(sickly.fail().wait());
    let report = system.shutdown_wait(LONG);
    assert!(report.stuck_threads().is_empty() && report.lost_threads().is_empty(), "{report}");
}

#[test]
fn with_the_last_handle_dropped_on_a_core() {
    let system = system();
    let sickly = system.spawn::<Sickly>((Arc::default(), Duration::ZERO)).wait().unwrap();
    let handle = DropsTheSystem(Arc::new(Mutex::new(Some(system))));
    assert!(sickly.hold(handle).wait().unwrap());
    drop(sickly.fail().wait());
    sickly.closed().wait();
}

#[test]
fn from_two_threads_at_once() {
    for _ in 0..20 {
        let system = system();
        let other = system.clone();
        let second = thread::spawn(move || other.shutdown_wait(Duration::ZERO).to_string());
        assert_eq!(system.shutdown_wait(LONG).to_string(), second.join().unwrap());
    }
}

#[test]
fn while_all_actors_of_a_core_restart_again_and_again() {
    for round in 0..20 {
        let system = system();
        let sickly = system.spawn::<Quick>(()).wait().unwrap();
        let failing = {
            let sickly = sickly.clone();
            thread::spawn(move || {
                while !matches!(
                    sickly.fail().wait(),
                    Err(AskError::Stopping { .. } | AskError::Stopped)
                ) {}
            })
        };
        thread::sleep(Duration::from_millis(round));
        let report = system.shutdown_wait(LONG);
        assert!(report.stuck_threads().is_empty(), "{report}");
        failing.join().unwrap();
    }
}

#[core_actor(supervise(max = 1_000_000, within = "1s", backoff = "1us..1us"))]
struct Quick;

#[core_actor]
impl Quick {
    #[init]
    fn new() -> Self {
        Self
    }

    #[handler]
    fn fail(&self) -> u32 {
        panic!("on demand")
    }
}

#[test]
fn no_thread_is_left() {
    fn threads() -> usize {
        let tasks = std::fs::read_dir("/proc/self/task").unwrap();
        let ours = |name: &str| name.starts_with("mine");
        let name = |task: std::fs::DirEntry| {
            std::fs::read_to_string(task.path().join("comm")).unwrap_or_default()
        };
        tasks.filter_map(Result::ok).map(name).filter(|name| ours(name)).count()
    }

    for _ in 0..20 {
        let system = System::builder().cores(2).thread_name("mine").start().unwrap();
        let sickly = system.spawn::<Quick>(()).wait().unwrap();
        drop(sickly.fail().wait());
        assert!(threads() >= 2);
        system.shutdown_wait(LONG);
        // Who joins a thread is let go before the kernel has taken it off its list.
        let gone = (0..1_000).any(|_| {
            let gone = threads() == 0;
            if !gone {
                thread::sleep(Duration::from_millis(1));
            }
            gone
        });
        assert!(gone, "{} left", threads());
    }
}

#[test]
fn a_stop_is_kept_when_the_core_is_lost_before_it_comes_to_it() {
    let system = System::builder().cores(1).start().unwrap();
    let sickly = system.spawn::<Sickly>((Arc::default(), Duration::ZERO)).wait().unwrap();
    system.crash_core(0);
    assert!(matches!(system.stop(&sickly).wait(), tpc_actors::Ended::Stopped));
    assert!(matches!(sickly.alive().wait(), Err(AskError::Stopped)));
    system.shutdown_wait(LONG);
}

#[test]
fn what_the_same_thread_sends_after_a_stop_is_not_handled() {
    let system = System::builder().cores(1).start().unwrap();
    for _ in 0..500 {
        let sickly = system.spawn::<Sickly>((Arc::default(), Duration::ZERO)).wait().unwrap();
        sickly.alive().wait().unwrap();
        let closed = system.stop(&sickly);
        if let Ok(asked) = sickly.alive().now() {
            assert!(matches!(asked.wait(), Err(AskError::Stopped)));
        }
        closed.wait();
    }
    system.shutdown_wait(LONG);
}

/// Has tasks that nobody waits for, and tells of what it does.
#[core_actor]
struct Worker;

#[core_actor]
impl Worker {
    #[init]
    fn new() -> Self {
        Self
    }

    #[handler(tell)]
    fn poll_for_ever(&self, cx: &mut Ctx<Self>) {
        cx.spawn(std::future::poll_fn(|context| {
            context.waker().wake_by_ref();
            Poll::Pending
        }));
    }

    #[handler]
    fn number(&self) -> u32 {
        7
    }

    #[handler(tell)]
    fn sleep(&self, time: Duration) {
        thread::sleep(time);
    }
}

fn worker() -> (System, WorkerClient) {
    let system = System::builder().cores(1).start().unwrap();
    let worker = system.spawn::<Worker>(()).wait().unwrap();
    (system, worker)
}

#[test]
fn a_task_that_polls_is_not_waited_for() {
    let (system, worker) = worker();
    worker.poll_for_ever().wait().unwrap();
    assert_eq!(worker.number().wait().unwrap(), 7);
    let began = Instant::now();
    assert!(system.shutdown_wait(10 * LONG).is_clean());
    assert!(began.elapsed() < LONG, "{:?}", began.elapsed());
}

#[test]
fn the_end_begins_with_the_call() {
    for _ in 0..20 {
        let (system, worker) = worker();
        let ending = system.shutdown(LONG);
        assert!(worker.number().wait().is_err());
        let spawned = system.spawn::<Worker>(()).wait();
        assert!(matches!(spawned, Err(SpawnError::Stopping)));
        drop(ending);
        assert!(system.shutdown_wait(LONG).is_clean());
        assert_eq!(system.actors()[0].state(), ActorState::Stopped);
    }
}

/// Who hears of a stall ends the system there, and so waits for himself; or does not come back.
#[test]
fn who_hears_of_a_stall_may_do_what_he_likes() {
    for ends in [true, false] {
        let slot = Arc::<Mutex<Option<System>>>::default();
        let (theirs, (go, gate)) = (Arc::clone(&slot), mpsc::channel::<()>());
        let gate = Mutex::new(gate);
        let hear = move |_: &tpc_actors::StallReport| {
            if ends {
                let system = theirs.lock().unwrap().take();
                if let Some(system) = system {
                    system.shutdown_wait(Duration::ZERO);
                }
            } else {
                let _ = gate.lock().unwrap().recv();
            }
        };
        let system = System::builder().cores(1).on_stall(hear).start().unwrap();
        *slot.lock().unwrap() = Some(system.clone());
        let worker = system.spawn::<Worker>(()).wait().unwrap();
        worker.sleep(Duration::from_millis(200)).wait().unwrap();
        assert_eq!(worker.number().wait().map_err(drop), if ends { Err(()) } else { Ok(7) });
        let report = system.shutdown_wait(Duration::from_millis(100));
        let stuck = report.stuck_threads();
        assert!(stuck.iter().any(|thread| thread == "tpc-warden"), "{report}");
        drop(go);
    }
}
