//! Panics in every place that the library calls, and what everybody else sees of them.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use tpc_actors::prelude::*;

/// Panics when it is dropped, if it is told to, with a payload that panics as well.
#[derive(Clone, Debug, Default)]
struct Grenade {
    armed: bool,
}

impl Drop for Grenade {
    fn drop(&mut self) {
        if self.armed {
            self.armed = false;
            std::panic::panic_any(Payload);
        }
    }
}

struct Payload;

impl Drop for Payload {
    fn drop(&mut self) {
        panic!("a payload that panics when it is dropped");
    }
}

fn armed() -> Grenade {
    Grenade { armed: true }
}

#[core_actor(event = u32, supervise(max = 1000, within = "60s", backoff = "1ms..1ms"))]
struct Fragile {
    builds: Arc<AtomicU64>,
    state: Grenade,
    kept: Vec<Reply<u32>>,
}

#[core_actor]
impl Fragile {
    #[init]
    fn new(builds: Arc<AtomicU64>) -> Self {
        builds.fetch_add(1, Ordering::Relaxed);
        Self { builds, state: Grenade::default(), kept: Vec::new() }
    }

    #[handler]
    fn builds(&self) -> u64 {
        self.builds.load(Ordering::Relaxed)
    }

    #[handler]
    fn panic_text(&mut self) -> u32 {
        panic!("a text")
    }

    #[handler]
    fn panic_after_an_ask(&mut self, cx: &mut Ctx<Self>, other: FragileClient) -> u32 {
        cx.ask(other.builds(), |_, _, _| {});
        panic!("it is not the task that asks")
    }

    #[handler]
    fn panic_payload(&mut self) -> u32 {
        std::panic::panic_any(Payload)
    }

    #[handler]
    fn panic_with_armed_state(&mut self) -> u32 {
        self.state.armed = true;
        panic!("the state will panic as well")
    }

    #[handler]
    fn armed_message(&mut self, grenade: Grenade) -> u32 {
        drop(grenade);
        0
    }

    #[handler]
    fn armed_answer(&mut self) -> Grenade {
        armed()
    }

    #[handler]
    fn panic_with_token(&mut self, reply: Reply<u32>) {
        let _held = reply;
        panic!("the token goes down with the handler")
    }

    #[handler]
    fn keep(&mut self, reply: Reply<u32>) {
        self.kept.push(reply);
    }

    #[handler]
    fn task(&mut self, cx: &mut Ctx<Self>, reply: Reply<u32>) {
        cx.spawn(async move {
            let _held = reply;
            panic!("in a task");
        });
    }

    #[handler]
    fn offload(&mut self, cx: &mut Ctx<Self>, reply: Reply<u32>) {
        cx.offload(async { panic!("in an offloaded future") }, move |_, _, ()| reply.send(1));
    }

    #[handler]
    fn offload_for_ever(&mut self, cx: &mut Ctx<Self>, reply: Reply<u32>) {
        cx.offload(std::future::pending(), move |_, _, ()| reply.send(1));
    }

    #[handler]
    fn continuation(&mut self, cx: &mut Ctx<Self>, reply: Reply<u32>) {
        cx.offload(async {}, move |_, _, ()| {
            let _held = reply;
            panic!("in a continuation");
        });
    }

    #[handler(tell)]
    fn publish(&mut self, cx: &mut Ctx<Self>, event: u32) {
        cx.publish(event);
    }
}

struct Setup {
    system: System,
    fragile: FragileClient,
}

fn start() -> Setup {
    let system = System::builder().cores(1).start().unwrap();
    let fragile = system.spawn::<Fragile>(Arc::default()).wait().unwrap();
    Setup { system, fragile }
}

#[test]
fn the_caller_of_a_broken_handler_is_told_and_the_next_ask_works() {
    let Setup { system, fragile } = start();
    for round in 1..=3 {
        let AskError::Panicked(report) = fragile.panic_text().wait().unwrap_err() else {
            panic!("not reported as a panic")
        };
        assert_eq!((report.actor(), report.handler(), report.core()), ("Fragile", "panic_text", 0));
        assert_eq!(report.message(), "a text");
        assert_eq!(fragile.builds().wait().unwrap(), round + 1);
    }
    let report = system.shutdown_wait(Duration::from_secs(10));
    assert_eq!((report.panics(), report.restarts(), report.rejected()), (3, 3, 0), "{report}");
}

