//! What every [`EventLog`] must do, as a suite that any implementation can run.
//!
//! ```
//! use tpc_actors::bus::log::{MemoryLog, conformance};
//!
//! let log = MemoryLog::new();
//! conformance::check(|| Ok(log.clone())).unwrap();
//! ```

mod failure;

use std::time::{Duration, SystemTime};

use super::{EventLog, LogError, Position, Records};

/// What a log did wrong.
#[derive(Debug, thiserror::Error)]
#[error("{rule}: {problem}")]
pub struct Violation {
    rule: &'static str,
    problem: String,
}

type Outcome = Result<(), Violation>;

/// Runs the whole suite. `open` opens the same log again and again, each time after the one before was
/// dropped; it must be empty at first.
///
/// # Errors
///
/// The first rule that the log breaks.
pub fn check<L: EventLog>(mut open: impl FnMut() -> Result<L, LogError>) -> Outcome {
    let mut suite = Suite { open: &mut || open().map(|log| Box::new(log) as Box<dyn EventLog>) };
    suite.empty()?;
    suite.appends_and_reads()?;
    suite.order()?;
    suite.reopens()?;
    suite.sizes()?;
    suite.trims()
}

/// Checks what a log does about a disk that fails. `open` opens the same log again and again, as it is found after a
/// crash at the time; `fail` has the next write or sync on its disk fail, and no other one.
///
/// ```
/// use tpc_actors::bus::log::{MemoryLog, conformance};
///
/// let log = std::cell::RefCell::new(MemoryLog::new());
/// let open = || {
///     let found = log.borrow().crash();
///     *log.borrow_mut() = found.clone();
///     Ok(found)
/// };
/// conformance::check_failure(open, || log.borrow().fail_sync_after(0)).unwrap();
/// ```
///
/// # Errors
///
/// The first rule that the log breaks.
pub fn check_failure<L: EventLog>(
    mut open: impl FnMut() -> Result<L, LogError>,
    mut fail: impl FnMut(),
) -> Outcome {
    let mut suite = Suite { open: &mut || open().map(|log| Box::new(log) as Box<dyn EventLog>) };
    suite.crashes()?;
    suite.fails(&mut fail, true)?;
    suite.fails(&mut fail, false)
}

struct Suite<'a> {
    open: &'a mut dyn FnMut() -> Result<Box<dyn EventLog>, LogError>,
}

/// The record of an event, which tells where it stands.
fn record(position: Position) -> Vec<u8> {
    position.to_string().into_bytes()
}

fn records(first: Position, count: u64) -> Records {
    let mut records = Records::default();
    for n in 0..count {
        records.push(&record(Position { seq: first.seq + n, ..first }));
    }
    records
}

/// The events from `from` on.
fn read(
    log: &mut dyn EventLog,
    from: Position,
    max: usize,
) -> Result<Vec<(Position, Vec<u8>)>, LogError> {
    let mut found = Vec::new();
    log.read_from(from, max, &mut |position, record| found.push((position, record.to_vec())))?;
    Ok(found)
}

trait Says<T> {
    fn says(self, rule: &'static str) -> Result<T, Violation>;
}

impl<T> Says<T> for Result<T, LogError> {
    fn says(self, rule: &'static str) -> Result<T, Violation> {
        self.map_err(|error| Violation { rule, problem: error.to_string() })
    }
}

fn that(holds: bool, rule: &'static str, problem: impl FnOnce() -> String) -> Outcome {
    if holds { Ok(()) } else { Err(Violation { rule, problem: problem() }) }
}

/// Whether the log has exactly the events `from..to` of an epoch, when it is read from `from`.
fn has(log: &mut dyn EventLog, from: Position, to: u64, rule: &'static str) -> Outcome {
    let found = read(log, from, usize::MAX).says(rule)?;
    let expected = (from.seq..to).map(|seq| Position { seq, ..from });
    let expected: Vec<_> = expected.map(|position| (position, record(position))).collect();
    that(found == expected, rule, || format!("{} events from {from} on", found.len()))
}

impl Suite<'_> {
    fn open(&mut self) -> Result<Box<dyn EventLog>, Violation> {
        (self.open)().says("a log can be opened")
    }

    fn empty(&mut self) -> Outcome {
        let rule = "a new log is empty";
        let mut log = self.open()?;
        let bounds = log.bounds(0).says(rule)?;
        that(bounds.is_none(), rule, || format!("{bounds:?}"))?;
        let found = read(&mut *log, Position::new(0, 0, 0), 10).says(rule)?;
        that(found.is_empty(), rule, || format!("{} events", found.len()))
    }

    fn appends_and_reads(&mut self) -> Outcome {
        let rule = "what was appended can be read, core by core, from anywhere";
        let mut log = self.open()?;
        let epoch = log.begin_epoch().says(rule)?;
        for core in [0, 7] {
            for first in [0, 10, 25] {
                let first = Position::new(core, epoch, first);
                let count = if first.seq == 0 { 10 } else { 15 };
                log.append(first, &records(first, count)).says(rule)?;
            }
        }
        let durable = log.sync().says(rule)?;
        for core in [0, 7] {
            let end = durable.of(core);
            that(
                end == Some(Position::new(core, epoch, 40)),
                "a sync says where the durable events end",
                || format!("{end:?}"),
            )?;
            for from in [0, 9, 10, 11, 39, 40, 41] {
                has(&mut *log, Position::new(core, epoch, from), 40.max(from), rule)?;
            }
            let some = read(&mut *log, Position::new(core, epoch, 8), 4).says(rule)?;
            let seqs: Vec<_> = some.iter().map(|(position, _)| position.seq).collect();
            that(seqs == [8, 9, 10, 11], "no more than `max` events are read", || {
                format!("{seqs:?}")
            })?;
        }
        let other = read(&mut *log, Position::new(3, 0, 0), 10).says(rule)?;
        that(other.is_empty(), "a core's events are its own", || format!("{other:?}"))
    }

