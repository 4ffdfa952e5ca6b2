//! Asks of tasks to actors on their own core, whose handlers are called in the poll of the task.

mod poll_once;

use std::cell::{Cell, RefCell};
use std::pin::pin;
use std::rc::Rc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use tpc_actors::prelude::*;

use poll_once::poll_once;

thread_local! {
    /// The desk of this core.
    static DESK: RefCell<Option<DeskPinned>> = const { RefCell::new(None) };
}

fn desk() -> DeskPinned {
    DESK.with_borrow(Clone::clone).expect("it has started")
}

/// Answers in several ways.
#[core_actor(event = u32, capacity = 64)]
struct Desk {
    log: Vec<u32>,
    held: Vec<Reply<u32>>,
    most: usize,
}

#[core_actor]
impl Desk {
    #[init]
    fn new(cx: &mut Ctx<Self>) -> Self {
        DESK.set(Some(cx.pinned()));
        Self { log: Vec::new(), held: Vec::new(), most: 0 }
    }

    #[handler]
    fn note(&mut self, n: u32) -> u32 {
        self.log.push(n);
        n
    }

    #[handler(tell)]
    fn told(&mut self, n: u32) {
        self.log.push(n);
    }

    #[handler]
    fn log(&self) -> Vec<u32> {
        self.log.clone()
    }

    #[handler]
    fn hold(&mut self, reply: Reply<u32>) {
        self.held.push(reply);
    }

    #[handler]
    fn release(&mut self, n: u32) -> usize {
        self.held.drain(..).map(|reply| reply.send(n)).count()
    }

    #[handler]
    fn forget(&mut self, reply: Reply<u32>) {
        drop(reply);
    }

    #[handler]
    fn panics(&mut self) -> u32 {
        panic!("as it is told")
    }

    #[handler]
    fn stops(&mut self, cx: &mut Ctx<Self>) -> u32 {
        cx.stop();
        7
    }

    #[handler]
    fn publishes(&mut self, cx: &mut Ctx<Self>, n: u32) -> u32 {
        cx.publish(n);
        n
    }

    #[handler(batch = 16)]
    fn together(&mut self, batch: Batch<u32, Reply<usize>>) {
        let size = batch.len();
        self.most = self.most.max(size);
        for (_, reply) in batch {
            reply.send(size);
        }
    }

    /// Asks itself in a task, and says whether that has gone on afterwards.
    #[handler(tell)]
    fn fails_from_a_task(&mut self, cx: &mut Ctx<Self>) {
        let me: DeskPinned = cx.pinned();
        cx.spawn(async move {
            let outcome = me.panics().await;
            WENT_ON.fetch_add(1, Ordering::Relaxed);
            drop(outcome);
        });
    }

    /// Whoever asks learns what has become of the task that owes the answer.
    #[handler]
    fn owes_from_a_task(&mut self, cx: &mut Ctx<Self>, reply: Reply<u32>) {
        let me: DeskPinned = cx.pinned();
        cx.spawn(async move {
            let outcome = me.panics().await;
            drop(outcome);
            reply.send(1);
        });
    }

    /// A task panics in the poll in which its actor has ended.
    #[handler(tell)]
    fn panics_after_its_end(&mut self, cx: &mut Ctx<Self>) {
        let me: DeskPinned = cx.pinned();
        cx.spawn(async move {
            assert!(poll_once(pin!(me.panics())).is_none());
            panic!("after its end");
        });
    }

    /// The same with its own stop.
    #[handler(tell)]
    fn stops_from_a_task(&mut self, cx: &mut Ctx<Self>) {
        let me: DeskPinned = cx.pinned();
        cx.spawn(async move {
            let outcome = me.stops().await;
            WENT_ON.fetch_add(1, Ordering::Relaxed);
            drop(outcome);
        });
    }
}

/// Tasks that have gone on although their actor had ended.
static WENT_ON: AtomicU32 = AtomicU32::new(0);

/// Runs tasks on the core of the desk.
#[core_actor]
struct Clerk;

#[core_actor]
impl Clerk {
    #[init]
    fn new() -> Self {
        Self
    }

    /// Asks in the first poll, and behind what is queued.
    #[handler]
    fn first_polls(&mut self, cx: &mut Ctx<Self>, reply: Reply<Vec<u32>>) {
        cx.spawn(async move {
            let desk = desk();
            let answered = poll_once(pin!(desk.note(1))).map(|answer| answer.unwrap());
            assert_eq!(answered, Some(1));
            desk.told(2).now().unwrap();
            let mut behind = pin!(desk.note(3));
            assert!(poll_once(behind.as_mut()).is_none(), "the tell goes first");
            assert_eq!(behind.await.unwrap(), 3);
            reply.send(desk.log().await.unwrap());
        });
    }

