//! Cores that stall, and cores that lose their thread.

mod until;

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use tpc_actors::prelude::*;
use tpc_actors::supervision::{Group, Strategy, Supervise};
use tpc_actors::{ActorState, ActorStatus, Ended, StallReport};
use until::until;

const LONG: Duration = Duration::from_secs(20);

#[core_actor(capacity = 256)]
struct Store {
    calls: u64,
    kept: Vec<Reply<u64>>,
    ticks: Arc<AtomicU64>,
}

#[core_actor]
impl Store {
    #[init]
    fn new(ticks: Arc<AtomicU64>) -> Self {
        Self { calls: 0, kept: Vec::new(), ticks }
    }

    #[handler]
    fn call(&mut self) -> u64 {
        self.calls += 1;
        self.calls
    }

    #[handler]
    fn incarnation(&self, cx: &mut Ctx<Self>) -> u64 {
        cx.incarnation()
    }

    #[handler]
    fn sleep(&self, time: Duration) -> u64 {
        thread::sleep(time);
        0
    }

    #[handler]
    fn keep(&mut self, reply: Reply<u64>) {
        self.kept.push(reply);
    }

    /// Answers those that wait, and sticks until it is told that somebody has seen that.
    #[handler(tell)]
    fn answer_and_wait(&mut self, seen: Receiver<()>) {
        self.kept.drain(..).for_each(|reply| reply.send(7));
        seen.recv_timeout(LONG).unwrap();
    }

    #[handler(tell)]
    fn task(&self, cx: &mut Ctx<Self>, time: Duration) {
        cx.spawn(async move { thread::sleep(time) });
    }

    #[every("5ms")]
    fn tick(&mut self) {
        self.ticks.fetch_add(1, Ordering::Relaxed);
    }
}

type Reports = Arc<Mutex<Vec<StallReport>>>;

fn watched(limit: Duration) -> (System, StoreClient, Reports) {
    let reports = Reports::default();
    let theirs = Arc::clone(&reports);
    let system = System::builder()
        .cores(2)
        .stall_after(Some(limit))
        .on_stall(move |report| {
            theirs.lock().unwrap().push(report.clone());
            // Without the hook, which would print a backtrace for longer than a stall here takes.
            std::panic::resume_unwind(Box::new("a listener that panics"));
        })
        .start()
        .unwrap();
    let store = system.spawn::<Store>(Arc::default()).wait().unwrap();
    (system, store, reports)
}

#[test]
fn a_stall_is_reported_with_actor_and_handler() {
    let (system, store, reports) = watched(Duration::from_millis(25));
    store.sleep(Duration::from_millis(500)).wait().unwrap();
    until("the report", || !reports.lock().unwrap().is_empty());
    let report = reports.lock().unwrap()[0].clone();
    assert_eq!((report.core, report.actor, report.handler), (0, "Store", "sleep"), "{report}");
    assert!(report.stalled_for >= Duration::from_millis(25), "{report}");
    assert_eq!(system.cores()[0].stalls(), 1, "one stall, one report");
    // Work that is not a message has a name, too.
    store.task(Duration::from_millis(500)).wait().unwrap();
    until("its report", || reports.lock().unwrap().len() == 2);
    assert_eq!(reports.lock().unwrap()[1].handler, "task");
    system.shutdown_wait(LONG);
}

#[test]
fn who_is_idle_or_busy_with_small_things_has_not_stalled() {
    // The machine that runs this may itself stall a core for a while.
    let (system, store, reports) = watched(Duration::from_millis(400));
    thread::sleep(Duration::from_millis(600));
    let start = Instant::now();
    while start.elapsed() < Duration::from_secs(1) {
        store.call().wait().unwrap();
    }
    assert!(reports.lock().unwrap().is_empty(), "{:?}", reports.lock().unwrap());
    system.shutdown_wait(LONG);
}

