//! What one source has in store for a subscription: first what it missed, then what comes.

use std::sync::Arc;

use super::channel::Channel;
use super::lane::{LaneReader, Taken};
use super::log::LogError;
use super::past::Past;
use super::position::{Delivery, Gap, Position};
use super::registry::Bus;
use super::stats::Received;

/// One source of a subscription.
pub(super) struct Inlet<E> {
    /// Core and epoch of what the lane brings.
    at: Position,
    past: Option<Past<E>>,
    /// There once the source has published since the subscription was made.
    lane: Option<LaneReader<E>>,
    /// Not after the next event, as long as nothing else tells; of an earlier epoch when it has not caught up, and nowhere
    /// when it has not even begun.
    first: Option<Position>,
    /// Why the log could not be read.
    failed: Option<LogError>,
    delivered: u64,
    /// Those of them that came before the lane.
    from_past: u64,
    gone: u64,
    reported: u64,
}

impl<E: Send + Clone + 'static> Inlet<E> {
    /// `first` is not after the next event.
    pub(super) fn new(first: Position, past: Option<Past<E>>) -> Self {
        Self {
            at: first,
            past,
            lane: None,
            first: Some(first),
            failed: None,
            delivered: 0,
            from_past: 0,
            gone: 0,
            reported: 0,
        }
    }

    /// Looks for what it missed, if anything, as soon as the sources know the channel.
    pub(super) fn begin(&mut self, bus: &Arc<Bus<E>>, channel: &Arc<Channel<E>>) {
        if let Some(past) = &mut self.past {
            past.begin(bus, channel);
        }
    }

    /// The next event, where nothing stands between the last one and it; otherwise [`Self::take`] knows.
    #[expect(clippy::inline_always, reason = "copies of the event cost more than the rest")]
    #[inline(always)]
    pub(super) fn take_following(&mut self) -> Option<(Position, E)> {
        let (seq, event) = self.lane.as_mut()?.take_following()?;
        self.delivered += 1;
        Some((Position { seq, ..self.at }, event))
    }

    /// The next event or gap, if it is here; shows what has been taken so far.
    pub(super) fn take(
        &mut self,
        bus: &Arc<Bus<E>>,
        channel: &Arc<Channel<E>>,
    ) -> Option<Delivery<E>> {
        let taken = self.take_any(bus, channel);
        channel.set_received(self.at.core, &self.received());
        taken
    }

    fn take_any(&mut self, bus: &Arc<Bus<E>>, channel: &Arc<Channel<E>>) -> Option<Delivery<E>> {
        let delivery = match &mut self.lane {
            Some(lane) => {
                let taken = lane.take()?;
                self.placed(taken)
            }
            None => self.take_before_lane(bus, channel)?,
        };
        match &delivery {
            Delivery::Event { .. } => self.delivered += 1,
            Delivery::Gap(gap) => self.reported += gap.len(),
        }
        Some(delivery)
    }

    #[cold]
    fn take_before_lane(
        &mut self,
        bus: &Arc<Bus<E>>,
        channel: &Arc<Channel<E>>,
    ) -> Option<Delivery<E>> {
        if let Some(past) = &mut self.past {
            let taken = past.take(bus, channel);
            if !past.is_over() || taken.is_some() {
                match &taken {
                    Some(Delivery::Event { .. }) => self.from_past += 1,
                    Some(Delivery::Gap(gap)) => self.gone += gap.len(),
                    None => {}
                }
                return taken;
            }
            self.first = past.next();
            self.failed = past.failed.take();
            self.past = None;
        }
        self.lane = channel.take_reader(self.at.core);
        let taken = self.lane.as_mut()?.take()?;
        Some(self.placed(taken))
    }

    /// Why the log could not be read.
    pub(super) fn failed(&self) -> Option<&LogError> {
        self.failed.as_ref()
    }

    /// Whether something may still come from before the subscription was made.
    pub(super) fn is_behind(&self) -> bool {
        self.past.is_some()
    }

    fn placed(&self, taken: Taken<E>) -> Delivery<E> {
        match taken {
            Taken::Event { seq, event } => {
                Delivery::Event { position: Position { seq, ..self.at }, event }
            }
            Taken::Missing { from, to, count } => {
                let from = Position { seq: from, ..self.at };
                Delivery::Gap(Gap { from, to, missed: count })
            }
        }
    }

    /// Not after the next event that is still to be delivered; `None` while that is whatever is the oldest.
    pub(super) fn next(&self) -> Option<Position> {
        let seq = match (&self.past, &self.lane) {
            (Some(past), _) => return past.next(),
            (None, Some(lane)) => lane.next_seq(),
            (None, None) => return self.first,
        };
        Some(Position { seq, ..self.at })
    }

    /// What has been counted on this side.
    pub(super) fn received(&self) -> Received {
        let (losses, most) = self.lane.as_ref().map(LaneReader::counts).unwrap_or_default();
        let Self { delivered, from_past, gone, reported, .. } = *self;
        Received { delivered, from_past, gone, reported, losses, most }
    }
}