    /// Polls an ask in a handler.
    #[handler]
    fn polls_in_a_handler(&mut self, cx: &mut Ctx<Self>, reply: Reply<u32>) {
        let desk = desk();
        let mut ask = Box::pin(async move { desk.note(4).await.unwrap() });
        let answered = poll_once(ask.as_mut());
        assert_eq!(answered, None, "no handler calls another one");
        cx.spawn(async move { reply.send(ask.await) });
    }

    #[handler]
    fn held(&mut self, cx: &mut Ctx<Self>, reply: Reply<(u32, usize)>) {
        let (sent, released) = (Rc::new(Cell::new(0)), Rc::new(Cell::new(0)));
        let theirs = Rc::clone(&sent);
        cx.spawn(async move { theirs.set(desk().hold().await.unwrap()) });
        cx.spawn(async move {
            // The other task has asked.
            tokio::task::yield_now().await;
            released.set(desk().release(9).await.unwrap());
            while sent.get() == 0 {
                tokio::task::yield_now().await;
            }
            reply.send((sent.get(), released.get()));
        });
    }

    #[handler]
    fn forgotten(&mut self, cx: &mut Ctx<Self>, reply: Reply<bool>) {
        cx.spawn(async move {
            let outcome = desk().forget().await;
            reply.send(matches!(outcome, Err(AskError::Dropped)));
        });
    }

    #[handler]
    fn panicked(&mut self, cx: &mut Ctx<Self>, reply: Reply<String>) {
        cx.spawn(async move {
            let outcome = desk().panics().await;
            reply.send(match outcome {
                Err(AskError::Panicked(report)) => report.handler().to_owned(),
                other => format!("{other:?}"),
            });
        });
    }

    #[handler]
    fn stopped(&mut self, cx: &mut Ctx<Self>, reply: Reply<(u32, bool)>) {
        cx.spawn(async move {
            let desk = desk();
            let answer = desk.stops().await.unwrap();
            reply.send((answer, desk.note(1).await.is_err()));
        });
    }

    #[handler]
    fn together(&mut self, cx: &mut Ctx<Self>, reply: Reply<Vec<usize>>) {
        let sizes = Rc::new(RefCell::new(Vec::new()));
        let reply = Rc::new(Cell::new(Some(reply)));
        for n in 0..8 {
            let (sizes, reply) = (Rc::clone(&sizes), Rc::clone(&reply));
            cx.spawn(async move {
                let size = desk().together(n).await.unwrap();
                sizes.borrow_mut().push(size);
                if sizes.borrow().len() == 8 {
                    reply.take().unwrap().send(sizes.take());
                }
            });
        }
    }

    /// Asks until somebody else has been served.
    #[handler]
    fn asks_on(&mut self, cx: &mut Ctx<Self>, reply: Reply<u64>) {
        cx.spawn(async move {
            let desk = desk();
            let mut asked = 0;
            while desk.log().await.unwrap().is_empty() {
                asked += 1;
            }
            reply.send(asked);
        });
    }

    /// Whether the subscriber has the event by the time that the answer is there.
    #[handler]
    fn published(&mut self, cx: &mut Ctx<Self>, count: u32, reply: Reply<u32>) {
        cx.spawn(async move {
            let mut sum = 0;
            for n in 0..count {
                sum += desk().publishes(n).await.unwrap();
            }
            reply.send(sum);
        });
    }

    /// The name of the task's call is back when the handler has returned, also in reports.
    #[handler(tell)]
    fn panics_after_asking(&mut self, cx: &mut Ctx<Self>) {
        cx.spawn(async move {
            desk().note(1).await.unwrap();
            panic!("in the task");
        });
    }
}

fn panics(system: &System, name: &str) -> u64 {
    let actors = system.actors().into_iter();
    actors.filter(|actor| actor.name() == name).map(|actor| actor.panics()).sum()
}

async fn start() -> (System, DeskClient, ClerkClient) {
    let system = System::builder().cores(1).start().unwrap();
    let desk = system.spawn::<Desk>(()).await.unwrap();
    let clerk = system.spawn::<Clerk>(()).await.unwrap();
    (system, desk, clerk)
}

#[tokio::test]
async fn an_idle_actor_answers_in_the_first_poll_and_a_busy_one_in_order() {
    let (system, desk, clerk) = start().await;
    assert_eq!(clerk.first_polls().await.unwrap(), [1, 2, 3]);
    let status = system.actors().into_iter().find(|actor| actor.name() == "Desk").unwrap();
    assert_eq!(status.handled(), 4, "each once");
    drop(desk);
    assert!(system.shutdown(Duration::from_secs(10)).await.is_clean());
}

