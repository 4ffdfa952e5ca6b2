//! What follows failures: watchdogs, groups, escalation, and the policies of one actor.

mod until;

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use tpc_actors::prelude::*;
use tpc_actors::supervision::{Group, Strategy, Supervise, Then, Watchdog};
use tpc_actors::{ActorState, ActorStatus, Ended, SpawnError};
use until::until;

const LONG: Duration = Duration::from_secs(20);

#[core_actor(
    capacity = 65_536,
    supervise(max = 1000, within = "60s", backoff = "1ms..1ms"),
    watchdog(failures = 3, within = "60s", cool_down = "100ms..300ms", probes = 2)
)]
struct Guarded {
    ran: Arc<AtomicU32>,
}

#[core_actor]
impl Guarded {
    #[init]
    fn new(ran: Arc<AtomicU32>) -> Self {
        Self { ran }
    }

    #[handler]
    fn work(&mut self) -> u32 {
        self.ran.fetch_add(1, Ordering::Relaxed)
    }

    #[handler]
    fn fail(&mut self) -> u32 {
        panic!("on demand")
    }

    #[handler]
    fn fail_when(&mut self, now: Arc<AtomicBool>) -> u32 {
        while !now.load(Ordering::Relaxed) {
            thread::sleep(Duration::from_millis(1));
        }
        panic!("on demand, later")
    }

    #[handler(tell)]
    fn told(&mut self) {
        self.ran.fetch_add(1, Ordering::Relaxed);
    }
}

fn degraded<T: std::fmt::Debug, E: std::fmt::Debug>(outcome: &Result<T, AskError<E>>) -> Duration {
    match outcome {
        Err(error @ AskError::Degraded { retry_after }) => {
            assert!(error.never_ran());
            *retry_after
        }
        other => panic!("not degraded: {other:?}"),
    }
}

#[test]
fn failures_degrade_whatever_succeeds_between_them_and_probes_end_it() {
    let system = System::builder().cores(1).start().unwrap();
    let guarded = system.spawn::<Guarded>(Arc::default()).wait().unwrap();
    for _ in 0..3 {
        assert!(matches!(guarded.fail().wait(), Err(AskError::Panicked(_))));
        // The third answer may come a moment before the watchdog's verdict.
        drop(guarded.work().wait());
    }
    let retry_after = degraded(&guarded.work().wait());
    assert!(retry_after <= Duration::from_millis(100), "{retry_after:?}");
    assert_eq!(system.actors()[0].state(), ActorState::Degraded);
    let refused = guarded.told().now().unwrap_err();
    assert!(matches!(refused, TellError::Degraded { message: GuardedRequest::Told, .. }));

    // The cool-down passes and two probes succeed.
    let mut answered = 0;
    until("the recovery", || {
        answered += u32::from(guarded.work().wait().is_ok());
        answered == 2
    });
    until("the end of it", || system.actors()[0].state() == ActorState::Open);
    for _ in 0..100 {
        guarded.work().wait().unwrap();
    }
    system.shutdown_wait(LONG);
}

#[test]
fn a_failing_probe_doubles_the_cool_down() {
    let system = System::builder().cores(1).start().unwrap();
    let guarded = system.spawn::<Guarded>(Arc::default()).wait().unwrap();
    for _ in 0..3 {
        drop(guarded.fail().wait());
    }
    degraded(&guarded.work().wait());
    let mut longest = Duration::ZERO;
    for _ in 0..3 {
        until("the probe", || matches!(guarded.fail().wait(), Err(AskError::Panicked(_))));
        let mut after = Duration::ZERO;
        until("the verdict", || match guarded.work().wait() {
            Err(AskError::Degraded { retry_after }) => {
                after = retry_after;
                true
            }
            _ => false,
        });
        longest = longest.max(after);
    }
    // 200 ms after the first probe, then 300 ms, which is the limit.
    assert!(
        longest > Duration::from_millis(200) && longest <= Duration::from_millis(300),
        "{longest:?}"
    );
    system.shutdown_wait(LONG);
}

#[test]
fn a_full_queue_is_answered_at_once_and_has_not_run() {
    let system = System::builder().cores(1).start().unwrap();
    let ran = Arc::<AtomicU32>::default();
    let guarded = system.spawn::<Guarded>(Arc::clone(&ran)).wait().unwrap();
    for _ in 0..2 {
        drop(guarded.fail().wait());
    }
    let now = Arc::<AtomicBool>::default();
    let last = guarded.fail_when(Arc::clone(&now)).now().unwrap();
    until("its start", || system.actors()[0].handled() == 3);
    // The place of the one that runs is freed only when it is done.
    let queued: Vec<_> = (0..65_535).map(|_| guarded.work().now().unwrap()).collect();
    let start = Instant::now();
    now.store(true, Ordering::Relaxed);
    assert!(matches!(last.wait(), Err(AskError::Panicked(_))));
    let asked = queued.len();
    for ask in queued {
        degraded(&ask.wait());
    }
    println!("{asked} queued asks were answered in {:?}", start.elapsed());
    assert!(start.elapsed() < Duration::from_secs(5), "{:?}", start.elapsed());
    assert_eq!(ran.load(Ordering::Relaxed), 0);
    system.shutdown_wait(LONG);
}

