//! Every fate that an ask or a tell can have, and whether it says truly that the handler has not run.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::Duration;

use tpc_actors::prelude::*;

const LONG: Duration = Duration::from_secs(20);

#[core_actor(capacity = 4, supervise(max = 100, within = "60s", backoff = "1ms..1ms"))]
struct Subject {
    runs: Arc<AtomicU32>,
    kept: Vec<Reply<u32>>,
}

#[core_actor]
impl Subject {
    #[init]
    fn new(runs: Arc<AtomicU32>) -> Self {
        Self { runs, kept: Vec::new() }
    }

    #[handler]
    fn work(&self) -> u32 {
        self.runs.fetch_add(1, Ordering::SeqCst)
    }

    #[handler]
    fn refuse(&self) -> Result<u32, String> {
        self.runs.fetch_add(1, Ordering::SeqCst);
        Err("the handler's own".to_owned())
    }

    #[handler]
    fn sleep(&self, time: Duration) -> u32 {
        self.runs.fetch_add(1, Ordering::SeqCst);
        thread::sleep(time);
        7
    }

    #[handler]
    fn fail(&self) -> u32 {
        self.runs.fetch_add(1, Ordering::SeqCst);
        panic!("on demand")
    }

    #[handler]
    fn keep(&mut self, reply: Reply<u32>) {
        self.runs.fetch_add(1, Ordering::SeqCst);
        self.kept.push(reply);
    }

    #[handler]
    fn forget(&mut self, reply: Reply<u32>) {
        self.runs.fetch_add(1, Ordering::SeqCst);
        drop(reply);
    }

    #[handler]
    fn ask_myself(&self, cx: &mut Ctx<Self>, me: SubjectClient) -> bool {
        let _ = (self, cx);
        matches!(me.work().wait(), Err(AskError::WouldBlockCore))
    }

    #[handler(tell)]
    fn told(&self) {}
}

struct Stage {
    system: System,
    subject: SubjectClient,
    runs: Arc<AtomicU32>,
}

fn stage() -> Stage {
    let system = System::builder().cores(1).start().unwrap();
    let runs = Arc::<AtomicU32>::default();
    let subject = system.spawn::<Subject>(Arc::clone(&runs)).wait().unwrap();
    Stage { system, subject, runs }
}

impl Stage {
    /// Runs that began while `ask` came to its end.
    fn runs(&self) -> u32 {
        self.runs.swap(0, Ordering::SeqCst)
    }

    /// Has the actor busy for a while, with the handler begun.
    fn busy(&self, time: Duration) -> thread::JoinHandle<()> {
        self.runs();
        let subject = self.subject.clone();
        let sleeper = thread::spawn(move || drop(subject.sleep(time).wait()));
        while self.runs.load(Ordering::SeqCst) == 0 {
            thread::yield_now();
        }
        self.runs();
        sleeper
    }
}

/// What an error says must be true, and it must have a text.
fn check<E: std::fmt::Display>(error: &AskError<E>, never_ran: bool) {
    assert_eq!(error.never_ran(), never_ran, "{error}");
    assert!(!error.to_string().is_empty());
}

#[test]
fn handler_panicked_and_dropped_have_run() {
    let stage = stage();
    let error = stage.subject.refuse().wait().unwrap_err();
    assert!(matches!(&error, AskError::Handler(text) if text == "the handler's own"));
    check(&error, false);
    let error = stage.subject.fail().wait().unwrap_err();
    assert!(matches!(error, AskError::Panicked(_)));
    check(&error, false);
    let error = stage.subject.forget().wait().unwrap_err();
    assert!(matches!(error, AskError::Dropped));
    check(&error, false);
    assert_eq!(stage.runs(), 3);
    stage.system.shutdown_wait(LONG);
}

#[test]
fn full_hands_the_message_back() {
    let stage = stage();
    let busy = stage.busy(Duration::from_millis(100));
    while stage.subject.told().now().is_ok() {}
    let refused = stage.subject.work().now().unwrap_err();
    assert!(matches!(refused, TellError::Full(SubjectRequest::Work)));
    check::<std::convert::Infallible>(&refused.into(), true);
    busy.join().unwrap();
    assert_eq!(stage.runs(), 0);
    stage.system.shutdown_wait(LONG);
}

