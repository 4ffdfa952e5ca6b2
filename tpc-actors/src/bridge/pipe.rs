//! One direction of a bridge: a ring whose ends can wait for each other.

use std::fmt;
use std::future::poll_fn;
use std::task::{Context, Poll, ready};

use crossbeam_utils::CachePadded;

use super::ring::{CapacityError, Consumer, Gauge, Producer, ring};
use super::waiting::Waiting;
use crate::sync::{Arc, intact};

/// The other end of the bridge is gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the other end of the bridge is gone")]
pub struct Closed;

/// The other end of the bridge is gone; the value comes back.
#[derive(Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the other end of the bridge is gone")]
pub struct SendError<T>(pub T);

// Without the value, which need not be `Debug`: sockets and replies travel too.
impl<T> fmt::Debug for SendError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SendError(..)")
    }
}

impl<T> SendError<T> {
    /// The value that was not sent.
    pub fn into_inner(self) -> T {
        self.0
    }
}

/// Why nothing was sent; the value comes back.
#[derive(Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TrySendError<T> {
    /// No room now.
    #[error("the bridge is full")]
    Full(T),
    /// The other end is gone.
    #[error("the other end of the bridge is gone")]
    Closed(T),
}

impl<T> fmt::Debug for TrySendError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Full(_) => "Full(..)",
            Self::Closed(_) => "Closed(..)",
        })
    }
}

impl<T> TrySendError<T> {
    /// The value that was not sent.
    pub fn into_inner(self) -> T {
        match self {
            Self::Full(value) | Self::Closed(value) => value,
        }
    }
}

/// Why nothing was received.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TryRecvError {
    /// Nothing there now.
    #[error("the bridge is empty")]
    Empty,
    /// Nothing there, and the other end is gone.
    #[error("the other end of the bridge is gone")]
    Closed,
}

/// Who waits at the two ends of one ring. Padded: one end is in the other's way only when it waits.
#[derive(Debug)]
struct Waits {
    for_items: CachePadded<Waiting>,
    for_room: CachePadded<Waiting>,
}

/// Wakes the other side when it is dropped, and waits no more on its own: the last field of an end, so that the ring
/// closes first.
#[derive(Debug)]
struct WakeOther {
    waits: Arc<Waits>,
    own: fn(&Waits) -> &Waiting,
    other: fn(&Waits) -> &Waiting,
}

impl Drop for WakeOther {
    fn drop(&mut self) {
        (self.own)(&self.waits).leave();
        if intact!("pipe.close-wakes") {
            (self.other)(&self.waits).notify();
        }
    }
}

/// An iterator that panics has had its earlier items sent.
struct NotifyIfPanicking<'a>(&'a Waiting);

impl Drop for NotifyIfPanicking<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.notify();
        }
    }
}

/// The sending end.
#[derive(Debug)]
pub(super) struct PipeSender<T> {
    ring: Producer<T>,
    waits: Arc<Waits>,
    _wake: WakeOther,
}

/// The receiving end.
#[derive(Debug)]
pub(super) struct PipeReceiver<T> {
    ring: Consumer<T>,
    waits: Arc<Waits>,
    _wake: WakeOther,
}

/// Both ends of a pipe, and a view of its fill.
type Pipe<T> = (PipeSender<T>, PipeReceiver<T>, Gauge<T>);

pub(super) fn pipe<T>(capacity: usize) -> Result<Pipe<T>, CapacityError> {
    let (producer, consumer) = ring(capacity)?;
    let gauge = producer.gauge();
    let waiting = || CachePadded::new(Waiting::new());
    let waits = Arc::new(Waits { for_items: waiting(), for_room: waiting() });
    let wake = |own, other| WakeOther { waits: Arc::clone(&waits), own, other };
    let sender = PipeSender {
        ring: producer,
        waits: Arc::clone(&waits),
        _wake: wake(|waits| &waits.for_room, |waits| &waits.for_items),
    };
    let receiver = PipeReceiver {
        ring: consumer,
        waits: Arc::clone(&waits),
        _wake: wake(|waits| &waits.for_items, |waits| &waits.for_room),
    };
    Ok((sender, receiver, gauge))
}

impl<T> PipeSender<T> {
    #[inline]
    pub(super) fn try_send(&mut self, value: T) -> Result<(), TrySendError<T>> {
        if self.ring.is_closed() {
            return Err(TrySendError::Closed(value));
        }
        self.ring.push(value).map_err(TrySendError::Full)?;
        self.waits.for_items.notify();
        Ok(())
    }

    /// Sends items of `source` while there is room, and wakes once for all of them.
    pub(super) fn try_send_batch(
        &mut self,
        source: &mut impl Iterator<Item = T>,
    ) -> Result<usize, Closed> {
        if self.ring.is_closed() {
            return Err(Closed);
        }
        let told = NotifyIfPanicking(&self.waits.for_items);
        let count = self.ring.push_batch(source);
        if count > 0 && intact!("pipe.batch-wakes") {
            told.0.notify();
        }
        Ok(count)
    }

    /// Whether a try would do more than say that the ring is full.
    fn would_tell(&mut self) -> bool {
        self.ring.free() > 0 || self.ring.is_closed()
    }

