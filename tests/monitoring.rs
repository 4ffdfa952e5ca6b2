//! Names, ends and stops of single actors.

use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::Duration;

use tpc_actors::prelude::*;
use tpc_actors::{ActorState, Ended};

const LONG: Duration = Duration::from_secs(20);

#[core_actor(capacity = 64, supervise(max = 0, within = "1s", backoff = "1ms..1ms"))]
struct Worker {
    stopped: Arc<AtomicU32>,
    kept: Vec<Reply<u32>>,
}

#[core_actor]
impl Worker {
    #[init]
    fn new(stopped: Arc<AtomicU32>) -> Self {
        Self { stopped, kept: Vec::new() }
    }

    #[handler]
    fn work(&self) -> u32 {
        7
    }

    #[handler]
    fn slow(&self, time: Duration) -> u32 {
        thread::sleep(time);
        8
    }

    #[handler]
    fn keep(&mut self, reply: Reply<u32>) {
        self.kept.push(reply);
    }

    #[handler]
    fn finish(&mut self, cx: &mut Ctx<Self>) -> u32 {
        cx.stop();
        9
    }

    #[handler]
    fn fail(&self) -> u32 {
        panic!("the last one")
    }

    #[on_stop]
    fn stop(&mut self) {
        self.stopped.fetch_add(1, Ordering::Relaxed);
    }
}

#[test]
fn an_actor_that_stops_itself_answers_and_ends_in_order() {
    let system = System::builder().cores(1).start().unwrap();
    let stopped = Arc::<AtomicU32>::default();
    let worker = system.spawn::<Worker>(Arc::clone(&stopped)).wait().unwrap();
    let slow = worker.slow(Duration::from_millis(50)).now().unwrap();
    let kept = worker.keep().now().unwrap();
    let finish = worker.finish().now().unwrap();
    let behind = worker.work().now().unwrap();
    assert_eq!(slow.wait().unwrap(), 8);
    assert_eq!(finish.wait().unwrap(), 9, "the handler that stops still answers");
    assert!(matches!(behind.wait(), Err(AskError::Stopped)), "nothing runs after it");
    assert!(matches!(kept.wait(), Err(AskError::Dropped)));
    assert!(matches!(worker.closed().wait(), Ended::Normal));
    assert!(matches!(worker.work().wait(), Err(AskError::Stopped)));
    assert_eq!(stopped.load(Ordering::Relaxed), 1);
    assert!(!worker.is_alive());
    assert_eq!(system.actors()[0].state(), ActorState::Stopped);
    assert!(system.shutdown_wait(LONG).lost_threads().is_empty());
    assert_eq!(stopped.load(Ordering::Relaxed), 1, "once only");
}

#[test]
fn a_stopped_actor_leaves_its_neighbours_alone() {
    let system = System::builder().cores(1).start().unwrap();
    let stopped = Arc::<AtomicU32>::default();
    let worker = system.spawn::<Worker>(Arc::clone(&stopped)).wait().unwrap();
    let neighbour = system.spawn::<Worker>(Arc::clone(&stopped)).wait().unwrap();
    let slow = worker.slow(Duration::from_millis(50)).now().unwrap();
    thread::sleep(Duration::from_millis(10));
    let behind = worker.work().now().unwrap();
    assert!(matches!(system.stop(&worker).wait(), Ended::Stopped));
    assert_eq!(slow.wait().unwrap(), 8, "the handler that ran was not cut short");
    assert!(matches!(behind.wait(), Err(AskError::Stopped)));
    assert!(matches!(system.stop(&worker).wait(), Ended::Stopped), "twice is as good as once");
    assert_eq!(neighbour.work().wait().unwrap(), 7);
    assert_eq!(stopped.load(Ordering::Relaxed), 1);
    system.shutdown_wait(LONG);
    assert_eq!(stopped.load(Ordering::Relaxed), 2);
}

#[tokio::test]
async fn every_end_has_its_reason() {
    let system = System::builder().cores(1).start().unwrap();
    let failing = system.spawn::<Worker>(Arc::default()).await.unwrap();
    let lasting = system.spawn::<Worker>(Arc::default()).await.unwrap();
    let watcher = {
        let lasting = lasting.clone();
        tokio::spawn(async move { lasting.closed().await })
    };
    drop(failing.fail().await);
    let ended = failing.closed().await;
    assert!(matches!(&ended, Ended::Panicked(report) if report.handler() == "fail"), "{ended}");
    system.shutdown(LONG).await;
    assert!(matches!(watcher.await.unwrap(), Ended::Shutdown));
    assert_eq!(lasting.watch().next().await.map(|(shard, _)| shard), Some(0));
}

