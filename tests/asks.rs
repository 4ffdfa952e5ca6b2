//! What becomes of an ask: answered, refused, cancelled, late; and what may be said about it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use tpc_actors::prelude::*;

/// Counts what it runs, and can be kept busy.
#[core_actor(capacity = 8)]
struct Worker {
    ran: Arc<AtomicU64>,
    kept: Vec<Reply<u64>>,
}

#[core_actor]
impl Worker {
    #[init]
    fn new(ran: Arc<AtomicU64>) -> Self {
        Self { ran, kept: Vec::new() }
    }

    #[handler]
    fn run(&mut self) -> u64 {
        self.ran.fetch_add(1, Ordering::Relaxed)
    }

    #[handler(tell)]
    fn busy(&mut self, time: Duration) {
        thread::sleep(time);
    }

    #[handler]
    fn slow(&mut self, time: Duration) -> u64 {
        thread::sleep(time);
        self.ran.fetch_add(1, Ordering::Relaxed)
    }

    #[handler]
    fn keep(&mut self, reply: Reply<u64>) {
        self.kept.push(reply);
    }

    #[handler(tell)]
    fn release(&mut self, answer: Option<u64>) {
        for reply in self.kept.drain(..) {
            if let Some(answer) = answer {
                reply.send(answer);
            }
        }
    }

    /// Loses its token to a panic that it catches itself.
    #[handler]
    fn lose(&mut self, reply: Reply<u64>) {
        let lost = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            let _held = reply;
            panic!("caught by the handler");
        }));
        assert!(lost.is_err());
    }

    #[handler]
    fn fallible(&self, fails: bool) -> Result<u64, String> {
        if fails { Err("no".to_owned()) } else { Ok(1) }
    }
}

fn start() -> (System, WorkerClient, Arc<AtomicU64>) {
    let system = System::builder().cores(1).start().unwrap();
    let ran = Arc::new(AtomicU64::new(0));
    let worker = system.spawn::<Worker>(Arc::clone(&ran)).wait().unwrap();
    (system, worker, ran)
}

fn stop(system: &System) -> ShutdownReport {
    system.shutdown_wait(Duration::from_secs(10))
}

#[tokio::test]
async fn an_error_of_the_handler_is_an_answer_and_the_actor_lives() {
    let (system, worker, _) = start();
    let Err(AskError::Handler(error)) = worker.fallible(true).await else { panic!("no error") };
    assert_eq!(error, "no");
    assert_eq!(worker.fallible(false).await.unwrap(), 1);
    assert!(system.shutdown(Duration::from_secs(10)).await.is_clean());
}

#[test]
fn an_ask_that_is_dropped_before_it_begins_never_runs() {
    let (system, worker, ran) = start();
    worker.busy(Duration::from_millis(200)).wait().unwrap();
    let asks: Vec<_> = (0..5).map(|_| worker.run().now().unwrap()).collect();
    drop(asks);
    assert_eq!(worker.run().wait().unwrap(), 0);
    assert_eq!(ran.load(Ordering::Relaxed), 1);
    assert_eq!(system.cores()[0].cancelled(), 5);
    assert!(stop(&system).is_clean());
}

#[test]
fn a_full_lane_hands_the_request_back_and_has_room_again_later() {
    let (system, worker, ran) = start();
    worker.busy(Duration::from_millis(300)).wait().unwrap();
    let mut asks = Vec::new();
    let refused = loop {
        match worker.run().now() {
            Ok(ask) => asks.push(ask),
            Err(refused) => break refused,
        }
    };
    assert!(matches!(refused, TellError::Full(WorkerRequest::Run)), "{refused:?}");
    assert!(asks.len() >= 7, "{} found room", asks.len());
    let error = AskError::<std::convert::Infallible>::from(refused);
    assert!(matches!(error, AskError::Full) && error.never_ran());
    let accepted = asks.len() as u64;
    for ask in asks {
        ask.wait().unwrap();
    }
    assert_eq!(ran.load(Ordering::Relaxed), accepted);
    assert!(stop(&system).is_clean());
}

