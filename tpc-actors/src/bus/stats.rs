//! What becomes of events, counted by whoever does it.

use std::fmt;

use super::lane::Losses;
use crate::stats::Counter;

/// What the source counts of one lane.
#[derive(Debug, Default)]
pub(super) struct LaneStats {
    wanted: Counter,
    newest: Counter,
    oldest: Counter,
    conflated: Counter,
    uncopied: Counter,
    unlogged: Counter,
}

impl LaneStats {
    pub(super) fn set_source(&self, wanted: u64, losses: Losses) {
        self.wanted.set(wanted);
        self.newest.set(losses.newest);
        self.oldest.set(losses.oldest);
        self.conflated.set(losses.conflated);
        self.uncopied.set(losses.uncopied);
        self.unlogged.set(losses.unlogged);
    }

    /// Events that the subscriber has neither taken nor lost.
    fn waiting(&self, received: &Received) -> u64 {
        let lost = [&self.newest, &self.oldest, &self.conflated, &self.uncopied, &self.unlogged];
        let lost: u64 = lost.into_iter().map(Counter::get).sum();
        let taken = received.delivered - received.from_past;
        let there = received.losses.oldest + received.losses.conflated;
        self.wanted.get().saturating_sub(lost + taken + there)
    }
}

/// What the subscriber counts of one lane.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Received {
    pub(super) delivered: u64,
    /// Those of them that came before the lane: no copy of them was made for it.
    pub(super) from_past: u64,
    /// What was reported before the lane: events that are not kept.
    pub(super) gone: u64,
    pub(super) reported: u64,
    /// What was lost on its side.
    pub(super) losses: Losses,
    /// The most events that it has seen waiting.
    pub(super) most: usize,
}

/// The same where the source's figures find it, as of the last time that the subscriber looked for more.
#[derive(Debug, Default)]
pub(super) struct ReaderStats {
    delivered: Counter,
    oldest: Counter,
    conflated: Counter,
    most: Counter,
}

impl ReaderStats {
    pub(super) fn set(&self, received: &Received) {
        self.delivered.set(received.delivered - received.from_past);
        self.oldest.set(received.losses.oldest);
        self.conflated.set(received.losses.conflated);
        self.most.set(received.most as u64);
    }
}

/// What has become of one source's events with its subscribers.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Consumption {
    delivered: u64,
    oldest: u64,
    conflated: u64,
    high_water: u64,
}

impl Consumption {
    pub(super) fn of(capacity: usize, source: &LaneStats, reader: &ReaderStats) -> Self {
        Self {
            delivered: reader.delivered.get(),
            oldest: reader.oldest.get(),
            conflated: reader.conflated.get(),
            high_water: high_water(capacity, source, reader.oldest.get(), reader.most.get()),
        }
    }

    pub(super) fn add(&mut self, other: Self) {
        self.delivered += other.delivered;
        self.oldest += other.oldest;
        self.conflated += other.conflated;
        self.high_water = self.high_water.max(other.high_water);
    }
}

/// Who found no room, or made some by dropping an older event, has seen the lane full, whatever the reader saw.
fn high_water(capacity: usize, source: &LaneStats, made_room: u64, most: u64) -> u64 {
    let was_full = source.newest.get() + source.oldest.get() + made_room > 0;
    if was_full { capacity as u64 } else { most }
}

/// One core's part in a subscription, at one moment. The figures are read without stopping anybody, so
/// they may be a turn old and need not add up while events are on their way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct LaneStatus {
    /// The core; the number of cores for a publisher outside of them.
    pub core: usize,
    /// Events that the filter wanted, also those of before the subscription was made: the sum of what was delivered,
    /// what was lost for one of the reasons below, and what is still on its way.
    pub wanted: u64,
    /// Events that the subscription has yielded.
    pub delivered: u64,
    /// Events that it has yielded as missing, in gaps.
    pub reported_missing: u64,
    /// Events that found no room.
    pub dropped_newest: u64,
    /// Events that made room for newer ones.
    pub dropped_oldest: u64,
    /// Events that a newer one with the same key has replaced.
    pub conflated: u64,
    /// Events whose `Clone` panicked when they were published; later they are [`gone`](Self::gone).
    pub uncopied: u64,
    /// Events of a durable subscription that the log did not get, because they came faster than it could write.
    pub unlogged: u64,
    /// Events of before the subscription was made that were not kept, or cannot be copied, as far as it has come; all of those between two
    /// positions, because nobody knows which ones the filter would have wanted.
    pub gone: u64,
    /// The most events that were seen waiting for the subscriber at a time, by it or by this look; all places, once an
    /// event has found none.
    pub high_water: u64,
}

