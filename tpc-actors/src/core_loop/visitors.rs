//! What was accepted before a visitor's message comes before it, over whichever lane it travels.
//!
//! A plain thread that waits for another one and then asks expects to find what that one has sent. So the messages that wait
//! in the visitors' lane of an actor are counted, then the actor's other lanes are looked at, and what these hold by then
//! goes first: whatever happened before one of those messages was there when it was counted.

use super::Core;
use crate::mailbox::VISITOR;

/// How far the messages are that wait in a visitors' lane, up to a position there: however they leave it, served or
/// refused, the visit is over with the last of them.
#[derive(Debug)]
pub(super) enum Visit {
    /// They have been seen. A lane that nobody polls has rung before, and is polled from the next turn on.
    Seen(usize),
    /// They come when these lanes have been read up to there.
    Behind(usize, Vec<(u32, usize)>),
    /// They are served.
    Due(usize),
}

/// How many places a position lies ahead of what has been read.
fn ahead(until: usize, read: usize) -> usize {
    usize::try_from(until.wrapping_sub(read).cast_signed()).unwrap_or(0)
}

impl Core {
    /// How many messages of the visitors' lane among the active ones may be served now, `most` at most; `None` when they
    /// have to wait for others.
    pub(super) fn visitors_due(&mut self, at: usize, most: usize) -> Option<usize> {
        let cell = self.active[at].cell;
        let alone = self.cell(cell).is_none_or(|actor| !actor.has_more_lanes());
        if alone {
            return Some(most);
        }
        let progress = self.cell(cell).and_then(|mut actor| actor.progress(VISITOR));
        let (read, written) = progress.unwrap_or_default();
        let begun = self.active[at].visit.take().filter(|visit| ahead(visit.until(), read) > 0);
        let visit = match begun {
            None if read == written => return Some(0),
            None => Visit::Seen(written),
            Some(Visit::Seen(until)) => {
                Visit::Behind(until, self.lanes_ahead(cell)).passed(self, cell)
            }
            Some(visit) => visit.passed(self, cell),
        };
        let due = matches!(visit, Visit::Due(_)).then(|| ahead(visit.until(), read).min(most));
        self.active[at].visit = Some(visit);
        due
    }

    /// The polled lanes of the actor that hold something, and up to where.
    fn lanes_ahead(&self, cell: u32) -> Vec<(u32, usize)> {
        let mut ahead = self.ahead.take();
        let Some(mut actor) = self.cell(cell) else { return ahead };
        let of_actor = self.active.iter().filter(|active| active.cell == cell);
        let others = of_actor.map(|active| active.lane).filter(|lane| *lane != VISITOR);
        let holding = others.filter_map(|lane| {
            let (read, written) = actor.progress(lane)?;
            (read != written).then_some((lane, written))
        });
        ahead.extend(holding);
        ahead
    }
}

impl Visit {
    fn until(&self) -> usize {
        let (Self::Seen(until) | Self::Behind(until, _) | Self::Due(until)) = self;
        *until
    }

    /// The same, past the lanes that have been read so far by now. One that is not polled any more has ended, or is held
    /// like the visitors'.
    fn passed(self, core: &Core, cell: u32) -> Self {
        let Self::Behind(end, mut lanes) = self else { return self };
        lanes.retain(|&(lane, until)| {
            let polled =
                core.active.iter().any(|active| (active.cell, active.lane) == (cell, lane));
            let progress = core.cell(cell).and_then(|mut actor| actor.progress(lane));
            polled && progress.is_some_and(|(read, _)| ahead(until, read) > 0)
        });
        if lanes.is_empty() {
            core.ahead.set(lanes);
            Self::Due(end)
        } else {
            Self::Behind(end, lanes)
        }
    }
}