#[test]
fn senders_that_wait_for_room_are_told_as_well() {
    #[core_actor(capacity = 2, watchdog(failures = 1, cool_down = "10s..10s"))]
    struct Narrow;

    #[core_actor]
    impl Narrow {
        #[init]
        fn new() -> Self {
            Self
        }

        #[handler]
        fn fail(&self, time: Duration) -> u32 {
            thread::sleep(time);
            panic!("on demand")
        }

        #[handler(tell)]
        fn told(&self) {}
    }

    let system = System::builder().cores(1).start().unwrap();
    let narrow = system.spawn::<Narrow>(()).wait().unwrap();
    let first = narrow.fail(Duration::from_millis(200)).now().unwrap();
    until("its start", || system.actors()[0].handled() == 1);
    while narrow.told().now().is_ok() {}
    let waiting: Vec<_> = (0..4)
        .map(|_| {
            let narrow = narrow.clone();
            thread::spawn(move || narrow.told().wait())
        })
        .collect();
    assert!(first.wait().is_err());
    for told in waiting {
        // One or two of them may have found room that the refused ones left.
        let refused = told.join().unwrap();
        assert!(matches!(refused, Ok(()) | Err(TellError::Degraded { .. })), "{refused:?}");
    }
    system.shutdown_wait(LONG);
}

#[test]
fn a_degraded_core_serves_none_of_its_actors() {
    let watchdog =
        Watchdog::new().failures(4).cool_down(Duration::from_millis(50), Duration::from_millis(50));
    let system = System::builder().cores(2).core_watchdog(watchdog).start().unwrap();
    // Two on core 0, one on core 1; none of them fails often enough by itself.
    let spawn = |core| system.spawner().core(core).spawn::<Plain>(()).wait().unwrap();
    let (one, two, elsewhere) = (spawn(0), spawn(0), spawn(1));
    for _ in 0..2 {
        drop(one.fail().wait());
        drop(two.fail().wait());
    }
    until("the verdict", || matches!(one.work().wait(), Err(AskError::Degraded { .. })));
    degraded(&two.work().wait());
    assert_eq!(elsewhere.work().wait().unwrap(), 0);
    // One probe, of whichever actor, ends it.
    until("the recovery", || two.work().wait().is_ok());
    until("that of all", || one.work().wait().is_ok());
    system.shutdown_wait(LONG);
}

#[core_actor(supervise(max = 1000, within = "60s", backoff = "1ms..1ms"))]
struct Plain {
    calls: u32,
}

#[core_actor]
impl Plain {
    #[init]
    fn new() -> Self {
        Self { calls: 0 }
    }

    #[handler]
    fn work(&mut self) -> u32 {
        self.calls += 1;
        self.calls - 1
    }

    #[handler]
    fn fail(&mut self) -> u32 {
        panic!("on demand")
    }
}

#[test]
fn a_panic_may_leave_the_state_as_it_is() {
    #[core_actor(supervise(on_panic = resume))]
    struct Resuming(u32);

    #[core_actor]
    impl Resuming {
        #[init]
        fn new() -> Self {
            Self(0)
        }

        #[handler]
        fn count(&mut self) -> u32 {
            self.0 += 1;
            self.0
        }

        #[handler]
        fn fail(&mut self) -> u32 {
            self.0 += 10;
            panic!("on demand")
        }
    }

    let system = System::builder().cores(1).start().unwrap();
    let resuming = system.spawn::<Resuming>(()).wait().unwrap();
    assert_eq!(resuming.count().wait().unwrap(), 1);
    // More often than restarts would be allowed.
    for _ in 0..20 {
        assert!(matches!(resuming.fail().wait(), Err(AskError::Panicked(_))));
    }
    assert_eq!(resuming.count().wait().unwrap(), 202);
    let report = system.shutdown_wait(LONG);
    assert_eq!((report.panics(), report.restarts()), (20, 0), "{report}");
}

#[test]
fn a_panic_may_be_the_last_thing() {
    #[core_actor(supervise(on_panic = stop))]
    struct Once;

    #[core_actor]
    impl Once {
        #[init]
        fn new() -> Self {
            Self
        }

        #[handler]
        fn fail(&mut self) -> u32 {
            panic!("the only time")
        }
    }

    let system = System::builder().cores(1).start().unwrap();
    let once = system.spawn::<Once>(()).wait().unwrap();
    drop(once.fail().wait());
    let Ended::Panicked(report) = once.closed().wait() else { panic!("another end") };
    assert_eq!(report.message(), "the only time");
    let refused = once.fail().wait().unwrap_err();
    assert!(matches!(refused, AskError::Stopped), "{refused:?}");
    system.shutdown_wait(LONG);
}