/// How often the threads of this name have gone to sleep.
fn sleeps_of(name: &str) -> u64 {
    let tasks = std::fs::read_dir("/proc/self/task").unwrap().filter_map(Result::ok);
    let status = |task: std::fs::DirEntry| std::fs::read_to_string(task.path().join("status")).ok();
    let ours =
        tasks.filter_map(status).filter(|status| status.contains(&format!("Name:\t{name}\n")));
    let line = |status: &str| {
        status.lines().find_map(|line| {
            line.strip_prefix("voluntary_ctxt_switches:")?.trim().parse::<u64>().ok()
        })
    };
    ours.filter_map(|status| line(&status)).sum::<u64>()
}

/// In a process of its own, because other tests have systems with cores at work.
#[test]
fn an_idle_system_is_not_looked_at_and_a_stall_after_that_is_seen() {
    const ALONE: &str = "TPC_ALONE";
    if std::env::var_os(ALONE).is_none() {
        let this = "an_idle_system_is_not_looked_at_and_a_stall_after_that_is_seen";
        let mut again = std::process::Command::new(std::env::current_exe().unwrap());
        let output = again.args(["--exact", this]).env(ALONE, "1").output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
        return;
    }
    let reports = Reports::default();
    let theirs = Arc::clone(&reports);
    let builder = System::builder().cores(2).park_backstop(None);
    let system = builder
        .on_stall(move |report| theirs.lock().unwrap().push(report.clone()))
        .start()
        .unwrap();
    let store = system.spawn::<Sleeper>(()).wait().unwrap();
    for round in 1..=2 {
        until("its sleep", || {
            let before = sleeps_of("tpc-warden");
            thread::sleep(Duration::from_millis(200));
            sleeps_of("tpc-warden") == before
        });
        store.sleep(Duration::from_millis(300)).wait().unwrap();
        assert_eq!(reports.lock().unwrap().len(), round);
    }
    system.crash_core(0);
    until("the restart", || store.sleep(Duration::ZERO).wait().is_ok());
    system.shutdown_wait(LONG);
}

#[core_actor]
struct Sleeper;

#[core_actor]
impl Sleeper {
    #[init]
    fn new() -> Self {
        Self
    }

    #[handler]
    fn sleep(&self, time: Duration) -> u64 {
        thread::sleep(time);
        0
    }
}

#[test]
fn reports_of_stalls_are_few_and_the_count_is_exact() {
    let (system, store, reports) = watched(Duration::from_millis(8));
    for _ in 0..8 {
        store.sleep(Duration::from_millis(60)).wait().unwrap();
    }
    until("the count", || system.cores()[0].stalls() >= 8);
    assert_eq!(reports.lock().unwrap().len(), 5, "five a minute");
    system.shutdown_wait(LONG);
}

/// Who looks after the cores lies down while all of them sleep, and not while one only looks for work.
#[test]
fn a_stall_that_begins_while_the_core_spins_is_noticed() {
    let spin = Duration::from_millis(200);
    let system = System::builder().cores(1).spin(spin).stall_after(Some(Duration::from_millis(8)));
    let system = system.start().unwrap();
    let store = system.spawn::<Store>(Arc::default()).wait().unwrap();
    store.call().wait().unwrap();
    thread::sleep(Duration::from_millis(50));
    store.sleep(Duration::from_millis(100)).wait().unwrap();
    until("the stall", || system.cores()[0].stalls() == 1);
    system.shutdown_wait(LONG);
}

#[test]
fn limits_that_make_no_sense_are_refused() {
    let error = System::builder().cores(1).stall_after(Some(Duration::ZERO)).start().unwrap_err();
    assert!(error.to_string().contains("use at least 1 ms"), "{error}");
    let unheard = System::builder().cores(1).on_stall(|_| {}).stall_after(None).start();
    let error = unheard.unwrap_err();
    assert!(error.to_string().contains("leave out `on_stall`"), "{error}");
    let system = System::builder().cores(1).stall_after(None).start().unwrap();
    assert!(system.shutdown_wait(LONG).is_clean());
}