#[test]
fn a_handler_that_panics_after_it_has_asked_is_named() {
    let Setup { system, fragile } = start();
    let other = system.spawn::<Fragile>(Arc::default()).wait().unwrap();
    let Err(AskError::Panicked(report)) = fragile.panic_after_an_ask(other).wait() else {
        panic!("it panics");
    };
    assert_eq!(report.handler(), "panic_after_an_ask");
    system.shutdown_wait(Duration::from_secs(5));
}

#[test]
fn no_source_of_panics_takes_the_core_down() {
    let Setup { system, fragile } = start();
    let check = |what: &str, outcome: Result<u32, AskError>| {
        assert!(matches!(outcome, Err(AskError::Panicked(_))), "{what}: {outcome:?}");
        assert!(fragile.builds().wait().is_ok(), "{what}");
    };
    check("payload", fragile.panic_payload().wait());
    check("state", fragile.panic_with_armed_state().wait());
    check("message", fragile.armed_message(armed()).wait());
    check("token", fragile.panic_with_token().wait());
    check("task", fragile.task().wait());
    check("continuation", fragile.continuation().wait());
    // The future panicked on Tokio, so all that the core knows is that there is no answer.
    let offloaded = fragile.offload().wait();
    assert!(matches!(offloaded, Err(AskError::Dropped)), "{offloaded:?}");
    assert!(fragile.builds().wait().is_ok());
    let panics = system.actors()[0].panics();
    assert_eq!(
        system.shutdown_wait(Duration::from_secs(10)).panics(),
        panics,
        "each is the actor's"
    );
}

/// Nobody has panicked.
#[test]
fn an_offloaded_future_whose_runtime_goes_away_is_dropped() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let system = System::builder().cores(1).tokio(runtime.handle().clone()).start().unwrap();
    let fragile = system.spawn::<Fragile>(Arc::default()).wait().unwrap();
    let ask = fragile.offload_for_ever().now().unwrap();
    assert!(fragile.builds().wait().is_ok());
    runtime.shutdown_background();
    let dropped = ask.wait();
    assert!(matches!(dropped, Err(AskError::Dropped)), "{dropped:?}");
    assert!(system.shutdown_wait(Duration::from_secs(10)).is_clean());
}

#[test]
fn messages_and_answers_that_nobody_takes_may_panic_when_they_are_dropped() {
    let Setup { system, fragile } = start();
    // A request that is dropped unrun, by the core.
    let ask = fragile.armed_message(armed()).now().unwrap();
    drop(ask);
    assert!(fragile.builds().wait().is_ok());
    // An answer whose asker has left, dropped by the core.
    for _ in 0..20 {
        let ask = fragile.armed_answer().now().unwrap();
        thread::yield_now();
        // Dropped here when the answer was there already; that is the asker's own panic.
        let dropped = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| drop(ask)));
        dropped.unwrap_or_else(|payload| _ = Box::leak(payload));
        assert!(fragile.builds().wait().is_ok());
    }
    system.shutdown_wait(Duration::from_secs(10));
}

#[test]
fn work_behind_a_panic_is_kept_and_tokens_of_the_old_state_are_answered() {
    let Setup { system, fragile } = start();
    let kept = fragile.keep().now().unwrap();
    let broken = fragile.panic_text().now().unwrap();
    let behind: Vec<_> = (0..20).map(|_| fragile.builds().now().unwrap()).collect();
    assert!(matches!(broken.wait(), Err(AskError::Panicked(_))));
    for ask in behind {
        assert_eq!(ask.wait().unwrap(), 2);
    }
    // It had run, and its answer went down with the state.
    let error = kept.wait().unwrap_err();
    assert!(!error.never_ran(), "{error:?}");
    system.shutdown_wait(Duration::from_secs(10));
}

