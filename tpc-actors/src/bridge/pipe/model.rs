//! Every interleaving of two ends of a pipe that wait for each other, over the ring that ships.

use std::sync::Arc as StdArc;
use std::task::{Wake, Waker};

use loom::sync::{Condvar, Mutex};
use loom::thread;

use super::super::waiting::{Signal, Waiting};
use super::*;
use crate::sync::mutants::{explore, mutant};

/// What a waiting end sleeps on: a thread behind a waker, or an eventfd. Counts what it is told.
#[derive(Debug)]
struct Bed {
    told: Mutex<(bool, usize)>,
    changed: Condvar,
}

impl Bed {
    fn new() -> StdArc<Self> {
        StdArc::new(Self { told: Mutex::new((false, 0)), changed: Condvar::new() })
    }

    fn tell(&self) {
        let mut told = self.told.lock().unwrap();
        *told = (true, told.1 + 1);
        self.changed.notify_one();
    }

    /// Without a limit: a lost wake is a deadlock, which loom reports.
    fn sleep(&self, stay: bool) {
        let mut told = self.told.lock().unwrap();
        while !told.0 {
            told = self.changed.wait(told).unwrap();
        }
        told.0 = stay;
    }

    fn times(&self) -> usize {
        self.told.lock().unwrap().1
    }
}

impl Wake for Bed {
    fn wake(self: StdArc<Self>) {
        self.tell();
    }
}

impl Signal for Bed {
    fn raise(&self) {
        self.tell();
    }

    fn lower(&self) {
        self.told.lock().unwrap().0 = false;
    }
}

