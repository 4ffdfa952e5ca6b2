//! What a subscription has not seen yet of what was published before it, from the source and its log.

use std::collections::VecDeque;
use std::sync::Arc;
use std::task::Poll;

use tokio::sync::oneshot;
use tokio::sync::oneshot::error::TryRecvError;

use super::channel::Channel;
use super::end_reason::EndReason;
use super::fetch::{Answered, Fetch, Fetching};
use super::log::LogError;
use super::log::reads::{Entry, FoundInLog, LogAnswer, LogFetch};
use super::position::{Delivery, Gap, Position};
use super::registry::Bus;
use super::retained::{Found, Reach};

/// Events that are fetched at a time.
const FETCH_MAX: usize = 256;

/// A question under way.
enum Asking<E> {
    Source(Fetching<E>),
    Log(oneshot::Receiver<LogAnswer<E>>),
}

pub(super) struct Past<E> {
    /// Position of the next event that is looked for.
    next: Position,
    /// Nothing has been found yet, and it is all right to begin later, up to here.
    oldest: Option<u64>,
    /// What comes before this is looked for in the log.
    log_until: Option<Position>,
    found: VecDeque<Entry<E>>,
    asking: Option<Asking<E>>,
    /// Nothing is missing between `found` and the lane.
    caught_up: bool,
    /// Why the log could not be read.
    pub(super) failed: Option<LogError>,
}

impl<E: Send + Clone + 'static> Past<E> {
    /// Begins with the event at `next`, in a bus whose source is at `now`.
    pub(super) fn from(next: Position, now: Position) -> Self {
        let log_until = (next.epoch < now.epoch).then_some(Position { seq: 0, ..now });
        let (found, asking) = (VecDeque::new(), None);
        Self { next, oldest: None, log_until, found, asking, caught_up: false, failed: None }
    }

    /// Begins with whatever is the oldest.
    pub(super) fn oldest(now: Position) -> Self {
        Self { oldest: Some(now.seq), ..Self::from(Position::new(now.core, 0, 0), now) }
    }

    pub(super) fn is_over(&self) -> bool {
        self.caught_up && self.found.is_empty()
    }

    /// Not after the next event.
    pub(super) fn next(&self) -> Position {
        match self.found.front() {
            Some(Entry::Event(position, _) | Entry::Hole { from: position, .. }) => *position,
            None => self.next,
        }
    }

    /// The next event or gap, if it is here.
    pub(super) fn take(
        &mut self,
        bus: &Arc<Bus<E>>,
        channel: &Arc<Channel<E>>,
    ) -> Option<Delivery<E>> {
        while !self.is_over() {
            match self.found.pop_front() {
                Some(Entry::Event(position, event)) => {
                    return Some(Delivery::Event { position, event });
                }
                Some(Entry::Hole { from, to }) => {
                    return Some(Delivery::Gap(Gap { from, to, missed: to - from.seq }));
                }
                None => {}
            }
            let asking = self.asking.take().unwrap_or_else(|| self.ask(bus, channel));
            match asking {
                Asking::Source(mut fetching) => match fetching.try_finish(bus) {
                    Poll::Ready(Answered::Found(found)) => {
                        self.found_in_source(found, bus, channel);
                    }
                    Poll::Ready(Answered::Moved) => {}
                    Poll::Ready(Answered::Unreachable) => {
                        let core = self.next.core;
                        bus.end(channel, EndReason::SourceUnreachable { core });
                        self.caught_up = true;
                    }
                    Poll::Pending => {
                        self.asking = Some(Asking::Source(fetching));
                        return None;
                    }
                },
                Asking::Log(mut answer) => match answer.try_recv() {
                    Err(TryRecvError::Empty) => {
                        self.asking = Some(Asking::Log(answer));
                        return None;
                    }
                    Ok(Ok(found)) => self.found_in_log(found),
                    Ok(Err(error)) => self.end(Some(error), bus, channel),
                    Err(TryRecvError::Closed) => self.end(None, bus, channel),
                },
            }
        }
        None
    }

    fn ask(&self, bus: &Arc<Bus<E>>, channel: &Arc<Channel<E>>) -> Asking<E> {
        let (channel, from) = (Arc::clone(channel), self.next);
        if let Some(log) = bus.log()
            && (channel.durable || self.log_until.is_some())
        {
            return Asking::Log(log.fetch(LogFetch { channel, from, until: self.log_until }));
        }
        let fetch = Fetch { channel, from: from.seq, to: u64::MAX, max: FETCH_MAX, attach: true };
        Asking::Source(Fetching::begin(bus, from.core, fetch))
    }

    fn found_in_source(
        &mut self,
        Found { events, next, reach }: Found<E>,
        bus: &Bus<E>,
        channel: &Arc<Channel<E>>,
    ) {
        let at = self.next;
        let place = |(seq, event)| Entry::Event(Position { seq, ..at }, event);
        self.found = events.into_iter().map(place).collect();
        self.next.seq = next;
        self.has_found();
        match reach {
            Reach::More => {}
            Reach::End => self.caught_up = true,
            Reach::Gone { oldest } if bus.log().is_some() => {
                self.log_until = Some(Position { seq: oldest, ..at });
            }
            Reach::Gone { oldest } => self.skip_to(Position { seq: oldest, ..at }),
            Reach::Ahead { next } => {
                let next = Position { seq: next, ..at };
                bus.end(channel, EndReason::NoSuchPosition { position: at, next });
                self.caught_up = true;
            }
        }
    }

    fn found_in_log(&mut self, FoundInLog { entries, next, end }: FoundInLog<E>) {
        self.found = entries.into();
        self.next = next;
        self.has_found();
        if let Some(end) = end {
            self.skip_to(end);
            self.caught_up = self.log_until.take().is_none();
        }
    }

    /// From the first event on, what is missing is missed.
    fn has_found(&mut self) {
        if !self.found.is_empty() {
            self.oldest = None;
        }
    }

    /// Goes on at `to`; what lies before it in the same epoch is kept nowhere.
    fn skip_to(&mut self, to: Position) {
        let mut from = std::mem::replace(&mut self.next, to);
        if let Some(since) = self.oldest {
            from.seq = from.seq.max(since);
        }
        // Of an epoch that is over, whatever became durable has been found.
        if from.epoch == to.epoch && from.seq < to.seq {
            self.found.push_back(Entry::Hole { from, to: to.seq });
        }
    }

    /// Without the log nobody knows what comes next, so the subscription ends rather than leave it out.
    fn end(&mut self, failed: Option<LogError>, bus: &Bus<E>, channel: &Arc<Channel<E>>) {
        self.caught_up = true;
        // The log has ended with the system otherwise.
        if let Some(error) = &failed {
            tracing::error!(%error, "an event log cannot be read; a subscription ends");
            bus.end(channel, EndReason::LogUnreadable(error.to_string()));
        }
        self.failed = failed;
    }
}
