//! What is told through `tracing`: one event for each change, and few for what happens all the time.

use std::fmt;
use std::fmt::Write as _;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use tpc_actors::prelude::*;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

const LONG: Duration = Duration::from_secs(20);

/// Keeps every event as a line: its message and its fields.
struct Lines(Arc<Mutex<Vec<String>>>);

impl Subscriber for Lines {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target().starts_with("tpc_actors") && *metadata.level() <= tracing::Level::DEBUG
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        struct Line(String);
        impl Visit for Line {
            fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
                _ = write!(self.0, "{}={value:?} ", field.name());
            }
        }
        let mut line = Line(format!("{} ", event.metadata().level()));
        event.record(&mut line);
        self.0.lock().unwrap().push(line.0);
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

#[core_actor(
    supervise(max = 100, within = "60s", backoff = "1ms..1ms"),
    watchdog(failures = 40, cool_down = "20ms..20ms")
)]
struct Subject;

#[core_actor]
impl Subject {
    #[init]
    fn new() -> Self {
        Self
    }

    #[handler]
    fn fail(&self) -> u32 {
        panic!("on demand")
    }

    #[handler]
    fn alive(&self) -> bool {
        true
    }
}

/// One test, because a subscriber is the process's own.
#[test]
fn changes_are_told_once_and_panics_five_times_a_minute() {
    let lines = Arc::<Mutex<Vec<String>>>::default();
    tracing::subscriber::set_global_default(Lines(Arc::clone(&lines))).unwrap();
    let system = System::builder().cores(1).start().unwrap();
    let subject = system.spawn::<Subject>(()).wait().unwrap();
    let count =
        |text: &str| lines.lock().unwrap().iter().filter(|line| line.contains(text)).count();

    drop(subject.fail().wait());
    assert!(subject.alive().wait().unwrap());
    assert_eq!(count("`Subject::fail` panicked on core 0: on demand"), 1);
    assert_eq!(count("message=restarted"), 1);

    for _ in 1..40 {
        drop(subject.fail().wait());
    }
    let start = Instant::now();
    while subject.alive().wait().is_err() {
        assert!(start.elapsed() < LONG);
    }
    assert_eq!(count("`Subject::fail` panicked"), 5, "five a minute");
    assert_eq!(system.actors()[0].panics(), 40, "and an exact count");
    assert_eq!(count("message=restarted"), 40, "every change is told");
    assert_eq!(count("too many failures: degraded"), 1);
    assert_eq!(count("message=lets probes in"), 1);
    assert_eq!(count("message=served again"), 1);

    let publisher = system.publisher::<u8>();
    for subscribers in 1..4 {
        let events = system.events::<u8>().subscribe();
        for n in 0..10 {
            publisher.publish(n).unwrap();
        }
        drop(events);
        for n in 0..10 {
            publisher.publish(n).unwrap();
        }
        assert_eq!(count("a subscriber has come"), subscribers);
        assert_eq!(count("a subscriber has gone"), subscribers);
    }

    system.stop(&subject).wait();
    assert_eq!(count("message=the actor was stopped"), 1);
    system.crash_core(0);
    while count("message=the core runs again") == 0 {
        assert!(start.elapsed() < LONG);
        std::thread::yield_now();
    }
    assert_eq!(
        count("message=\"the thread of a core is lost\"")
            + count("message=the thread of a core is lost"),
        1
    );
    let report = system.shutdown_wait(LONG);
    assert_eq!(report.panics(), 40, "{report}");
}
