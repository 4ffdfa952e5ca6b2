//! The subscriptions that wait for what the log makes durable.

use std::sync::Arc;

use super::super::super::channel::{Channel, end};
use super::super::super::end_reason::EndReason;
use super::super::super::lock;
use super::super::super::outlet::Outlet;
use super::super::super::position::Position;
use super::{Intake, Writer};
use crate::isolate::{catch, drop_quietly};

impl<E: Send + Clone + 'static> Writer<E> {
    /// Offers an event that is durable; one that could not be written is missing.
    pub(super) fn offer(&mut self, source: usize, seq: u64, event: &E, written: bool) {
        let outlets = &mut self.intakes[source].outlets;
        let mut at = 0;
        while at < outlets.len() {
            let outlet = &mut outlets[at];
            if seq < outlet.first {
                at += 1;
                continue;
            }
            outlet.miss_unlogged_before(seq);
            let offer =
                || if written { outlet.offer(seq, event) } else { outlet.withhold(seq, event) };
            if catch(offer).is_ok() || outlet.caught(seq) {
                at += 1;
                continue;
            }
            tracing::error!(source, "an event filter or key panicked; its subscription ends");
            let mut outlet = outlets.swap_remove(at);
            outlet.flush(&self.stats);
            self.bus.end(&outlet.channel, EndReason::FilterPanicked);
            drop_quietly(outlet);
        }
    }

    /// Tells subscribers what is new, and what the log did not get.
    pub(super) fn flush(&mut self, source: usize) {
        let Intake { outlets, shown, .. } = &mut self.intakes[source];
        for outlet in outlets {
            // Also those that were lost right behind the last event that got through.
            outlet.miss_unlogged_before(*shown + 1);
            if outlet.flush(&self.stats) {
                outlet.channel.wake();
            }
        }
    }

    pub(super) fn why_failed(&self) -> EndReason {
        EndReason::LogFailed(lock(&self.link.status).failed.clone().unwrap_or_default())
    }

    /// Takes over durable subscriptions and lets go of those that have gone.
    pub(super) fn refresh(&mut self) {
        let version = self.bus.version_now();
        if version == self.version {
            return;
        }
        self.version = version;
        for intake in &mut self.intakes {
            let gone = |outlet: &mut Outlet<E>| outlet.channel.is_closed();
            let gone: Vec<_> = intake.outlets.extract_if(.., gone).collect();
            gone.into_iter().for_each(drop_quietly);
        }
        for channel in self.bus.channels().into_iter().filter(|channel| channel.durable) {
            if self.failed {
                self.bus.end(&channel, self.why_failed());
                continue;
            }
            for source in 0..self.intakes.len() {
                if channel.state(source) == end::OPEN {
                    self.attach(source, &channel, self.shown(source));
                }
            }
        }
    }

    /// Has a subscription get the source's durable events from `first` on.
    pub(in crate::bus::log) fn attach(
        &mut self,
        source: usize,
        channel: &Arc<Channel<E>>,
        first: Position,
    ) {
        match Outlet::attach(Arc::clone(channel), source, first.seq) {
            Ok(outlet) => self.intakes[source].outlets.push(outlet),
            Err(error) => {
                tracing::error!(source, %error, "no lane; its subscription ends");
                self.bus.end(channel, EndReason::NoMemory(error));
            }
        }
    }
}
