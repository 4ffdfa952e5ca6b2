//! Deadlines that the actor and its handlers set, and callers who know better.

mod poll_once;

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::thread;
use std::time::Duration;

use tpc_actors::prelude::*;

use poll_once::poll_once;

const LONG: Duration = Duration::from_mins(1);

/// Answers nobody.
#[core_actor(capacity = 8, deadline = "20ms")]
struct Silent {
    kept: Vec<Reply<u32>>,
}

#[core_actor]
impl Silent {
    #[init]
    fn new() -> Self {
        Self { kept: Vec::new() }
    }

    /// Has the actor's deadline.
    #[handler]
    fn hidden(&mut self, reply: Reply<u32>) {
        self.kept.push(reply);
    }

    /// Has its own.
    #[handler(deadline = "1h")]
    fn slow(&mut self, reply: Reply<u32>) {
        self.kept.push(reply);
    }

    #[handler(tell)]
    fn open(&mut self) {
        for reply in self.kept.drain(..) {
            reply.send(7);
        }
    }

    /// Keeps the core busy.
    #[handler(tell)]
    fn sleep(&self, time: Duration) {
        let _ = self;
        thread::sleep(time);
    }
}

#[core_actor(deadline = "20ms")]
struct Spread(Vec<Reply<u32>>);

#[core_actor]
impl Spread {
    #[init]
    fn new() -> Self {
        Self(Vec::new())
    }

    #[handler(tell)]
    fn touch(&mut self, #[key] key: u64) {
        let _ = (self, key);
    }

    #[handler(all, deadline = "30ms")]
    fn survey(&mut self, reply: Reply<u32>) {
        self.0.push(reply);
    }
}

/// Has no deadline.
#[core_actor]
struct Busy;

#[core_actor]
impl Busy {
    #[init]
    fn new() -> Self {
        Self
    }

    #[handler]
    fn work(&self, time: Duration) -> u32 {
        let _ = self;
        thread::sleep(time);
        8
    }
}

#[test]
fn the_actors_deadline_holds_where_nobody_says_more() {
    let system = System::builder().cores(1).start().unwrap();
    let silent = system.spawn::<Silent>(()).wait().unwrap();
    assert!(matches!(silent.hidden().wait(), Err(AskError::Deadline { started: true })));
    // Ordered clients, batches and asks that own their client have it as well.
    let ordered = silent.ordered();
    assert!(matches!(ordered.hidden().wait(), Err(AskError::Deadline { .. })));
    assert!(matches!(silent.hidden().into_owned().wait(), Err(AskError::Deadline { .. })));
    let answers = silent.ask_batch((0..3).map(|_| silent.hidden())).wait().unwrap();
    assert!(answers.iter().all(|answer| matches!(answer, Err(AskError::Deadline { .. }))));
    system.shutdown_wait(LONG);
}

#[test]
fn a_request_that_waits_too_long_never_runs() {
    let system = System::builder().cores(1).start().unwrap();
    let silent = system.spawn::<Silent>(()).wait().unwrap();
    silent.sleep(Duration::from_millis(100)).wait().unwrap();
    let error = silent.hidden().wait().unwrap_err();
    assert!(matches!(error, AskError::Deadline { started: false }), "{error}");
    assert!(error.never_ran());
    system.shutdown_wait(LONG);
}

/// Its time passes while the message before it is handled, in one run with it.
#[test]
fn a_request_that_expires_behind_a_slow_one_never_runs() {
    let system = System::builder().cores(1).start().unwrap();
    let silent = system.spawn::<Silent>(()).wait().unwrap();
    silent.sleep(Duration::from_millis(100)).wait().unwrap();
    silent.sleep(Duration::from_millis(300)).wait().unwrap();
    let mut ask = silent.slow().deadline(Duration::from_millis(200));
    // Nobody comes back for it before it is looked at.
    assert!(poll_once(Pin::new(&mut ask)).is_none());
    silent.open().wait().unwrap();
    while system.actors()[0].handled() < 3 {
        thread::yield_now();
    }
    let late = ask.wait();
    assert!(matches!(late, Err(AskError::Deadline { started: false })), "{late:?}");
    system.shutdown_wait(LONG);
}

#[test]
fn a_handlers_deadline_goes_before_the_actors_and_a_callers_before_both() {
    let system = System::builder().cores(1).start().unwrap();
    let silent = system.spawn::<Silent>(()).wait().unwrap();
    let (patient, very_patient) = (silent.ordered(), silent.ordered());
    let slow = thread::spawn(move || patient.slow().wait());
    let hidden = thread::spawn(move || very_patient.hidden().deadline(LONG).wait());
    let short = silent.slow().deadline(Duration::from_millis(1)).wait();
    assert!(matches!(short, Err(AskError::Deadline { .. })));
    // By now the actor's own deadline would have passed as well.
    thread::sleep(Duration::from_millis(60));
    while !(slow.is_finished() && hidden.is_finished()) {
        silent.open().wait().unwrap();
        thread::yield_now();
    }
    assert_eq!(slow.join().unwrap().unwrap(), 7);
    assert_eq!(hidden.join().unwrap().unwrap(), 7);
    system.shutdown_wait(LONG);
}

#[test]
fn every_shard_has_the_deadline() {
    let system = System::builder().cores(2).start().unwrap();
    let spread = system.spawn_sharded::<Spread>(2, |_| ()).wait().unwrap();
    let answers = spread.survey().wait();
    assert!(matches!(answers, Err(AskError::Deadline { started: true })), "{answers:?}");
    system.shutdown_wait(LONG);
}

