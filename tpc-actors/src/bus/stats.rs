//! What becomes of events, counted by whoever does it.

use std::any::type_name;
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

    /// The most events that have waited in so many places, when the subscriber has received so much.
    fn high_water(&self, capacity: usize, received: &Received) -> u64 {
        let capacity = capacity as u64;
        // Who found no room, or made some by dropping an older event, has seen the lane full, whatever the reader saw.
        if self.newest.get() + self.oldest.get() + received.losses.oldest > 0 {
            return capacity;
        }
        self.waiting(received).min(capacity).max(received.most as u64)
    }

    /// The events on their way to the subscriber, when it has received so much.
    fn waiting(&self, received: &Received) -> u64 {
        let Received { delivered, from_past, losses, .. } = *received;
        let dropped = self.newest.get() + self.oldest.get() + losses.oldest;
        let lost = self.conflated.get() + self.uncopied.get() + self.unlogged.get();
        let gone = dropped + lost + losses.conflated + (delivered - from_past);
        self.wanted.get().saturating_sub(gone)
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
    from_past: Counter,
    gone: Counter,
    oldest: Counter,
    conflated: Counter,
    most: Counter,
}

impl ReaderStats {
    pub(super) fn set(&self, received: &Received) {
        // In this order: who reads them the other way round does not find more of the past than of everything.
        self.delivered.set(received.delivered);
        self.from_past.set(received.from_past);
        self.gone.set(received.gone);
        self.oldest.set(received.losses.oldest);
        self.conflated.set(received.losses.conflated);
        self.most.set(received.most as u64);
    }

    fn get(&self) -> Received {
        let from_past = self.from_past.get();
        let (oldest, conflated) = (self.oldest.get(), self.conflated.get());
        Received {
            from_past,
            delivered: self.delivered.get().max(from_past),
            gone: self.gone.get(),
            losses: Losses { oldest, conflated, ..Losses::default() },
            most: usize::try_from(self.most.get()).unwrap_or(usize::MAX),
            reported: 0,
        }
    }
}

/// What has become of one source's events with its subscribers.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Consumption {
    /// On their way to subscribers that have not left.
    waiting: u64,
    delivered: u64,
    from_past: u64,
    gone: u64,
    oldest: u64,
    conflated: u64,
    high_water: u64,
}

impl Consumption {
    pub(super) fn of(capacity: usize, source: &LaneStats, reader: &ReaderStats) -> Self {
        let received = reader.get();
        Self {
            waiting: source.waiting(&received),
            delivered: received.delivered,
            from_past: received.from_past,
            gone: received.gone,
            oldest: received.losses.oldest,
            conflated: received.losses.conflated,
            high_water: source.high_water(capacity, &received),
        }
    }

    /// The same after the subscriber has left.
    pub(super) fn departed(self) -> Self {
        Self { waiting: 0, ..self }
    }

    pub(super) fn add(&mut self, other: Self) {
        self.waiting += other.waiting;
        self.delivered += other.delivered;
        self.from_past += other.from_past;
        self.gone += other.gone;
        self.oldest += other.oldest;
        self.conflated += other.conflated;
        self.high_water = self.high_water.max(other.high_water);
    }
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
    /// Events of a durable subscription that the log did not get, because they came faster than it could write, or because
    /// they could not be encoded.
    pub unlogged: u64,
    /// Events of before the subscription had [caught up](super::Events::from) that were not kept, or cannot be copied, as far
    /// as it has come; all of those between two positions, because nobody knows which ones the filter would have wanted.
    pub gone: u64,
    /// The most events that were seen waiting for the subscriber at a time, by it or by this look; all places, once an
    /// event has found none.
    pub high_water: u64,
}

impl LaneStatus {
    pub(super) fn of(core: usize, capacity: usize, stats: &LaneStats, received: Received) -> Self {
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
            high_water: stats.high_water(capacity, &received),
        }
    }
}

/// What one source passes on, or the log of it; written by whoever does.
#[derive(Debug, Default)]
pub(super) struct SourceStats {
    pub(super) published: Counter,
    subscribers: Counter,
    wanted: Counter,
    newest: Counter,
    oldest: Counter,
    conflated: Counter,
    uncopied: Counter,
    unlogged: Counter,
    left: Counter,
    pub(super) filters_panicked: Counter,
    routes: Counter,
    routes_evicted: Counter,
}

