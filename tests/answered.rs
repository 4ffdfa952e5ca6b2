//! Askers whose answer is there while their core does not get on.

mod until;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use tpc_actors::bus::log::{LogOptions, MemoryLog};
use tpc_actors::prelude::*;
use until::until;

const LONG: Duration = Duration::from_secs(20);

/// Sticks until somebody has seen what it waits for.
#[core_actor(event = u64)]
struct Gate {
    seen: Arc<AtomicBool>,
    waiting: Vec<Reply<u32>>,
}

#[core_actor]
impl Gate {
    #[init]
    fn new(seen: Arc<AtomicBool>) -> Self {
        Self { seen, waiting: Vec::new() }
    }

    #[handler]
    fn enter(&mut self, reply: Reply<u32>) {
        self.waiting.push(reply);
    }

    #[handler]
    fn waiting(&self) -> usize {
        self.waiting.len()
    }

    #[handler(tell)]
    fn wait_for(&self, flag: Arc<AtomicBool>) {
        until("it", || flag.load(Ordering::SeqCst));
    }

    #[handler(tell)]
    fn answer_and_stick(&mut self) {
        self.waiting.drain(..).for_each(|reply| reply.send(1));
        until("a look around", || self.seen.load(Ordering::SeqCst));
    }

    #[handler]
    fn publish(&self, cx: &mut Ctx<Self>) {
        cx.publish(1);
    }

    /// From a task that publishes before, by an ask on the spot.
    #[handler]
    fn answer_from_a_task(&self, cx: &mut Ctx<Self>, reply: Reply<()>) {
        let (me, seen) = (cx.pinned(), Arc::clone(&self.seen));
        cx.spawn(async move {
            me.publish().await.unwrap();
            reply.send(());
            until("a look around", || seen.load(Ordering::SeqCst));
        });
    }
}

fn start() -> (System, GateClient, Arc<AtomicBool>) {
    let system = System::builder().cores(1).park_backstop(None).start().unwrap();
    system.log_events::<u64>(MemoryLog::new(), LogOptions::new()).unwrap();
    let seen = Arc::<AtomicBool>::default();
    let gate = system.spawn::<Gate>(Arc::clone(&seen)).wait().unwrap();
    (system, gate, seen)
}

fn stop(system: &System) {
    let report = system.shutdown_wait(LONG);
    assert!(report.is_clean(), "{report}");
}

#[test]
fn who_is_answered_by_a_token_does_not_wait_for_a_handler_that_sticks() {
    let (system, gate, seen) = start();
    let asks = gate.ordered();
    let asker = thread::spawn(move || {
        assert_eq!(asks.enter().wait().unwrap(), 1);
        seen.store(true, Ordering::SeqCst);
    });
    until("the asker", || gate.waiting().wait().unwrap() == 1);
    gate.answer_and_stick().now().unwrap();
    asker.join().unwrap();
    stop(&system);
}

#[test]
fn who_is_answered_does_not_wait_for_a_message_behind_that_sticks() {
    let (system, gate, seen) = start();
    let (gate, go) = (gate.ordered(), Arc::<AtomicBool>::default());
    gate.wait_for(Arc::clone(&go)).now().unwrap();
    let asks = gate.clone();
    let asker = thread::spawn(move || {
        assert_eq!(asks.waiting().deadline(LONG).wait().unwrap(), 0);
        seen.store(true, Ordering::SeqCst);
    });
    until("the ask", || system.actors()[0].queue_depth() == 2);
    gate.answer_and_stick().now().unwrap();
    go.store(true, Ordering::SeqCst);
    asker.join().unwrap();
    stop(&system);
}

#[test]
fn the_log_has_what_a_task_has_published_before_its_answer() {
    let (system, gate, seen) = start();
    gate.answer_from_a_task().wait().unwrap();
    let logged = || system.log_status::<u64>().unwrap().appended.of(0).is_some();
    until("the event in the log", logged);
    seen.store(true, Ordering::SeqCst);
    stop(&system);
}

/// Joins its threads when it is dropped.
#[derive(Default)]
struct Workers(Vec<thread::JoinHandle<()>>);

impl Drop for Workers {
    fn drop(&mut self) {
        self.0.drain(..).for_each(|worker| worker.join().unwrap());
    }
}

/// Has work done by threads that wait for their answers.
#[core_actor]
struct Owner {
    /// Dropped first: who waits for work is told that there is none.
    idle: Vec<Reply<u32>>,
    workers: Workers,
}

#[core_actor]
impl Owner {
    #[init]
    fn new() -> Self {
        Self { idle: Vec::new(), workers: Workers::default() }
    }

    #[handler(tell)]
    fn hire(&mut self, me: OwnerClient) {
        self.workers
            .0
            .push(thread::spawn(move || while me.next_job().wait().is_ok_and(|job| job > 0) {}));
    }

    /// One that has the last word.
    #[handler(tell)]
    fn hire_last(&mut self, me: OwnerClient) {
        self.workers.0.push(thread::spawn(move || assert_eq!(me.close().wait().unwrap(), 1)));
    }

    /// Waits for its workers, which go on because it answers them.
    #[on_stop]
    fn on_stop(&mut self) {
        self.idle.drain(..).for_each(|reply| reply.send(0));
        self.workers = Workers::default();
    }

    #[handler]
    fn next_job(&mut self, reply: Reply<u32>) {
        self.idle.push(reply);
    }

    #[handler]
    fn idle(&self) -> usize {
        self.idle.len()
    }

    #[handler]
    fn close(&mut self, cx: &mut Ctx<Self>) -> u32 {
        cx.stop();
        1
    }

    #[handler(tell)]
    fn fail(&mut self) {
        std::panic::resume_unwind(Box::new("on purpose"));
    }
}

/// An owner with a worker, and then what `end` does to it.
fn ends(end: impl FnOnce(&System, &OwnerClient)) {
    let system = System::builder().cores(1).park_backstop(None).start().unwrap();
    let owner = system.spawn::<Owner>(()).wait().unwrap();
    owner.hire(owner.clone()).now().unwrap();
    until("a worker", || owner.idle().wait().unwrap() == 1);
    end(&system, &owner);
    let report = system.shutdown_wait(LONG);
    assert!(report.stuck_threads().is_empty(), "{report}");
}

#[test]
fn an_actor_that_ends_may_join_those_whom_its_end_has_answered() {
    ends(|_, _| {});
    ends(|_, owner| owner.fail().now().unwrap());
    ends(|_, owner| owner.hire_last(owner.clone()).now().unwrap());
}
