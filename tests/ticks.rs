//! A core whose ticks go to an event log.

use std::time::Duration;

use tpc_actors::bus::log::{DecodeError, EventLog, LogEvent, LogOptions};
use tpc_actors::prelude::*;

/// The unlucky one cannot be written.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Tick(pub(crate) u64);

pub(crate) const UNLUCKY: u64 = 13_000_013;

impl LogEvent for Tick {
    fn encode(&self, into: &mut Vec<u8>) {
        self.0.encode(into);
        assert_ne!(self.0, UNLUCKY, "unlucky");
    }

    fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        u64::decode(bytes).map(Self)
    }
}

#[core_actor(event = Tick)]
pub(crate) struct Source {
    next: u64,
}

#[core_actor]
impl Source {
    #[init]
    fn new(next: u64) -> Self {
        Self { next }
    }

    #[handler]
    fn burst(&mut self, cx: &mut Ctx<Self>, count: u64) -> u64 {
        for _ in 0..count {
            cx.publish(Tick(self.next));
            self.next += 1;
        }
        self.next
    }
}

/// A system of one core whose ticks go to `log`; the first one is `next`.
pub(crate) fn start(log: impl EventLog, options: LogOptions, next: u64) -> (System, SourceClient) {
    let system = System::builder().cores(1).start().unwrap();
    system.log_events::<Tick>(log, options).unwrap();
    let source = system.spawn::<Source>(next).wait().unwrap();
    (system, source)
}

pub(crate) fn stop(system: &System) {
    let report = system.shutdown_wait(Duration::from_secs(10));
    assert!(report.is_clean(), "{report}");
}