#[test]
fn a_deadline_that_passes_in_the_queue_means_that_the_handler_never_ran() {
    let (system, worker, ran) = start();
    worker.busy(Duration::from_millis(300)).wait().unwrap();
    let error = worker.run().deadline(Duration::from_millis(20)).wait().unwrap_err();
    assert!(matches!(error, AskError::Deadline { started: false }), "{error:?}");
    assert!(error.never_ran());
    worker.run().wait().unwrap();
    assert_eq!(ran.load(Ordering::Relaxed), 1);
    assert!(stop(&system).is_clean());
}

#[test]
fn a_deadline_ends_the_ask_in_time_although_its_handler_is_stuck() {
    let (system, worker, _) = start();
    let start = Instant::now();
    let error =
        worker.slow(Duration::from_secs(2)).deadline(Duration::from_millis(50)).wait().unwrap_err();
    assert!(start.elapsed() < Duration::from_secs(2), "{:?}", start.elapsed());
    assert!(matches!(error, AskError::Deadline { started: true }), "{error:?}");
    assert!(!error.never_ran());
    stop(&system);
}

#[test]
fn a_deadline_ends_a_wait_for_room() {
    let (system, worker, _) = start();
    worker.busy(Duration::from_millis(500)).wait().unwrap();
    let mut asks = Vec::new();
    while let Ok(ask) = worker.run().now() {
        asks.push(ask);
    }
    let error = worker.run().deadline(Duration::from_millis(20)).wait().unwrap_err();
    assert!(matches!(error, AskError::Deadline { started: false }), "{error:?}");
    let told = worker.busy(Duration::ZERO).deadline(Duration::from_millis(20)).wait();
    assert!(matches!(told, Err(TellError::Deadline(WorkerRequest::Busy { .. }))), "{told:?}");
    for ask in asks {
        ask.wait().unwrap();
    }
    assert!(stop(&system).is_clean());
}

#[test]
fn a_deadline_in_good_time_changes_nothing() {
    let (system, worker, _) = start();
    for n in 0..100 {
        assert_eq!(worker.run().deadline(Duration::from_mins(1)).wait().unwrap(), n);
    }
    assert!(stop(&system).is_clean());
}

#[tokio::test]
async fn deferred_answers_reach_their_askers_and_dropped_tokens_say_so() {
    let (system, worker, _) = start();
    let asks: Vec<_> = (0..3).map(|_| worker.keep().now().unwrap()).collect();
    worker.release(Some(9)).await.unwrap();
    for ask in asks {
        assert_eq!(ask.await.unwrap(), 9);
    }
    let ask = worker.keep().now().unwrap();
    worker.release(None).await.unwrap();
    let error = ask.await.unwrap_err();
    assert!(matches!(error, AskError::Dropped) && !error.never_ran(), "{error:?}");
    assert!(system.shutdown(Duration::from_secs(10)).await.is_clean());
}

/// Changes the task that polls between two polls, as `select!` and `join!` may.
#[tokio::test]
async fn an_ask_may_move_to_another_task_while_it_waits() {
    let (system, worker, _) = start();
    for _ in 0..200 {
        let mut ask = Box::pin(worker.clone().keep_owned());
        let early = tokio::time::timeout(Duration::from_micros(50), &mut ask).await;
        assert!(early.is_err(), "nobody has answered yet");
        let moved = tokio::spawn(ask);
        worker.release(Some(5)).await.unwrap();
        assert_eq!(moved.await.unwrap().unwrap(), 5);
    }
    assert!(system.shutdown(Duration::from_secs(10)).await.is_clean());
}

impl WorkerClient {
    async fn keep_owned(self) -> Result<u64, AskError> {
        self.keep().await
    }
}

