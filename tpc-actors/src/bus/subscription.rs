//! The receiving side of a bus.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures_core::Stream;
use futures_core::stream::FusedStream;

use super::channel::{Channel, end};
use super::end_reason::EndReason;
use super::inlet::Inlet;
use super::log::LogError;
use super::position::{Delivery, Position};
use super::presence::last_look;
use super::registry::Bus;
use super::start::Cursor;
use super::stats::LaneStatus;
use super::turns::Turns;
use crate::client::block::block_on_of;

/// Receives the events of one type from all cores.
///
/// Events of one core arrive in the order of their positions; there is no order between cores. Dropping
/// the subscription ends it. It is also a [`Stream`] of [`Delivery`].
///
/// ```
/// # use std::time::Duration;
/// use tpc_actors::prelude::*;
///
/// #[derive(Clone, Debug, PartialEq)]
/// struct Tick(u64);
///
/// #[core_actor(event = Tick)]
/// struct Clock;
///
/// #[core_actor]
/// impl Clock {
///     #[init]
///     fn new() -> Self { Self }
///
///     #[handler]
///     fn tick(&mut self, cx: &mut Ctx<Self>, n: u64) {
///         cx.publish(Tick(n));
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let system = System::builder().cores(1).start()?;
/// let clock = system.spawn::<Clock>(()).await?;
/// let mut ticks = system.events::<Tick>().subscribe();
/// clock.tick(7).await?;
/// match ticks.next().await {
///     Some(Delivery::Event { event, position }) => {
///         assert_eq!((event, position.seq), (Tick(7), 0));
///     }
///     other => panic!("nothing is lost: {other:?}"),
/// }
/// # system.shutdown(Duration::from_secs(1)).await;
/// # Ok(())
/// # }
/// ```
pub struct Subscription<E: Send + Clone + 'static> {
    bus: Arc<Bus<E>>,
    channel: Arc<Channel<E>>,
    /// By source; those that are not wanted stay silent.
    inlets: Vec<Inlet<E>>,
    /// The source that is asked first, so that none is always last.
    first: usize,
    /// Deliveries in a row from the first source.
    in_a_row: u32,
    lagged: u64,
    turns: Turns,
    /// `None` has been delivered, and nothing is after it.
    over: bool,
}

/// Deliveries from one source before the next one has its turn.
const IN_A_ROW_MAX: u32 = 64;