impl SourceStats {
    /// Tells of a subscriber that has come.
    pub(super) fn comes<E>(core: usize) {
        tracing::debug!(core, event = type_name::<E>(), "a subscriber has come");
    }

    /// Counts a subscriber that has gone, and tells of it, once.
    pub(super) fn leaves<E>(&self, core: usize) {
        self.left.add(1);
        tracing::debug!(core, event = type_name::<E>(), "a subscriber has gone");
    }

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
        self.unlogged.add(now.unlogged - before.unlogged);
    }
}

/// What one core has published of one event type so far, over all of its subscribers, those among them that the log
/// serves.
///
/// Read without stopping anybody, so it may be a turn old, and what subscribers have received is as of the last time that
/// each of them looked for more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct SourceStatus {
    /// The core; the number of cores for publishers outside of them.
    pub core: usize,
    /// Events that were published, wanted or not.
    pub published: u64,
    /// Subscribers that the core, or its log, knows of now.
    pub subscribers: u64,
    /// Subscribers that have gone, but for those that their filter has ended.
    pub left: u64,
    /// Subscribers whose filter panicked, which ended them.
    pub filters_panicked: u64,
    /// Routes that the core has learned and remembers; see [`Enrich`](super::Enrich).
    pub routes: u64,
    /// Routes that it has forgotten because there were too many.
    pub routes_evicted: u64,
    /// Events that some filter wanted, the sum over all subscribers: what was delivered, what was lost for one of the
    /// reasons below, and what is still on its way.
    pub wanted: u64,
    /// Those that subscribers have taken.
    pub delivered: u64,
    /// Those that found no room.
    pub dropped_newest: u64,
    /// Those that made room for newer ones before the subscriber saw them.
    pub dropped_oldest: u64,
    /// Those that a newer one with the same key has replaced.
    pub conflated: u64,
    /// Those whose `Clone` panicked.
    pub uncopied: u64,
    /// Those of durable subscriptions that the log did not get.
    pub unlogged: u64,
    /// Those of before a subscription had caught up that were not kept; see [`LaneStatus::gone`].
    pub gone: u64,
    /// Those that were on their way to a subscriber when it left, or came after that.
    pub untaken: u64,
    /// The most events that have waited for one subscriber at a time; all its places, once an event has found none. What
    /// it has taken since it looked for more last may be counted as waiting.
    pub high_water: u64,
}

impl SourceStatus {
    /// Of what the source passes on, and the log of it.
    pub(super) fn of(
        core: usize,
        (source, log): (&SourceStats, &SourceStats),
        consumption: Consumption,
    ) -> Self {
        let both =
            |counter: fn(&SourceStats) -> &Counter| counter(source).get() + counter(log).get();
        let Consumption { waiting, delivered, from_past, gone, .. } = consumption;
        let mut status = Self {
            core,
            published: source.published.get(),
            subscribers: both(|stats| &stats.subscribers),
            left: both(|stats| &stats.left),
            filters_panicked: both(|stats| &stats.filters_panicked),
            routes: source.routes.get(),
            routes_evicted: source.routes_evicted.get(),
            wanted: both(|stats| &stats.wanted) + from_past + gone,
            delivered,
            dropped_newest: both(|stats| &stats.newest),
            dropped_oldest: both(|stats| &stats.oldest) + consumption.oldest,
            conflated: both(|stats| &stats.conflated) + consumption.conflated,
            uncopied: both(|stats| &stats.uncopied),
            unlogged: both(|stats| &stats.unlogged),
            gone,
            untaken: 0,
            high_water: consumption.high_water,
        };
        // What is not accounted for has nobody any more who would take it.
        let Self { dropped_newest, dropped_oldest, conflated, uncopied, unlogged, .. } = status;
        let lost = dropped_newest + dropped_oldest + conflated + uncopied + unlogged + gone;
        status.untaken = status.wanted.saturating_sub(delivered + lost + waiting);
        status
    }
}

impl fmt::Display for SourceStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { core, published, subscribers, wanted, delivered, .. } = self;
        let Self { dropped_newest, dropped_oldest, conflated, uncopied, unlogged, .. } = self;
        let Self { gone, untaken, .. } = self;
        write!(
            f,
            "core {core}: {published} published to {subscribers} subscribers, {wanted} wanted, \
             {delivered} delivered, {dropped_newest} found no room, {dropped_oldest} made room, {conflated} conflated, \
             {uncopied} not copied, {unlogged} not logged, {gone} not kept, {untaken} not taken"
        )
    }
}