#[test]
fn a_stuck_core_has_lost_its_actors() {
    let system = System::builder().cores(1).start().unwrap();
    let worker = system.spawn::<Worker>(Arc::default()).wait().unwrap();
    let slow = worker.slow(Duration::from_secs(2)).now().unwrap();
    thread::sleep(Duration::from_millis(50));
    let report = system.shutdown_wait(Duration::from_millis(20));
    assert_eq!(report.stuck_threads().len(), 1, "{report}");
    assert!(matches!(worker.closed().wait(), Ended::CoreLost));
    drop(slow);
}

#[test]
fn shards_are_watched_one_by_one() {
    #[core_actor]
    struct Shard;

    #[core_actor]
    impl Shard {
        #[init]
        fn new() -> Self {
            Self
        }

        #[handler(tell)]
        fn finish(&self, cx: &mut Ctx<Self>, #[key] key: u64) {
            let _ = key;
            cx.stop();
        }
    }

    let system = System::builder().cores(2).start().unwrap();
    let shards = system.spawn_sharded::<Shard>(3, |_| ()).wait().unwrap();
    let mut watch = shards.watch();
    let key = (0..1000).find(|key| shards.shard_of(key) == 1).unwrap();
    shards.finish(key).wait().unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    assert!(matches!(runtime.block_on(watch.next()), Some((1, Ended::Normal))));
    assert!(shards.is_alive());
    system.shutdown_wait(LONG);
    let rest = [runtime.block_on(watch.next()), runtime.block_on(watch.next())];
    assert!(rest.iter().all(|end| matches!(end, Some((0 | 2, Ended::Shutdown)))), "{rest:?}");
    assert!(runtime.block_on(watch.next()).is_none());
    assert!(matches!(shards.closed().wait(), Ended::Shutdown));
}

#[test]
fn a_weak_client_lets_go_of_what_has_ended() {
    let system = System::builder().cores(1).start().unwrap();
    let worker = system.spawn::<Worker>(Arc::default()).wait().unwrap();
    let weak = worker.downgrade();
    drop(worker);
    let again =
        weak.upgrade().expect("a client does not keep its actor, and its loss changes nothing");
    assert_eq!(again.work().wait().unwrap(), 7);
    system.stop(&again).wait();
    assert!(weak.upgrade().is_none(), "although somebody still holds a client");
    system.shutdown_wait(LONG);
}

#[test]
fn a_weak_client_of_an_ordered_one_is_ordered() {
    use tpc_actors::client::Client;
    let system = System::builder().cores(1).start().unwrap();
    let worker = system.spawn::<Worker>(Arc::default()).wait().unwrap();
    let is_ordered = |worker: &WorkerClient| {
        let untyped: &Client<Worker> = worker.untyped();
        format!("{untyped:?}").contains("ordered: true")
    };
    let ordered = worker.ordered();
    let weak = ordered.downgrade();
    assert!(is_ordered(&weak.upgrade().unwrap()));
    drop(ordered);
    // With lanes of its own when there are no others.
    assert!(is_ordered(&weak.upgrade().unwrap()));
    assert!(!is_ordered(&worker.downgrade().upgrade().unwrap()));
    system.shutdown_wait(LONG);
}

#[test]
fn names_belong_to_one_actor_of_a_type_until_it_ends() {
    #[core_actor]
    struct Other;

    #[core_actor]
    impl Other {
        #[init]
        fn new(fails: bool) -> Result<Self, String> {
            if fails { Err("not today".to_owned()) } else { Ok(Self) }
        }

        #[handler]
        fn alive(&self) -> bool {
            true
        }
    }

    let system = System::builder().cores(1).start().unwrap();
    assert!(system.find::<Worker>("north").is_none());
    let spawn = || system.spawner().name("north").spawn::<Worker>(Arc::default()).wait();
    let north = spawn().unwrap();
    assert_eq!(system.find::<Worker>("north").unwrap().work().wait().unwrap(), 7);
    let status = system.actors().remove(0);
    assert_eq!((status.name(), status.given_name()), ("Worker", Some("north")));
    assert!(status.to_string().starts_with("Worker[0] \"north\" on core 0: Open"), "{status}");
    let taken = spawn().unwrap_err();
    assert!(matches!(&taken, SpawnError::NameTaken { name, .. } if name == "north"), "{taken}");
    assert!(system.find::<Other>("north").is_none(), "a name of another type");
    // A start that fails takes no name.
    let named = || system.spawner().name("north");
    assert!(named().spawn::<Other>(true).wait().is_err());
    assert!(system.find::<Other>("north").is_none());
    assert!(named().spawn::<Other>(false).wait().is_ok());
    assert!(system.find::<Other>("north").unwrap().alive().wait().unwrap());
    // The name is free again once its actor has ended.
    system.stop(&north).wait();
    assert!(system.find::<Worker>("north").is_none());
    assert!(spawn().is_ok());
    system.shutdown_wait(LONG);
}

