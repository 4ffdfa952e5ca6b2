//! Several tasks of a thread that ask: their answers are looked for in their turns, and wakers are left only where that is
//! in vain.

mod until;

use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{self, Receiver};
use std::task::{Context, Poll, Wake, Waker};
use std::thread;
use std::time::Duration;

use tpc_actors::prelude::*;
use tpc_actors::{ActorStatus, register_thread};

use until::until;

#[core_actor]
struct Doubler;

#[core_actor]
impl Doubler {
    #[init]
    fn new() -> Self {
        Self
    }

    #[handler]
    fn double(&mut self, n: u64) -> u64 {
        2 * n
    }

    #[handler]
    fn double_late(&mut self, n: u64, until: Receiver<()>) -> u64 {
        let _ = until.recv_timeout(Duration::from_secs(30));
        2 * n
    }
}

/// A task that counts how often it is woken.
#[derive(Default)]
struct Task(AtomicUsize);

impl Wake for Task {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

impl Task {
    fn wakes(&self) -> usize {
        self.0.swap(0, Ordering::SeqCst)
    }

    /// Whether somebody keeps a waker of it.
    fn is_awaited(self: &Arc<Self>) -> bool {
        Arc::strong_count(self) > 1
    }

    fn poll<F: Future>(self: &Arc<Self>, future: Pin<&mut F>) -> Poll<F::Output> {
        let waker = Waker::from(Arc::clone(self));
        future.poll(&mut Context::from_waker(&waker))
    }
}

/// A core that is awake, and an actor that this thread has a lane to.
fn start() -> (System, DoublerClient) {
    register_thread();
    let system = System::builder().cores(1).spin(Duration::from_mins(1)).start().unwrap();
    let doubler = system.spawn::<Doubler>(()).wait().unwrap();
    // The first ask opens the lane, which takes a waker.
    assert_eq!(doubler.double(2).wait().unwrap(), 4);
    (system, doubler)
}

fn handled(system: &System) -> u64 {
    system.actors().iter().map(ActorStatus::handled).sum()
}

#[test]
fn an_answer_that_is_there_in_the_next_turn_takes_no_waker() {
    let (system, doubler) = start();
    let (one, two) = (Arc::new(Task::default()), Arc::new(Task::default()));
    for n in 0..100 {
        let before = handled(&system);
        let (mut first, mut second) = (pin!(doubler.double(n)), pin!(doubler.double(n + 1)));
        assert!(one.poll(first.as_mut()).is_pending());
        assert!(two.poll(second.as_mut()).is_pending());
        until("the second ask", || handled(&system) == before + 2);
        assert!(!one.is_awaited() && !two.is_awaited());
        // Counted before it is answered: it may take another turn.
        for (task, ask, answer) in [(&one, first, 2 * n), (&two, second, 2 * n + 2)] {
            let mut ask = ask;
            let answered = loop {
                assert_eq!(task.wakes(), 1, "it has a turn as long as it looks");
                if let Poll::Ready(answered) = task.poll(ask.as_mut()) {
                    break answered.unwrap();
                }
            };
            assert_eq!(answered, answer);
        }
        assert_eq!((one.wakes(), two.wakes()), (0, 0), "the core had nobody to wake");
    }
    assert!(system.shutdown_wait(Duration::from_secs(10)).is_clean());
}

#[test]
fn who_has_looked_in_vain_is_woken() {
    let (system, doubler) = start();
    let task = Arc::new(Task::default());
    let (go, released) = mpsc::channel();
    let mut ask = pin!(doubler.double_late(4, released));
    let mut turns = 0;
    loop {
        assert!(task.poll(ask.as_mut()).is_pending());
        if task.wakes() == 0 {
            break;
        }
        turns += 1;
    }
    assert_eq!(turns, 32, "nobody else looks");
    assert!(task.is_awaited());
    go.send(()).unwrap();
    until("the wake", || task.wakes() > 0);
    assert!(matches!(task.poll(ask.as_mut()), Poll::Ready(Ok(8))));
    assert!(system.shutdown_wait(Duration::from_secs(10)).is_clean());
}

#[test]
fn vain_looks_become_rare() {
    let (system, doubler) = start();
    let tasks = [Arc::new(Task::default()), Arc::new(Task::default())];
    let mut looked = 0;
    for n in 0..400 {
        // Not the same one twice in a row, which would be alone.
        let task = &tasks[usize::from(n % 2 == 0)];
        task.wakes();
        let (go, released) = mpsc::channel();
        let mut ask = pin!(doubler.double_late(n, released));
        assert!(task.poll(ask.as_mut()).is_pending());
        looked += usize::from(task.wakes() > 0);
        while !task.is_awaited() {
            assert!(task.poll(ask.as_mut()).is_pending());
        }
        go.send(()).unwrap();
        until("the answer", || task.poll(ask.as_mut()).is_ready());
    }
    assert!(looked < 40, "{looked} of 400");
    assert!(system.shutdown_wait(Duration::from_secs(10)).is_clean());
}

/// A task may have its next turn on another thread.
#[test]
fn an_answer_is_found_from_another_thread() {
    let (system, doubler) = start();
    let task = Arc::new(Task::default());
    thread::scope(|scope| {
        let mut ask = Box::pin(doubler.double(5));
        assert!(task.poll(ask.as_mut()).is_pending());
        let elsewhere = scope.spawn(move || {
            register_thread();
            loop {
                if let Poll::Ready(answer) = task.poll(ask.as_mut()) {
                    break answer.unwrap();
                }
                assert!(task.wakes() > 0 || task.is_awaited(), "nobody would poll it again");
                thread::yield_now();
            }
        });
        assert_eq!(elsewhere.join().unwrap(), 10);
    });
    assert!(system.shutdown_wait(Duration::from_secs(10)).is_clean());
}
