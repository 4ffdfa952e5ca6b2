//! Tasks, continuations, timers and same-core handles.

use std::cell::Cell;
use std::future::poll_fn;
use std::rc::Rc;
use std::task::Poll;
use std::time::{Duration, Instant};

use tpc_actors::prelude::*;

#[core_actor(capacity = 16)]
struct Busy {
    ticks: u32,
    notes: Vec<u32>,
}

#[core_actor]
impl Busy {
    #[init]
    fn new() -> Self {
        Self { ticks: 0, notes: Vec::new() }
    }

    #[every("5ms")]
    fn tick(&mut self) {
        self.ticks += 1;
    }

    #[handler]
    fn ticks(&self) -> u32 {
        self.ticks
    }

    #[handler]
    fn note(&mut self, n: u32) -> u32 {
        self.notes.push(n);
        n
    }

    #[handler(tell)]
    fn told(&mut self, n: u32) {
        self.notes.push(n);
    }

    #[handler]
    fn notes(&self) -> Vec<u32> {
        self.notes.clone()
    }

    /// A task that holds `!Send` values over its awaits and talks to its own actor.
    #[handler]
    fn sum_later(&mut self, cx: &mut Ctx<Self>, reply: Reply<u32>) {
        let me: BusyPinned = cx.pinned();
        let pause = cx.sleep(Duration::from_millis(3));
        let sum = Rc::new(Cell::new(0));
        cx.spawn(async move {
            pause.await;
            for n in 1..=40 {
                // More than the queue holds at a time, so some of these wait for room.
                let answers = [me.note(n).now().unwrap(), me.note(n).now().unwrap()];
                me.told(n).await.unwrap();
                for answer in answers {
                    sum.set(sum.get() + answer.await.unwrap());
                }
            }
            reply.send(sum.get());
        });
    }

    /// A task that wakes itself while it is polled.
    #[handler]
    fn yield_once(&mut self, cx: &mut Ctx<Self>, reply: Reply<u32>) {
        cx.spawn(async move {
            let mut polls = 0;
            poll_fn(|context| {
                polls += 1;
                if polls == 2 {
                    return Poll::Ready(());
                }
                context.waker().wake_by_ref();
                Poll::Pending
            })
            .await;
            reply.send(polls);
        });
    }

    /// Drops asks to itself before they have begun.
    #[handler]
    fn ask_and_leave(&mut self, cx: &mut Ctx<Self>) -> u32 {
        let me: BusyPinned = cx.pinned();
        drop((me.note(1).now().unwrap(), me.note(2).now().unwrap()));
        2
    }

    #[handler]
    fn fill_own_queue(&mut self, cx: &mut Ctx<Self>) -> u32 {
        let me: BusyPinned = cx.pinned();
        (0..1000).take_while(|&n| me.told(n).now().is_ok()).count().try_into().unwrap()
    }

    #[handler]
    fn wait_for_channel(
        &mut self,
        cx: &mut Ctx<Self>,
        channel: tokio::sync::oneshot::Receiver<u32>,
        reply: Reply<u32>,
    ) {
        cx.spawn(async move {
            reply.send(channel.await.unwrap_or(0));
        });
    }

    #[handler]
    fn spawn_many(&mut self, cx: &mut Ctx<Self>, count: u32) -> u32 {
        let mut spawned = 0;
        for _ in 0..count {
            spawned += u32::from(cx.try_spawn(std::future::pending()).is_ok());
        }
        spawned
    }
}

async fn start() -> (System, BusyClient) {
    let system = System::builder().cores(1).tasks_max(64).start().unwrap();
    let busy = system.spawn::<Busy>(()).await.unwrap();
    (system, busy)
}

#[tokio::test]
async fn tasks_hold_local_values_and_reach_their_actor() {
    let (system, busy) = start().await;
    assert_eq!(busy.sum_later().await.unwrap(), 2 * (1..=40).sum::<u32>());
    let expected: Vec<u32> = (1..=40).flat_map(|n| [n, n, n]).collect();
    assert_eq!(busy.notes().await.unwrap(), expected, "the local queue is first in, first out");
    assert!(system.shutdown(Duration::from_secs(10)).await.is_clean());
}

#[tokio::test]
async fn a_task_that_wakes_itself_is_polled_again() {
    let (system, busy) = start().await;
    assert_eq!(busy.yield_once().deadline(Duration::from_secs(20)).await.unwrap(), 2);
    system.shutdown(Duration::from_secs(5)).await;
}

#[tokio::test]
async fn the_local_queue_is_bounded_by_the_capacity() {
    let (system, busy) = start().await;
    assert_eq!(busy.fill_own_queue().await.unwrap(), 16);
    while busy.notes().await.unwrap().len() < 16 {}
    assert!(system.shutdown(Duration::from_secs(10)).await.is_clean());
}

#[tokio::test]
async fn a_sleeping_core_is_woken_by_a_foreign_channel() {
    let (system, busy) = start().await;
    for n in 1..100 {
        let (sender, receiver) = tokio::sync::oneshot::channel();
        let ask = busy.wait_for_channel(receiver).now().unwrap();
        if n % 3 == 0 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        sender.send(n).unwrap();
        assert_eq!(ask.await.unwrap(), n);
    }
    assert!(system.shutdown(Duration::from_secs(10)).await.is_clean());
}

