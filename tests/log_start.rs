//! Giving a bus its log: in time, with options that make sense, or not at all.

mod hindered;
#[cfg(target_os = "linux")]
mod thread_cpus;

use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

use hindered::{Hindered, Step, held};
use tpc_actors::bus::log::{LogError, LogOptions, MemoryLog};
use tpc_actors::bus::{Position, SubscribeError};
use tpc_actors::prelude::*;

type Tick = u64;

fn start() -> System {
    System::builder().cores(1).start().unwrap()
}

fn stop(system: &System) {
    let report = system.shutdown_wait(Duration::from_secs(10));
    assert!(report.is_clean(), "{report}");
}

#[test]
fn a_log_comes_first_or_not_at_all() {
    let system = start();
    let no_log = system.events::<Tick>().durable().try_subscribe();
    assert_eq!(no_log.unwrap_err(), SubscribeError::NoLog);
    let events = system.events::<Tick>().subscribe();
    let late = system.log_events::<Tick>(MemoryLog::new(), LogOptions::new());
    assert!(matches!(late, Err(LogError::TooLate)));
    drop(events);
    assert_eq!(system.log_status::<Tick>(), None);
    stop(&system);
}

#[test]
fn whoever_publishes_while_an_epoch_begins_makes_it_too_late() {
    let system = start();
    let (asked, was_asked) = channel();
    let (let_go, go_on) = channel();
    let log = Hindered(MemoryLog::new(), move |step| {
        if step == Step::BeginEpoch {
            asked.send(()).unwrap();
            go_on.recv().unwrap();
        }
    });
    std::thread::scope(|scope| {
        let logs = scope.spawn(|| system.log_events::<Tick>(log, LogOptions::new()));
        was_asked.recv().unwrap();
        system.publisher::<Tick>().publish(0).unwrap();
        let_go.send(()).unwrap();
        assert!(matches!(logs.join().unwrap(), Err(LogError::TooLate)));
    });
    stop(&system);
}

#[test]
fn a_bus_keeps_its_log_and_gets_none_after_the_end() {
    let system = start();
    system.log_events::<Tick>(MemoryLog::new(), LogOptions::new()).unwrap();
    let second = system.log_events::<Tick>(MemoryLog::new(), LogOptions::new());
    assert!(matches!(second, Err(LogError::Exists)), "{second:?}");
    stop(&system);
    let late = system.log_events::<String>(MemoryLog::new(), LogOptions::new());
    assert!(matches!(late, Err(LogError::Closed)), "{late:?}");
}

#[test]
fn a_log_that_panics_has_failed() {
    let system = start();
    let log = Hindered(MemoryLog::new(), |_| panic!("on demand"));
    let failed = system.log_events::<Tick>(log, LogOptions::new());
    assert!(matches!(failed, Err(LogError::Failed(_))), "{failed:?}");
    stop(&system);
}

#[test]
fn a_feed_without_a_place_is_refused() {
    let system = start();
    // A petabyte has an address and no memory.
    for capacity in [0, 1 << 46, usize::MAX] {
        let options = LogOptions::new().feed_capacity(capacity);
        let refused = system.log_events::<Tick>(MemoryLog::new(), options);
        assert!(matches!(refused, Err(LogError::Capacity(_))), "{capacity}: {refused:?}");
    }
    stop(&system);
}

/// With the same event as one that does not wait for the log, whatever was on its way there at that moment.
#[test]
fn who_begins_with_the_latest_gets_what_is_published_from_then_on() {
    let system = start();
    let (log, begun, let_go) = held();
    system.log_events::<Tick>(log, LogOptions::new()).unwrap();
    let publisher = system.publisher::<Tick>();
    publisher.publish(0).unwrap();
    begun.recv().unwrap();
    // One of them is on its way to the disk, and one to the log.
    publisher.publish(1).unwrap();
    let mut durable = system.events::<Tick>().durable().subscribe();
    let mut even = system.events::<Tick>().durable().filter(|n| n % 2 == 0).subscribe();
    let at = durable.position().of(1).unwrap();
    assert_eq!(at.seq, 2);
    (2..6).for_each(|n| _ = publisher.publish(n).unwrap());
    drop(let_go);
    let position = |seq| Position::new(at.core, at.epoch, seq);
    let event = |n| Some(Delivery::Event { position: position(n), event: n });
    assert_eq!([(); 4].map(|()| durable.next_wait()), [2, 3, 4, 5].map(event));
    assert_eq!([(); 2].map(|()| even.next_wait()), [2, 4].map(event));
    stop(&system);
    assert_eq!((durable.next_wait(), even.next_wait()), (None, None));
    assert_eq!((durable.lagged(), even.lagged()), (0, 0));
}

#[cfg(target_os = "linux")]
#[test]
fn the_log_s_thread_stays_off_the_cores() {
    let system = start();
    system.log_events::<Tick>(MemoryLog::new(), LogOptions::new()).unwrap();
    let control_plane = system.placement().control_plane().to_string();
    // A thread binds itself, when it begins.
    let begun = Instant::now();
    loop {
        let found = thread_cpus::cpus_of(|name| name == "tpc-log");
        if !found.is_empty() && found.iter().all(|cpus| *cpus == control_plane) {
            break;
        }
        assert!(begun.elapsed() < Duration::from_secs(10), "{found:?} and not {control_plane}");
        std::thread::yield_now();
    }
    stop(&system);
}
