//! A log that somebody holds up.

use std::sync::mpsc::{Receiver, Sender, channel};

use tpc_actors::bus::log::{Bounds, EventLog, LogError, MemoryLog, Records};
use tpc_actors::bus::{Cursor, Position};

/// What it is about to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    BeginEpoch,
    Sync,
}

/// A log in memory that does something else before some of its steps.
pub(crate) struct Hindered<F>(pub(crate) MemoryLog, pub(crate) F);

/// A log in memory that says when a sync begins, and then waits: a message lets one of them go, and the sender's drop all.
pub(crate) fn held() -> (impl EventLog, Receiver<()>, Sender<()>) {
    let (begins, begun) = channel();
    let (let_go, go_on) = channel();
    let log = Hindered(MemoryLog::new(), move |step| {
        if step == Step::Sync {
            let _ = begins.send(());
            let _: Result<(), _> = go_on.recv();
        }
    });
    (log, begun, let_go)
}

impl<F: FnMut(Step) + Send + 'static> EventLog for Hindered<F> {
    fn begin_epoch(&mut self) -> Result<u64, LogError> {
        (self.1)(Step::BeginEpoch);
        self.0.begin_epoch()
    }

    fn append(&mut self, first: Position, records: &Records) -> Result<(), LogError> {
        self.0.append(first, records)
    }

    fn sync(&mut self) -> Result<Cursor, LogError> {
        (self.1)(Step::Sync);
        self.0.sync()
    }

    fn read_from(
        &mut self,
        from: Position,
        max: usize,
        each: &mut dyn FnMut(Position, &[u8]),
    ) -> Result<(), LogError> {
        self.0.read_from(from, max, each)
    }

    fn trim_to(&mut self, to: Position) -> Result<(), LogError> {
        self.0.trim_to(to)
    }

    fn bounds(&mut self, core: usize) -> Result<Option<Bounds>, LogError> {
        self.0.bounds(core)
    }
}
