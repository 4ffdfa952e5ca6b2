//! The suite for event logs: the log in memory passes it, and logs that are wrong do not.

use std::cell::RefCell;

use tpc_actors::bus::log::{Bounds, EventLog, LogError, MemoryLog, Records, conformance};
use tpc_actors::bus::{Cursor, Position};

/// What is wrong with a log.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fault {
    None,
    ReusesEpochs,
    ForgetsFailures,
    KeepsFailuresQuiet,
    LosesTheFirst,
    LeavesHoles,
    ForgetsOtherCores,
    SaysTooLittle,
}

struct Faulty {
    log: MemoryLog,
    fault: Fault,
}

impl EventLog for Faulty {
    fn begin_epoch(&mut self) -> Result<u64, LogError> {
        if self.fault == Fault::ReusesEpochs { Ok(1) } else { self.log.begin_epoch() }
    }

    fn append(&mut self, first: Position, records: &Records) -> Result<(), LogError> {
        self.log.append(first, records)
    }

    fn sync(&mut self) -> Result<Cursor, LogError> {
        let synced = self.log.sync();
        match self.fault {
            Fault::SaysTooLittle => synced.map(|_| Cursor::default()),
            Fault::KeepsFailuresQuiet => synced.or_else(|_| Ok(Cursor::default())),
            Fault::ForgetsFailures if matches!(synced, Err(LogError::Poisoned)) => {
                Ok(Cursor::default())
            }
            _ => synced,
        }
    }

    fn read_from(
        &mut self,
        from: Position,
        max: usize,
        each: &mut dyn FnMut(Position, &[u8]),
    ) -> Result<(), LogError> {
        let fault = self.fault;
        self.log.read_from(from, max, &mut |position, record| match fault {
            Fault::LosesTheFirst if position.seq < 3 => {}
            Fault::ForgetsOtherCores if position.core == 3 => {}
            Fault::LeavesHoles if position.seq == 7 => {}
            _ => each(position, record),
        })
    }

    fn trim_to(&mut self, to: Position) -> Result<(), LogError> {
        self.log.trim_to(to)
    }

    fn bounds(&mut self, core: usize) -> Result<Option<Bounds>, LogError> {
        self.log.bounds(core)
    }
}

/// What the suites say of a log with this fault, while all is well and when its disk fails.
fn passes(fault: Fault) -> (bool, bool) {
    let log = MemoryLog::new();
    let while_well = conformance::check(|| Ok(Faulty { log: log.clone(), fault }));
    let log = RefCell::new(MemoryLog::new());
    let open = || {
        let found = log.borrow().crash();
        *log.borrow_mut() = found.clone();
        Ok(Faulty { log: found, fault })
    };
    let failing = conformance::check_failure(open, || log.borrow().fail_sync_after(0));
    (while_well.is_ok(), failing.is_ok())
}

#[test]
fn a_log_without_a_fault_conforms() {
    assert_eq!(passes(Fault::None), (true, true));
}

#[test]
fn faults_are_noticed() {
    assert_eq!(passes(Fault::ReusesEpochs), (false, false));
    assert_eq!(passes(Fault::LosesTheFirst), (false, false));
    assert_eq!(passes(Fault::LeavesHoles), (false, false));
    assert_eq!(passes(Fault::SaysTooLittle), (false, false));
    // It is the other suite that has events of this core.
    assert_eq!(passes(Fault::ForgetsOtherCores), (true, false));
    assert_eq!(passes(Fault::ForgetsFailures), (true, false));
    assert_eq!(passes(Fault::KeepsFailuresQuiet), (true, false));
}