#[tokio::test]
async fn tasks_are_bounded_and_the_bound_is_answered() {
    let (system, busy) = start().await;
    assert_eq!(busy.spawn_many(100).await.unwrap(), 64);
    let (_sender, receiver) = tokio::sync::oneshot::channel();
    let refused = busy.wait_for_channel(receiver).await.unwrap_err();
    let AskError::Panicked(report) = refused else { panic!("{refused:?}") };
    assert!(report.message().contains("64 tasks"), "{report}");
    // The restart has ended the tasks of the old incarnation.
    assert_eq!(busy.spawn_many(100).await.unwrap(), 64);
    system.shutdown(Duration::from_secs(10)).await;
}

#[tokio::test]
async fn timers_tick_while_the_core_is_idle_and_while_it_is_flooded() {
    let begun = Instant::now();
    let (system, busy) = start().await;
    while busy.ticks().await.unwrap() < 5 {
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    assert!(begun.elapsed() >= Duration::from_millis(25), "ticks come no earlier than they should");
    let before = busy.ticks().await.unwrap();
    let flood = tokio::spawn({
        let busy = busy.clone();
        async move { while busy.told(1).await.is_ok() {} }
    });
    while busy.ticks().await.unwrap() < before + 5 {}
    flood.abort();
    system.shutdown(Duration::from_secs(10)).await;
}

/// Two actors on two cores that ask each other without end.
#[core_actor(capacity = 4)]
struct Player {
    other: Option<PlayerClient>,
    rallies: u32,
}

#[core_actor]
impl Player {
    #[init]
    fn new() -> Self {
        Self { other: None, rallies: 0 }
    }

    #[handler]
    fn meet(&mut self, other: PlayerClient) {
        self.other = Some(other);
    }

    #[handler]
    fn play(&mut self, cx: &mut Ctx<Self>, left: u32, reply: Reply<u32>) {
        self.rallies += 1;
        match (&self.other, left) {
            (Some(other), 1..) => cx.ask(other.play(left - 1), move |_, _, answer| {
                reply.send(answer.map_or(0, |answer| answer + 1));
            }),
            _ => reply.send(0),
        }
    }
}

#[tokio::test]
async fn actors_that_ask_each_other_do_not_deadlock() {
    let system = System::builder().cores(2).start().unwrap();
    let left = system.spawn::<Player>(()).await.unwrap();
    let right = system.spawn::<Player>(()).await.unwrap();
    left.meet(right.clone()).await.unwrap();
    right.meet(left.clone()).await.unwrap();
    // Deeper than lanes are long, and from both sides at once.
    let (from_left, from_right) = tokio::join!(left.play(100), right.play(100));
    assert_eq!((from_left.unwrap(), from_right.unwrap()), (100, 100));
    assert!(system.shutdown(Duration::from_secs(10)).await.is_clean());
}

#[tokio::test]
async fn local_asks_that_are_left_do_not_run_and_do_not_upset_the_books() {
    let (system, busy) = start().await;
    assert_eq!(busy.ask_and_leave().await.unwrap(), 2);
    assert!(busy.notes().await.unwrap().is_empty());
    assert_eq!(system.cores()[0].cancelled(), 2);
    let report = system.shutdown(Duration::from_secs(10)).await;
    assert!(report.is_clean(), "{report}");
    assert_eq!(report.finished(), 2);
}

/// Says in its checkpoint what a task of its waits for.
#[core_actor]
struct Announcer {
    announce: Option<tokio::sync::oneshot::Sender<()>>,
    heard: Rc<Cell<bool>>,
}

#[core_actor]
impl Announcer {
    #[init]
    fn new(cx: &mut Ctx<Self>) -> Self {
        let (announce, announced) = tokio::sync::oneshot::channel();
        let heard = Rc::<Cell<bool>>::default();
        let theirs = Rc::clone(&heard);
        cx.spawn(async move { theirs.set(announced.await.is_ok()) });
        Self { announce: Some(announce), heard }
    }

    #[checkpoint]
    fn write_down(&mut self) {
        if let Some(announce) = self.announce.take() {
            let _ = announce.send(());
        }
    }

    #[handler]
    fn heard(&self) -> bool {
        self.heard.get()
    }
}

/// A turn in which the core only takes commands wakes tasks, too.
#[test]
fn a_task_that_a_checkpoint_wakes_goes_on() {
    let system = System::builder().cores(1).start().unwrap();
    let announcer = system.spawn::<Announcer>(()).wait().unwrap();
    // Polled once, so that it waits.
    assert!(!announcer.heard().wait().unwrap());
    assert!(system.checkpoint(Duration::from_secs(10)).wait().unwrap().is_complete());
    let start = Instant::now();
    while !announcer.heard().wait().unwrap() {
        assert!(start.elapsed() < Duration::from_secs(10), "the task was forgotten");
    }
    system.shutdown_wait(Duration::from_secs(10));
}