impl<E: Send + Clone + 'static> Subscription<E> {
    pub(super) fn new(bus: Arc<Bus<E>>, channel: Arc<Channel<E>>, inlets: Vec<Inlet<E>>) -> Self {
        let (turns, over) = (Turns::default(), false);
        Self { bus, channel, inlets, first: 0, in_a_row: 0, lagged: 0, turns, over }
    }

    pub(super) fn bus(&self) -> &Arc<Bus<E>> {
        &self.bus
    }

    pub(super) fn channel(&self) -> Arc<Channel<E>> {
        Arc::clone(&self.channel)
    }

    /// The next event or gap; `None` when everything was delivered and the system has shut down, or the subscription
    /// has ended before that, which [`Self::end_reason`] tells.
    ///
    /// A task that always finds something yields now and then, so that timeouts and other tasks have their turn.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future loses nothing.
    #[expect(clippy::should_implement_trait, reason = "it is awaited, as that of any stream")]
    #[inline]
    pub fn next(&mut self) -> Next<'_, E> {
        Next(self)
    }

    /// Blocks a plain thread until the next event or gap.
    ///
    /// # Panics
    ///
    /// On a core's own thread, which must not block.
    pub fn next_wait(&mut self) -> Option<Delivery<E>> {
        assert!(!crate::core_loop::on_core_thread(), "`next_wait` would block the core");
        block_on_of(self.bus.system(), self.next())
    }

    /// What has arrived already.
    #[expect(clippy::inline_always, reason = "copies of the event cost more than the rest")]
    #[inline(always)]
    pub fn try_next(&mut self) -> Option<Delivery<E>> {
        if let Some((position, event)) = self.take_following() {
            return Some(Delivery::Event { position, event });
        }
        self.look_around()
    }

    /// The next event of the source whose turn it is, where nothing stands between the last one and it.
    #[expect(clippy::inline_always, reason = "as above")]
    #[inline(always)]
    fn take_following(&mut self) -> Option<(Position, E)> {
        if self.in_a_row >= IN_A_ROW_MAX {
            return None;
        }
        let following = self.inlets[self.first].take_following()?;
        self.in_a_row += 1;
        Some(following)
    }

    /// Asks one source after the other.
    fn look_around(&mut self) -> Option<Delivery<E>> {
        let count = self.inlets.len();
        for _ in 0..count {
            if self.in_a_row < IN_A_ROW_MAX
                && let Some(delivery) = self.take_from(self.first)
            {
                self.in_a_row += 1;
                return Some(delivery);
            }
            self.in_a_row = 0;
            self.first = if self.first + 1 < count { self.first + 1 } else { 0 };
        }
        // The source that had too many in a row may be the only one that has any.
        let delivery = self.take_from(self.first);
        self.in_a_row = u32::from(delivery.is_some());
        delivery
    }

    /// How many events this subscription wanted and did not get, so far reported as gaps.
    pub fn lagged(&self) -> u64 {
        self.lagged
    }

    #[expect(clippy::inline_always, reason = "as above")]
    #[inline(always)]
    fn poll_delivery(&mut self, context: &Context<'_>) -> Poll<Option<Delivery<E>>> {
        // Built where it is returned: with each copy the event would wait for its own stores.
        if let Some((position, event)) = self.take_following() {
            return Poll::Ready(Some(Delivery::Event { position, event }));
        }
        self.poll_around(context)
    }

    /// Asks one source after the other; if there is nothing, has the next one that shows something wake us.
    #[inline(never)]
    fn poll_around(&mut self, context: &Context<'_>) -> Poll<Option<Delivery<E>>> {
        if self.over {
            return Poll::Ready(None);
        }
        // In a simulation nothing depends on how fast the machine is, and others have their turns anyway.
        if self.turns.is_over() && !self.bus.is_simulated() {
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        if let Some(delivery) = self.look_around() {
            return Poll::Ready(Some(delivery));
        }
        self.channel.register(context.waker());
        let is_over = |it: &Self| it.bus.is_closed() || it.channel.presence.is_over();
        // A source shows its events and then takes the waker: it finds ours, or we find them.
        let (over, delivery) = last_look(self, is_over, Self::try_next);
        match delivery {
            Some(delivery) => Poll::Ready(Some(delivery)),
            // What came before the subscription may still be on its way, and has the channel woken.
            None if over && !self.inlets.iter().any(Inlet::is_behind) => {
                self.over = true;
                Poll::Ready(None)
            }
            None => {
                self.turns.waits();
                Poll::Pending
            }
        }
    }

    fn take_from(&mut self, source: usize) -> Option<Delivery<E>> {
        let delivery = self.inlets[source].take(&self.bus, &self.channel)?;
        if let Delivery::Gap(gap) = &delivery {
            self.lagged += gap.len();
        }
        Some(delivery)
    }

    /// Why the subscription has ended before its system: its last event or gap may still have to be delivered.
    pub fn end_reason(&self) -> Option<&EndReason> {
        self.channel.end_reason()
    }

    /// The error itself, if the subscription has ended because its [log](super::log) could not be read.
    pub fn log_error(&self) -> Option<&LogError> {
        self.inlets.iter().find_map(Inlet::failed)
    }

    /// Where the subscription has come to: the position of the next event of each of its cores, or one
    /// before it where none has come yet. A core that it has yet to begin with, at its oldest event, is left out, and
    /// whoever goes on there begins so as well. Hand it to [`Events::from`](super::Events::from) to go on there
    /// with another subscription.
    pub fn position(&self) -> Cursor {
        let position = |(core, inlet): (usize, &Inlet<E>)| {
            let wanted = self.channel.state(core) != end::NEVER;
            wanted.then(|| inlet.next()).flatten()
        };
        self.inlets.iter().enumerate().filter_map(position).collect()
    }

    /// What has become of the events of each core, by core.
    pub fn lanes(&self) -> Vec<LaneStatus> {
        let sources = 0..self.inlets.len();
        sources
            .filter(|source| self.channel.state(*source) != end::NEVER)
            .map(|source| {
                let stats = self.channel.stats(source);
                LaneStatus::of(source, self.channel.capacity, stats, self.inlets[source].received())
            })
            .collect()
    }
}

/// The next event or gap of a subscription; made by [`Subscription::next`].
#[derive(Debug)]
#[must_use = "futures do nothing unless they are awaited"]
pub struct Next<'a, E: Send + Clone + 'static>(&'a mut Subscription<E>);

impl<E: Send + Clone + 'static> Future for Next<'_, E> {
    type Output = Option<Delivery<E>>;

    #[expect(clippy::inline_always, reason = "copies of the event cost more than the rest")]
    #[inline(always)]
    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Delivery<E>>> {
        self.0.poll_delivery(context)
    }
}

impl<E: Send + Clone + 'static> Stream for Subscription<E> {
    type Item = Delivery<E>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Delivery<E>>> {
        self.get_mut().poll_delivery(context)
    }
}

impl<E: Send + Clone + 'static> FusedStream for Subscription<E> {
    fn is_terminated(&self) -> bool {
        self.over
    }
}

impl<E: Send + Clone + 'static> Unpin for Subscription<E> {}

impl<E: Send + Clone + 'static> Drop for Subscription<E> {
    fn drop(&mut self) {
        for (source, inlet) in self.inlets.iter().enumerate() {
            self.channel.set_received(source, &inlet.received());
        }
        self.bus.unsubscribe(&self.channel);
    }
}

impl<E: Send + Clone + 'static> fmt::Debug for Subscription<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Subscription").field("lagged", &self.lagged).finish_non_exhaustive()
    }
}
