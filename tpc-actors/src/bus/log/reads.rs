//! Reading a log, on its own thread, between two groups.

use std::sync::Arc;

use tokio::sync::oneshot;

use super::super::channel::{Channel, end};
use super::super::fetch::Answer;
use super::super::position::Position;
use super::link::LogLink;
use super::writer::Writer;
use super::{DecodeError, LogError, guarded};
use crate::isolate::catch;

/// What is looked for in a log.
pub(in crate::bus) struct LogFetch<E> {
    pub(in crate::bus) channel: Arc<Channel<E>>,
    pub(in crate::bus) from: Position,
    /// Where to end; without it, who has seen everything durable wants what follows.
    pub(in crate::bus) until: Option<Position>,
}

/// Something in a log.
#[derive(Debug)]
pub(in crate::bus) enum Entry<E> {
    /// An event that the filter wants.
    Event(Position, E),
    /// Events that the log does not have, from here on and before `to`.
    Hole { from: Position, to: u64 },
}

/// What a look into a log has found.
pub(in crate::bus) struct FoundInLog<E> {
    pub(in crate::bus) entries: Vec<Entry<E>>,
    pub(in crate::bus) next: Position,
    /// There is nothing more before here, where it goes on elsewhere.
    pub(in crate::bus) end: Option<Position>,
}

pub(in crate::bus) type LogAnswer<E> = Result<FoundInLog<E>, LogError>;

/// Events that one look may pass, so that it does not hold up the next group.
const LOOK_MAX: usize = 1024;

impl<E: Send + Clone + 'static> LogLink<E> {
    /// Has the log's thread look; the answer never comes when that has ended.
    pub(in crate::bus) fn fetch(&self, fetch: LogFetch<E>) -> oneshot::Receiver<LogAnswer<E>> {
        let (reply, answer) = oneshot::channel();
        let reply = Answer::new(reply, Arc::clone(&fetch.channel));
        self.command(Box::new(move |writer: &mut Writer<E>| {
            reply.send(Some(writer.look(&fetch)));
        }));
        answer
    }
}

/// Collects what a look passes.
struct Look<'a, E> {
    channel: &'a Channel<E>,
    decode: fn(&[u8]) -> Result<E, DecodeError>,
    until: Position,
    from: Position,
    last: Option<Position>,
    entries: Vec<Entry<E>>,
    passed: usize,
    beyond: bool,
    damaged: Option<LogError>,
}

impl<E> Look<'_, E> {
    fn pass(&mut self, position: Position, bytes: &[u8]) {
        self.passed += 1;
        self.beyond |= position >= self.until;
        if self.beyond || self.damaged.is_some() {
            return;
        }
        let expected = match self.last {
            Some(last) if last.epoch == position.epoch => last.next(),
            // The numbers of an epoch begin with 0.
            Some(_) => Position { seq: 0, ..position },
            None if self.from.epoch == position.epoch => self.from,
            None => position,
        };
        if expected.seq < position.seq {
            self.entries.push(Entry::Hole { from: expected, to: position.seq });
        }
        self.last = Some(position);
        match catch(|| (self.decode)(bytes)) {
            Ok(Ok(event)) => {
                if catch(|| self.channel.wants(&event)) == Ok(true) {
                    self.entries.push(Entry::Event(position, event));
                }
            }
            Ok(Err(DecodeError(reason))) | Err(reason) => {
                self.damaged = Some(LogError::Damaged(format!("the event {position}: {reason}")));
            }
        }
    }
}

impl<E: Send + Clone + 'static> Writer<E> {
    fn look(&mut self, fetch: &LogFetch<E>) -> LogAnswer<E> {
        let source = fetch.from.core;
        let until = fetch.until.unwrap_or_else(|| self.durable(source));
        let mut look = Look {
            channel: &fetch.channel,
            decode: self.link.decode,
            until,
            from: fetch.from,
            last: None,
            entries: Vec::new(),
            passed: 0,
            beyond: false,
            damaged: None,
        };
        let each = &mut |position, bytes: &[u8]| look.pass(position, bytes);
        guarded(|| self.log.read_from(fetch.from, LOOK_MAX, each))?;
        if let Some(error) = look.damaged {
            return Err(error);
        }
        let Look { entries, last, beyond, passed, .. } = look;
        let next = last.map_or(fetch.from, Position::next);
        // What is still on its way to the log is not missing in it.
        let is_end =
            (beyond || passed < LOOK_MAX) && (fetch.until.is_none() || self.is_idle(source));
        // What could not be written is missing also where nothing durable follows.
        let goes_on = next.max(self.shown(source));
        if is_end && fetch.until.is_none() && fetch.channel.state(source) == end::LATE {
            if self.has_failed() {
                return Err(LogError::Poisoned);
            }
            self.attach(source, &fetch.channel, goes_on);
        }
        let end = is_end.then(|| fetch.until.unwrap_or(goes_on));
        Ok(FoundInLog { entries, next, end })
    }
}
