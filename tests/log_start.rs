//! Giving a bus its log: in time, with options that make sense, or not at all.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use tpc_actors::bus::log::{Bounds, EventLog, LogError, LogOptions, MemoryLog, Records};
use tpc_actors::bus::{Cursor, Position, SubscribeError};
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

/// Begins an epoch only when it is told to, and says that it has been asked.
struct SlowToBegin {
    log: MemoryLog,
    asked: Sender<()>,
    go_on: Receiver<()>,
}

impl EventLog for SlowToBegin {
    fn begin_epoch(&mut self) -> Result<u64, LogError> {
        self.asked.send(()).unwrap();
        self.go_on.recv().unwrap();
        self.log.begin_epoch()
    }

    fn append(&mut self, first: Position, events: &Records) -> Result<(), LogError> {
        self.log.append(first, events)
    }

    fn sync(&mut self) -> Result<Cursor, LogError> {
        self.log.sync()
    }

    fn read_from(
        &mut self,
        from: Position,
        max: usize,
        each: &mut dyn FnMut(Position, &[u8]),
    ) -> Result<(), LogError> {
        self.log.read_from(from, max, each)
    }

    fn trim_to(&mut self, to: Position) -> Result<(), LogError> {
        self.log.trim_to(to)
    }

    fn bounds(&mut self, core: usize) -> Result<Option<Bounds>, LogError> {
        self.log.bounds(core)
    }
}

#[test]
fn whoever_publishes_while_an_epoch_begins_makes_it_too_late() {
    let system = start();
    let (asked, was_asked) = channel();
    let (let_go, go_on) = channel();
    let log = SlowToBegin { log: MemoryLog::new(), asked, go_on };
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
fn a_feed_without_a_place_is_refused() {
    let system = start();
    for capacity in [0, usize::MAX] {
        let options = LogOptions::new().feed_capacity(capacity);
        let refused = system.log_events::<Tick>(MemoryLog::new(), options);
        assert!(matches!(refused, Err(LogError::Capacity(_))), "{capacity}: {refused:?}");
    }
    stop(&system);
}