#[test]
fn a_deadline_says_whether_it_came_before_the_start() {
    let stage = stage();
    let busy = stage.busy(Duration::from_millis(200));
    let before = stage.subject.work().deadline(Duration::from_millis(20)).wait().unwrap_err();
    assert!(matches!(before, AskError::Deadline { started: false }), "{before:?}");
    check(&before, true);
    busy.join().unwrap();
    assert_eq!(stage.subject.work().wait().unwrap(), 0, "the late one was skipped");
    let after = stage.subject.keep().deadline(Duration::from_millis(50)).wait().unwrap_err();
    assert!(matches!(after, AskError::Deadline { started: true }), "{after:?}");
    check(&after, false);
    stage.system.shutdown_wait(LONG);
}

#[test]
fn cancelled_says_whether_it_came_before_the_start() {
    let stage = stage();
    let busy = stage.busy(Duration::from_millis(100));
    let (ask, canceller) = stage.subject.work().now().unwrap().cancellable();
    canceller.cancel();
    check(&ask.wait().unwrap_err(), true);
    busy.join().unwrap();
    let ask = stage.subject.keep().now().unwrap();
    assert_eq!(stage.subject.work().wait().unwrap(), 1);
    let (ask, canceller) = ask.cancellable();
    canceller.cancel();
    check(&ask.wait().unwrap_err(), false);
    stage.system.shutdown_wait(LONG);
}

#[test]
fn stopped_and_stopping_say_whether_they_came_before_the_start() {
    let stage = stage();
    let kept = stage.subject.keep().now().unwrap();
    assert_eq!(stage.subject.work().wait().unwrap(), 1);
    let busy = stage.busy(Duration::from_millis(150));
    let waiting = stage.subject.work().now().unwrap();
    let report = stage.system.shutdown_wait(Duration::from_millis(10));
    assert!(report.rejected() == 1 || report.stuck_threads().len() == 1, "{report}");
    busy.join().unwrap();
    let refused = waiting.wait().unwrap_err();
    assert!(
        matches!(
            refused,
            AskError::Stopping { started: false } | AskError::CoreLost { started: false }
        ),
        "{refused:?}"
    );
    check(&refused, true);
    let lost = kept.wait().unwrap_err();
    assert!(matches!(lost, AskError::Stopping { started: true }), "{lost:?}");
    check(&lost, false);
    assert_eq!(stage.runs(), 0);

    let stopped = self::stage();
    stopped.system.stop(&stopped.subject).wait();
    let refused = stopped.subject.work().wait().unwrap_err();
    assert!(matches!(refused, AskError::Stopped));
    check(&refused, true);
    stopped.system.shutdown_wait(LONG);
}

#[test]
fn core_lost_says_whether_it_came_before_the_start() {
    let stage = stage();
    let kept = stage.subject.keep().now().unwrap();
    assert_eq!(stage.subject.work().wait().unwrap(), 1);
    let busy = stage.busy(Duration::from_millis(100));
    // A command goes before the messages that wait.
    let waiting = stage.subject.work().now().unwrap();
    stage.system.crash_core(0);
    busy.join().unwrap();
    let (begun, unbegun) = (kept.wait().unwrap_err(), waiting.wait().unwrap_err());
    assert!(matches!(begun, AskError::CoreLost { started: true }), "{begun:?}");
    assert!(matches!(unbegun, AskError::CoreLost { started: false }), "{unbegun:?}");
    check(&begun, false);
    check(&unbegun, true);
    assert_eq!(stage.runs(), 0);
    stage.system.shutdown_wait(LONG);
}

#[test]
fn a_core_is_not_blocked() {
    let stage = stage();
    assert!(stage.subject.ask_myself(stage.subject.clone()).wait().unwrap());
    check(&AskError::<String>::WouldBlockCore, true);
    stage.system.shutdown_wait(LONG);
}