#[test]
fn a_lost_core_answers_at_once_and_comes_back_with_its_actors() {
    let system = System::builder().cores(2).start().unwrap();
    let ticks = Arc::<AtomicU64>::default();
    let spawn =
        |core| system.spawner().core(core).spawn::<Store>(Arc::clone(&ticks)).wait().unwrap();
    let (one, two, elsewhere) = (spawn(0), spawn(0), spawn(1));
    let ordered = one.ordered();
    for client in [&one, &ordered, &two, &elsewhere] {
        client.call().wait().unwrap();
    }
    let kept = one.keep().now().unwrap();
    one.call().wait().unwrap();
    let begun = two.sleep(Duration::from_millis(50)).now().unwrap();
    system.crash_core(0);
    let behind: Vec<_> = (0..50).filter_map(|_| one.call().now().ok()).collect();
    let start = Instant::now();
    let lost = kept.wait().unwrap_err();
    assert!(matches!(lost, AskError::CoreLost { started: true }), "{lost:?}");
    drop(begun.wait());
    let mut refused = 0;
    for ask in behind {
        match ask.wait() {
            Ok(_) => {}
            Err(error) => {
                assert!(error.never_ran(), "{error:?}");
                refused += 1;
            }
        }
    }
    println!("answered after {:?}, {refused} of them refused", start.elapsed());
    assert!(start.elapsed() < Duration::from_secs(5));

    // Every client goes on as it is, over new lanes, with a new state.
    until("the restart", || one.call().wait().is_ok());
    for client in [&one, &ordered, &two] {
        until("each client", || client.call().wait().is_ok());
        assert_eq!(client.incarnation().wait().unwrap(), 1);
    }
    assert_eq!(elsewhere.call().wait().unwrap(), 2, "the other core has not noticed");
    let before = ticks.load(Ordering::Relaxed);
    until("its timers", || ticks.load(Ordering::Relaxed) > before + 10);
    let late = system.spawner().core(0).spawn::<Store>(Arc::clone(&ticks)).wait().unwrap();
    assert_eq!(late.call().wait().unwrap(), 1);
    let report = system.shutdown_wait(LONG);
    assert_eq!(report.lost_threads(), ["tpc-core-0"], "{report}");
    assert_eq!(report.restarts(), 2, "{report}");
}

#[test]
fn senders_of_all_kinds_survive_many_losses() {
    let policy = Supervise::new()
        .max(1000)
        .within(LONG)
        .backoff(Duration::from_millis(1), Duration::from_millis(1));
    let system = System::builder().cores(2).core_restarts(policy).start().unwrap();
    let store = system.spawner().core(0).spawn::<Store>(Arc::default()).wait().unwrap();
    let stop = Arc::new(AtomicBool::new(false));
    let answered = Arc::<AtomicU64>::default();
    let senders: Vec<_> = (0..4)
        .map(|n| {
            let (store, stop, answered) = (store.clone(), Arc::clone(&stop), Arc::clone(&answered));
            thread::spawn(move || {
                if n % 2 == 0 {
                    tpc_actors::register_thread();
                }
                let store = if n == 3 { store.ordered() } else { store };
                while !stop.load(Ordering::Relaxed) {
                    match store.call().deadline(LONG).wait() {
                        Ok(_) => _ = answered.fetch_add(1, Ordering::Relaxed),
                        Err(AskError::CoreLost { .. }) => {}
                        Err(other) => panic!("{other:?}"),
                    }
                }
            })
        })
        .collect();
    for _ in 0..20 {
        let before = answered.load(Ordering::Relaxed);
        until("answers", || answered.load(Ordering::Relaxed) > before + 50);
        system.crash_core(0);
    }
    let before = answered.load(Ordering::Relaxed);
    until("answers after all", || answered.load(Ordering::Relaxed) > before + 50);
    stop.store(true, Ordering::Relaxed);
    for sender in senders {
        sender.join().unwrap();
    }
    let report = system.shutdown_wait(LONG);
    assert!(report.lost_threads().len() >= 19, "{report}");
}

