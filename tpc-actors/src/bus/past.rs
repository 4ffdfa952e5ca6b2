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
use super::log::reads::{Entry, FoundInLog, LogFetch, Stopped};
use super::position::{Delivery, Gap, Position};
use super::registry::Bus;
use super::retained::{Found, Reach};

/// Events that are fetched at a time.
const FETCH_MAX: usize = 256;

/// A question under way.
enum Asking<E> {
    Source(Fetching<E>),
    Log(oneshot::Receiver<FoundInLog<E>>),
}

pub(super) struct Past<E> {
    /// Position of the next event that is looked for.
    next: Position,
    /// Nothing has been found yet, and it is all right to begin later, up to here.
    oldest: Option<Position>,
    /// What comes before this is looked for in the log.
    log_until: Option<Position>,
    /// It is to begin beyond what was durable, and nobody has said that there is such an event.
    unchecked: bool,
    found: VecDeque<Entry<E>>,
    asking: Option<Asking<E>>,
    /// How it ends once everything that was found is taken.
    ending: Option<Ending>,
    /// Nothing is missing between `found` and the lane, or there is nothing more to be had.
    over: bool,
    /// Why the log could not be read.
    pub(super) failed: Option<LogError>,
}

/// Why nothing comes after what was found: without it nobody knows what is next, so the subscription ends rather than
/// leave it out.
enum Ending {
    Reason(EndReason),
    Unreadable(LogError),
}

