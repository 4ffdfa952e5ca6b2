//! Fetching what a gap lost.

use std::fmt;
use std::future::poll_fn;
use std::sync::Arc;
use std::task::Poll;

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
    /// The filter is asked again, so it should give the same answers for the same events; where it panics, the event is
    /// gone. A gap that this filter has not counted, of another subscription or of
    /// [before this one](super::LaneStatus::gone), is filled with what the filter wants; of such a gap, all events that
    /// cannot be looked at count as gone. The future borrows nothing, so that events go on meanwhile.
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
        let (bus, channel) = (Arc::clone(self.bus()), self.channel());
        Replay { bus, channel, gap: *gap, found: Vec::new(), unseen: 0 }.run()
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
    found: Vec<(Position, E)>,
    /// Positions of which nobody knows whether the filter would have wanted their events.
    unseen: u64,
}

impl<E: Send + Clone + 'static> Replay<E> {
    async fn run(mut self) -> Result<Vec<(Position, E)>, ReplayError<E>> {
        let mut next = self.gap.from;
        let to = self.gap.to;
        while next.seq < to {
            // Of an epoch that is over, only the log has anything; and nothing has what a system with more cores had.
            let at_hand = self.gap.core() < self.bus.sources() && next.epoch == self.bus.epoch();
            let log_until = if at_hand {
                match self.look_at_source(&mut next).await {
                    Some(Reach::More) => {
                        // A source that no core has is looked at here, a little at a time.
                        let_others_run().await;
                        continue;
                    }
                    Some(Reach::FilterPanicked) => {
                        self.unseen += 1;
                        next.seq += 1;
                        continue;
                    }
                    Some(Reach::Gone { oldest }) => oldest.min(to),
                    Some(Reach::End | Reach::Ahead { .. }) | None => {
                        self.unseen += to - next.seq;
                        break;
                    }
                }
            } else {
                to
            };
            self.look_at_log(next, log_until).await.map_err(ReplayError::Log)?;
            next.seq = log_until;
        }
        let Self { gap, found, unseen, .. } = self;
        // A gap that another filter has counted, or none, may be of events that this one does not want.
        match gap.missed.saturating_sub(found.len() as u64).min(unseen) {
            0 => Ok(found),
            gone => Err(ReplayError::Gone { gone, found }),
        }
    }

    /// Adds what the source retains from `next` on, and goes on there. `None` when it cannot be asked.
    async fn look_at_source(&mut self, next: &mut Position) -> Option<Reach> {
        let (from, to, max) = (next.seq, self.gap.to, usize::MAX);
        let fetch = Fetch { channel: Arc::clone(&self.channel), from, to, max, attach: false };
        let look = loop {
            let fetching = Fetching::begin(&self.bus, self.gap.core(), fetch.clone());
            match fetching.finish(&self.bus).await {
                Answered::Found(look) => break look,
                Answered::Moved => {}
                // Who is called by the holder cannot wait for him.
                Answered::Unreachable | Answered::Busy => return None,
            }
        };
        for (seq, event) in look.events {
            match event {
                Some(event) => self.found.push((Position { seq, ..*next }, event)),
                None => self.unseen += 1,
            }
        }
        next.seq = look.next;
        Some(look.reach)
    }

    /// Adds what the log has from `next` on and before `to`, if there is a log.
    async fn look_at_log(&mut self, mut next: Position, to: u64) -> Result<(), LogError> {
        let Some(log) = self.bus.log() else {
            self.unseen += to - next.seq;
            return Ok(());
        };
        let until = Some(Position { seq: to, ..next });
        loop {
            let (channel, subscribes) = (Arc::clone(&self.channel), false);
            let fetch = LogFetch { channel, from: next, until, subscribes };
            let look = log.fetch(fetch).await.map_err(|_| LogError::Closed)?;
            for entry in look.entries {
                match entry {
                    Entry::Event(position, event) => self.found.push((position, event)),
                    Entry::Hole { from, to } => self.unseen += to - from.seq,
                }
            }
            let epoch = next.epoch;
            next = look.next;
            match look.stopped {
                Some(Stopped::Unreadable(error)) => return Err(error),
                Some(Stopped::FilterPanicked) => {
                    self.unseen += 1;
                    next = next.next();
                }
                None if look.end.is_some() => {
                    // What lies behind the log's last event of the epoch is kept nowhere.
                    let seen = if next.epoch == epoch { next.seq } else { to };
                    self.unseen += to.saturating_sub(seen);
                    return Ok(());
                }
                None => {}
            }
        }
    }
}

/// Comes back at once, after the other tasks of the runtime. By waking itself: Tokio's `yield_now` leaves the waker with the
/// worker, which may be blocked by this very wait.
async fn let_others_run() {
    let mut begun = false;
    poll_fn(|context| {
        if std::mem::replace(&mut begun, true) {
            return Poll::Ready(());
        }
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}
