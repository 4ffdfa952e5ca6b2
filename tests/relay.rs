//! Many askers of one worker are woken through one task of its runtime, and nobody is forgotten there.

mod until;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::time::Duration;

use tokio::runtime::{Builder, Runtime};
use tokio::task::JoinSet;
use tpc_actors::prelude::*;
use tpc_actors::supervision::Supervise;
use until::until;

const LONG: Duration = Duration::from_secs(10);

/// Answers at once, or all together when it is told to.
#[core_actor]
struct Echo {
    waiting: Vec<(u64, Reply<u64>)>,
    echoed: u64,
}

#[core_actor]
impl Echo {
    #[init]
    fn new() -> Self {
        Self { waiting: Vec::new(), echoed: 0 }
    }

    #[handler]
    fn echo_late(&mut self, n: u64, reply: Reply<u64>) {
        self.waiting.push((n, reply));
    }

    #[handler]
    fn waiting(&self) -> usize {
        self.waiting.len()
    }

    #[handler(tell)]
    fn answer(&mut self) {
        self.waiting.drain(..).for_each(|(n, reply)| reply.send(n));
    }

    #[handler]
    fn echo(&mut self, n: u64) -> u64 {
        self.echoed += 1;
        n
    }

    /// Says that it is there, and sticks until another thread has opened it.
    #[handler(tell)]
    fn wait_for(&mut self, at: Arc<AtomicBool>, open: Arc<AtomicBool>) {
        self.echoed = 0;
        at.store(true, Ordering::SeqCst);
        until("it", || open.load(Ordering::SeqCst));
    }

    /// If all have been answered by now that ask in a round, sticks until `over` says so; says whether it did.
    #[handler(tell)]
    fn stick(&self, over: Over, stuck: Sender<bool>) {
        let sticks = self.echoed == TASKS;
        if sticks {
            until("its end", over);
        }
        stuck.send(sticks).unwrap();
    }