    fn order(&mut self) -> Outcome {
        let rule = "positions grow; what does not is refused and changes nothing";
        let mut log = self.open()?;
        let epoch = log.begin_epoch().says("epochs grow")?;
        let old = Position::new(0, epoch - 1, 39);
        for given in [old, Position { seq: 0, ..old }] {
            let refused = log.append(given, &records(given, 1));
            that(matches!(refused, Err(LogError::Order { .. })), rule, || {
                format!("{given} was taken")
            })?;
        }
        has(&mut *log, Position { seq: 0, ..old }, 40, rule)?;
        // Holes are as they are.
        let after = Position::new(0, epoch, 5);
        log.append(after, &records(after, 5)).says("numbers may be left out")?;
        log.sync().says("numbers may be left out")?;
        has(&mut *log, after, 10, "numbers may be left out")?;
        let found =
            read(&mut *log, Position::new(0, epoch, 0), 1).says("numbers may be left out")?;
        that(
            found.first().is_some_and(|(position, _)| *position == after),
            "numbers may be left out",
            || format!("{found:?}"),
        )?;
        let rule = "reading goes on from one epoch into the next";
        let found = read(&mut *log, Position { seq: 38, ..old }, 100).says(rule)?;
        let found: Vec<_> = found.into_iter().map(|(position, _)| position).collect();
        let both = (38..40).map(|seq| Position { seq, ..old });
        let both = both.chain((5..10).map(|seq| Position { seq, ..after }));
        that(found.iter().copied().eq(both), rule, || format!("{found:?}"))
    }

    fn reopens(&mut self) -> Outcome {
        let rule = "what is durable is there after the log was opened again";
        let mut log = self.open()?;
        let bounds = log.bounds(0).says(rule)?;
        let Some(bounds) = bounds else {
            return Err(Violation { rule, problem: "nothing is there".to_owned() });
        };
        that(bounds.events == 45 && bounds.first.seq == 0 && bounds.next.seq == 10, rule, || {
            format!("{bounds:?}")
        })?;
        has(&mut *log, bounds.next, bounds.next.seq, rule)?;
        let epochs =
            [log.begin_epoch().says("epochs grow")?, log.begin_epoch().says("epochs grow")?];
        drop(log);
        let again = self.open()?.begin_epoch().says("epochs grow")?;
        let grow = bounds.next.epoch < epochs[0] && epochs[0] < epochs[1] && epochs[1] < again;
        that(grow, "epochs grow, also those without an event", || {
            format!("{epochs:?}, then {again}")
        })?;
        let mut log = self.open()?;
        let now = SystemTime::now();
        let age =
            log.bounds(7).says(rule)?.and_then(|bounds| now.duration_since(bounds.oldest).ok());
        that(
            age.is_some_and(|age| age < Duration::from_hours(1)),
            "the age of events is kept",
            || format!("{age:?}"),
        )
    }

    fn sizes(&mut self) -> Outcome {
        let rule = "records may be empty or large, and have any bytes";
        let mut log = self.open()?;
        let first = Position::new(1, log.begin_epoch().says(rule)?, 0);
        let all = [Vec::new(), vec![0; 3], vec![255; 300_000], Vec::new(), vec![7]];
        let mut records = Records::default();
        for record in &all {
            records.push(record);
        }
        log.append(first, &records).says(rule)?;
        log.sync().says(rule)?;
        drop(log);
        let found = read(&mut *self.open()?, first, 10).says(rule)?;
        let found: Vec<_> = found.into_iter().map(|(_, record)| record).collect();
        that(found == all, rule, || format!("{:?}", found.iter().map(Vec::len).collect::<Vec<_>>()))
    }

    fn trims(&mut self) -> Outcome {
        let rule = "trimming removes only what lies before, and the rest stays";
        let mut log = self.open()?;
        let epoch = log.begin_epoch().says(rule)?;
        for first in (0..100).step_by(10) {
            let first = Position::new(2, epoch, first);
            log.append(first, &records(first, 10)).says(rule)?;
            log.sync().says(rule)?;
        }
        log.trim_to(Position::new(2, epoch, 55)).says(rule)?;
        let bounds = log.bounds(2).says(rule)?;
        that(
            bounds.is_some_and(|bounds| bounds.first.seq <= 55 && bounds.next.seq == 100),
            rule,
            || format!("{bounds:?}"),
        )?;
        has(&mut *log, Position::new(2, epoch, 55), 100, rule)?;
        // Whoever asks for a trim at the place that the bounds name gets one.
        let mut events = bounds.map_or(0, |bounds| bounds.events);
        for _ in 0..100 {
            let Some(bounds) = log.bounds(2).says(rule)? else { break };
            log.trim_to(bounds.trims_at).says(rule)?;
            let left = log.bounds(2).says(rule)?.map_or(0, |bounds| bounds.events);
            that(left < events, "a trim at `trims_at` removes something", || format!("{events}"))?;
            events = left;
        }
        that(events == 0, "everything can be trimmed", || format!("{events} events are left"))?;
        drop(log);
        let mut log = self.open()?;
        let bounds = log.bounds(2).says(rule)?;
        that(bounds.is_none(), "what was trimmed stays away", || format!("{bounds:?}"))?;
        let more = log.begin_epoch().says(rule)?;
        that(more > epoch, "epochs grow, whatever was trimmed", || format!("{more}"))
    }
}