/// Asks of a core that goes to sleep between them, cancelled at every early poll count.
#[tokio::test]
async fn an_ask_may_be_dropped_after_any_number_of_polls() {
    let (system, worker, ran) = start();
    for polls in 0..4 {
        for _ in 0..50 {
            let mut ask = Box::pin(worker.run());
            for _ in 0..polls {
                let polled = std::future::poll_fn(|context| {
                    std::task::Poll::Ready(ask.as_mut().poll(context).is_ready())
                });
                if polled.await {
                    break;
                }
                tokio::task::yield_now().await;
            }
        }
    }
    let before = ran.load(Ordering::Relaxed);
    assert_eq!(worker.run().await.unwrap(), before);
    // Every slot came back: as many asks as ever fit at a time.
    let asks: Vec<_> = (0..8).map(|_| worker.run().now().unwrap()).collect();
    for ask in asks {
        ask.await.unwrap();
    }
    assert!(system.shutdown(Duration::from_secs(10)).await.is_clean());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_askers_wait_for_little_room_and_each_gets_its_own_answer() {
    /// Answers with what it was given.
    #[core_actor(capacity = 4)]
    struct Echo;

    #[core_actor]
    impl Echo {
        #[init]
        fn new() -> Self {
            Self
        }

        #[handler]
        fn echo(&self, n: u64) -> u64 {
            n
        }
    }

    let system = System::builder().cores(1).start().unwrap();
    let echo = system.spawn::<Echo>(()).await.unwrap();
    let askers: Vec<_> = (0..64u64)
        .map(|asker| {
            let echo = echo.clone();
            tokio::spawn(async move {
                for n in 0..500 {
                    let id = asker << 32 | n;
                    if n % 10 == 9 {
                        // Cancelled at an arbitrary moment.
                        drop(tokio::time::timeout(Duration::ZERO, echo.echo(id)).await);
                    } else {
                        assert_eq!(echo.echo(id).await.unwrap(), id);
                    }
                }
            })
        })
        .collect();
    for asker in askers {
        asker.await.unwrap();
    }
    let report = system.shutdown(Duration::from_secs(10)).await;
    assert!(report.is_clean(), "{report}");
}

#[test]
fn waiting_on_a_core_is_refused() {
    /// Waits for another actor from a handler, which must not block.
    #[core_actor]
    struct Impatient(WorkerClient);

    #[core_actor]
    impl Impatient {
        #[init]
        fn new(worker: WorkerClient) -> Self {
            Self(worker)
        }

        #[handler]
        fn ask(&self) -> (bool, bool) {
            let asked = self.0.run().wait();
            let told = self.0.busy(Duration::ZERO).wait();
            (
                matches!(asked, Err(AskError::WouldBlockCore)),
                matches!(told, Err(TellError::WouldBlockCore(WorkerRequest::Busy { .. }))),
            )
        }
    }

    let (system, worker, ran) = start();
    let impatient = system.spawn::<Impatient>(worker).wait().unwrap();
    assert_eq!(impatient.ask().wait().unwrap(), (true, true));
    assert_eq!(ran.load(Ordering::Relaxed), 0);
    assert!(stop(&system).is_clean());
}

#[test]
fn every_shard_answers_in_order_and_keys_stay_on_theirs() {
    /// A counter per shard.
    #[core_actor]
    struct Part {
        shard: usize,
        hits: u64,
    }

    #[core_actor]
    impl Part {
        #[init]
        fn new(cx: &mut Ctx<Self>, base: usize) -> Self {
            Self { shard: base + cx.shard(), hits: 0 }
        }

        #[handler]
        fn hit(&mut self, #[key] key: u64) -> usize {
            let _ = key;
            self.hits += 1;
            self.shard
        }

        #[handler(all)]
        fn shards_and_hits(&self) -> (usize, u64) {
            (self.shard, self.hits)
        }

        #[handler(all, tell)]
        fn forget(&mut self, keep: u64) {
            self.hits = keep;
        }

        #[handler(all)]
        fn check(&self, limit: u64) -> Result<u64, String> {
            if self.hits > limit { Err(format!("shard {}", self.shard)) } else { Ok(self.hits) }
        }
    }

    let system = System::builder().cores(2).start().unwrap();
    let parts = system.spawn_sharded::<Part>(5, |shard| shard * 10).wait().unwrap();
    assert_eq!(parts.shards(), 5);
    for key in 0..1000 {
        let owner = parts.hit(key).wait().unwrap();
        assert_eq!(owner, parts.shard_of(&key) * 11);
    }
    let all = parts.shards_and_hits().wait().unwrap();
    assert_eq!(all.iter().map(|(shard, _)| *shard).collect::<Vec<_>>(), [0, 11, 22, 33, 44]);
    assert_eq!(all.iter().map(|(_, hits)| *hits).sum::<u64>(), 1000);
    let error = parts.check(0).wait().unwrap_err();
    assert!(matches!(&error, AskError::Handler(text) if text.starts_with("shard ")), "{error:?}");
    parts.forget(3).wait().unwrap();
    assert_eq!(parts.check(3).wait().unwrap(), [3; 5]);
    assert!(stop(&system).is_clean());
}

/// As many deferred asks as the lane has reply slots.
fn use_up_slots(worker: &WorkerClient) -> Vec<impl Future<Output = Result<u64, AskError>> + '_> {
    let mut kept = Vec::new();
    loop {
        match worker.keep().now() {
            Ok(ask) => kept.push(ask),
            Err(TellError::Full(_)) if kept.len() >= 16 => return kept,
            // Only the ring is full; the core is about to empty it.
            Err(_) => thread::yield_now(),
        }
    }
}