#[test]
fn a_group_comes_back_as_a_group() {
    #[core_actor(supervise(max = 100, within = "10s", backoff = "1ms..1ms"))]
    struct Member(u64);

    #[core_actor]
    impl Member {
        #[init]
        fn new() -> Self {
            Self(0)
        }

        #[handler]
        fn call(&mut self) -> u64 {
            self.0 += 1;
            self.0
        }

        #[handler]
        fn fail(&mut self) -> u64 {
            panic!("on demand")
        }
    }

    let system = System::builder().cores(1).start().unwrap();
    let group = system.group(Group::new().strategy(Strategy::OneForAll));
    let one = group.spawn::<Member>(()).wait().unwrap();
    let two = group.spawn::<Member>(()).wait().unwrap();
    system.crash_core(0);
    until("the restart", || one.call().wait().is_ok() && two.call().wait().is_ok());
    assert!(one.call().wait().unwrap() > 1);
    drop(two.fail().wait());
    until("the restart of both", || one.call().wait().is_ok_and(|calls| calls == 1));
    system.shutdown_wait(LONG);
}

#[test]
fn too_many_losses_end_the_system() {
    let policy = Supervise::new().max(1).within(LONG);
    let system = System::builder().cores(2).core_restarts(policy).start().unwrap();
    let spawn = |core| system.spawner().core(core).spawn::<Store>(Arc::default()).wait().unwrap();
    let (lost, other) = (spawn(0), spawn(1));
    system.crash_core(0);
    until("the restart", || lost.call().wait().is_ok());
    system.crash_core(0);
    assert!(matches!(lost.closed().wait(), Ended::CoreLost));
    assert!(matches!(other.closed().wait(), Ended::Shutdown));
    let report = system.shutdown_wait(LONG);
    assert_eq!(report.lost_threads().len(), 2, "{report}");
}

#[test]
fn a_shutdown_may_meet_a_lost_core_at_any_moment() {
    for round in 0..30u64 {
        let system = System::builder().cores(2).start().unwrap();
        let store = system.spawner().core(0).spawn::<Store>(Arc::default()).wait().unwrap();
        system.crash_core(0);
        thread::sleep(Duration::from_micros(300 * round));
        let report = system.shutdown_wait(LONG);
        assert!(report.stuck_threads().is_empty(), "round {round}: {report}");
        assert!(store.call().wait().is_err());
        store.closed().wait();
    }
}

/// A core that comes back after a while, on the first of two.
fn away(pause: Duration) -> (System, [StoreClient; 2]) {
    let restarts = Supervise::new().max(3).backoff(pause, pause);
    let system = System::builder().cores(2).core_restarts(restarts).start().unwrap();
    let on = |core| system.spawner().core(core).spawn::<Store>(Arc::default()).wait().unwrap();
    let stores = [on(0), on(1)];
    system.crash_core(0);
    (system, stores)
}

/// Who is answered by a core that sticks is woken from outside, also while another core is away.
#[test]
fn the_other_cores_are_looked_after_while_one_is_away() {
    let (system, [_, store]) = away(LONG * 2);
    let lost = || system.actors()[0].state() == ActorState::CoreLost;
    until("the loss", lost);
    let kept = store.keep().now().unwrap();
    let (seen, looks) = channel();
    store.answer_and_wait(looks).wait().unwrap();
    assert_eq!(kept.wait().unwrap(), 7);
    seen.send(()).unwrap();
    assert!(lost(), "it is still away");
    system.shutdown_wait(LONG);
}

#[test]
fn two_cores_are_away_at_the_same_time() {
    let pause = Duration::from_secs(3);
    let (system, stores) = away(pause);
    system.crash_core(1);
    let states = || system.actors().iter().map(ActorStatus::state).collect::<Vec<_>>();
    until("the losses", || states() == [ActorState::CoreLost; 2]);
    until("the first one", || states().contains(&ActorState::Open));
    let first = Instant::now();
    until("the second one", || states() == [ActorState::Open; 2]);
    // One after the other, it would come a whole pause later.
    assert!(first.elapsed() < pause * 2 / 3);
    for store in stores {
        until("an answer", || store.call().wait().is_ok());
    }
    system.shutdown_wait(LONG);
}
