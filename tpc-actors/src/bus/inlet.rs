//! What one source has in store for a subscription: first what it missed, then what comes.

use std::collections::VecDeque;
use std::sync::Arc;
use std::task::Poll;

use super::channel::Channel;
use super::fetch::{Fetch, Fetching};
use super::lane::{LaneReader, Losses, Taken};
use super::registry::Bus;
use super::retained::{Found, Reach};

/// Events that are fetched at a time.
const FETCH_MAX: usize = 256;

/// What a subscription has not seen yet of what was published before it.
pub(super) struct Past<E> {
    /// Number of the next event that is looked for.
    next: u64,
    /// Begin with the oldest event that there is, whichever that is.
    oldest: bool,
    found: VecDeque<(u64, E)>,
    fetching: Option<Fetching<E>>,
    /// Nothing is missing between `found` and the lane.
    caught_up: bool,
}

impl<E: Send + Clone + 'static> Past<E> {
    pub(super) fn from(next: u64) -> Self {
        Self { next, oldest: false, found: VecDeque::new(), fetching: None, caught_up: false }
    }

    pub(super) fn oldest() -> Self {
        Self { oldest: true, ..Self::from(0) }
    }

    fn is_over(&self) -> bool {
        self.caught_up && self.found.is_empty()
    }

    /// The next event or gap, if it is here.
    fn take(
        &mut self,
        source: usize,
        bus: &Arc<Bus<E>>,
        channel: &Arc<Channel<E>>,
    ) -> Option<Taken<E>> {
        while !self.is_over() {
            if let Some((seq, event)) = self.found.pop_front() {
                return Some(Taken::Event { seq, event });
            }
            let fetching = self.fetching.get_or_insert_with(|| {
                let (channel, from) = (Arc::clone(channel), self.next);
                let fetch = Fetch { channel, from, to: u64::MAX, max: FETCH_MAX, attach: true };
                Fetching::begin(bus, source, fetch)
            });
            let Poll::Ready(found) = fetching.try_finish(bus) else { return None };
            self.fetching = None;
            let Some(Found { events, next, reach }) = found else {
                // The source was lost with its core, and its past with it.
                channel.give_up_the_past(source);
                self.caught_up = true;
                break;
            };
            self.next = next;
            self.found = events.into();
            if let Reach::Gone { oldest } = reach {
                self.next = oldest;
                if !self.oldest {
                    return Some(Taken::Missing { from: next, to: oldest, count: oldest - next });
                }
                continue;
            }
            self.caught_up = reach == Reach::End;
            self.oldest = false;
        }
        None
    }

    fn next_seq(&self) -> u64 {
        self.found.front().map_or(self.next, |(seq, _)| *seq)
    }
}

/// One source of a subscription.
pub(super) struct Inlet<E> {
    source: usize,
    past: Option<Past<E>>,
    /// There once the source has published since the subscription was made.
    lane: Option<LaneReader<E>>,
    /// Not after the next event, as long as nothing else tells.
    first_seq: u64,
}

impl<E: Send + Clone + 'static> Inlet<E> {
    pub(super) fn new(source: usize, first_seq: u64, past: Option<Past<E>>) -> Self {
        Self { source, past, lane: None, first_seq }
    }

    /// The next event or gap, if it is here.
    #[inline]
    pub(super) fn take(
        &mut self,
        bus: &Arc<Bus<E>>,
        channel: &Arc<Channel<E>>,
    ) -> Option<Taken<E>> {
        if let Some(lane) = &mut self.lane {
            return lane.take();
        }
        self.take_before_lane(bus, channel)
    }

    #[cold]
    fn take_before_lane(
        &mut self,
        bus: &Arc<Bus<E>>,
        channel: &Arc<Channel<E>>,
    ) -> Option<Taken<E>> {
        if let Some(past) = &mut self.past {
            let taken = past.take(self.source, bus, channel);
            if !past.is_over() || taken.is_some() {
                return taken;
            }
            self.first_seq = past.next_seq();
            self.past = None;
        }
        self.lane = channel.take_reader(self.source);
        self.lane.as_mut()?.take()
    }

    /// Whether something may still come from before the subscription was made.
    pub(super) fn is_behind(&self) -> bool {
        self.past.is_some()
    }

    /// Not after the next event that is still to be delivered.
    pub(super) fn next_seq(&self) -> u64 {
        match (&self.past, &self.lane) {
            (Some(past), _) => past.next_seq(),
            (None, Some(lane)) => lane.next_seq(),
            (None, None) => self.first_seq,
        }
    }

    /// What the reading side of the lane has counted.
    pub(super) fn counts(&self) -> (Losses, usize) {
        self.lane.as_ref().map(LaneReader::counts).unwrap_or_default()
    }
}