#[test]
fn a_restart_may_reject_the_queue() {
    #[core_actor(
        capacity = 64,
        supervise(max = 9, within = "60s", backoff = "200ms..200ms", queue = reject)
    )]
    struct Rejecting;

    #[core_actor]
    impl Rejecting {
        #[init]
        fn new() -> Self {
            Self
        }

        #[handler]
        fn fail(&mut self) -> u32 {
            thread::sleep(Duration::from_millis(50));
            panic!("on demand")
        }

        #[handler]
        fn work(&mut self) -> u32 {
            7
        }
    }

    let system = System::builder().cores(1).start().unwrap();
    let rejecting = system.spawn::<Rejecting>(()).wait().unwrap();
    let fail = rejecting.fail().now().unwrap();
    let behind: Vec<_> = (0..20).map(|_| rejecting.work().now().unwrap()).collect();
    assert!(fail.wait().is_err());
    for ask in behind {
        assert!(degraded(&ask.wait()) <= Duration::from_millis(200));
    }
    degraded(&rejecting.work().wait());
    until("the restart", || rejecting.work().wait().is_ok());
    system.shutdown_wait(LONG);
}

/// Writes down when it is built and when it is dropped.
#[core_actor(supervise(max = 2, within = "60s", backoff = "1ms..1ms", then = escalate))]
struct Member {
    name: &'static str,
    book: Arc<Mutex<Vec<String>>>,
}

#[core_actor]
impl Member {
    #[init]
    fn new(name: &'static str, book: Arc<Mutex<Vec<String>>>) -> Self {
        book.lock().unwrap().push(format!("+{name}"));
        Self { name, book }
    }

    #[handler]
    fn fail(&mut self) -> u32 {
        panic!("on demand")
    }

    #[handler]
    fn alive(&self) -> u32 {
        1
    }
}

impl Drop for Member {
    fn drop(&mut self) {
        self.book
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
            .push(format!("-{}", self.name));
    }
}

type Book = Arc<Mutex<Vec<String>>>;

fn members(system: &System, options: Group) -> ([MemberClient; 3], Book) {
    let group = system.group(options);
    let book = Book::default();
    let spawn = |name| group.spawn::<Member>((name, Arc::clone(&book))).wait().unwrap();
    let members = [spawn("a"), spawn("b"), spawn("c")];
    book.lock().unwrap().clear();
    (members, book)
}

/// What one panic of the second member leads to.
fn after_failure_of_b(strategy: Strategy) -> String {
    let system = System::builder().cores(2).start().unwrap();
    let ([a, b, c], book) = members(&system, Group::new().strategy(strategy));
    assert!(matches!(b.fail().wait(), Err(AskError::Panicked(_))));
    for member in [&a, &b, &c] {
        assert_eq!(member.alive().wait().unwrap(), 1);
    }
    let told = book.lock().unwrap().join(" ");
    system.shutdown_wait(LONG);
    told
}

#[test]
fn the_strategy_decides_who_restarts_and_in_which_order() {
    assert_eq!(after_failure_of_b(Strategy::OneForOne), "-b +b");
    assert_eq!(after_failure_of_b(Strategy::OneForAll), "-b -c -a +a +b +c");
    assert_eq!(after_failure_of_b(Strategy::RestForOne), "-b -c +b +c");
}

#[test]
fn a_member_lives_on_the_core_of_its_group_and_nowhere_else() {
    let system = System::builder().cores(2).start().unwrap();
    let group = system.group(Group::new());
    let (home, core) = (group.core(), 1 - group.core());
    let spawn = |core| group.spawner().core(core).spawn::<Plain>(()).wait();
    let refused = spawn(core).unwrap_err();
    assert!(
        matches!(refused, SpawnError::OutsideGroup { core: c, home: h } if (c, h) == (core, home)),
        "{refused}"
    );
    assert!(refused.to_string().contains("leave out `core`"), "{refused}");
    let missing = spawn(2).unwrap_err();
    assert!(matches!(missing, SpawnError::NoSuchCore { core: 2, cores: 2 }), "{missing}");
    spawn(home).unwrap();
    group.spawn::<Plain>(()).wait().unwrap();
    assert_eq!(system.actors().iter().map(ActorStatus::core).collect::<Vec<_>>(), [home, home]);
    system.shutdown_wait(LONG);
}