#[test]
fn a_filter_that_panics_ends_its_subscription_and_nothing_else() {
    let Setup { system, fragile } = start();
    let mut broken = system.events::<u32>().filter(|n| *n < 2 || panic!("a filter")).subscribe();
    let mut sound = system.events::<u32>().subscribe();
    for n in 0..4 {
        fragile.publish(n).wait().unwrap();
    }
    for n in 0..4 {
        let next = sound.next_wait();
        assert!(matches!(next, Some(Delivery::Event { event, .. }) if event == n), "{next:?}");
    }
    for n in 0..2 {
        let next = broken.next_wait();
        assert!(matches!(next, Some(Delivery::Event { event, .. }) if event == n), "{next:?}");
    }
    assert_eq!(broken.next_wait(), None);
    assert_eq!(broken.end_reason(), Some(&tpc_actors::bus::EndReason::FilterPanicked));
    assert_eq!(fragile.builds().wait().unwrap(), 1, "the publishing actor did not notice");
    system.shutdown_wait(Duration::from_secs(10));
}

/// Fails as often as it is told before it starts.
#[core_actor(supervise(max = 3, within = "60s", backoff = "1ms..2ms"))]
struct Reluctant {
    failures: Arc<AtomicU32>,
}

#[core_actor]
impl Reluctant {
    #[init]
    fn new(failures: Arc<AtomicU32>) -> Result<Self, std::io::Error> {
        match failures.load(Ordering::Relaxed) {
            0 => Ok(Self { failures }),
            99 => panic!("init panics"),
            left => {
                failures.store(left - 1, Ordering::Relaxed);
                Err(std::io::Error::other("not yet"))
            }
        }
    }

    #[handler]
    fn fail_then(&mut self, failures: u32) -> u32 {
        self.failures.store(failures, Ordering::Relaxed);
        panic!("restart me")
    }

    #[handler]
    fn alive(&self) -> u32 {
        1
    }
}

#[test]
fn a_start_that_fails_says_why() {
    let system = System::builder().cores(1).start().unwrap();
    let error = system.spawn::<Reluctant>(Arc::new(AtomicU32::new(1))).wait().unwrap_err();
    assert!(matches!(error, SpawnError::Init { .. }), "{error:?}");
    assert_eq!(error.to_string(), "`Reluctant` did not start: not yet");
    let error = system.spawn::<Reluctant>(Arc::new(AtomicU32::new(99))).wait().unwrap_err();
    assert!(
        matches!(&error, SpawnError::Panicked(report) if report.handler() == "init"),
        "{error:?}"
    );
    assert!(system.actors().is_empty());
    system.shutdown_wait(Duration::from_secs(10));
}

#[test]
fn a_restart_that_fails_is_tried_again_until_the_budget_is_used_up() {
    let system = System::builder().cores(1).start().unwrap();
    let actor = system.spawn::<Reluctant>(Arc::default()).wait().unwrap();
    // The panic and two failing starts use three restarts; the third start succeeds.
    assert!(actor.fail_then(2).wait().is_err());
    assert_eq!(actor.alive().wait().unwrap(), 1);
    assert_eq!(system.actors()[0].restarts(), 3);
    // The budget is used up: the next failure is the last.
    assert!(actor.fail_then(0).wait().is_err());
    let refused = actor.alive().wait().unwrap_err();
    assert!(matches!(refused, AskError::Stopped) && refused.never_ran(), "{refused:?}");
    assert_eq!(system.actors()[0].state(), tpc_actors::ActorState::Stopped);
    system.shutdown_wait(Duration::from_secs(10));
}

#[test]
fn work_behind_the_last_panic_is_answered() {
    #[core_actor(capacity = 64, supervise(max = 0, within = "1s", backoff = "1ms..1ms"))]
    struct Last;

    #[core_actor]
    impl Last {
        #[init]
        fn new() -> Self {
            Self
        }

        #[handler]
        fn stop(&self) -> u32 {
            thread::sleep(Duration::from_millis(100));
            panic!("the last one")
        }

        #[handler]
        fn next(&self) -> u32 {
            0
        }

        #[handler(tell)]
        fn told(&self) {}
    }

    let system = System::builder().cores(1).start().unwrap();
    let last = system.spawn::<Last>(()).wait().unwrap();
    let stop = last.stop().now().unwrap();
    let behind: Vec<_> = (0..20).map(|_| last.next().now().unwrap()).collect();
    last.told().now().unwrap();
    assert!(matches!(stop.wait(), Err(AskError::Panicked(_))));
    for ask in behind {
        let error = ask.wait().unwrap_err();
        assert!(matches!(error, AskError::Stopped) && error.never_ran(), "{error:?}");
    }
    assert!(matches!(last.told().now(), Err(TellError::Stopped(LastRequest::Told))));
    let report = system.shutdown_wait(Duration::from_secs(10));
    assert_eq!(report.rejected(), 21, "{report}");
}

