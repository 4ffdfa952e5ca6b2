//! Fetching what a gap lost.

use std::fmt;
use std::sync::Arc;

use super::channel::Channel;
use super::fetch::{Answered, Fetch, Fetching};
use super::log::LogError;
use super::log::reads::{Entry, LogFetch, Stopped};
use super::position::{Gap, Position};
use super::registry::Bus;
use super::retained::Reach;
use super::subscription::Subscription;

/// Why a gap was not filled.
#[non_exhaustive]
pub enum ReplayError<E> {
    /// Some of the missing events are kept nowhere any more.
    Gone {
        /// How many.
        gone: u64,
        /// The others, in order.
        found: Vec<(Position, E)>,
    },
    /// The log cannot be read.
    Log(LogError),
}

impl<E> fmt::Debug for ReplayError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Without the events, so that they need not be `Debug`.
        match self {
            Self::Gone { gone, found } => {
                f.debug_struct("Gone").field("gone", gone).field("found", &found.len()).finish()
            }
            Self::Log(error) => f.debug_tuple("Log").field(error).finish(),
        }
    }
}

impl<E> fmt::Display for ReplayError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Gone { gone, found } => {
                let found = found.len();
                write!(f, "{gone} of the missing events are gone for good; {found} were found")
            }
            Self::Log(error) => error.fmt(f),
        }
    }
}

impl<E> std::error::Error for ReplayError<E> {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        // What the text has is not a source: that of the log's own error is.
        if let Self::Log(error) = self { error.source() } else { None }
    }
}

impl<E: Send + Clone + 'static> Subscription<E> {
    /// The events that `gap` lost, in order, from those that the bus [retains](super::Events::retain), or else
    /// from its [log](super::log).
    ///
    /// The filter is asked again, so it should give the same answers for the same events; where it panics, the event is gone. A gap of another subscription
    /// is filled with what this one's filter wants. The future borrows nothing, so that events go on meanwhile.
    ///
    /// # Errors
    ///
    /// [`ReplayError::Gone`] when some of them are not kept any more; it has the rest.
    /// [`ReplayError::Log`] when the log cannot be read, or was [closed](LogError::Closed) with the system.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future changes nothing; ask again.
    pub fn replay(
        &self,
        gap: &Gap,
    ) -> impl Future<Output = Result<Vec<(Position, E)>, ReplayError<E>>> + Send + use<E> {
        let replay = Replay { bus: Arc::clone(self.bus()), channel: self.channel(), gap: *gap };
        replay.run()
    }

    /// As [`Self::replay`], for plain threads.
    ///
    /// # Errors
    ///
    /// As [`Self::replay`].
    ///
    /// # Panics
    ///
    /// On a core's own thread, which must not block.
    pub fn replay_wait(&self, gap: &Gap) -> Result<Vec<(Position, E)>, ReplayError<E>> {
        assert!(!crate::core_loop::on_core_thread(), "`replay_wait` would block the core");
        crate::client::block::block_on_of(self.bus().system(), self.replay(gap))
    }
}

/// Fills one gap. Nothing of the subscription but what it shares: that is not `Sync`, and tasks travel.
struct Replay<E> {
    bus: Arc<Bus<E>>,
    channel: Arc<Channel<E>>,
    gap: Gap,
}

impl<E: Send + Clone + 'static> Replay<E> {
    async fn run(self) -> Result<Vec<(Position, E)>, ReplayError<E>> {
        let mut found = Vec::new();
        let gap = &self.gap;
        let mut next = gap.from;
        if gap.core() >= self.bus.sources() {
            // Of a system with more cores.
            return Err(ReplayError::Gone { gone: gap.missed, found });
        }
        while (found.len() as u64) < gap.missed && next.seq < gap.to {
            // Of an epoch that is over, only the log has anything.
            let oldest = if next.epoch == self.bus.epoch() {
                let Some((looked_at, reach)) = self.look_at_source(next, &mut found).await else {
                    break;
                };
                next.seq = looked_at;
                match reach {
                    Reach::More => continue,
                    Reach::FilterPanicked => {
                        next.seq += 1;
                        continue;
                    }
                    Reach::End | Reach::Ahead { .. } => break,
                    Reach::Gone { oldest } => oldest.min(gap.to),
                }
            } else {
                gap.to
            };
            self.look_at_log(next, oldest, &mut found).await.map_err(ReplayError::Log)?;
            next.seq = oldest;
        }
        match gap.missed.saturating_sub(found.len() as u64) {
            0 => Ok(found),
            gone => Err(ReplayError::Gone { gone, found }),
        }
    }

    /// Adds what the source retains from `next` on; says how far that was. `None` when it cannot be asked.
    async fn look_at_source(
        &self,
        next: Position,
        found: &mut Vec<(Position, E)>,
    ) -> Option<(u64, Reach)> {
        let max = usize::try_from(self.gap.missed - found.len() as u64).unwrap_or(usize::MAX);
        let (channel, from, to) = (Arc::clone(&self.channel), next.seq, self.gap.to);
        let fetch = Fetch { channel, from, to, max, attach: false };
        let look = loop {
            let fetching = Fetching::begin(&self.bus, self.gap.core(), fetch.clone());
            match fetching.finish(&self.bus).await {
                Answered::Found(look) => break look,
                Answered::Moved => {}
                // Who is called by the holder cannot wait for him.
                Answered::Unreachable | Answered::Busy => return None,
            }
        };
        let placed = |(seq, event): (u64, Option<E>)| Some((Position { seq, ..next }, event?));
        found.extend(look.events.into_iter().filter_map(placed));
        Some((look.next, look.reach))
    }

    /// Adds what the log has from `next` on and before `to`, if there is a log.
    async fn look_at_log(
        &self,
        mut next: Position,
        to: u64,
        found: &mut Vec<(Position, E)>,
    ) -> Result<(), LogError> {
        let Some(log) = self.bus.log() else { return Ok(()) };
        let until = Some(Position { seq: to, ..next });
        loop {
            let fetch = LogFetch { channel: Arc::clone(&self.channel), from: next, until };
            let look = log.fetch(fetch).await.map_err(|_| LogError::Closed)?;
            next = look.next;
            found.extend(look.entries.into_iter().filter_map(|entry| match entry {
                Entry::Event(position, event) => Some((position, event)),
                Entry::Hole { .. } => None,
            }));
            match look.stopped {
                Some(Stopped::Unreadable(error)) => return Err(error),
                Some(Stopped::FilterPanicked) => next = next.next(),
                None if look.end.is_some() => return Ok(()),
                None => {}
            }
        }
    }
}