#[test]
fn policies_that_nobody_can_follow_are_refused_in_words() {
    const MS: Duration = Duration::from_millis(1);
    let refused: [(fn(), &str); 5] = [
        (|| _ = Watchdog::new().failures(0), "0 failures"),
        (|| _ = Watchdog::new().probes(0), "0 probes"),
        (|| _ = Watchdog::new().cool_down(2 * MS, MS), "the shorter time first"),
        (|| _ = Supervise::new().backoff(2 * MS, MS), "the shorter time first"),
        (|| _ = Group::new().backoff(2 * MS, MS), "the shorter time first"),
    ];
    for (make, words) in refused {
        let panic = std::panic::catch_unwind(make).expect_err(words);
        let text = *panic.downcast::<&str>().unwrap();
        assert!(text.contains(words) && text.contains("; write "), "{text}");
    }
    // Both ends may be the same, and a policy may allow a single failure.
    let _ = Watchdog::new().failures(1).probes(1).cool_down(MS, MS);
    let _ = Supervise::new().backoff(MS, MS);
}

#[test]
fn a_member_that_fails_too_often_has_its_group_restarted_and_then_stopped() {
    let system = System::builder().cores(1).start().unwrap();
    let options = Group::new().max(1).then(Then::Stop);
    let ([a, b, c], book) = members(&system, options);
    for _ in 0..2 {
        drop(b.fail().wait());
        b.alive().wait().unwrap();
    }
    assert_eq!(book.lock().unwrap().join(" "), "-b +b -b +b");
    book.lock().unwrap().clear();
    // Its own two restarts are used up: the third failure is the group's.
    drop(b.fail().wait());
    for member in [&a, &b, &c] {
        assert_eq!(member.alive().wait().unwrap(), 1);
    }
    assert_eq!(book.lock().unwrap().join(" "), "-b -c -a +a +b +c");
    // With a clean sheet it may fail twice more, and then the group's one restart is used up too.
    for _ in 0..3 {
        drop(b.fail().wait());
        drop(b.alive().wait());
    }
    for member in [&a, &b, &c] {
        let ended = member.closed().wait();
        assert!(matches!(ended, Ended::Stopped), "{ended:?}");
    }
    system.shutdown_wait(LONG);
}

#[test]
fn without_a_group_the_core_decides() {
    #[core_actor(supervise(max = 0, within = "1s", backoff = "1ms..1ms", then = escalate))]
    struct Alone(u32);

    #[core_actor]
    impl Alone {
        #[init]
        fn new() -> Self {
            Self(0)
        }

        #[handler]
        fn call(&mut self) -> u32 {
            self.0 += 1;
            self.0
        }

        #[handler]
        fn fail(&mut self) -> u32 {
            panic!("on demand")
        }
    }

    let core = Supervise::new().max(2).within(LONG).then(Then::Stop);
    let system = System::builder().cores(2).core_supervision(core).start().unwrap();
    let alone = system.spawner().core(0).spawn::<Alone>(()).wait().unwrap();
    let sibling = system.spawner().core(0).spawn::<Plain>(()).wait().unwrap();
    let elsewhere = system.spawner().core(1).spawn::<Plain>(()).wait().unwrap();
    for _ in 0..2 {
        // A new life, of the bystander as well.
        assert_eq!(sibling.work().wait().unwrap(), 0);
        assert_eq!(alone.call().wait().unwrap(), 1);
        drop(alone.fail().wait());
    }
    assert_eq!(alone.call().wait().unwrap(), 1);
    drop(alone.fail().wait());
    // The core's two restarts are used up: its actors stop, those of others do not.
    assert!(matches!(sibling.closed().wait(), Ended::Stopped));
    assert!(matches!(alone.closed().wait(), Ended::Stopped));
    assert_eq!(elsewhere.work().wait().unwrap(), 0);
    system.shutdown_wait(LONG);
}

#[test]
fn what_no_group_settles_goes_to_the_core_and_then_to_the_system() {
    let core = Supervise::new().max(1).within(LONG).then(Then::Escalate);
    let system = System::builder().cores(1).core_supervision(core).start().unwrap();
    let bystander = system.spawn::<Plain>(()).wait().unwrap();
    let ([a, b, _], _book) = members(&system, Group::new().max(0));
    assert_eq!(bystander.work().wait().unwrap(), 0);
    assert_eq!(bystander.work().wait().unwrap(), 1);
    for _ in 0..3 {
        drop(b.fail().wait());
        b.alive().wait().unwrap();
    }
    // The core has restarted all of its actors, and the bystander with them.
    assert_eq!(bystander.work().wait().unwrap(), 0);
    a.alive().wait().unwrap();
    for _ in 0..3 {
        drop(b.fail().wait());
        drop(b.alive().wait());
    }
    // The second time it is the system's turn.
    assert!(matches!(bystander.closed().wait(), Ended::Shutdown));
    let report = system.shutdown_wait(LONG);
    assert_eq!(report.panics(), 6, "{report}");
}