    /// Keeps the core busy, so that what is asked meanwhile is answered in one batch.
    #[handler(tell)]
    fn nap(&mut self) {
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn one_worker() -> Runtime {
    Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap()
}

/// A worker that nobody waits for, should a test fail that blocks it.
struct Blocked(Option<Runtime>);

impl Blocked {
    fn new() -> Self {
        Self(Some(one_worker()))
    }
}

impl std::ops::Deref for Blocked {
    type Target = Runtime;

    fn deref(&self) -> &Runtime {
        self.0.as_ref().unwrap()
    }
}

impl Drop for Blocked {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}

fn start() -> (System, EchoClient) {
    start_with_spin(Duration::from_micros(50))
}

/// With a core that looks for so long before it goes to sleep.
fn start_with_spin(spin: Duration) -> (System, EchoClient) {
    let system = System::builder().cores(1).spin(spin).start().unwrap();
    let echo = system.spawn::<Echo>(()).wait().unwrap();
    (system, echo)
}

/// `count` tasks that ask `rounds` times, each answered with its own number.
fn askers(echo: &EchoClient, count: u64, rounds: u64) -> JoinSet<()> {
    (0..count)
        .map(|task| {
            let echo = echo.clone();
            async move {
                for round in 0..rounds {
                    assert_eq!(echo.echo(task << 32 | round).await.unwrap(), task << 32 | round);
                }
            }
        })
        .collect()
}

#[test]
fn many_tasks_of_a_worker_get_each_its_own_answers() {
    let (system, echo) = start();
    let runtimes = [one_worker(), Builder::new_multi_thread().worker_threads(3).build().unwrap()];
    for runtime in &runtimes {
        runtime.block_on(async { askers(&echo, 300, 100).join_all().await });
    }
    drop(runtimes);
    assert!(system.shutdown_wait(LONG).is_clean());
}

/// The only worker blocks in `.wait()`, so no task of its runtime could wake it.
#[test]
fn a_worker_that_blocks_among_many_askers_is_woken_directly() {
    let (system, echo) = start();
    let runtime = one_worker();
    runtime.block_on(async {
        askers(&echo, 8, 1).join_all().await;
        for _ in 0..50 {
            let tasks = askers(&echo, 32, 3);
            let echo = echo.clone();
            let blocks = tokio::spawn(async move {
                echo.nap().await.unwrap();
                tokio::task::yield_now().await;
                assert_eq!(echo.echo(7).wait().unwrap(), 7);
            });
            blocks.await.unwrap();
            tasks.join_all().await;
        }
    });
    assert!(system.shutdown_wait(LONG).is_clean());
}

/// Tasks of a local set look like any others, and their worker is blocked by them.
#[test]
fn askers_of_a_local_set_that_blocks_the_only_worker_are_woken() {
    let (system, echo) = start();
    let runtime = one_worker();
    runtime.block_on(async {
        askers(&echo, 8, 1).join_all().await;
        let asks = tokio::spawn(async move {
            let local = tokio::task::LocalSet::new();
            for task in 0..32 {
                let echo = echo.clone();
                local.spawn_local(async move {
                    for n in 0..20 {
                        assert_eq!(echo.echo(task + n).await.unwrap(), task + n);
                    }
                });
            }
            block_on(local);
        });
        asks.await.unwrap();
    });
    assert!(system.shutdown_wait(LONG).is_clean());
}

/// An executor of one thread, as people bring their own.
fn block_on(future: impl Future) {
    struct Unpark(std::thread::Thread);
    impl std::task::Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    let waker = std::task::Waker::from(Arc::new(Unpark(std::thread::current())));
    let mut future = std::pin::pin!(future);
    let mut context = std::task::Context::from_waker(&waker);
    while future.as_mut().poll(&mut context).is_pending() {
        std::thread::park();
    }
}

/// A runtime that goes away takes its pump along; the askers of other runtimes do not notice.
#[test]
fn a_runtime_that_shuts_down_with_asks_on_their_way_leaves_the_others_alone() {
    let (system, echo) = start();
    let lasting = one_worker();
    for round in 0..20 {
        let brief = one_worker();
        let mut cut_off = brief.block_on(async { askers(&echo, 64, 1_000) });
        let others = lasting.block_on(async { askers(&echo, 32, 50) });
        std::thread::sleep(Duration::from_micros(100 * round));
        brief.shutdown_timeout(LONG);
        lasting.block_on(async { while cut_off.join_next().await.is_some() {} });
        lasting.block_on(others.join_all());
    }
    assert!(system.shutdown_wait(LONG).is_clean());
}

/// Tasks of a local set that blocks the only worker are answered together, by a core that never goes to sleep, which is when
/// it would wake those that the worker does not come to.
#[test]
fn a_core_that_spins_does_not_leave_askers_to_a_worker_that_they_block() {
    // Dropped last, because it waits for the tasks, and these for the system.
    let runtime = one_worker();
    let (system, echo) = start_with_spin(Duration::from_mins(10));
    runtime.block_on(async { askers(&echo, 8, 1).join_all().await });
    let asks = echo.clone();
    let blocked = runtime.spawn(async move {
        let local = tokio::task::LocalSet::new();
        for task in 0..32 {
            let echo = asks.clone();
            local.spawn_local(async move {
                for n in 0..5 {
                    assert_eq!(echo.echo_late(task + n).await.unwrap(), task + n);
                }
            });
        }
        block_on(local);
    });
    for _ in 0..5 {
        until("the next ask of each task", || echo.waiting().wait().unwrap() == 32);
        // They look for their answers for a while.
        std::thread::sleep(Duration::from_millis(1));
        echo.answer().wait().unwrap();
    }
    runtime.block_on(async { tokio::time::timeout(LONG, blocked).await.unwrap().unwrap() });
    assert!(system.shutdown_wait(LONG).is_clean());
}

/// Tasks that ask in a round.
const TASKS: u64 = 32;

type Over = Box<dyn Fn() -> bool + Send>;

/// Tasks that block their only worker are answered together and left to it, and then the core sticks in the handler of
/// another client's message until `over` of those that are woken. All of them have to be woken. Says whether it came
/// like that: lanes are served by turns.
fn left_to_a_blocked_worker(
    system: &System,
    runtime: &Runtime,
    [asks, first, last]: &[EchoClient; 3],
    over: impl FnOnce(Arc<AtomicU64>) -> Over,
) -> bool {
    let (at, go) = (Arc::<AtomicBool>::default(), Arc::<AtomicBool>::default());
    first.wait_for(Arc::clone(&at), Arc::clone(&go)).wait().unwrap();
    until("the gate", || at.load(Ordering::SeqCst));
    let woken = Arc::<AtomicU64>::default();
    let (asks, theirs) = (asks.clone(), Arc::clone(&woken));
    let blocked = runtime.spawn(async move {
        let local = tokio::task::LocalSet::new();
        for task in 0..TASKS {
            let (echo, woken) = (asks.clone(), Arc::clone(&theirs));
            local.spawn_local(async move {
                match echo.echo(task).await {
                    Ok(echo) => assert_eq!(echo, task),
                    Err(error) => assert!(matches!(error, AskError::CoreLost { .. }), "{error}"),
                }
                woken.fetch_add(1, Ordering::SeqCst);
            });
        }
        block_on(local);
    });
    until("the asks", || system.actors()[0].queue_depth() as u64 >= TASKS);
    // They look for their answers for a while.
    std::thread::sleep(Duration::from_millis(1));
    let (tell, told) = channel();
    last.stick(over(woken), tell).now().unwrap();
    go.store(true, Ordering::SeqCst);
    // Told nothing, when the core is lost before.
    let stuck = told.recv() == Ok(true);
    runtime.block_on(async { tokio::time::timeout(LONG, blocked).await.unwrap().unwrap() });
    // Who has the answer comes after a loss that was asked for before.
    until("the core", || last.waiting().wait().is_ok());
    stuck
}

#[test]
fn a_core_that_sticks_does_not_leave_askers_to_a_worker_that_they_block() {
    let runtime = Blocked::new();
    let (system, echo) = start();
    runtime.block_on(async { askers(&echo, 8, 1).join_all().await });
    let clients = [echo.clone(), echo.ordered(), echo.ordered()];
    let all =
        |woken: Arc<AtomicU64>| -> Over { Box::new(move || woken.load(Ordering::SeqCst) == TASKS) };
    let round = || left_to_a_blocked_worker(&system, &runtime, &clients, all);
    let stuck = (0..12).filter(|_| round()).count();
    assert!(stuck > 0, "the asks never came first");
    assert!(system.shutdown_wait(LONG).is_clean());
}

#[test]
fn a_core_that_is_lost_does_not_leave_askers_to_a_worker_that_they_block() {
    let runtime = Blocked::new();
    let restarts =
        Supervise::new().max(100).backoff(Duration::from_millis(1), Duration::from_millis(1));
    let system = System::builder().cores(1).core_restarts(restarts).start().unwrap();
    let echo = system.spawn::<Echo>(()).wait().unwrap();
    runtime.block_on(async { askers(&echo, 8, 1).join_all().await });
    let clients = [echo.clone(), echo.ordered(), echo.ordered()];
    let lost = |_| -> Over {
        let system = system.clone();
        Box::new(move || {
            system.crash_core(0);
            true
        })
    };
    let round = || left_to_a_blocked_worker(&system, &runtime, &clients, lost);
    let stuck = (0..12).filter(|_| round()).count();
    assert!(stuck > 0, "the asks never came first");
    assert_eq!(system.shutdown_wait(LONG).lost_threads().len(), stuck);
}