impl<E: Send + Clone + 'static> Past<E> {
    /// Begins with the event at `next`, in a bus whose source is at `now`.
    pub(super) fn from(next: Position, now: Position) -> Self {
        Self {
            next,
            oldest: None,
            log_until: (next.epoch < now.epoch).then_some(Position { seq: 0, ..now }),
            unchecked: false,
            found: VecDeque::new(),
            asking: None,
            ending: None,
            over: false,
            failed: None,
        }
    }

    /// For a subscription to what is durable, in a bus whose source was durable up to `now`.
    pub(super) fn durable(mut self, now: Position) -> Self {
        self.unchecked = self.next > now;
        self
    }

    /// Begins with whatever is the oldest.
    pub(super) fn oldest(now: Position) -> Self {
        Self { oldest: Some(now), ..Self::from(Position::new(now.core, 0, 0), now) }
    }

    /// Looks for the first events before anybody takes one: who misses few has caught up with that.
    pub(super) fn begin(&mut self, bus: &Arc<Bus<E>>, channel: &Arc<Channel<E>>) {
        let asking = self.ask(bus, channel);
        if self.next.core < bus.cores.len() {
            // Answered elsewhere, sooner or later: where the subscription stands does not depend on that before a poll.
            self.asking = Some(asking);
        } else {
            // Whatever comes of it is there when somebody takes.
            let _ = self.finish(asking, bus);
        }
    }

    pub(super) fn is_over(&self) -> bool {
        self.over && self.found.is_empty()
    }

    /// Not after the next event; `None` while that is whatever is the oldest.
    pub(super) fn next(&self) -> Option<Position> {
        match self.found.front() {
            Some(Entry::Event(position, _) | Entry::Hole { from: position, .. }) => Some(*position),
            None => self.oldest.is_none().then_some(self.next),
        }
    }

    /// The next event or gap, if it is here. Looks at a source once at most, and has the subscriber come back when that was
    /// in vain: one that no core has is looked at right here, a little at a time.
    pub(super) fn take(
        &mut self,
        bus: &Arc<Bus<E>>,
        channel: &Arc<Channel<E>>,
    ) -> Option<Delivery<E>> {
        let mut looked = false;
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
            if let Some(ending) = self.ending.take() {
                self.end(ending, bus, channel);
                return None;
            }
            let asking = self.asking.take().unwrap_or_else(|| self.ask(bus, channel));
            if looked && matches!(asking, Asking::Source(_)) {
                self.asking = Some(asking);
                channel.wake();
                return None;
            }
            match self.finish(asking, bus) {
                Poll::Ready(at_source) => looked |= at_source,
                Poll::Pending => return None,
            }
        }
        None
    }

    /// Takes over what was found, if the answer is here; true when a source was looked at. The channel's waker is woken when
    /// one that is pending can go on.
    fn finish(&mut self, asking: Asking<E>, bus: &Arc<Bus<E>>) -> Poll<bool> {
        match asking {
            Asking::Source(mut fetching) => match fetching.try_finish(bus) {
                Poll::Ready(Answered::Found(found)) => {
                    self.found_in_source(found, bus);
                    return Poll::Ready(true);
                }
                Poll::Ready(Answered::Moved) => {}
                Poll::Ready(Answered::Busy) => return Poll::Pending,
                Poll::Ready(Answered::Unreachable) => {
                    let core = self.next.core;
                    self.ending = Some(Ending::Reason(EndReason::SourceUnreachable { core }));
                }
                Poll::Pending => {
                    self.asking = Some(Asking::Source(fetching));
                    return Poll::Pending;
                }
            },
            Asking::Log(mut answer) => match answer.try_recv() {
                Err(TryRecvError::Empty) => {
                    self.asking = Some(Asking::Log(answer));
                    return Poll::Pending;
                }
                Ok(found) => self.found_in_log(found),
                Err(TryRecvError::Closed) => {
                    self.ending = Some(Ending::Reason(EndReason::LogClosed));
                }
            },
        }
        Poll::Ready(false)
    }

    fn ask(&self, bus: &Arc<Bus<E>>, channel: &Arc<Channel<E>>) -> Asking<E> {
        let (channel, from) = (Arc::clone(channel), self.next);
        if let Some(log) = bus.log()
            && (channel.durable || self.log_until.is_some())
            && !self.unchecked
        {
            let (until, subscribes) = (self.log_until, true);
            return Asking::Log(log.fetch(LogFetch { channel, from, until, subscribes }));
        }
        // Who only asks whether there is such an event gets none.
        let to = if self.unchecked { from.seq } else { u64::MAX };
        let attach = !channel.durable;
        let fetch = Fetch { channel, from: from.seq, to, max: FETCH_MAX, attach };
        Asking::Source(Fetching::begin(bus, from.core, fetch))
    }

    fn found_in_source(&mut self, Found { events, next, reach }: Found<E>, bus: &Bus<E>) {
        let at = self.next;
        if let Reach::Ahead { next } = reach {
            let next = Position { seq: next, ..at };
            let reason = EndReason::NoSuchPosition { position: at, next };
            self.ending = Some(Ending::Reason(reason));
            return;
        }
        if std::mem::take(&mut self.unchecked) {
            return;
        }
        for (seq, event) in events {
            self.add(match event {
                Some(event) => Entry::Event(Position { seq, ..at }, event),
                None => Entry::Hole { from: Position { seq, ..at }, to: seq + 1 },
            });
        }
        self.next.seq = next;
        match reach {
            Reach::More | Reach::Ahead { .. } => {}
            Reach::End => self.has_caught_up(),
            Reach::Gone { oldest } if bus.log().is_some() => {
                self.log_until = Some(Position { seq: oldest, ..at });
            }
            Reach::Gone { oldest } => self.skip_to(Position { seq: oldest, ..at }),
            Reach::FilterPanicked => {
                self.ending = Some(Ending::Reason(EndReason::FilterPanicked));
            }
        }
    }

    fn found_in_log(&mut self, FoundInLog { entries, next, end, stopped }: FoundInLog<E>) {
        for entry in entries {
            self.add(entry);
        }
        self.next = next;
        self.ending = stopped.map(|stopped| match stopped {
            Stopped::Unreadable(error) => Ending::Unreadable(error),
            Stopped::FilterPanicked => Ending::Reason(EndReason::FilterPanicked),
        });
        if let Some(end) = end {
            self.skip_to(end);
            if self.log_until.take().is_none() {
                self.has_caught_up();
            }
        }
    }

    fn has_caught_up(&mut self) {
        self.over = true;
        self.oldest = None;
    }

    /// Adds what was found. From the first event or gap on, what is missing is missed.
    fn add(&mut self, entry: Entry<E>) {
        match entry {
            Entry::Event(..) => {
                self.oldest = None;
                self.found.push_back(entry);
            }
            Entry::Hole { from, to } => {
                let end = Position { seq: to, ..from };
                let from = self.oldest.map_or(from, |since| since.max(from));
                if from < end {
                    self.oldest = None;
                    self.found.push_back(Entry::Hole { from, to });
                }
            }
        }
    }

    /// Goes on at `to`; what lies before it in the same epoch is kept nowhere.
    fn skip_to(&mut self, to: Position) {
        let from = std::mem::replace(&mut self.next, to);
        // Of an epoch that is over, whatever became durable has been found.
        if from.epoch == to.epoch && from.seq < to.seq {
            self.add(Entry::Hole { from, to: to.seq });
        }
    }

    fn end(&mut self, ending: Ending, bus: &Bus<E>, channel: &Arc<Channel<E>>) {
        self.over = true;
        let reason = match ending {
            Ending::Reason(reason) => reason,
            Ending::Unreadable(error) => {
                let reason = EndReason::LogUnreadable(error.to_string());
                self.failed = Some(error);
                reason
            }
        };
        tracing::warn!(%reason, next = %self.next, "a subscription has not caught up, and ends");
        bus.end(channel, reason);
    }
}
