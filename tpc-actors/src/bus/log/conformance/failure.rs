//! What a log must do about crashes, and a disk that fails.

use super::super::{EventLog, Position};
use super::{Outcome, Says, Suite, has, read, records, that};

/// The cores whose events are in each group.
const CORES: [usize; 2] = [0, 3];

/// Appends the events `from..from + 10` of each core.
fn append(log: &mut dyn EventLog, epoch: u64, from: u64, rule: &'static str) -> Outcome {
    for core in CORES {
        let first = Position::new(core, epoch, from);
        log.append(first, &records(first, 10)).says(rule)?;
    }
    Ok(())
}

/// Makes durable what comes before `end`.
fn sync(log: &mut dyn EventLog, epoch: u64, end: u64, rule: &'static str) -> Outcome {
    let durable = log.sync().says(rule)?;
    for end in CORES.map(|core| Position::new(core, epoch, end)) {
        that(
            durable.of(end.core) == Some(end),
            "a sync says where the durable events end",
            || format!("{durable:?} in place of {end}"),
        )?;
    }
    Ok(())
}

impl Suite<'_> {
    /// Whether the events of an epoch are there up to `acknowledged`, and of those behind it none but the first ones.
    fn survives(&mut self, epoch: u64, acknowledged: u64) -> Outcome {
        let rule = "after a crash all that was acknowledged is there, and nothing behind a hole";
        let mut log = self.open()?;
        for core in CORES {
            let from = Position::new(core, epoch, 0);
            let found = read(&mut *log, from, usize::MAX).says(rule)?.len() as u64;
            that(found >= acknowledged, rule, || format!("{found} of {acknowledged} events"))?;
            has(&mut *log, from, found, rule)?;
        }
        let next = log.begin_epoch().says("epochs grow, also after a crash")?;
        that(next > epoch, "epochs grow, also after a crash", || format!("{next}"))
    }

    pub(super) fn crashes(&mut self) -> Outcome {
        let rule = "what was appended and not synced may be lost";
        let mut log = self.open()?;
        let epoch = log.begin_epoch().says(rule)?;
        for (from, synced) in [(0, true), (10, true), (20, false), (30, false)] {
            append(&mut *log, epoch, from, rule)?;
            if synced {
                sync(&mut *log, epoch, from + 10, rule)?;
            }
        }
        drop(log);
        self.survives(epoch, 20)
    }

    /// With a disk that fails when the log has `appended` events that are not durable, or none.
    pub(super) fn fails(&mut self, fail: &mut dyn FnMut(), appended: bool) -> Outcome {
        let rule = "after a failure nothing is taken until the log is opened again";
        let mut log = self.open()?;
        let epoch = log.begin_epoch().says(rule)?;
        append(&mut *log, epoch, 0, rule)?;
        sync(&mut *log, epoch, 10, rule)?;
        if appended {
            append(&mut *log, epoch, 10, rule)?;
            fail();
        } else {
            fail();
            // Whichever of the two writes.
            drop(append(&mut *log, epoch, 10, rule));
        }
        that(log.sync().is_err(), "what cannot be made durable is not acknowledged", || {
            "a sync succeeded".to_owned()
        })?;
        // The disk works again, and what it had to write may be gone all the same.
        for _ in 0..2 {
            let at = Position::new(CORES[0], epoch, 20);
            let outcomes = [
                ("append", log.append(at, &records(at, 1)).is_err()),
                ("sync", log.sync().is_err()),
                ("begin_epoch", log.begin_epoch().is_err()),
            ];
            for (what, refused) in outcomes {
                that(refused, rule, || format!("`{what}` succeeded"))?;
            }
        }
        let rule = "a log that has failed can be read";
        for core in CORES {
            let found = read(&mut *log, Position::new(core, epoch, 0), 10).says(rule)?;
            that(found.len() == 10, rule, || format!("{found:?}"))?;
        }
        drop(log);
        self.survives(epoch, 10)
    }
}
