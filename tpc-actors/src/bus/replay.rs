//! Fetching what a gap lost.

use std::fmt;

use super::fetch::{Fetch, Fetching};
use super::position::{Gap, Position};
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
}

impl<E> fmt::Debug for ReplayError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Without the events, so that they need not be `Debug`.
        let Self::Gone { gone, found } = self;
        f.debug_struct("Gone").field("gone", gone).field("found", &found.len()).finish()
    }
}

impl<E> fmt::Display for ReplayError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self::Gone { gone, found } = self;
        let found = found.len();
        write!(f, "{gone} of the missing events are gone for good; {found} were found")
    }
}

impl<E> std::error::Error for ReplayError<E> {}

impl<E: Send + Clone + 'static> Subscription<E> {
    /// The events that `gap` lost, in order, from those that the bus [retains](super::Events::retain).
    ///
    /// The filter is asked again, so it should give the same answers for the same events.
    ///
    /// # Errors
    ///
    /// [`ReplayError::Gone`] when some of them are not kept any more; it has the rest.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future changes nothing; ask again.
    pub async fn replay(&self, gap: &Gap) -> Result<Vec<(Position, E)>, ReplayError<E>> {
        let mut found = Vec::new();
        let mut next = gap.from.seq;
        loop {
            let have = found.len() as u64;
            let max = usize::try_from(gap.missed - have).unwrap_or(usize::MAX);
            if max == 0 {
                break;
            }
            let fetch =
                Fetch { channel: self.channel(), from: next, to: gap.to, max, attach: false };
            let fetching = Fetching::begin(self.bus(), gap.core(), fetch);
            let Some(look) = fetching.finish(self.bus()).await else { break };
            next = look.next;
            found.extend(
                look.events.into_iter().map(|(seq, event)| (Position { seq, ..gap.from }, event)),
            );
            match look.reach {
                Reach::More => {}
                Reach::Gone { oldest } if oldest < gap.to => next = oldest,
                Reach::End | Reach::Gone { .. } => break,
            }
        }
        match gap.missed - found.len() as u64 {
            0 => Ok(found),
            gone => Err(ReplayError::Gone { gone, found }),
        }
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
        crate::client::block::block_on(self.replay(gap))
    }
}