#[test]
fn an_actor_may_take_the_whole_system_down() {
    #[core_actor(supervise(max = 0, within = "1s", backoff = "1ms..1ms", then = abort_system))]
    struct Vital;

    #[core_actor]
    impl Vital {
        #[init]
        fn new() -> Self {
            Self
        }

        #[handler]
        fn fail(&self) -> u32 {
            panic!("vital")
        }
    }

    let Setup { system, fragile } = start();
    let vital = system.spawn::<Vital>(()).wait().unwrap();
    assert!(matches!(vital.fail().wait(), Err(AskError::Panicked(_))));
    // The end that has begun by itself is the one that a shutdown waits for.
    let report = system.shutdown_wait(Duration::from_secs(10));
    assert_eq!(report.panics(), 1, "{report}");
    let refused = fragile.builds().wait().unwrap_err();
    assert!(matches!(refused, AskError::Stopping { started: false }), "{refused:?}");
}

/// Sends to itself, asks, and offloads before it fails to start.
#[core_actor(supervise(max = 2, within = "60s", backoff = "1ms..1ms"))]
struct Eager {
    fails: Arc<AtomicU32>,
}

#[core_actor]
impl Eager {
    #[init]
    fn new(cx: &mut Ctx<Self>, fails: Arc<AtomicU32>) -> Result<Self, String> {
        let me: EagerPinned = cx.pinned();
        me.note().now().unwrap();
        cx.offload(async { thread::sleep(Duration::from_millis(20)) }, |_, _, ()| {});
        cx.spawn(async move {
            drop(me.alive().await);
        });
        match fails.load(Ordering::Relaxed) {
            0 => Ok(Self { fails }),
            1 => Err("not today".to_owned()),
            _ => panic!("never"),
        }
    }

    #[handler(tell)]
    fn note(&mut self) {}

    #[handler]
    fn alive(&self) -> bool {
        true
    }

    #[handler]
    fn fail(&self, how: u32) -> u32 {
        self.fails.store(how, Ordering::Relaxed);
        panic!("on demand")
    }
}

#[test]
fn a_start_that_fails_leaves_nothing_behind_that_could_hurt_others() {
    let Setup { system, fragile } = start();
    for how in [1, 2] {
        let error = system.spawn::<Eager>(Arc::new(AtomicU32::new(how))).wait();
        assert!(error.is_err());
        let other = system.spawn::<Fragile>(Arc::default()).wait().unwrap();
        thread::sleep(Duration::from_millis(40));
        assert_eq!(other.builds().wait().unwrap(), 1);
        assert_eq!(fragile.builds().wait().unwrap(), 1);
    }
    let report = system.shutdown_wait(Duration::from_secs(10));
    assert!(report.lost_threads().is_empty() && report.abandoned() == 0, "{report}");
}

#[test]
fn an_actor_whose_restarts_fail_stops_and_lets_its_core_sleep() {
    let system = System::builder().cores(1).start().unwrap();
    let eager = system.spawn::<Eager>(Arc::default()).wait().unwrap();
    assert!(eager.alive().wait().unwrap());
    assert!(matches!(eager.fail(1).wait(), Err(AskError::Panicked(_))));
    while !matches!(eager.alive().wait(), Err(AskError::Stopped)) {}
    thread::sleep(Duration::from_millis(100));
    let before = system.cores()[0].turns();
    thread::sleep(Duration::from_millis(200));
    let turns = system.cores()[0].turns() - before;
    assert!(turns < 10, "{turns} turns of a core without work");
    system.shutdown_wait(Duration::from_secs(10));
}

