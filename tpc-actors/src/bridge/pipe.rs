//! One direction of a bridge: a ring whose ends can wait for each other.

use std::sync::atomic::{AtomicBool, Ordering, fence};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Waker};

use super::ring::{CapacityError, Consumer, Gauge, Producer, ring};

/// The other end of the bridge is gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the other end of the bridge is gone")]
pub struct Closed;

/// The other end of the bridge is gone; the value comes back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the other end of the bridge is gone")]
pub struct SendError<T>(pub T);

impl<T> SendError<T> {
    /// The value that was not sent.
    pub fn into_inner(self) -> T {
        self.0
    }
}

/// Why nothing was sent; the value comes back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TrySendError<T> {
    /// No room now.
    #[error("the bridge is full")]
    Full(T),
    /// The other end is gone.
    #[error("the other end of the bridge is gone")]
    Closed(T),
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

/// Somebody who may wait for the other side of the ring.
#[derive(Debug, Default)]
struct Waiting {
    /// Whether `waker` is to be woken; written by read-modify-writes only.
    flag: AtomicBool,
    waker: Mutex<Option<Waker>>,
}

impl Waiting {
    /// Leaves the waker. The caller must look at the ring once more after this.
    fn register(&self, waker: &Waker) {
        *self.waker.lock().unwrap_or_else(PoisonError::into_inner) = Some(waker.clone());
        self.flag.swap(true, Ordering::AcqRel);
        // Pairs with the fence in `notify`: we see the ring's new position or they see the flag.
        fence(Ordering::SeqCst);
    }

    /// Wakes whoever waits. The caller has published its position.
    fn notify(&self) {
        fence(Ordering::SeqCst);
        if self.flag.load(Ordering::Relaxed) && self.flag.swap(false, Ordering::AcqRel) {
            let waker = self.waker.lock().unwrap_or_else(PoisonError::into_inner).take();
            if let Some(waker) = waker {
                waker.wake();
            }
        }
    }
}

#[derive(Debug, Default)]
struct Waits {
    for_items: Waiting,
    for_room: Waiting,
}

/// Wakes the other side when it is dropped: the last field of an end, so that the ring closes first.
#[derive(Debug)]
struct WakeOther {
    waits: Arc<Waits>,
    which: fn(&Waits) -> &Waiting,
}

impl Drop for WakeOther {
    fn drop(&mut self) {
        (self.which)(&self.waits).notify();
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
    let waits = Arc::<Waits>::default();
    let other = |which| WakeOther { waits: Arc::clone(&waits), which };
    let sender = PipeSender {
        ring: producer,
        waits: Arc::clone(&waits),
        _wake: other(|waits| &waits.for_items),
    };
    let receiver = PipeReceiver {
        ring: consumer,
        waits: Arc::clone(&waits),
        _wake: other(|waits| &waits.for_room),
    };
    Ok((sender, receiver, gauge))
}

impl<T> PipeSender<T> {
    pub(super) fn try_send(&mut self, value: T) -> Result<(), TrySendError<T>> {
        if self.ring.is_closed() {
            return Err(TrySendError::Closed(value));
        }
        self.ring.push(value).map_err(TrySendError::Full)?;
        self.waits.for_items.notify();
        Ok(())
    }

    /// Sends what is in `value` as soon as there is room.
    pub(super) fn poll_send(
        &mut self,
        value: &mut Option<T>,
        context: &Context<'_>,
    ) -> Poll<Result<(), SendError<T>>> {
        let mut registered = false;
        loop {
            let message = value.take().expect("polled after it was ready");
            match self.try_send(message) {
                Ok(()) => return Poll::Ready(Ok(())),
                Err(TrySendError::Closed(message)) => return Poll::Ready(Err(SendError(message))),
                Err(TrySendError::Full(message)) => *value = Some(message),
            }
            if registered {
                return Poll::Pending;
            }
            self.waits.for_room.register(context.waker());
            registered = true;
        }
    }
}

impl<T> PipeReceiver<T> {
    pub(super) fn try_recv(&mut self) -> Result<T, TryRecvError> {
        // Asked first: what was sent before the close is then still found.
        let closed = self.ring.is_closed();
        match self.ring.pop() {
            Some(value) => {
                self.waits.for_room.notify();
                Ok(value)
            }
            None if closed => Err(TryRecvError::Closed),
            None => Err(TryRecvError::Empty),
        }
    }

    pub(super) fn poll_recv(&mut self, context: &Context<'_>) -> Poll<Result<T, Closed>> {
        let mut registered = false;
        loop {
            match self.try_recv() {
                Ok(value) => return Poll::Ready(Ok(value)),
                Err(TryRecvError::Closed) => return Poll::Ready(Err(Closed)),
                Err(TryRecvError::Empty) if registered => return Poll::Pending,
                Err(TryRecvError::Empty) => {}
            }
            self.waits.for_items.register(context.waker());
            registered = true;
        }
    }

    pub(super) fn drain(&mut self, into: &mut Vec<T>, max: usize) -> usize {
        let count = self.ring.drain(max, |value| into.push(value));
        if count > 0 {
            self.waits.for_room.notify();
        }
        count
    }
}
