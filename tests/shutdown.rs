//! The end of a system, from everywhere and at every moment.

mod until;

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use tpc_actors::placement::{CpuSet, Pin, Placement};
use tpc_actors::prelude::*;
use tpc_actors::supervision::{OnPanic, Supervise};
use tpc_actors::{ActorState, StartError};
use until::until;

const LONG: Duration = Duration::from_secs(20);

#[core_actor(capacity = 64)]
struct Job {
    done: Arc<AtomicU64>,
    stopped: Arc<AtomicBool>,
}

#[core_actor]
impl Job {
    #[init]
    fn new(done: Arc<AtomicU64>, stopped: Arc<AtomicBool>) -> Self {
        Self { done, stopped }
    }

    #[handler(tell)]
    fn work(&mut self, time: Duration) {
        thread::sleep(time);
        self.done.fetch_add(1, Ordering::Relaxed);
    }

    #[handler]
    fn ask(&mut self, time: Duration) -> u64 {
        thread::sleep(time);
        self.done.fetch_add(1, Ordering::Relaxed)
    }

    #[handler]
    fn later(&mut self, cx: &mut Ctx<Self>, time: Duration, reply: Reply<u64>) {
        let pause = async move { tokio::time::sleep(time).await };
        cx.offload(pause, |_, _, ()| reply.send(7));
    }

    #[on_stop]
    fn stop(&mut self) {
        self.stopped.store(true, Ordering::Relaxed);
    }
}

struct Setup {
    system: System,
    job: JobClient,
    done: Arc<AtomicU64>,
    stopped: Arc<AtomicBool>,
}

fn start() -> Setup {
    let system = System::builder().cores(2).start().unwrap();
    let (done, stopped) = (Arc::default(), Arc::default());
    let args = (Arc::clone(&done), Arc::clone(&stopped));
    let job = system.spawn::<Job>(args).wait().unwrap();
    Setup { system, job, done, stopped }
}

#[test]
fn accepted_work_is_finished_and_hooks_run() {
    let Setup { system, job, done, stopped } = start();
    for _ in 0..20 {
        job.work(Duration::from_millis(2)).wait().unwrap();
    }
    let ask = job.ask(Duration::ZERO).now().unwrap();
    let later = job.later(Duration::from_millis(50)).now().unwrap();
    let report = system.shutdown_wait(LONG);
    assert!(report.is_clean(), "{report}");
    assert_eq!(report.finished(), 22);
    assert_eq!(done.load(Ordering::Relaxed), 21);
    assert!(stopped.load(Ordering::Relaxed), "`#[on_stop]` ran");
    assert_eq!(ask.wait().unwrap(), 20);
    assert_eq!(later.wait().unwrap(), 7, "the drain waits for continuations");
}

#[test]
fn after_the_end_everything_is_refused_and_says_so() {
    let Setup { system, job, .. } = start();
    let ordered = job.ordered();
    ordered.work(Duration::ZERO).wait().unwrap();
    system.shutdown_wait(LONG);
    for client in [job, ordered] {
        let asked = client.ask(Duration::ZERO).wait().unwrap_err();
        assert!(matches!(asked, AskError::Stopping { started: false }), "{asked:?}");
        let told = client.work(Duration::ZERO).now();
        assert!(matches!(told, Err(TellError::Stopping(JobRequest::Work { .. }))), "{told:?}");
    }
    let spawned = system.spawn::<Job>(Default::default()).wait();
    assert!(matches!(spawned, Err(SpawnError::Stopping)), "{spawned:?}");
    assert_eq!(system.actors()[0].state(), ActorState::Stopped);
}

#[test]
fn what_does_not_fit_into_the_drain_time_is_answered() {
    let Setup { system, job, done, .. } = start();
    let asks: Vec<_> = (0..10).map(|_| job.ask(Duration::from_millis(60)).now().unwrap()).collect();
    let later = job.later(Duration::from_mins(10)).now().unwrap();
    let start = Instant::now();
    let report = system.shutdown_wait(Duration::from_millis(150));
    assert!(start.elapsed() < Duration::from_secs(5), "{:?}", start.elapsed());
    let mut answered = 0;
    for ask in asks {
        match ask.wait() {
            Ok(_) => answered += 1,
            Err(error) => {
                assert!(matches!(error, AskError::Stopping { started: false }), "{error:?}");
            }
        }
    }
    assert_eq!(answered, done.load(Ordering::Relaxed), "what was refused has not run");
    assert!(answered < 10);
    let unanswered = later.wait().unwrap_err();
    assert!(!report.is_clean());
    assert_eq!(report.rejected() + report.abandoned() + answered, 11, "{report}: {unanswered:?}");
}

#[test]
fn a_second_shutdown_gets_the_same_report() {
    let Setup { system, job, .. } = start();
    // Answered, so that it has finished whoever's drain time counts.
    job.ask(Duration::ZERO).wait().unwrap();
    let other = system.clone();
    let second = thread::spawn(move || other.shutdown_wait(Duration::ZERO).finished());
    assert_eq!(system.shutdown_wait(LONG).finished(), second.join().unwrap());
    assert_eq!(system.shutdown_wait(LONG).finished(), 1);
}