fn block_on<R>(mut poll: impl FnMut(&Context<'_>) -> Poll<R>) -> R {
    let bed = Bed::new();
    let waker = Waker::from(StdArc::clone(&bed));
    let context = Context::from_waker(&waker);
    loop {
        match poll(&context) {
            Poll::Ready(result) => return result,
            Poll::Pending => bed.sleep(false),
        }
    }
}

/// A receiver that awaits, a sender that awaits room in a ring of one place, and then closes.
fn await_both() {
    explore(2, || {
        let (mut sender, mut receiver, _) = pipe(1).unwrap();
        let other = thread::spawn(move || {
            for n in 0..2 {
                let mut value = Some(n);
                block_on(|context| sender.poll_send(&mut value, context)).unwrap();
            }
        });
        for n in 0..2 {
            assert_eq!(block_on(|context| receiver.poll_recv(context)), Ok(n));
        }
        assert_eq!(block_on(|context| receiver.poll_recv(context)), Err(Closed));
        other.join().unwrap();
    });
}

/// The same in batches.
fn await_batches() {
    explore(2, || {
        let (mut sender, mut receiver, _) = pipe(1).unwrap();
        let other = thread::spawn(move || {
            let mut items = 0..2;
            assert_eq!(sender.try_send_batch(&mut items), Ok(1));
            let mut last = items.next();
            block_on(|context| sender.poll_send(&mut last, context)).unwrap();
        });
        let mut received = Vec::new();
        while received.len() < 2 {
            let count = block_on(|context| receiver.poll_recv_many(&mut received, 2, context));
            assert!(count.is_ok_and(|count| count > 0));
        }
        assert_eq!(received, [0, 1]);
        other.join().unwrap();
    });
}

/// A receiver with a descriptor: written to at most once for each arming.
fn descriptor() {
    explore(3, || {
        let (mut sender, mut receiver, _) = pipe(2).unwrap();
        let bed = Bed::new();
        receiver.waiting().connect(StdArc::clone(&bed) as _);
        let other = thread::spawn(move || {
            sender.try_send(0).unwrap();
            sender.try_send(1).unwrap();
        });
        let mut armed = 0;
        let mut expected = 0;
        loop {
            match receiver.try_recv() {
                Ok(n) => {
                    assert_eq!(n, expected);
                    expected += 1;
                }
                Err(TryRecvError::Closed) => break,
                Err(TryRecvError::Empty) => {
                    armed += 1;
                    if receiver.arm() {
                        bed.sleep(true);
                    }
                }
            }
        }
        assert_eq!(expected, 2, "what was sent before the close is received");
        other.join().unwrap();
        assert!(bed.times() <= armed, "{} writes for {armed} armings", bed.times());
    });
}

/// A receiver that waits in both ways, and is told of two items: it is told in each way as often as it waits in it.
fn both_ways() {
    explore(3, || {
        let waiting = Arc::new(Waiting::new());
        let (bed, task) = (Bed::new(), Bed::new());
        waiting.connect(StdArc::clone(&bed) as _);
        let theirs = Arc::clone(&waiting);
        let other = thread::spawn(move || {
            theirs.notify();
            theirs.notify();
        });
        waiting.arm();
        waiting.register(&Waker::from(StdArc::clone(&task)));
        waiting.disarm();
        waiting.notify();
        other.join().unwrap();
        assert!(bed.times() <= 1, "one write for one arming");
        assert_eq!(task.times(), 1, "one wake for one registration");
    });
}

/// A sender with a descriptor for room.
fn room_descriptor() {
    explore(3, || {
        let (mut sender, mut receiver, _) = pipe(1).unwrap();
        let bed = Bed::new();
        sender.waiting().connect(StdArc::clone(&bed) as _);
        sender.try_send(0).unwrap();
        let other = thread::spawn(move || {
            receiver.try_recv().unwrap();
            receiver
        });
        while let Err(TrySendError::Full(_)) = sender.try_send(1) {
            if sender.arm() {
                bed.sleep(true);
            }
        }
        drop(other.join().unwrap());
    });
}

/// The receiving end goes away while the sender waits for room, which then has its item back.
fn close_while_waiting() {
    explore(3, || {
        let (mut sender, receiver, _) = pipe(1).unwrap();
        sender.try_send(0).unwrap();
        let other = thread::spawn(move || drop(receiver));
        let mut value = Some(1);
        let refused = block_on(|context| sender.poll_send(&mut value, context));
        assert_eq!(refused, Err(SendError(1)));
        other.join().unwrap();
        assert_eq!(sender.reclaim(), Some(0), "what nobody received comes back");
    });
}

#[test]
fn model_pipe_await_both() {
    await_both();
}

#[test]
fn model_pipe_await_batches() {
    await_batches();
}

#[test]
fn model_pipe_descriptor() {
    descriptor();
}

#[test]
fn model_pipe_both_ways() {
    both_ways();
}

#[test]
fn model_pipe_room_descriptor() {
    room_descriptor();
}

#[test]
fn model_pipe_close_while_waiting() {
    close_while_waiting();
}

mutant!(mutant_waiter_fence: "pipe.waiter-fence" breaks await_both);
mutant!(mutant_notifier_fence: "pipe.notifier-fence" breaks await_both);
mutant!(mutant_descriptor_waiter_fence: "pipe.waiter-fence" breaks descriptor);
mutant!(mutant_descriptor_notifier_fence: "pipe.notifier-fence" breaks descriptor);
mutant!(mutant_batch_wakes: "pipe.batch-wakes" breaks await_batches);
mutant!(mutant_drain_wakes: "pipe.drain-wakes" breaks await_batches);
mutant!(mutant_torn_register: "pipe.register" breaks both_ways);
mutant!(mutant_torn_notify: "pipe.notify" breaks descriptor);
mutant!(mutant_items_recheck: "pipe.items-recheck" breaks descriptor);
mutant!(mutant_room_recheck: "pipe.room-recheck" breaks room_descriptor);
mutant!(mutant_awaited_items_recheck: "pipe.items-recheck" breaks await_both);
mutant!(mutant_awaited_room_recheck: "pipe.room-recheck" breaks close_while_waiting);
mutant!(mutant_close_wakes: "pipe.close-wakes" breaks close_while_waiting);
