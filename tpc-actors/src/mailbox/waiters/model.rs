//! Every interleaving of senders that wait for room with a core that makes some.

use std::sync::Arc as StdArc;
use std::task::Wake;

use loom::sync::atomic::AtomicUsize;
use loom::sync::{Condvar, Mutex};
use loom::thread;

use super::*;
use crate::sync::Arc;
use crate::sync::mutants::{explore, mutant};

/// A sender's task; counts how often it is woken.
#[derive(Debug)]
struct Task {
    woken: Mutex<(bool, usize)>,
    changed: Condvar,
}

impl Task {
    fn new() -> StdArc<Self> {
        StdArc::new(Self { woken: Mutex::new((false, 0)), changed: Condvar::new() })
    }

    /// Without a limit: a lost wake is a deadlock, which loom reports.
    fn sleep(&self) {
        let mut woken = self.woken.lock().unwrap();
        while !woken.0 {
            woken = self.changed.wait(woken).unwrap();
        }
        woken.0 = false;
    }

    fn times(&self) -> usize {
        self.woken.lock().unwrap().1
    }
}

impl Wake for Task {
    fn wake(self: StdArc<Self>) {
        let mut woken = self.woken.lock().unwrap();
        *woken = (true, woken.1 + 1);
        self.changed.notify_one();
    }
}

/// A lane as its waiters see it: places, and the line for them.
#[derive(Debug, Default)]
struct Room {
    free: AtomicUsize,
    waiters: Waiters,
}

impl Room {
    fn take(&self) -> bool {
        let one_less = |free: usize| free.checked_sub(1);
        self.free.fetch_update(Ordering::AcqRel, Ordering::Acquire, one_less).is_ok()
    }

    /// The core's side: a read-modify-write, so that two places of one instant are two.
    fn make(&self, places: usize) {
        let show = || _ = self.free.fetch_add(places, Ordering::AcqRel);
        self.waiters.free(places, show);
    }

    /// A sender that awaits its place.
    fn wait_for_place(&self) {
        let task = Task::new();
        let waker = Waker::from(StdArc::clone(&task));
        let mut line = None;
        loop {
            if line.is_some_and(|id| self.waiters.still_waiting(id, &waker)) {
                task.sleep();
                continue;
            }
            if self.take() {
                return;
            }
            let is_short = || self.free.load(Ordering::Relaxed) == 0;
            line = Some(self.waiters.line_up(line, waker.clone(), NO_DEADLINE, is_short));
        }
    }
}

/// A place that is freed while somebody lines up for it.
fn lining_up() {
    explore(3, || {
        let room = Arc::new(Room::default());
        let theirs = Arc::clone(&room);
        let core = thread::spawn(move || {
            // Without the ordering of a lock or of a read-modify-write between the two.
            theirs.waiters.free(1, || theirs.free.store(1, Ordering::Release));
        });
        room.wait_for_place();
        core.join().unwrap();
    });
}

/// Two that wait, two places, one after the other: nobody is left behind.
fn two_of_each() {
    explore(2, || {
        let room = Arc::new(Room::default());
        let theirs = Arc::clone(&room);
        let other = thread::spawn(move || theirs.wait_for_place());
        let theirs = Arc::clone(&room);
        let core = thread::spawn(move || {
            theirs.make(1);
            theirs.make(1);
        });
        room.wait_for_place();
        other.join().unwrap();
        core.join().unwrap();
        assert!(!room.waiters.any());
    });
}

/// One that waits leaves while a place is freed: the next one is told, in the place of the first or because
/// the first was not there any more.
fn leaving() {
    explore(3, || {
        let room = Arc::new(Room::default());
        let (first, second) = (Task::new(), Task::new());
        let id = room.waiters.join(None, Waker::from(StdArc::clone(&first)), NO_DEADLINE);
        room.waiters.join(None, Waker::from(StdArc::clone(&second)), NO_DEADLINE);
        let theirs = Arc::clone(&room);
        let core = thread::spawn(move || theirs.make(1));
        room.waiters.leave(id);
        second.sleep();
        core.join().unwrap();
        assert!(!room.waiters.any());
        assert_eq!(second.times(), 1);
    });
}

/// Exactly as many are told as places were freed, by two who free at once.
fn as_many_as_freed() {
    explore(3, || {
        let room = Arc::new(Room::default());
        let tasks = [Task::new(), Task::new(), Task::new()];
        for task in &tasks {
            room.waiters.join(None, Waker::from(StdArc::clone(task)), NO_DEADLINE);
        }
        let theirs = Arc::clone(&room);
        let core = thread::spawn(move || theirs.make(1));
        room.make(1);
        core.join().unwrap();
        let told: Vec<_> = tasks.iter().map(|task| task.times()).collect();
        assert_eq!(told, [1, 1, 0]);
        assert!(room.waiters.any(), "the third one still waits");
    });
}

#[test]
fn model_waiters_lining_up() {
    lining_up();
}

#[test]
fn model_waiters_two_of_each() {
    two_of_each();
}

#[test]
fn model_waiters_leaving() {
    leaving();
}

#[test]
fn model_waiters_as_many_as_freed() {
    as_many_as_freed();
}

/// More places at once than are told together.
fn many_at_once() {
    explore(2, || {
        let room = Arc::new(Room::default());
        let tasks = [Task::new(), Task::new()];
        for task in &tasks {
            room.waiters.join(None, Waker::from(StdArc::clone(task)), NO_DEADLINE);
        }
        let theirs = Arc::clone(&room);
        let core = thread::spawn(move || theirs.make(2));
        for task in &tasks {
            task.sleep();
        }
        core.join().unwrap();
    });
}

/// A sender in line is polled with another waker while a place is freed: that one is woken, or it goes on by itself.
fn another_waker() {
    explore(3, || {
        let room = Arc::new(Room::default());
        let [first, second] =
            [Task::new(), Task::new()].map(|task| (Waker::from(StdArc::clone(&task)), task));
        let id = room.waiters.join(None, first.0, NO_DEADLINE);
        let theirs = Arc::clone(&room);
        let core = thread::spawn(move || theirs.make(1));
        if room.waiters.still_waiting(id, &second.0) {
            second.1.sleep();
        }
        assert!(!room.waiters.still_waiting(id, &second.0));
        core.join().unwrap();
    });
}

#[test]
fn model_waiters_many_at_once() {
    many_at_once();
}

#[test]
fn model_waiters_another_waker() {
    another_waker();
}

mutant!(mutant_all_of_many: "waiters.all-of-many" breaks many_at_once);
mutant!(mutant_refresh: "waiters.refresh" breaks another_waker);
mutant!(mutant_told_meanwhile: "waiters.told-meanwhile" breaks another_waker);
mutant!(mutant_join_fence: "waiters.join-fence" breaks lining_up);
mutant!(mutant_recheck: "waiters.recheck" breaks lining_up);
mutant!(mutant_freed_fence: "waiters.freed-fence" breaks lining_up);
mutant!(mutant_pass_on: "waiters.pass-on" breaks leaving);
mutant!(mutant_no_more_than_freed: "waiters.as-many" breaks as_many_as_freed);
mutant!(mutant_show_first: "waiters.show-first" breaks lining_up);