#[test]
fn a_stuck_core_is_reported_by_name_and_holds_nobody_up() {
    let Setup { system, job, .. } = start();
    job.work(Duration::from_secs(3)).wait().unwrap();
    let start = Instant::now();
    let queued = job.ask(Duration::ZERO).now().unwrap();
    let report = system.shutdown_wait(Duration::from_millis(100));
    assert!(start.elapsed() < Duration::from_millis(2500), "{:?}", start.elapsed());
    assert_eq!(report.stuck_threads(), ["tpc-core-0"], "{report}");
    // What waits behind the stuck handler is answered although its core does not move.
    let unserved = queued.wait().unwrap_err();
    assert!(matches!(unserved, AskError::CoreLost { started: false }), "{unserved:?}");
    let refused = job.ask(Duration::ZERO).wait().unwrap_err();
    assert!(refused.never_ran(), "{refused:?}");
}

#[test]
fn who_waits_for_room_on_a_stuck_core_is_told() {
    let Setup { system, job, .. } = start();
    job.work(Duration::from_mins(1)).wait().unwrap();
    until("a full lane", || job.work(Duration::ZERO).now().is_err());
    let (told, tells) = mpsc::channel();
    let waits = job.clone();
    // Not joined: a thread that nobody tells waits for good.
    thread::spawn(move || told.send(waits.work(Duration::ZERO).wait().is_err()));
    thread::sleep(Duration::from_millis(50));
    assert_eq!(system.shutdown_wait(Duration::from_millis(100)).stuck_threads().len(), 1);
    assert_eq!(tells.recv_timeout(LONG), Ok(true));
}

#[test]
fn dropping_the_last_handle_ends_the_system() {
    let Setup { system, job, stopped, .. } = start();
    let clone = system.clone();
    drop(system);
    assert_eq!(job.ask(Duration::ZERO).wait().unwrap(), 0, "a clone keeps it");
    drop(clone);
    while !stopped.load(Ordering::Relaxed) {
        thread::yield_now();
    }
    assert!(job.ask(Duration::ZERO).wait().is_err());
}

#[tokio::test]
async fn dropping_the_last_handle_in_async_code_neither_blocks_nor_panics() {
    let system = System::builder().cores(1).start().unwrap();
    let job = system.spawn::<Job>(Default::default()).await.unwrap();
    drop(system);
    while job.ask(Duration::ZERO).await.is_ok() {}
}

#[test]
fn the_runtime_around_the_system_may_go_first() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let (system, job) = runtime.block_on(async {
        let system = System::builder().cores(1).start().unwrap();
        let job = system.spawn::<Job>(Default::default()).await.unwrap();
        (system, job)
    });
    let later = job.later(Duration::from_mins(10)).now().unwrap();
    drop(runtime);
    let error = later.wait().unwrap_err();
    assert!(matches!(error, AskError::Dropped), "{error:?}");
    assert!(job.ask(Duration::ZERO).wait().is_ok());
    system.shutdown_wait(LONG);
}

#[test]
fn a_handler_may_end_the_system() {
    #[core_actor]
    struct Ender(System);

    #[core_actor]
    impl Ender {
        #[init]
        fn new(system: System) -> Self {
            Self(system)
        }

        #[handler]
        fn end(&self) -> bool {
            drop(self.0.shutdown(LONG));
            true
        }
    }

    let system = System::builder().cores(1).start().unwrap();
    let ender = system.spawn::<Ender>(system.clone()).wait().unwrap();
    assert!(ender.end().wait().unwrap());
    assert!(system.shutdown_wait(LONG).is_clean());
}

#[test]
fn senders_that_race_with_the_end_all_get_an_answer() {
    for round in 0..30 {
        let Setup { system, job, done, .. } = start();
        let senders: Vec<_> = (0..3)
            .map(|_| {
                let job = job.clone();
                thread::spawn(move || {
                    tpc_actors::register_thread();
                    let mut ran = 0;
                    loop {
                        match job.ask(Duration::ZERO).wait() {
                            Ok(_) => ran += 1,
                            Err(error) => {
                                assert!(error.never_ran(), "{error:?}");
                                return ran;
                            }
                        }
                    }
                })
            })
            .collect();
        thread::sleep(Duration::from_micros(200 * round));
        let report = system.shutdown_wait(LONG);
        let ran: u64 = senders.into_iter().map(|sender| sender.join().unwrap()).sum();
        assert_eq!(ran, done.load(Ordering::Relaxed), "round {round}: {report}");
    }
}