#[tokio::test]
async fn no_handler_calls_another_one() {
    let (system, desk, clerk) = start().await;
    assert_eq!(clerk.polls_in_a_handler().await.unwrap(), 4);
    assert_eq!(desk.log().await.unwrap(), [4]);
    assert!(system.shutdown(Duration::from_secs(10)).await.is_clean());
}

#[tokio::test]
async fn an_answer_may_come_later_or_never() {
    let (system, _desk, clerk) = start().await;
    assert_eq!(clerk.held().await.unwrap(), (9, 1));
    assert!(clerk.forgotten().await.unwrap());
    assert!(system.shutdown(Duration::from_secs(10)).await.is_clean());
}

#[tokio::test]
async fn a_panic_is_answered_and_ends_the_tasks_of_its_own_actor_only() {
    let (system, desk, clerk) = start().await;
    assert_eq!(clerk.panicked().await.unwrap(), "panics");
    let before = WENT_ON.load(Ordering::Relaxed);
    desk.fails_from_a_task().await.unwrap();
    // Answered by the incarnation after it.
    while panics(&system, "Desk") < 2 || desk.log().await.is_err() {
        tokio::task::yield_now().await;
    }
    assert_eq!(WENT_ON.load(Ordering::Relaxed), before, "the task ends with its incarnation");
    assert_eq!(clerk.first_polls().await.unwrap(), [1, 2, 3], "it serves again");
    drop(system.shutdown(Duration::from_secs(10)).await);
}

#[tokio::test]
async fn what_a_task_owes_ends_with_its_actor_and_its_panics_count() {
    let (system, desk, _clerk) = start().await;
    let outcome = desk.owes_from_a_task().await;
    assert!(matches!(outcome, Err(AskError::Panicked(_))), "{outcome:?}");
    assert_eq!(panics(&system, "Desk"), 1);
    desk.panics_after_its_end().await.unwrap();
    while panics(&system, "Desk") < 3 {
        tokio::task::yield_now().await;
    }
    drop(system.shutdown(Duration::from_secs(10)).await);
}

#[tokio::test]
async fn a_handler_that_stops_its_actor_answers_and_is_the_last_one() {
    let (system, desk, clerk) = start().await;
    assert_eq!(clerk.stopped().await.unwrap(), (7, true));
    desk.closed().await;
    assert!(system.shutdown(Duration::from_secs(10)).await.is_clean());
    let (system, desk, _clerk) = start().await;
    let before = WENT_ON.load(Ordering::Relaxed);
    desk.stops_from_a_task().await.unwrap();
    desk.closed().await;
    assert!(system.shutdown(Duration::from_secs(10)).await.is_clean());
    assert_eq!(WENT_ON.load(Ordering::Relaxed), before, "the task ends with its actor");
}

#[tokio::test]
async fn batches_still_come_together() {
    let (system, _desk, clerk) = start().await;
    assert_eq!(clerk.together().await.unwrap(), [8; 8]);
    assert!(system.shutdown(Duration::from_secs(10)).await.is_clean());
}

#[tokio::test]
async fn a_task_that_asks_for_ever_leaves_the_others_their_turns() {
    let (system, desk, clerk) = start().await;
    let asks = tokio::spawn(async move { clerk.asks_on().await.unwrap() });
    tokio::time::sleep(Duration::from_millis(20)).await;
    desk.note(1).await.unwrap();
    assert!(asks.await.unwrap() > 100);
    assert!(system.shutdown(Duration::from_secs(10)).await.is_clean());
}

#[tokio::test]
async fn events_come_in_order_and_before_the_answer() {
    let (system, _desk, clerk) = start().await;
    let mut events = system.events::<u32>().capacity(1024).subscribe();
    assert_eq!(clerk.published(100).await.unwrap(), (0..100).sum::<u32>());
    for n in 0..100 {
        let Some(Delivery::Event { event, .. }) = events.try_next() else { panic!("it is there") };
        assert_eq!(event, n);
    }
    assert!(system.shutdown(Duration::from_secs(10)).await.is_clean());
}

#[tokio::test]
async fn the_task_is_named_again_after_the_handler() {
    let (system, _desk, clerk) = start().await;
    clerk.panics_after_asking().await.unwrap();
    while panics(&system, "Clerk") == 0 {
        tokio::task::yield_now().await;
    }
    assert_eq!(panics(&system, "Desk"), 0, "the panic is that of the task's own actor");
    drop(system.shutdown(Duration::from_secs(10)).await);
}