    /// Sends what is in `value` as soon as there is room.
    pub(super) fn poll_send(
        &mut self,
        value: &mut Option<T>,
        context: &Context<'_>,
    ) -> Poll<Result<(), SendError<T>>> {
        if !self.would_tell() {
            self.waits.for_room.register(context.waker());
            if !intact!("pipe.room-recheck") || !self.would_tell() {
                return Poll::Pending;
            }
        }
        let message = value.take().expect("polled after it was ready");
        match self.try_send(message) {
            Ok(()) => Poll::Ready(Ok(())),
            // Nobody else sends, so the room is still there unless the ring has closed.
            Err(refused) => Poll::Ready(Err(SendError(refused.into_inner()))),
        }
    }

    /// The same, awaited.
    pub(super) async fn send(&mut self, value: T) -> Result<(), SendError<T>> {
        let mut value = Some(value);
        poll_fn(|context| self.poll_send(&mut value, context)).await
    }

    pub(super) fn is_closed(&self) -> bool {
        self.ring.is_closed()
    }

    /// Takes the oldest item back that was not received, once the receiving end is gone.
    pub(super) fn reclaim(&mut self) -> Option<T> {
        self.ring.reclaim()
    }

    /// Who waits for room.
    pub(super) fn waiting(&self) -> &Waiting {
        &self.waits.for_room
    }

    /// Arms the descriptor for room; false when there is no reason to wait.
    pub(super) fn arm(&mut self) -> bool {
        self.waits.for_room.check_descriptor();
        if self.would_tell() {
            return false;
        }
        self.waits.for_room.arm();
        let wait = !intact!("pipe.room-recheck") || !self.would_tell();
        if !wait {
            self.waits.for_room.disarm();
        }
        wait
    }
}

impl<T> PipeReceiver<T> {
    #[inline]
    pub(super) fn try_recv(&mut self) -> Result<T, TryRecvError> {
        if self.ring.available() == 0 {
            // Asked in this order: what was sent before the close is found by the second look.
            let closed = self.ring.is_closed();
            if self.ring.available() == 0 {
                return Err(if closed { TryRecvError::Closed } else { TryRecvError::Empty });
            }
        }
        let Some(value) = self.ring.pop() else { return Err(TryRecvError::Empty) };
        self.waits.for_room.notify();
        Ok(value)
    }

    /// Whether a try would do more than say that the ring is empty.
    fn would_tell(&mut self) -> bool {
        self.ring.available() > 0 || self.ring.is_closed()
    }

    /// Ready as soon as a try would get an item, or hear that there will never be one.
    fn poll_news(&mut self, context: &Context<'_>) -> Poll<()> {
        if self.would_tell() {
            return Poll::Ready(());
        }
        self.waits.for_items.register(context.waker());
        if intact!("pipe.items-recheck") && self.would_tell() {
            return Poll::Ready(());
        }
        Poll::Pending
    }

    pub(super) fn poll_recv(&mut self, context: &Context<'_>) -> Poll<Result<T, Closed>> {
        ready!(self.poll_news(context));
        // Nobody else receives, so it is there, unless the ring has closed.
        Poll::Ready(self.try_recv().map_err(|_| Closed))
    }

    /// The same, awaited.
    pub(super) async fn recv(&mut self) -> Result<T, Closed> {
        poll_fn(|context| self.poll_recv(context)).await
    }

    /// Moves up to `max` items into `into`, as soon as there is one.
    pub(super) async fn recv_many(
        &mut self,
        into: &mut Vec<T>,
        max: usize,
    ) -> Result<usize, Closed> {
        poll_fn(|context| self.poll_recv_many(into, max, context)).await
    }

    fn poll_recv_many(
        &mut self,
        into: &mut Vec<T>,
        max: usize,
        context: &Context<'_>,
    ) -> Poll<Result<usize, Closed>> {
        if max == 0 {
            return Poll::Ready(Ok(0));
        }
        ready!(self.poll_news(context));
        match self.drain(into, max) {
            0 => Poll::Ready(Err(Closed)),
            count => Poll::Ready(Ok(count)),
        }
    }

    pub(super) fn drain(&mut self, into: &mut Vec<T>, max: usize) -> usize {
        let mut count = self.ring.pop_batch(into, max);
        // The first one takes what was there when the ring was looked at last, the second what has come
        // since: larger batches are fewer wakes.
        count += self.ring.pop_batch(into, max - count);
        if count > 0 && intact!("pipe.drain-wakes") {
            self.waits.for_room.notify();
        }
        count
    }

    /// Who waits for items.
    pub(super) fn waiting(&self) -> &Waiting {
        &self.waits.for_items
    }

    /// Arms the descriptor for items; false when there is no reason to wait.
    pub(super) fn arm(&mut self) -> bool {
        self.waits.for_items.check_descriptor();
        if self.would_tell() {
            return false;
        }
        self.waits.for_items.arm();
        let wait = !intact!("pipe.items-recheck") || !self.would_tell();
        if !wait {
            self.waits.for_items.disarm();
        }
        wait
    }

    /// Whether the sending end is gone; items that it left can still be received.
    pub(super) fn is_closed(&self) -> bool {
        self.ring.is_closed()
    }
}

#[cfg(all(test, tpc_loom))]
mod model;