#[test]
fn nothing_is_left_behind() {
    fn count(what: &str) -> usize {
        std::fs::read_dir(format!("/proc/self/{what}")).map_or(0, Iterator::count)
    }
    /// Runs a few systems from start to end.
    fn some_systems() {
        for _ in 0..50 {
            let Setup { system, job, .. } = start();
            job.work(Duration::ZERO).wait().unwrap();
            let mut events = system.events::<u8>().subscribe();
            system.shutdown_wait(LONG);
            assert_eq!(events.next_wait(), None);
        }
    }
    some_systems();
    let descriptors = count("fd");
    some_systems();
    // Other tests of this process open and close their own; what each system leaves would show fiftyfold.
    assert!(count("fd") < descriptors + 50, "descriptors are left open");
}

#[test]
fn bad_options_are_refused_in_words() {
    let error = System::builder().cores(0).start().unwrap_err();
    assert!(matches!(error, StartError::NoCores));
    let resumes = Supervise::new().on_panic(OnPanic::Resume);
    for (builder, words) in [
        (System::builder().cores(5000), "use at most 1024"),
        (System::builder().tasks_max(0), "use 1 to"),
        (System::builder().park_backstop(Some(Duration::ZERO)), "use at least 1 ms"),
        (System::builder().cores(2).placement(Placement::plan(1)), "leave out `cores`"),
        (System::builder().placement(Placement::plan(1)).cores(2), "leave out `cores`"),
        (System::builder().thread_name("a\0b"), "leave out the zero byte"),
        (System::builder().park_backstop(Some(Duration::from_nanos(1))), "use at least 1 ms"),
        (System::builder().core_supervision(resumes), "leave out `on_panic`"),
        (System::builder().core_restarts(resumes), "leave out `on_panic`"),
    ] {
        let error = builder.start().unwrap_err().to_string();
        assert!(error.contains(words), "{error}");
    }
    let many = CpuSet::allowed().len() + 1;
    let pinned = System::builder().cores(many).pin(Pin::Require).start();
    let error = pinned.unwrap_err().to_string();
    assert!(error.contains("cannot be pinned"), "{error}");
    // A plan may come with the number of cores that it is for.
    let system = System::builder().placement(Placement::plan(2)).cores(2).start().unwrap();
    assert_eq!(system.cores().len(), 2);
    assert!(system.shutdown_wait(LONG).is_clean());
    let system = System::builder().cores(1).spin(Duration::MAX).start().unwrap();
    let none = system.spawn_sharded::<Keyed>(0, |_| ()).wait();
    assert!(matches!(none, Err(SpawnError::NoShards)));
}

#[core_actor]
struct Keyed;

#[core_actor]
impl Keyed {
    #[init]
    fn new() -> Self {
        Self
    }

    #[handler(tell)]
    fn touch(&self, #[key] key: u64) {
        let _ = (self, key);
    }
}

#[test]
fn a_spawn_on_a_core_that_is_stuck_for_good_is_answered() {
    let system = System::builder().cores(1).start().unwrap();
    let job = system.spawn::<Job>(Default::default()).wait().unwrap();
    job.work(Duration::from_secs(2)).wait().unwrap();
    // A command would go before a message that has not begun.
    while system.actors()[0].handled() == 0 {
        thread::yield_now();
    }
    let late = system.spawn::<Job>(Default::default());
    let report = system.shutdown_wait(Duration::from_millis(50));
    assert_eq!(report.stuck_threads().len(), 1, "{report}");
    assert!(matches!(late.wait(), Err(SpawnError::CoreLost)));
}

#[test]
fn a_deadline_holds_although_the_system_has_ended() {
    use std::sync::Mutex;

    /// Hands its reply tokens to somebody outside.
    #[core_actor]
    struct Leaky(Arc<Mutex<Vec<Reply<u8>>>>);

    #[core_actor]
    impl Leaky {
        #[init]
        fn new(kept: Arc<Mutex<Vec<Reply<u8>>>>) -> Self {
            Self(kept)
        }

        #[handler]
        fn keep(&mut self, reply: Reply<u8>) {
            self.0.lock().unwrap().push(reply);
        }
    }

    let system = System::builder().cores(1).start().unwrap();
    let kept = Arc::new(Mutex::new(Vec::new()));
    let leaky = system.spawn::<Leaky>(Arc::clone(&kept)).wait().unwrap();
    let late = leaky.clone();
    let asker = thread::spawn(move || late.keep().deadline(Duration::from_millis(300)).wait());
    let limited_later = leaky.keep().now().unwrap();
    while kept.lock().unwrap().len() < 2 {
        thread::yield_now();
    }
    system.shutdown_wait(Duration::from_millis(10));
    let late = asker.join().unwrap();
    assert!(matches!(late, Err(AskError::Deadline { started: true })), "{late:?}");
    // Nobody waits for a time any more, and then somebody does.
    thread::sleep(Duration::from_millis(20));
    let late = limited_later.deadline(Duration::from_millis(50)).wait();
    assert!(matches!(late, Err(AskError::Deadline { started: true })), "{late:?}");
    drop(kept);
}
