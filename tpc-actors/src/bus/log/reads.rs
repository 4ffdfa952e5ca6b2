//! Reading a log, on its own thread, between two groups.

use std::sync::Arc;

use tokio::sync::oneshot;

use super::super::channel::{Channel, end};
use super::super::fetch::Answer;
use super::super::position::Position;
use super::link::LogLink;
use super::writer::Writer;
use super::{DecodeError, LogError, guarded};
use crate::isolate::{catch, drop_quietly};

/// What is looked for in a log.
pub(in crate::bus) struct LogFetch<E> {
    pub(in crate::bus) channel: Arc<Channel<E>>,
    pub(in crate::bus) from: Position,
    /// Where to end; without it, who has seen everything durable wants what follows.
    pub(in crate::bus) until: Option<Position>,
    /// For a subscription, which a filter that panics ends, and not for a replay.
    pub(in crate::bus) subscribes: bool,
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
    /// Why the event at `next` has not been found.
    pub(in crate::bus) stopped: Option<Stopped>,
}

/// Why a look into a log cannot go on.
pub(in crate::bus) enum Stopped {
    Unreadable(LogError),
    FilterPanicked,
}

/// Events that one look may pass, so that it does not hold up the next group.
const LOOK_MAX: usize = 1024;

impl<E: Send + Clone + 'static> LogLink<E> {
    /// Has the log's thread look; the answer never comes when that has ended.
    pub(in crate::bus) fn fetch(&self, fetch: LogFetch<E>) -> oneshot::Receiver<FoundInLog<E>> {
        let (reply, answer) = oneshot::channel();
        let reply = self.keep_answer(Answer::new(reply, Arc::clone(&fetch.channel)));
        self.command(Box::new(move |writer: &mut Writer<E>| {
            writer.look_for(Looking { fetch, reply });
        }));
        answer
    }
}

/// Somebody who waits for what is found.
pub(super) struct Looking<E> {
    fetch: LogFetch<E>,
    /// The number of the answer's place.
    reply: u64,
}

/// Collects what a look passes.
struct Look<'a, E> {
    channel: &'a Channel<E>,
    decode: fn(&[u8]) -> Result<E, DecodeError>,
    until: Position,
    entries: Vec<Entry<E>>,
    next: Position,
    passed: usize,
    beyond: bool,
    stopped: Option<Stopped>,
}

impl<E> Look<'_, E> {
    fn pass(&mut self, position: Position, bytes: &[u8]) {
        self.passed += 1;
        self.beyond |= position >= self.until;
        if self.beyond || self.stopped.is_some() {
            return;
        }
        // The numbers of an epoch begin with 0.
        let expected = if self.next.epoch == position.epoch {
            self.next
        } else {
            Position { seq: 0, ..position }
        };
        if expected.seq < position.seq {
            self.entries.push(Entry::Hole { from: expected, to: position.seq });
        }
        self.next = position;
        match self.wanted(position, bytes) {
            Ok(event) => {
                self.entries.extend(event.map(|event| Entry::Event(position, event)));
                self.next = position.next();
            }
            Err(stopped) => self.stopped = Some(stopped),
        }
    }

    /// The event, if the filter wants it.
    fn wanted(&self, position: Position, bytes: &[u8]) -> Result<Option<E>, Stopped> {
        let decoded = catch(|| (self.decode)(bytes)).and_then(|event| event.map_err(|why| why.0));
        let damaged = |why| LogError::Damaged(format!("the event {position}: {why}"));
        let event = decoded.map_err(|why| Stopped::Unreadable(damaged(why)))?;
        match catch(|| self.channel.wants(&event)) {
            Ok(true) => Ok(Some(event)),
            Ok(false) => {
                drop_quietly(event);
                Ok(None)
            }
            Err(_) => Err(Stopped::FilterPanicked),
        }
    }
}

impl<E: Send + Clone + 'static> Writer<E> {
    fn look_for(&mut self, looking: Looking<E>) {
        let found = self.look(&looking.fetch);
        let in_vain = found.entries.is_empty() && found.next == looking.fetch.from;
        if in_vain && found.end.is_none() && found.stopped.is_none() {
            // What it looks for is on its way here; there is more to be found after the next group.
            self.looking.push(looking);
        } else {
            let answer = self.link.take_answer(looking.reply);
            if let Some(answer) = answer {
                answer.send(Some(found));
            }
            // Perhaps the last to hold the filter, which is foreign.
            drop_quietly(looking);
        }
    }

    /// Looks again for those who have found nothing.
    pub(super) fn look_again(&mut self) {
        for looking in std::mem::take(&mut self.looking) {
            self.look_for(looking);
        }
    }

    fn look(&mut self, fetch: &LogFetch<E>) -> FoundInLog<E> {
        let source = fetch.from.core;
        let mut look = Look {
            channel: &fetch.channel,
            decode: self.link.decode,
            until: fetch.until.unwrap_or_else(|| self.durable(source)),
            entries: Vec::new(),
            next: fetch.from,
            passed: 0,
            beyond: false,
            stopped: None,
        };
        let each = &mut |position, bytes: &[u8]| look.pass(position, bytes);
        let read = guarded(|| self.log.read_from(fetch.from, LOOK_MAX, each));
        let Look { entries, next, beyond, passed, stopped, .. } = look;
        let mut stopped = stopped.or_else(|| read.err().map(Stopped::Unreadable));
        if fetch.subscribes && matches!(stopped, Some(Stopped::FilterPanicked)) {
            self.count_panicked_filter(source);
        }
        // What is still on its way to the log is not missing in it.
        let arrived = match fetch.until {
            Some(until) => self.shown(source) >= until || self.is_idle(source) || self.has_failed(),
            None => true,
        };
        let is_end = arrived && (beyond || passed < LOOK_MAX);
        // What could not be written is missing also where nothing durable follows.
        let goes_on = next.max(self.shown(source));
        let attaches = fetch.until.is_none()
            && fetch.channel.state(source) == end::LATE
            && !fetch.channel.presence.is_over();
        if stopped.is_none() && is_end && attaches {
            if self.has_failed() {
                stopped = Some(Stopped::Unreadable(LogError::Poisoned));
            } else {
                self.attach(source, &fetch.channel, goes_on);
            }
        }
        let end = (stopped.is_none() && is_end).then(|| fetch.until.unwrap_or(goes_on));
        FoundInLog { entries, next, end, stopped }
    }
}
