//! Losses that nothing follows, and filters that somebody else drops last.

use std::future::Future;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, channel, sync_channel};
use std::sync::{Arc, Mutex};
use std::task::{Context, Wake, Waker};
use std::thread;
use std::time::{Duration, Instant};

use tpc_actors::bus::log::{DecodeError, EventLog, LogEvent, LogOptions, MemoryLog};
use tpc_actors::bus::{Position, Publisher, Start, Subscription};
use tpc_actors::prelude::*;

/// A bad one cannot be copied, and so never gets to the log.
#[derive(Debug, PartialEq)]
struct Event {
    bad: bool,
}

impl Clone for Event {
    fn clone(&self) -> Self {
        assert!(!self.bad, "unlucky");
        Self { bad: false }
    }
}

impl LogEvent for Event {
    fn encode(&self, into: &mut Vec<u8>) {
        into.push(0);
    }

    fn decode(_bytes: &[u8]) -> Result<Self, DecodeError> {
        Ok(Self { bad: false })
    }
}

/// A system with a log, and the publisher outside of it, whose events it logs.
fn start() -> (System, Publisher<Event>) {
    let system = System::builder().cores(1).start().unwrap();
    let options = LogOptions::new().commit_interval(Duration::ZERO);
    system.log_events::<Event>(MemoryLog::new(), options).unwrap();
    let publisher = system.publisher();
    (system, publisher)
}

fn publish(publisher: &Publisher<Event>, bad: bool) {
    publisher.publish(Event { bad }).unwrap();
}

fn wait_durable(system: &System, seq: u64) {
    let end = || system.log_status::<Event>().unwrap().durable.of(1);
    while end().is_none_or(|end| end.seq < seq) {
        thread::sleep(Duration::from_millis(1));
    }
}

fn shown(delivery: &Delivery<Event>) -> String {
    match delivery {
        Delivery::Event { position, .. } => position.seq.to_string(),
        Delivery::Gap(gap) => format!("{}-{}: {}", gap.from().seq, gap.to().seq, gap.len()),
    }
}

fn all(events: &mut Subscription<Event>) -> Vec<String> {
    std::iter::from_fn(|| events.next_wait()).map(|delivery| shown(&delivery)).collect()
}

/// Keeps whoever wakes it, once.
struct Keeps {
    woken: SyncSender<()>,
    until: Mutex<Receiver<()>>,
    once: AtomicBool,
}

impl Wake for Keeps {
    fn wake(self: Arc<Self>) {
        if !self.once.swap(true, Ordering::SeqCst) {
            self.woken.send(()).unwrap();
            let _ = self.until.lock().unwrap().recv();
        }
    }
}

/// A loss puts nothing into the ring that the log's thread looks at before it sleeps.
#[test]
fn a_loss_that_comes_while_the_log_tells_of_another_is_told_of() {
    let (system, publisher) = start();
    let mut durable = system.events::<Event>().durable().subscribe();
    publish(&publisher, false);
    assert_eq!(durable.next_wait().map(|delivery| shown(&delivery)).unwrap(), "0");
    let (woken, was_woken) = sync_channel(1);
    let (let_go, until) = channel();
    let once = AtomicBool::new(false);
    let waker = Waker::from(Arc::new(Keeps { woken, until: Mutex::new(until), once }));
    {
        let next = pin!(durable.next());
        assert!(next.poll(&mut Context::from_waker(&waker)).is_pending());
    }
    publish(&publisher, true);
    was_woken.recv().unwrap();
    publish(&publisher, true);
    drop(let_go);
    // Both are told of, together or not, although nothing comes behind them.
    let end = Instant::now() + Duration::from_secs(30);
    let mut missing = 0;
    while missing < 2 {
        assert!(Instant::now() < end, "{missing}");
        if let Some(Delivery::Gap(gap)) = durable.try_next() {
            missing += gap.len();
        }
        thread::sleep(Duration::from_millis(1));
    }
    system.shutdown_wait(Duration::from_secs(10));
}

/// Counts its wakes.
struct Counts(AtomicUsize);

impl Wake for Counts {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

/// Nothing but the loss happens, and nothing after it.
#[test]
fn a_loss_alone_wakes_who_sleeps() {
    let (system, publisher) = start();
    let mut events = system.events::<Event>().subscribe();
    let counts = Arc::new(Counts(AtomicUsize::new(0)));
    for round in 1..4 {
        let waker = Waker::from(Arc::clone(&counts));
        assert!(pin!(events.next()).poll(&mut Context::from_waker(&waker)).is_pending());
        publish(&publisher, true);
        assert_eq!(counts.0.load(Ordering::SeqCst), round);
        let delivery = events.try_next().unwrap();
        assert_eq!(shown(&delivery), format!("{}-{round}: 1", round - 1));
    }
    system.shutdown_wait(Duration::from_secs(10));
}

struct Bomb;

impl Drop for Bomb {
    fn drop(&mut self) {
        assert!(thread::panicking(), "on demand");
    }
}

/// A subscription whose filter panics when it is dropped, by whomever.
fn armed(system: &System, begin: Start) -> Subscription<Event> {
    let bomb = Bomb;
    let filter = move |_: &Event| {
        let _ = &bomb;
        true
    };
    system.events::<Event>().durable().from(begin).filter(filter).subscribe()
}

fn leaves(events: Subscription<Event>) {
    let _ = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| drop(events)));
}