#[test]
fn a_request_that_is_on_its_way_can_get_a_deadline() {
    let system = System::builder().cores(1).start().unwrap();
    let silent = system.spawn::<Silent>(()).wait().unwrap();
    let begun = silent.slow().now().unwrap();
    // Comes after it, so that it is with the handler by then.
    silent.hidden().wait().unwrap_err();
    let error = begun.deadline(Duration::from_millis(1)).wait().unwrap_err();
    assert!(matches!(error, AskError::Deadline { started: true }), "{error}");
    silent.sleep(Duration::from_millis(100)).wait().unwrap();
    let waits = silent.slow().now().unwrap().deadline(Duration::from_millis(1));
    let error = waits.wait().unwrap_err();
    assert!(matches!(error, AskError::Deadline { started: false }), "{error}");
    system.shutdown_wait(LONG);
}

#[test]
fn a_request_that_waits_for_room_can_get_a_deadline() {
    let system = System::builder().cores(1).start().unwrap();
    let silent = system.spawn::<Silent>(()).wait().unwrap();
    silent.sleep(Duration::from_millis(300)).wait().unwrap();
    while silent.sleep(Duration::ZERO).now().is_ok() {}
    let (mut ask, mut tell) = (silent.slow(), silent.open());
    assert!(poll_once(Pin::new(&mut ask)).is_none());
    assert!(poll_once(Pin::new(&mut tell)).is_none());
    let late = ask.deadline(Duration::from_millis(1)).wait();
    assert!(matches!(late, Err(AskError::Deadline { started: false })), "{late:?}");
    let late = tell.deadline(Duration::from_millis(1)).wait();
    assert!(matches!(late, Err(TellError::Deadline(_))), "{late:?}");
    system.shutdown_wait(LONG);
}

#[test]
fn two_requests_that_wait_for_room_have_their_own_deadlines() {
    let system = System::builder().cores(1).start().unwrap();
    let silent = system.spawn::<Silent>(()).wait().unwrap();
    silent.sleep(Duration::from_secs(1)).wait().unwrap();
    while silent.sleep(Duration::ZERO).now().is_ok() {}
    thread::scope(|scope| {
        for time in [20, 100].map(Duration::from_millis) {
            let silent = &silent;
            scope.spawn(move || {
                let late = silent.open().deadline(time).wait();
                assert!(matches!(late, Err(TellError::Deadline(_))), "{late:?}");
            });
        }
    });
    system.shutdown_wait(LONG);
}

#[test]
fn an_ask_that_is_on_its_way_is_sent_once() {
    let system = System::builder().cores(1).start().unwrap();
    let silent = system.spawn::<Silent>(()).wait().unwrap();
    let ask = silent.slow().now().unwrap().now().unwrap();
    silent.open().wait().unwrap();
    assert_eq!(ask.wait().unwrap(), 7);
    system.shutdown_wait(LONG);
}

/// Polls `ask` once with the waker of this task, too early for an outcome.
async fn polled(ask: &mut (impl Future<Output = Result<u32, AskError>> + Unpin)) {
    let once = |context: &mut Context<'_>| {
        assert!(Pin::new(&mut *ask).poll(context).is_pending());
        Poll::Ready(())
    };
    std::future::poll_fn(once).await;
}

/// Awaits `ask`, which nothing but its answer wakes; what is kept is opened a little later.
async fn opened_later(silent: SilentClient, ask: impl Future<Output = Result<u32, AskError>>) {
    let opener = tokio::spawn(async move {
        tokio::time::sleep(Duration::from_millis(50)).await;
        silent.open().await.unwrap();
    });
    tokio::select! {
        biased;
        () = tokio::time::sleep(LONG) => panic!("nobody has woken it"),
        answer = ask => assert_eq!(answer.unwrap(), 7),
    }
    opener.await.unwrap();
}

#[tokio::test]
async fn an_ask_that_has_lined_up_and_does_not_wait_is_woken_for_its_answer() {
    let system = System::builder().cores(1).start().unwrap();
    let silent = system.spawn::<Silent>(()).await.unwrap();
    // The lane is full while the task polls, and has room again when the same task does not wait any more.
    silent.sleep(Duration::from_millis(100)).await.unwrap();
    while silent.sleep(Duration::ZERO).now().is_ok() {}
    let mut ask = silent.slow();
    polled(&mut ask).await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    let ask = ask.now().unwrap();
    opened_later(silent.clone(), ask).await;
    system.shutdown(LONG).await;
}

#[tokio::test]
async fn an_ask_that_is_late_can_get_more_time() {
    let system = System::builder().cores(1).start().unwrap();
    let silent = system.spawn::<Silent>(()).await.unwrap();
    let mut ask = silent.slow().deadline(Duration::from_millis(300));
    polled(&mut ask).await;
    // By now it looks for its answer no more, and leaves its waker.
    tokio::time::sleep(Duration::from_millis(20)).await;
    polled(&mut ask).await;
    // Its time passes, and its waker is used, before it is polled again.
    tokio::time::sleep(Duration::from_millis(400)).await;
    opened_later(silent.clone(), ask.deadline(LONG)).await;
    system.shutdown(LONG).await;
}

#[tokio::test]
async fn a_request_whose_handler_is_stuck_can_get_a_deadline() {
    let system = System::builder().cores(1).start().unwrap();
    let busy = system.spawn::<Busy>(()).await.unwrap();
    let mut ask = busy.work(Duration::from_secs(1));
    polled(&mut ask).await;
    // The handler has begun, and the core has the waker.
    tokio::time::sleep(Duration::from_millis(50)).await;
    let late = ask.deadline(Duration::from_millis(1)).await;
    assert!(matches!(late, Err(AskError::Deadline { started: true })), "{late:?}");
    system.shutdown(LONG).await;
}
