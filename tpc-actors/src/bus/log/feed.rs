//! The way from a source to the log's thread.

use std::sync::{Arc, Mutex};

use super::super::channel::Channel;
use super::super::lock;
use crate::bridge::CapacityError;
use crate::bridge::bell::LaneBell;
use crate::bridge::ring::{Consumer, Producer, ring};
use crate::isolate::{catch, drop_quietly};
use crate::stats::Counter;

/// An event on its way to the log.
pub(super) struct Fed<E> {
    pub(super) seq: u64,
    pub(super) event: E,
}

/// What both ends share.
#[derive(Debug)]
pub(in crate::bus) struct FeedShared {
    pub(super) bell: LaneBell,
    /// Events that did not fit; written by the source.
    pub(super) missing: Counter,
    /// How often the source has been told of its subscriptions, and has written that to their holes.
    pub(super) learned: Counter,
    /// Those that were lost since the last one that got through: the first, and one past the last. The lock is held for
    /// a few instructions, by the source when it loses an event and by the log's thread when it has come there.
    pub(super) lost: Mutex<(u64, u64)>,
}

/// The source's end.
pub(in crate::bus) struct Feed<E> {
    ring: Producer<Fed<E>>,
    shared: Arc<FeedShared>,
    /// Subscriptions that wait for what the log writes; told of what it does not get.
    durable: Vec<Arc<Channel<E>>>,
    source: usize,
    /// Events, lost ones among them, that the log's thread has not been told of.
    untold: usize,
    /// The first of the events that were lost since the last one that got through.
    lost_since: Option<u64>,
}

/// The log's end.
pub(super) struct FeedReader<E> {
    pub(super) ring: Consumer<Fed<E>>,
    pub(super) shared: Arc<FeedShared>,
}

impl<E> FeedReader<E> {
    /// What was lost since the last event that got through: the first, and one past the last.
    pub(super) fn lost(&self) -> (u64, u64) {
        *lock(&self.shared.lost)
    }
}

/// Events after which the log's thread is told of them in the middle of a long handler.
const BATCH_MAX: usize = 64;

pub(super) fn feed<E>(
    capacity: usize,
    source: usize,
    bell: LaneBell,
) -> Result<(Feed<E>, FeedReader<E>), CapacityError> {
    let (mut producer, consumer) = ring(capacity)?;
    // All of it is used by and by, and some megabytes are too many pages to be found by the events.
    producer.touch_pages();
    let shared = FeedShared {
        bell,
        missing: Counter::default(),
        learned: Counter::default(),
        lost: Mutex::default(),
    };
    let shared = Arc::new(shared);
    let theirs = Arc::clone(&shared);
    let feed =
        Feed { ring: producer, shared, durable: Vec::new(), source, untold: 0, lost_since: None };
    Ok((feed, FeedReader { ring: consumer, shared: theirs }))
}

impl<E: Clone> Feed<E> {
    /// The subscriptions that only see what is durable, from the event `next_seq` on.
    pub(in crate::bus) fn set_durable(&mut self, channels: Vec<Arc<Channel<E>>>, next_seq: u64) {
        for channel in &channels {
            channel.holes(self.source).record_from(next_seq);
        }
        // Before the first event that they get, or lose: who finds that finds this.
        self.shared.learned.add(1);
        // Who leaves at this very moment sees that it is known here and has it taken out, or has left as far as is seen here.
        let (gone, known) = channels.into_iter().partition(|channel| channel.presence.is_over());
        let before = std::mem::replace(&mut self.durable, known);
        // Perhaps the last to hold their filters, which are foreign.
        before.into_iter().chain::<Vec<_>>(gone).for_each(drop_quietly);
    }

    /// Hands copies of the events, which have the numbers from `first` on, to the log.
    ///
    /// They are made where the log reads them, under one catch; the event that ends it is missed, and the others go on.
    pub(in crate::bus) fn push_all(&mut self, first: u64, events: &[E]) {
        let mut next = 0;
        while next < events.len() {
            let before = next;
            let mut copies = events[before..].iter().map(|event| {
                next += 1;
                Fed { seq: first + next as u64 - 1, event: event.clone() }
            });
            let has_panicked = catch(|| self.ring.push_batch(&mut copies)).is_err();
            // Where it ended: the copy that panicked, or the first event for which there was no room.
            let end = next - usize::from(has_panicked);
            if end > before {
                self.lost_since = None;
            }
            if let Some(event) = events.get(end) {
                self.miss(first + end as u64, event);
                next = end + 1;
            }
        }
        self.untold += events.len();
        if self.untold >= BATCH_MAX {
            self.flush();
        }
    }

    /// The log will not have this event; who wanted it from there is told of it, once the log has come there.
    #[cold]
    fn miss(&mut self, seq: u64, event: &E) {
        self.shared.missing.add(1);
        let since = *self.lost_since.get_or_insert(seq);
        let wanted = |channel: &&Arc<Channel<E>>| seq >= channel.begins_at(self.source);
        for channel in self.durable.iter().filter(wanted) {
            // One whose filter cannot say may have wanted it.
            if catch(|| channel.wants(event)) != Ok(false) {
                channel.holes(self.source).lose(seq, since);
            }
        }
        // After those: who finds this finds them.
        *lock(&self.shared.lost) = (since, seq + 1);
    }

    /// Tells the thread of the log of everything so far.
    #[inline]
    pub(in crate::bus) fn flush(&mut self) {
        if self.untold > 0 {
            self.untold = 0;
            // The log's thread lives as long as the bus; a ring after its end is nobody's loss.
            let _ = self.shared.bell.published();
            let half = self.ring.capacity() / 2;
            if self.ring.room(half) < half {
                // The log lets events come together, and not as many as that.
                self.shared.bell.ring();
            }
        }
    }
}