#[test]
fn senders_that_race_with_the_last_restart_all_get_an_answer() {
    for _ in 0..20 {
        let system = System::builder().cores(1).start().unwrap();
        let eager = system.spawn::<Eager>(Arc::default()).wait().unwrap();
        let senders: Vec<_> = (0..2)
            .map(|_| {
                let eager = eager.clone();
                thread::spawn(move || {
                    tpc_actors::register_thread();
                    while eager.alive().wait().is_ok() {}
                })
            })
            .collect();
        drop(eager.fail(2).wait());
        for sender in senders {
            sender.join().unwrap();
        }
        system.shutdown_wait(Duration::from_secs(10));
    }
}

/// Takes arguments that panic when they are dropped, and does not start.
#[core_actor]
struct Stillborn;

#[core_actor]
impl Stillborn {
    #[init]
    fn new(_grenade: Grenade, how: u32) -> Result<Self, String> {
        if how > 1 { Ok(Self) } else { Err("no".to_owned()) }
    }

    #[handler]
    fn alive(&self) -> bool {
        true
    }
}

#[test]
fn arguments_may_panic_when_they_are_dropped() {
    let Setup { system, fragile } = start();
    for how in 0..3 {
        drop(system.spawn::<Stillborn>((armed(), how)).wait());
        assert_eq!(fragile.builds().wait().unwrap(), 1, "the core lives");
    }
    let report = system.shutdown_wait(Duration::from_secs(10));
    assert!(report.lost_threads().is_empty(), "{report}");
}

/// A waker that panics, in the hands of the core and of the deadline keeper.
#[test]
fn wakers_may_panic() {
    struct Rude;
    impl std::task::Wake for Rude {
        fn wake(self: Arc<Self>) {
            panic!("a rude waker");
        }
    }

    let Setup { system, fragile } = start();
    let rude = std::task::Waker::from(Arc::new(Rude));
    let mut context = std::task::Context::from_waker(&rude);
    let mut kept = Box::pin(fragile.keep().deadline(Duration::from_millis(20)));
    assert!(kept.as_mut().poll(&mut context).is_pending());
    let mut answered = Box::pin(fragile.builds());
    assert!(answered.as_mut().poll(&mut context).is_pending());
    assert_eq!(fragile.builds().wait().unwrap(), 1);
    thread::sleep(Duration::from_millis(50));
    // The keeper is still there for others.
    let late = fragile.keep().deadline(Duration::from_millis(20)).wait();
    assert!(matches!(late, Err(AskError::Deadline { started: true })), "{late:?}");
    drop((kept, answered));
    let report = system.shutdown_wait(Duration::from_secs(10));
    assert!(report.lost_threads().is_empty(), "{report}");
}

/// Cannot be dropped, and asks what cannot be asked.
#[core_actor]
struct Careless;

#[core_actor]
impl Careless {
    #[init]
    fn new() -> Self {
        Self
    }

    #[handler]
    fn ask_again(&mut self, cx: &mut Ctx<Self>, other: FragileClient) {
        let mut ask = other.builds();
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        assert!(std::pin::Pin::new(&mut ask).poll(&mut context).is_ready(), "it has stopped");
        cx.ask(ask, |_, _, _| {});
    }
}

impl Drop for Careless {
    fn drop(&mut self) {
        panic!("could not flush");
    }
}

#[test]
fn a_state_whose_drop_panics_is_counted() {
    let Setup { system, fragile } = start();
    let careless = system.spawn::<Careless>(()).wait().unwrap();
    system.stop(&careless).wait();
    assert_eq!(system.actors()[1].panics(), 1);
    drop(fragile);
    assert_eq!(system.shutdown_wait(Duration::from_secs(10)).panics(), 1);
}

#[test]
fn an_ask_that_is_over_is_asked_by_a_handler_that_panics() {
    let Setup { system, fragile } = start();
    let careless = system.spawn::<Careless>(()).wait().unwrap();
    system.stop(&fragile).wait();
    let panicked = careless.ask_again(fragile).wait();
    assert!(matches!(panicked, Err(AskError::Panicked(_))), "{panicked:?}");
    system.shutdown_wait(Duration::from_secs(10));
}
