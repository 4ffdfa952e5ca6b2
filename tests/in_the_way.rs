//! Whoever is done with a lane is in nobody's way there, whatever he still holds.

mod poll_once;

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, Sender};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use tokio::time::timeout;
use tpc_actors::client::Ask;
use tpc_actors::prelude::*;

use poll_once::poll_once;

const LONG: Duration = Duration::from_secs(20);

/// One place for a message, and two asks under way over each lane.
#[core_actor(capacity = 1)]
#[derive(Default)]
struct Gate {
    waiting: Vec<Reply<u64>>,
}

#[core_actor]
impl Gate {
    #[init]
    fn new() -> Self {
        Self::default()
    }

    /// Answers at once, or when the gate is opened.
    #[handler]
    fn enter(&mut self, late: bool, reply: Reply<u64>) {
        if late { self.waiting.push(reply) } else { reply.send(1) }
    }

    #[handler]
    fn open(&mut self) -> usize {
        let waiting = std::mem::take(&mut self.waiting);
        waiting.into_iter().map(|reply| reply.send(2)).count()
    }

    #[handler(tell)]
    fn knock(&mut self) {}

    /// Keeps the core busy until there is something to receive.
    #[handler]
    fn hold(&mut self, begun: Sender<()>, until: Receiver<()>) {
        begun.send(()).unwrap();
        let _ = until.recv_timeout(LONG);
    }

    /// A task on this core, whose ask lines up behind a tell and then does not wait for its place.
    #[handler(tell)]
    fn visit(&mut self, cx: &mut Ctx<Self>, done: Sender<u64>) {
        let gate = cx.pinned();
        cx.spawn(async move {
            while gate.knock().now().is_ok() {}
            let (mut first, mut ask, mut last) = (gate.knock(), gate.enter(true), gate.open());
            assert!(poll_once(Pin::new(&mut first)).is_none());
            assert!(poll_once(Pin::new(&mut ask)).is_none());
            assert!(poll_once(Pin::new(&mut last)).is_none());
            // The core takes the messages, and the first one is told; the ask is quicker.
            let ask = loop {
                turn().await;
                match ask.now() {
                    Ok(ask) => break ask,
                    Err(_) => ask = gate.enter(true),
                }
            };
            let (_, opened, answer) = tokio::join!(first, last, ask);
            opened.unwrap();
            done.send(answer.unwrap()).unwrap();
        });
    }
}

/// Lets others run once.
async fn turn() {
    let mut yielded = false;
    std::future::poll_fn(|context| {
        if std::mem::replace(&mut yielded, true) {
            return Poll::Ready(());
        }
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

fn start() -> (System, GateClient) {
    let system = System::builder().cores(1).start().unwrap();
    let gate = system.spawn::<Gate>(()).wait().unwrap();
    (system, gate)
}

fn stop(system: &System) {
    let report = system.shutdown_wait(LONG);
    assert!(report.is_clean(), "{report}");
}

/// A core that is busy until something is sent or dropped.
fn hold(gate: &GateClient) -> (Ask<'static, Gate, ()>, Sender<()>) {
    let ((begun, has_begun), (go, until)) = (mpsc::channel(), mpsc::channel());
    // Over a lane of its own, which nobody else waits for.
    let mut held = gate.ordered().hold(begun, until).into_owned();
    assert!(poll_once(Pin::new(&mut held)).is_none());
    has_begun.recv_timeout(LONG).unwrap();
    (held, go)
}

#[tokio::test]
async fn an_ask_that_was_cancelled_leaves_its_place_in_line() {
    let (system, gate) = start();
    let (held, go) = hold(&gate);
    while gate.knock().now().is_ok() {}
    let (ask, canceller) = gate.open().cancellable();
    let mut first = pin!(ask);
    assert!(poll_once(first.as_mut()).is_none());
    let mut second = gate.open();
    assert!(poll_once(Pin::new(&mut second)).is_none());
    canceller.cancel();
    assert!(matches!(first.as_mut().await, Err(AskError::Cancelled { started: false })));
    go.send(()).unwrap();
    held.await.unwrap();
    // The first one is still there.
    timeout(LONG, second).await.expect("it is told of the place").unwrap();
    stop(&system);
}

#[test]
fn a_pinned_ask_that_does_not_wait_leaves_its_place_in_line() {
    let (system, gate) = start();
    let (done, answer) = mpsc::channel();
    gate.visit(done).wait().unwrap();
    assert_eq!(answer.recv_timeout(LONG), Ok(2));
    stop(&system);
}

/// It is a mistake, and nobody else's.
#[tokio::test]
async fn an_ask_that_is_used_after_its_end_takes_no_slot_along() {
    let (system, gate) = start();
    for _ in 0..20 {
        let mut ask = gate.enter(false);
        assert_eq!((&mut ask).await.unwrap(), 1);
        let mistake = catch_unwind(AssertUnwindSafe(|| drop(ask.now())));
        assert!(mistake.is_err(), "as documented");
    }
    timeout(LONG, gate.open()).await.expect("there is a slot").unwrap();
    stop(&system);
}

/// A task that is woken for other things, and one that an ask was moved to, do not look for its answer all the time.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn waiting_for_a_running_handler_costs_few_polls() {
    let (system, gate) = start();
    for round in 0..3 {
        let (mut held, go) = hold(&gate);
        let polls = tokio::spawn(async move {
            let mut polls = 0;
            let counted = std::future::poll_fn(|context| {
                polls += 1;
                Pin::new(&mut held).poll(context)
            });
            let released = async {
                tokio::time::sleep(Duration::from_millis(50)).await;
                go.send(()).unwrap();
            };
            tokio::join!(counted, released).0.unwrap();
            polls
        });
        let polls = polls.await.unwrap();
        assert!(polls < 30, "{polls} polls in round {round}");
    }
    stop(&system);
}

/// What a waker holds.
struct Task;

impl Wake for Task {
    fn wake(self: Arc<Self>) {}
}

#[test]
fn who_leaves_before_the_start_takes_his_waker_along() {
    let (system, gate) = start();
    let (held, go) = hold(&gate);
    let task = Arc::new(Task);
    let waker = Waker::from(Arc::clone(&task));
    let mut ask = gate.open();
    assert!(Pin::new(&mut ask).poll(&mut Context::from_waker(&waker)).is_pending());
    drop((ask, waker));
    assert_eq!(Arc::strong_count(&task), 1);
    go.send(()).unwrap();
    held.wait().unwrap();
    stop(&system);
}