#[tokio::test]
async fn an_ask_that_waits_for_a_slot_does_not_hold_up_a_tell_that_has_room() {
    let (system, worker, _) = start();
    let kept = use_up_slots(&worker);
    let mut waiting = Box::pin(worker.run());
    assert!(tokio::time::timeout(Duration::from_millis(5), &mut waiting).await.is_err());
    // On the same lane, and what everybody is waiting for.
    worker.release(Some(3)).await.unwrap();
    for ask in kept {
        assert_eq!(ask.await.unwrap(), 3);
    }
    assert_eq!(waiting.await.unwrap(), 0);
    assert!(system.shutdown(Duration::from_secs(10)).await.is_clean());
}

/// Their handlers keep the slots, and others take their places.
#[tokio::test]
async fn who_leaves_makes_room_for_whoever_waits() {
    let (system, worker, _) = start();
    let kept = use_up_slots(&worker);
    worker.busy(Duration::ZERO).await.unwrap();
    // All of them have begun, so their slots stay taken until the core answers.
    while system.actors()[0].handled() < 17 {
        tokio::task::yield_now().await;
    }
    let mut waiting = Box::pin(worker.run());
    assert!(tokio::time::timeout(Duration::from_millis(5), &mut waiting).await.is_err());
    drop(kept);
    assert_eq!(waiting.await.unwrap(), 0);
    worker.release(Some(3)).await.unwrap();
    assert!(system.shutdown(Duration::from_secs(10)).await.is_clean());
}

#[tokio::test]
async fn waiting_for_a_running_handler_costs_no_polls() {
    let (system, worker, _) = start();
    let mut ask = Box::pin(worker.slow(Duration::from_millis(200)).now().unwrap());
    tokio::time::sleep(Duration::from_millis(50)).await;
    let mut polls = 0;
    let counted = std::future::poll_fn(|context| {
        polls += 1;
        ask.as_mut().poll(context)
    });
    counted.await.unwrap();
    assert!(polls < 10, "{polls} polls");
    assert!(system.shutdown(Duration::from_secs(10)).await.is_clean());
}

/// The core sleeps before each ask and answers sooner or later than a lone asker looks for it.
#[tokio::test]
async fn a_lone_asker_of_a_sleeping_core_gets_each_answer() {
    let system = System::builder().cores(1).spin(Duration::ZERO).start().unwrap();
    let ran = Arc::new(AtomicU64::new(0));
    let worker = system.spawn::<Worker>(ran).await.unwrap();
    for n in 0..300 {
        let time = Duration::from_micros(if n % 3 == 0 { 200 } else { 0 });
        assert_eq!(worker.slow(time).await.unwrap(), n);
        if n % 50 == 0 {
            // Long enough for everything to be put to sleep.
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }
    stop(&system);
}

#[test]
fn a_token_that_is_lost_to_a_caught_panic_is_answered() {
    let (system, worker, _) = start();
    let lost = worker.lose().wait();
    assert!(matches!(lost, Err(AskError::Dropped)), "{lost:?}");
    assert!(system.shutdown_wait(Duration::from_secs(10)).is_clean());
}

/// The thread that would poll the asking task again is the one that waits for the answer.
#[tokio::test]
async fn a_worker_may_block_in_its_own_asks() {
    let (system, worker, ran) = start();
    let mut asked = 0;
    for _ in 0..5 {
        for _ in 0..300 {
            assert_eq!(worker.run().wait().unwrap(), asked);
            asked += 1;
        }
        // The core sleeps, and the next ask wakes it.
        thread::sleep(Duration::from_millis(5));
        let answers = worker.ask_batch((0..64).map(|_| worker.run())).wait().unwrap();
        assert!(answers.iter().all(Result::is_ok));
        asked += 64;
    }
    assert_eq!(ran.load(Ordering::Relaxed), asked);
    assert!(stop(&system).is_clean());
}
