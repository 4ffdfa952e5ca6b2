//! The suite for event logs: the log in memory passes it, and logs that are wrong do not.

use std::cell::RefCell;
use std::time::SystemTime;

use tpc_actors::bus::log::{Bounds, EventLog, LogError, MemoryLog, Records, conformance};
use tpc_actors::bus::{Cursor, Position};

/// What is wrong with a log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    None,
    ReusesEpochs,
    ForgetsFailures,
    KeepsFailuresQuiet,
    LosesTheFirst,
    LeavesHoles,
    ForgetsOtherCores,
    SaysTooLittle,
    TakesOldPositions,
    IgnoresMax,
    ShortensRecords,
    TrimsTooMuch,
    NeverTrims,
    ForgetsWhenOpened,
    MiscountsEvents,
    ForgetsAge,
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
        let appended = self.log.append(first, records);
        if self.fault == Fault::TakesOldPositions { Ok(()) } else { appended }
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
        let max = if fault == Fault::IgnoresMax { usize::MAX } else { max };
        self.log.read_from(from, max, &mut |position, record| match fault {
            Fault::LosesTheFirst if position.seq < 3 => {}
            Fault::ForgetsOtherCores if position.core == 3 => {}
            Fault::LeavesHoles if position.seq == 7 => {}
            Fault::ShortensRecords => each(position, &record[..record.len().min(1000)]),
            _ => each(position, record),
        })
    }

    fn trim_to(&mut self, to: Position) -> Result<(), LogError> {
        match self.fault {
            Fault::NeverTrims => Ok(()),
            Fault::TrimsTooMuch => self.log.trim_to(Position::new(to.core, to.epoch, to.seq + 5)),
            _ => self.log.trim_to(to),
        }
    }

    fn bounds(&mut self, core: usize) -> Result<Option<Bounds>, LogError> {
        let bounds = self.log.bounds(core)?;
        Ok(bounds.map(|mut bounds| {
            match self.fault {
                Fault::MiscountsEvents => bounds.events += 1,
                Fault::ForgetsAge => bounds.oldest = SystemTime::UNIX_EPOCH,
                _ => {}
            }
            bounds
        }))
    }
}

/// What the suites say of a log with this fault, while all is well and when its disk fails.
fn passes(fault: Fault) -> (bool, bool) {
    let log = MemoryLog::new();
    let open = || if fault == Fault::ForgetsWhenOpened { MemoryLog::new() } else { log.clone() };
    let while_well = conformance::check(|| Ok(Faulty { log: open(), fault }));
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
    assert_eq!(passes(Fault::IgnoresMax), (false, false));
    let only_while_well = [
        Fault::TakesOldPositions,
        Fault::ShortensRecords,
        Fault::TrimsTooMuch,
        Fault::NeverTrims,
        Fault::ForgetsWhenOpened,
        Fault::MiscountsEvents,
        Fault::ForgetsAge,
    ];
    for fault in only_while_well {
        assert!(!passes(fault).0, "{fault:?}");
    }
    // It is the other suite that has events of this core.
    assert_eq!(passes(Fault::ForgetsOtherCores), (true, false));
    assert_eq!(passes(Fault::ForgetsFailures), (true, false));
    assert_eq!(passes(Fault::KeepsFailuresQuiet), (true, false));
}