#[test]
fn a_filter_that_the_source_drops_last_costs_no_event() {
    let (system, publisher) = start();
    let mut live = system.events::<Event>().subscribe();
    let mut durable = system.events::<Event>().durable().subscribe();
    let bomb = armed(&system, Start::Latest);
    publish(&publisher, false);
    wait_durable(&system, 1);
    leaves(bomb);
    thread::sleep(Duration::from_millis(20));
    publish(&publisher, false);
    publish(&publisher, false);
    system.shutdown_wait(Duration::from_secs(10));
    assert_eq!(all(&mut live), ["0", "1", "2"]);
    assert_eq!(all(&mut durable), ["0", "1", "2"]);
}

#[test]
fn a_filter_that_the_log_drops_last_does_not_end_it() {
    let (system, publisher) = start();
    publish(&publisher, false);
    wait_durable(&system, 1);
    for n in 0..2000 {
        let events = armed(&system, Start::Oldest);
        (0..n * 7 % 300).for_each(|_| std::hint::spin_loop());
        leaves(events);
    }
    assert_eq!(system.log_status::<Event>().unwrap().failed, None);
    let mut durable = system.events::<Event>().durable().subscribe();
    publish(&publisher, false);
    assert_eq!(durable.next_wait().map(|delivery| shown(&delivery)).unwrap(), "1");
    system.shutdown_wait(Duration::from_secs(10));
}

/// Nothing comes behind it, and the source has learned of the subscription with it.
#[test]
fn who_has_just_come_is_told_of_the_first_loss() {
    let (system, publisher) = start();
    for seq in 0..100 {
        let mut events = system.events::<Event>().durable().subscribe();
        publish(&publisher, true);
        assert_eq!(shown(&events.next_wait().unwrap()), format!("{seq}-{}: 1", seq + 1));
    }
    system.shutdown_wait(Duration::from_secs(10));
}

/// Its filter has been asked, so it is told exactly.
#[test]
fn who_begins_in_the_middle_of_a_loss_is_told_of_the_rest() {
    let (system, publisher) = start();
    (0..5).for_each(|_| publish(&publisher, false));
    wait_durable(&system, 5);
    (5..7).for_each(|_| publish(&publisher, true));
    let asked = AtomicBool::new(false);
    // Every other one.
    let filter = move |_: &Event| !asked.fetch_xor(true, Ordering::Relaxed);
    let from = system.events::<Event>().durable().from(Position::new(1, 1, 7));
    let mut events = from.filter(filter).subscribe();
    (7..13).for_each(|_| publish(&publisher, true));
    let mut missing = 0;
    while missing < 3 {
        if let Some(Delivery::Gap(gap)) = events.try_next() {
            assert!(gap.from().seq >= 7, "{gap}");
            missing += gap.len();
        }
        assert_eq!(events.end_reason(), None);
        thread::sleep(Duration::from_millis(1));
    }
    publish(&publisher, false);
    system.shutdown_wait(Duration::from_secs(10));
    assert_eq!((missing, all(&mut events)), (3, vec!["13".to_owned()]));
}

/// Events that a log keeps of those that were written in groups, when it is told to keep ten.
fn kept(groups: u64, each: u64) -> u64 {
    let system = System::builder().cores(1).start().unwrap();
    let mut log = MemoryLog::new();
    let options = LogOptions::new().keep_events(10).commit_interval(Duration::from_millis(1));
    system.log_events::<Event>(log.clone(), options).unwrap();
    let publisher = system.publisher();
    for group in 1..=groups {
        (0..each).for_each(|_| publish(&publisher, false));
        wait_durable(&system, group * each);
    }
    system.shutdown_wait(Duration::from_secs(5));
    log.bounds(1).unwrap().map_or(0, |bounds| bounds.events)
}

#[test]
fn a_log_that_removes_one_event_at_a_time_keeps_as_many_as_it_was_told_to() {
    assert_eq!(kept(20, 1), 10);
    assert_eq!(kept(20, 100), 10);
}

/// The same by their bytes, of which an event has one.
#[test]
fn a_log_that_removes_one_event_at_a_time_keeps_as_many_bytes_as_it_was_told_to() {
    let system = System::builder().cores(1).start().unwrap();
    let mut log = MemoryLog::new();
    let options = LogOptions::new().keep_bytes(10).commit_interval(Duration::from_millis(1));
    system.log_events::<Event>(log.clone(), options).unwrap();
    let publisher = system.publisher();
    (0..1000).for_each(|_| publish(&publisher, false));
    system.shutdown_wait(Duration::from_secs(5));
    assert_eq!(log.bounds(1).unwrap().map(|bounds| bounds.bytes), Some(10));
}
