//! Copies of events for the log: when they are made, and what comes of one that panics.

use std::cell::Cell;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use tokio::task::yield_now;
use tpc_actors::bus::log::{DecodeError, LogEvent, LogOptions, MemoryLog};
use tpc_actors::prelude::*;

thread_local! {
    /// Copies that this thread has made.
    static COPIES: Cell<usize> = const { Cell::new(0) };
}

/// An event whose copy is counted, or panics for one number.
struct Copied(u64);

const UNCOPIED: u64 = 13;

impl Clone for Copied {
    fn clone(&self) -> Self {
        assert_ne!(self.0, UNCOPIED, "planned");
        COPIES.set(COPIES.get() + 1);
        Self(self.0)
    }
}

impl LogEvent for Copied {
    fn encode(&self, into: &mut Vec<u8>) {
        self.0.encode(into);
    }

    fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        u64::decode(bytes).map(Self)
    }
}

#[core_actor(event = Copied)]
struct Writer;

#[core_actor]
impl Writer {
    #[init]
    fn new() -> Self {
        Self
    }

    #[handler]
    fn write(&mut self, cx: &mut Ctx<Self>, from: u64, to: u64) {
        (from..to).for_each(|n| _ = cx.publish(Copied(n)));
    }

    /// Asks itself to write, from a task; how many copies there are with the answer, and a turn later.
    #[handler]
    fn copies(&mut self, cx: &mut Ctx<Self>, reply: Reply<(usize, usize)>) {
        let me: WriterPinned = cx.pinned();
        cx.spawn(async move {
            yield_now().await;
            let before = COPIES.get();
            me.write(0, 4).await.expect("alive");
            let answered = COPIES.get() - before;
            yield_now().await;
            reply.send((answered, COPIES.get() - before));
        });
    }

    /// Keeps the core until the flag is set.
    #[handler]
    fn hold(&mut self, until: Flag) {
        wait_for(&until);
    }

    /// Asks itself to write, from a task that keeps the core from then on.
    #[handler]
    fn write_and_hold(&mut self, cx: &mut Ctx<Self>, written: Flag, until: Flag) {
        let me: WriterPinned = cx.pinned();
        cx.spawn(async move {
            yield_now().await;
            me.write(UNCOPIED, UNCOPIED + 1).await.expect("alive");
            written.store(true, Ordering::Release);
            wait_for(&until);
        });
    }
}

type Flag = Arc<AtomicBool>;

fn wait_for(flag: &AtomicBool) {
    while !flag.load(Ordering::Acquire) {
        thread::yield_now();
    }
}

fn start() -> (System, WriterClient) {
    let system = System::builder().cores(1).start().unwrap();
    system.log_events::<Copied>(MemoryLog::new(), LogOptions::new()).unwrap();
    let writer = system.spawn::<Writer>(()).wait().unwrap();
    (system, writer)
}

fn stop(system: &System) {
    let report = system.shutdown_wait(Duration::from_secs(5));
    assert!(report.is_clean(), "{report}");
}

#[test]
fn an_answer_waits_for_no_copy_and_a_copy_that_panics_costs_one_event() {
    let (system, writer) = start();
    let mut durable = system.events::<Copied>().durable().subscribe();
    for _ in 0..3 {
        assert_eq!(writer.copies().wait().unwrap(), (0, 4));
    }
    writer.write(10, 20).wait().unwrap();
    let seen: Vec<_> = std::iter::from_fn(|| match durable.next_wait()? {
        Delivery::Event { event, .. } => Some(event.0),
        Delivery::Gap(gap) => Some(1000 + gap.len()),
    })
    .take(22)
    .collect();
    let expected =
        [0, 1, 2, 3].repeat(3).into_iter().chain([10, 11, 12, 1001, 14, 15, 16, 17, 18, 19]);
    assert_eq!(seen, expected.collect::<Vec<_>>());
    assert_eq!(system.log_status::<Copied>().unwrap().missing, 1);
    stop(&system);
}

#[test]
fn what_was_answered_is_logged_whatever_comes_behind_it_in_the_same_turn() {
    let (system, writer) = start();
    let mut durable = system.events::<Copied>().durable().subscribe();
    let [first, second] = [Flag::default(), Flag::default()];
    let before = writer.hold(first.clone()).now().unwrap();
    let written = writer.write(0, 4).now().unwrap();
    let behind = writer.hold(second.clone()).now().unwrap();
    first.store(true, Ordering::Release);
    for n in 0..4 {
        let Some(Delivery::Event { event, .. }) = durable.next_wait() else { panic!("no event") };
        assert_eq!(event.0, n);
    }
    second.store(true, Ordering::Release);
    for ask in [before, written, behind] {
        ask.wait().unwrap();
    }
    stop(&system);
}

#[test]
fn what_was_lost_before_a_subscription_is_not_its_loss() {
    let (system, writer) = start();
    let [written, until] = [Flag::default(), Flag::default()];
    writer.write_and_hold(written.clone(), until.clone()).wait().unwrap();
    wait_for(&written);
    let mut durable = system.events::<Copied>().durable().subscribe();
    // The log's thread takes it over meanwhile.
    thread::sleep(Duration::from_millis(50));
    until.store(true, Ordering::Release);
    writer.write(0, 1).wait().unwrap();
    match durable.next_wait() {
        Some(Delivery::Event { event, .. }) => assert_eq!(event.0, 0),
        other => panic!("{:?}", other.map(|_| "a gap")),
    }
    stop(&system);
}
