//! The last events of a source, kept for whoever missed them.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::channel::Channel;
use crate::isolate::{catch, drop_quietly};

/// The last events of one source, without a hole: the newest is the last one published.
pub(super) struct Retained<E> {
    events: VecDeque<E>,
    max: usize,
}

impl<E> Default for Retained<E> {
    fn default() -> Self {
        Self { events: VecDeque::new(), max: 0 }
    }
}

/// How far a look into the past has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reach {
    /// There is more to look at.
    More,
    /// Everything published so far has been looked at.
    End,
    /// The events before this one are not kept any more.
    Gone { oldest: u64 },
    /// There is no such event yet; this will be the next one.
    Ahead { next: u64 },
    /// The filter panicked at the next event.
    FilterPanicked,
}

/// What a look into the past has found.
#[derive(Debug)]
pub(super) struct Found<E> {
    /// Those that the filter wants; `None` for one whose copy panicked.
    pub(super) events: Vec<(u64, Option<E>)>,
    /// One past the last event that was looked at.
    pub(super) next: u64,
    pub(super) reach: Reach,
}

/// Events that one look may pass, and how long it may take, so that it does not hold up a core: a filter that is slow is
/// asked about one event at a time.
const LOOK_MAX: usize = 1024;
pub(super) const LOOK_TIME_MAX: Duration = Duration::from_micros(200);

impl<E: Clone> Retained<E> {
    /// Keeps at most `max` events from here on.
    pub(super) fn limit(&mut self, max: usize) {
        self.max = max;
        while self.events.len() > max {
            drop_quietly(self.events.pop_front());
        }
    }

    pub(super) fn is_on(&self) -> bool {
        self.max > 0
    }

    /// Keeps the event that has just been published, or drops it.
    #[inline]
    pub(super) fn push(&mut self, event: E) {
        if !self.is_on() {
            if std::mem::needs_drop::<E>() {
                drop_quietly(event);
            }
            return;
        }
        if self.events.len() == self.max {
            let oldest = self.events.pop_front();
            if std::mem::needs_drop::<E>() {
                drop_quietly(oldest);
            }
        }
        self.events.push_back(event);
    }

    /// The number of the oldest event that is kept, when the next one will be `next_seq`.
    pub(super) fn oldest(&self, next_seq: u64) -> u64 {
        next_seq - self.events.len() as u64
    }

    /// Looks from `from` on and before `to` for up to `max` events that the channel's filter wants; for one at least, and
    /// no longer than `until`.
    pub(super) fn find(
        &self,
        next_seq: u64,
        channel: &Channel<E>,
        (from, to): (u64, u64),
        max: usize,
        until: Option<Instant>,
    ) -> Found<E> {
        let oldest = self.oldest(next_seq);
        let mut events = Vec::new();
        if from < oldest {
            return Found { events, next: from, reach: Reach::Gone { oldest } };
        }
        if from > next_seq {
            return Found { events, next: from, reach: Reach::Ahead { next: next_seq } };
        }
        let mut next = from;
        let end = next_seq.min(to);
        let mut reach = Reach::More;
        let skipped = usize::try_from(from - oldest).unwrap_or(usize::MAX);
        for event in self.events.iter().skip(skipped).take(LOOK_MAX) {
            if next == end || events.len() == max {
                break;
            }
            match catch(|| channel.wants(event)) {
                Ok(true) => events.push((next, catch(|| event.clone()).ok())),
                Ok(false) => {}
                Err(_) => {
                    reach = Reach::FilterPanicked;
                    break;
                }
            }
            next += 1;
            // Often at first, and then each 64 events: a clock costs as much as some of them.
            let looked = next - from;
            let looks_up = looked.is_multiple_of(64) || (looked < 64 && looked.is_power_of_two());
            if looks_up && until.is_some_and(|until| Instant::now() >= until) {
                break;
            }
        }
        if next >= end {
            reach = Reach::End;
        }
        Found { events, next, reach }
    }
}