#[test]
fn a_core_may_be_chosen_if_it_is_there() {
    let system = System::builder().cores(2).start().unwrap();
    for core in [1, 1, 0] {
        system.spawner().core(core).spawn::<Worker>(Arc::default()).wait().unwrap();
    }
    let error = system.spawner().core(2).spawn::<Worker>(Arc::default()).wait().unwrap_err();
    assert!(matches!(error, SpawnError::NoSuchCore { core: 2, cores: 2 }), "{error}");
    system.shutdown_wait(LONG);
}

#[test]
fn a_start_reports_its_progress_and_is_over_when_all_shards_are_ready() {
    #[core_actor]
    struct Replaying(u64);

    #[core_actor]
    impl Replaying {
        #[init]
        fn new(cx: &mut Ctx<Self>, steps: u64, ready: Arc<AtomicU32>) -> Self {
            for step in 1..=steps {
                thread::sleep(Duration::from_millis(5));
                cx.progress(step, steps);
            }
            ready.fetch_add(1, Ordering::Relaxed);
            Self(steps)
        }

        #[handler]
        fn steps(&self, #[key] key: u64) -> u64 {
            let _ = key;
            self.0
        }
    }

    let system = System::builder().cores(2).start().unwrap();
    let (ready, book) = (Arc::<AtomicU32>::default(), Arc::<Mutex<Vec<_>>>::default());
    let theirs = Arc::clone(&book);
    let replaying = system
        .spawner()
        .on_progress(move |progress| {
            theirs.lock().unwrap().push((progress.shard, progress.done, progress.total));
            assert!(progress.done < 3, "a listener that panics at the end");
        })
        .spawn_sharded::<Replaying>(3, |shard| (shard as u64 + 1, Arc::clone(&ready)))
        .wait()
        .unwrap();
    assert_eq!(ready.load(Ordering::Relaxed), 3, "no client before the last shard is ready");
    assert_eq!(replaying.shards(), 3);
    let mut told = book.lock().unwrap_or_else(std::sync::PoisonError::into_inner).clone();
    told.sort_unstable();
    assert_eq!(told, [(0, 1, 1), (1, 1, 2), (1, 2, 2), (2, 1, 3), (2, 2, 3), (2, 3, 3)]);
    system.shutdown_wait(LONG);
}

#[test]
fn many_actors_may_come_and_go() {
    let system = System::builder().cores(1).start().unwrap();
    for round in 0..500 {
        let worker = system.spawn::<Worker>(Arc::default()).wait().unwrap();
        assert_eq!(worker.work().wait().unwrap(), 7);
        system.stop(&worker).wait();
        drop(worker);
        assert!(system.actors().len() <= 2, "round {round}: {}", system.actors().len());
    }
    assert!(system.shutdown_wait(LONG).is_clean());
}

#[test]
fn an_ask_may_be_cancelled_from_elsewhere() {
    let system = System::builder().cores(1).start().unwrap();
    let worker = system.spawn::<Worker>(Arc::default()).wait().unwrap();
    // Before it is sent, while it waits, and after its start.
    let (ask, canceller) = worker.work().cancellable();
    canceller.cancel();
    let early = ask.wait().unwrap_err();
    assert!(matches!(early, AskError::Cancelled { started: false }) && early.never_ran());

    let slow = worker.slow(Duration::from_millis(100)).now().unwrap();
    let (ask, canceller) = worker.work().now().unwrap().cancellable();
    canceller.cancel();
    assert!(matches!(ask.wait(), Err(AskError::Cancelled { started: false })));
    assert_eq!(slow.wait().unwrap(), 8);

    let (ask, canceller) = worker.keep().cancellable();
    let asker = thread::spawn(move || {
        thread::sleep(Duration::from_millis(50));
        canceller.cancel();
    });
    let late = ask.wait().unwrap_err();
    assert!(matches!(late, AskError::Cancelled { started: true }) && !late.never_ran());
    asker.join().unwrap();

    // One that has been answered keeps its answer.
    let answered = worker.work().now().unwrap();
    assert_eq!(worker.work().wait().unwrap(), 7);
    let (ask, canceller) = answered.cancellable();
    canceller.cancel();
    assert_eq!(ask.wait().unwrap(), 7);
    system.shutdown_wait(LONG);
}
