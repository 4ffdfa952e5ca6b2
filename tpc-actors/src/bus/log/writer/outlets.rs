//! The subscriptions that wait for what the log makes durable.

use std::sync::Arc;

use super::super::super::channel::{Channel, end};
use super::super::super::end_reason::EndReason;
use super::super::super::lock;
use super::super::super::outlet::Outlet;
use super::super::super::position::Position;
use super::super::super::stats::SourceStats;
use super::super::feed::FeedReader;
use super::Writer;
use crate::isolate::{catch, drop_quietly};

/// A subscription to what is durable, and where it has come to.
pub(super) struct DurableOutlet<E> {
    pub(super) outlet: Outlet<E>,
    /// What comes before this it has been told of, here or where it caught up.
    next: u64,
}

impl<E: Send + Clone + 'static> DurableOutlet<E> {
    /// Offers an event that is durable, or counts it as missing; after what the log did not get before it. Foreign code,
    /// as in [`Outlet::offer`].
    fn offer(&mut self, seq: u64, event: &E, written: bool) {
        if seq < self.next {
            return;
        }
        self.miss_before(seq);
        self.next = seq + 1;
        if written { self.outlet.offer(seq, event) } else { self.outlet.withhold(seq, event) }
    }

    /// Counts as missing what the log did not get of the events before `seq`.
    #[inline]
    fn miss_before(&mut self, seq: u64) {
        if self.next < seq {
            self.miss_holes(seq);
        }
    }

    #[cold]
    fn miss_holes(&mut self, seq: u64) {
        let (recorded_from, holes) = self.outlet.channel.holes(self.outlet.source).take_before(seq);
        let unrecorded = seq.min(recorded_from);
        if self.next < unrecorded {
            self.outlet.miss_unlogged(unrecorded - self.next, unrecorded);
        }
        self.next = seq;
        for hole in holes {
            self.outlet.miss_unlogged(hole.wanted, hole.end);
            // The last one may have grown meanwhile.
            self.next = self.next.max(hole.end);
        }
    }
}

/// Where the loss ends, if it is right behind what was shown; 0 if events are on their way before it.
fn lost_behind((first, end): (u64, u64), shown: u64) -> u64 {
    if first <= shown { end } else { 0 }
}

impl<E: Send + Clone + 'static> Writer<E> {
    /// Offers an event that is durable; one that could not be written is missing.
    pub(super) fn offer(&mut self, source: usize, seq: u64, event: &E, written: bool) {
        let outlets = &mut self.intakes[source].outlets;
        let mut at = 0;
        while at < outlets.len() {
            let durable = &mut outlets[at];
            if catch(|| durable.offer(seq, event, written)).is_ok() || durable.outlet.caught(seq) {
                at += 1;
                continue;
            }
            tracing::error!(source, "an event filter or key panicked; its subscription ends");
            let DurableOutlet { mut outlet, .. } = outlets.swap_remove(at);
            let stats = self.bus.log_stats(source);
            outlet.flush(stats);
            stats.filters_panicked.add(1);
            stats.set_subscribers(outlets.len());
            self.bus.end(&outlet.channel, EndReason::FilterPanicked);
            drop_quietly(outlet);
        }
    }

    /// Tells subscribers what is new, and what the log did not get.
    pub(super) fn flush(&mut self, source: usize) {
        let intake = &mut self.intakes[source];
        intake.lost = intake.feed.as_ref().map_or((0, 0), FeedReader::lost);
        // Also those that were lost right behind the last event that got through.
        let lost_before = lost_behind(intake.lost, intake.shown);
        for durable in &mut intake.outlets {
            durable.miss_before(lost_before);
            if durable.outlet.flush(self.bus.log_stats(source)) {
                durable.outlet.channel.wake();
            }
        }
    }

    pub(super) fn why_failed(&self) -> EndReason {
        EndReason::LogFailed(lock(&self.link.status).failed.clone().unwrap_or_default())
    }

    /// Takes over durable subscriptions and lets go of those that have gone.
    pub(super) fn refresh(&mut self) {
        let (version, learned) = (self.bus.version_now(), self.learned_now());
        if (version, learned) == (self.version, self.learned) {
            return;
        }
        (self.version, self.learned) = (version, learned);
        for (source, intake) in self.intakes.iter_mut().enumerate() {
            let gone = |durable: &mut DurableOutlet<E>| durable.outlet.channel.presence.is_over();
            for durable in intake.outlets.extract_if(.., gone) {
                self.bus.log_stats(source).leaves::<E>(source);
                drop_quietly(durable);
            }
            self.bus.log_stats(source).set_subscribers(intake.outlets.len());
        }
        if self.failed {
            self.end_all();
        } else {
            self.take_over();
        }
    }

    /// Lets go of all subscriptions.
    pub(super) fn release_all(&mut self) {
        for (source, intake) in self.intakes.iter_mut().enumerate() {
            let stats = self.bus.log_stats(source);
            for durable in intake.outlets.drain(..) {
                stats.leaves::<E>(source);
                drop_quietly(durable);
            }
            stats.set_subscribers(0);
        }
    }

    fn take_over(&mut self) {
        for channel in self.bus.channels() {
            for source in (0..self.intakes.len()).filter(|_| channel.durable) {
                // What was published before the source knew of the subscription is not for it, though it becomes
                // durable later.
                if channel.state(source) == end::OPEN
                    && let Some(first) = channel.holes(source).learned_at()
                {
                    self.attach(source, &channel, self.position(source, first));
                }
            }
            // Perhaps the last to hold the filter, which is foreign.
            drop_quietly(channel);
        }
    }

    /// Ends the subscriptions that wait for what does not become durable any more.
    pub(super) fn end_all(&self) {
        for channel in self.bus.channels() {
            if channel.durable {
                self.bus.end(&channel, self.why_failed());
            }
            drop_quietly(channel);
        }
    }

    /// Has a subscription get the source's durable events from `first` on, and be told of those that are lost.
    pub(in crate::bus::log) fn attach(
        &mut self,
        source: usize,
        channel: &Arc<Channel<E>>,
        first: Position,
    ) {
        match Outlet::attach(Arc::clone(channel), source, first.seq) {
            Ok(outlet) => {
                channel.holes(source).begin_at(first.seq);
                SourceStats::comes::<E>(source);
                let durable = DurableOutlet { outlet, next: first.seq };
                let outlets = &mut self.intakes[source].outlets;
                outlets.push(durable);
                self.bus.log_stats(source).set_subscribers(outlets.len());
            }
            Err(error) => {
                tracing::error!(source, %error, "no lane; its subscription ends");
                self.bus.end(channel, EndReason::NoMemory(error));
            }
        }
    }
}