impl LaneStatus {
    pub(super) fn of(core: usize, capacity: usize, stats: &LaneStats, received: Received) -> Self {
        let most = stats.waiting(&received).min(capacity as u64).max(received.most as u64);
        Self {
            core,
            wanted: stats.wanted.get() + received.from_past + received.gone,
            delivered: received.delivered,
            reported_missing: received.reported,
            dropped_newest: stats.newest.get(),
            dropped_oldest: stats.oldest.get() + received.losses.oldest,
            conflated: stats.conflated.get() + received.losses.conflated,
            uncopied: stats.uncopied.get(),
            unlogged: stats.unlogged.get(),
            gone: received.gone,
            high_water: high_water(capacity, stats, received.losses.oldest, most),
        }
    }
}

/// One source; written by whoever publishes for it.
#[derive(Debug, Default)]
pub(super) struct SourceStats {
    pub(super) published: Counter,
    subscribers: Counter,
    wanted: Counter,
    newest: Counter,
    oldest: Counter,
    conflated: Counter,
    uncopied: Counter,
    pub(super) left: Counter,
    pub(super) filters_panicked: Counter,
    routes: Counter,
    routes_evicted: Counter,
}

impl SourceStats {
    pub(super) fn set_subscribers(&self, subscribers: usize) {
        self.subscribers.set(subscribers as u64);
    }

    pub(super) fn set_routes(&self, (known, evicted): (usize, u64)) {
        self.routes.set(known as u64);
        self.routes_evicted.set(evicted);
    }

    /// What one lane has counted since it was last asked.
    pub(super) fn add(&self, wanted: u64, now: Losses, before: Losses) {
        self.wanted.add(wanted);
        self.newest.add(now.newest - before.newest);
        self.oldest.add(now.oldest - before.oldest);
        self.conflated.add(now.conflated - before.conflated);
        self.uncopied.add(now.uncopied - before.uncopied);
    }
}

/// What one core has published of one event type so far, over all of its subscribers but the durable ones, which
/// the log serves.
///
/// Read without stopping the core, so it may be a turn old.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct SourceStatus {
    /// The core; the number of cores for publishers outside of them.
    pub core: usize,
    /// Events that were published, wanted or not.
    pub published: u64,
    /// Subscribers that the core knows of now.
    pub subscribers: u64,
    /// Subscribers that have gone.
    pub left: u64,
    /// Subscribers whose filter panicked, which ended them.
    pub filters_panicked: u64,
    /// Routes that the core has learned and remembers; see [`Enrich`](super::Enrich).
    pub routes: u64,
    /// Routes that it has forgotten because there were too many.
    pub routes_evicted: u64,
    /// Copies that some filter wanted; the sum over all subscribers.
    pub wanted: u64,
    /// Those that subscribers have taken, as of the last time that each of them looked for more.
    pub delivered: u64,
    /// Those that found no room.
    pub dropped_newest: u64,
    /// Those that made room for newer ones before the subscriber saw them.
    pub dropped_oldest: u64,
    /// Those that a newer one with the same key has replaced.
    pub conflated: u64,
    /// Those whose `Clone` panicked.
    pub uncopied: u64,
    /// The most events that one subscriber has seen waiting at a time; all its places, once an event has found none.
    pub high_water: u64,
}

impl SourceStatus {
    pub(super) fn of(core: usize, stats: &SourceStats, consumption: Consumption) -> Self {
        Self {
            core,
            published: stats.published.get(),
            subscribers: stats.subscribers.get(),
            left: stats.left.get(),
            filters_panicked: stats.filters_panicked.get(),
            routes: stats.routes.get(),
            routes_evicted: stats.routes_evicted.get(),
            wanted: stats.wanted.get(),
            delivered: consumption.delivered,
            dropped_newest: stats.newest.get(),
            dropped_oldest: stats.oldest.get() + consumption.oldest,
            conflated: stats.conflated.get() + consumption.conflated,
            uncopied: stats.uncopied.get(),
            high_water: consumption.high_water,
        }
    }
}

impl fmt::Display for SourceStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { core, published, subscribers, wanted, delivered, .. } = self;
        let Self { dropped_newest, dropped_oldest, conflated, .. } = self;
        write!(
            f,
            "core {core}: {published} published to {subscribers} subscribers, {wanted} wanted, \
             {delivered} delivered, {dropped_newest} found no room, {dropped_oldest} made room, {conflated} conflated"
        )
    }
}
