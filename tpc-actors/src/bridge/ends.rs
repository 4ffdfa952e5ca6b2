//! The two ends of a raw bridge.

use std::fmt;
use std::future::poll_fn;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use super::pipe::{Closed, PipeReceiver, PipeSender, SendError, TryRecvError, TrySendError, pipe};
use super::pressure::{BridgeConfig, BridgeError, Levels, Pressure};
use super::ring::Gauge;
use crate::client::block::block_on;
use crate::pinned::PinnedToCore;

/// Both ends of a bridge.
type Ends<Q, R> = (ControlHandle<Q, R>, DataHandle<Q, R>);

/// Builds a bridge and splits it into its two ends.
///
/// # Errors
///
/// A capacity is 0 or does not fit in memory, or the thresholds contradict themselves.
pub fn channel<Q: Send, R: Send>(config: BridgeConfig) -> Result<Ends<Q, R>, BridgeError> {
    let levels = Levels::new(config.thresholds, config.request_capacity)?;
    let (requests, incoming, gauge) = pipe(config.request_capacity)?;
    let (responses, answers, _) = pipe(config.response_capacity)?;
    let pressure = Arc::new(Watch { gauge, levels, level: AtomicU8::new(0) });
    let control = ControlHandle { requests, answers, pressure: Arc::clone(&pressure) };
    Ok((control, DataHandle { incoming, responses, pressure }))
}

/// The level of the request ring, as both ends see it.
struct Watch<Q> {
    gauge: Gauge<Q>,
    levels: Levels,
    level: AtomicU8,
}

impl<Q> Watch<Q> {
    /// Judged anew by every look, so the level falls when the ring drains, whoever sends or does not.
    fn level(&self) -> Pressure {
        let before = match self.level.load(Ordering::Relaxed) {
            0 => Pressure::Normal,
            1 => Pressure::Throttled,
            _ => Pressure::Suspended,
        };
        let level = self.levels.next(before, self.gauge.len());
        if level != before {
            self.level.store(level as u8, Ordering::Relaxed);
        }
        level
    }
}

/// The control plane's end: sends requests, receives responses. `Send`, one owner at a time.
pub struct ControlHandle<Q, R> {
    requests: PipeSender<Q>,
    answers: PipeReceiver<R>,
    pressure: Arc<Watch<Q>>,
}

impl<Q, R> ControlHandle<Q, R> {
    /// Sends a request if there is room now.
    ///
    /// # Errors
    ///
    /// Hands the request back when the bridge is full or the data end is gone.
    pub fn try_send(&mut self, request: Q) -> Result<(), TrySendError<Q>> {
        self.requests.try_send(request)
    }

    /// Sends a request as soon as there is room.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future before it is ready drops the request unsent.
    ///
    /// # Errors
    ///
    /// Hands the request back when the data end is gone.
    pub async fn send(&mut self, request: Q) -> Result<(), SendError<Q>> {
        let mut request = Some(request);
        poll_fn(|context| self.requests.poll_send(&mut request, context)).await
    }

    /// As [`Self::send`], blocking this thread.
    ///
    /// # Errors
    ///
    /// Hands the request back when the data end is gone.
    pub fn send_blocking(&mut self, request: Q) -> Result<(), SendError<Q>> {
        block_on(self.send(request))
    }

    /// Takes the oldest response if there is one.
    ///
    /// # Errors
    ///
    /// There is none now, or there will never be one.
    pub fn try_recv(&mut self) -> Result<R, TryRecvError> {
        self.answers.try_recv()
    }

    /// The oldest response, as soon as there is one.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future loses nothing.
    ///
    /// # Errors
    ///
    /// The data end is gone and all its responses have been received.
    pub async fn recv(&mut self) -> Result<R, Closed> {
        poll_fn(|context| self.answers.poll_recv(context)).await
    }

    /// As [`Self::recv`], blocking this thread.
    ///
    /// # Errors
    ///
    /// The data end is gone and all its responses have been received.
    pub fn recv_blocking(&mut self) -> Result<R, Closed> {
        block_on(self.recv())
    }

    /// Moves up to `max` responses into `into`; says how many. Never waits.
    pub fn drain(&mut self, into: &mut Vec<R>, max: usize) -> usize {
        self.answers.drain(into, max)
    }

    /// How full the request ring is.
    pub fn pressure(&self) -> Pressure {
        self.pressure.level()
    }
}

impl<Q, R> fmt::Debug for ControlHandle<Q, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ControlHandle").field("pressure", &self.pressure()).finish_non_exhaustive()
    }
}

/// The data plane's end on its way to its thread; [`Self::pin`] it there.
pub struct DataHandle<Q, R> {
    incoming: PipeReceiver<Q>,
    responses: PipeSender<R>,
    pressure: Arc<Watch<Q>>,
}

impl<Q, R> DataHandle<Q, R> {
    /// Ties the end to this thread: what comes out cannot leave it.
    ///
    /// ```compile_fail
    /// use tpc_actors::bridge::{self, BridgeConfig};
    ///
    /// let (_control, data) = bridge::channel::<u8, u8>(BridgeConfig::new(1, 1)).unwrap();
    /// let mut data = data.pin();
    /// std::thread::spawn(move || data.try_recv());
    /// ```
    pub fn pin(self) -> PinnedDataHandle<Q, R> {
        PinnedDataHandle { inner: self, _pinned: PinnedToCore::default() }
    }
}

impl<Q, R> fmt::Debug for DataHandle<Q, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DataHandle").finish_non_exhaustive()
    }
}

/// The data plane's end on its thread: receives requests, sends responses. Not `Send`.
pub struct PinnedDataHandle<Q, R> {
    inner: DataHandle<Q, R>,
    _pinned: PinnedToCore,
}

impl<Q, R> PinnedDataHandle<Q, R> {
    /// Takes the oldest request if there is one.
    ///
    /// # Errors
    ///
    /// There is none now, or there will never be one.
    pub fn try_recv(&mut self) -> Result<Q, TryRecvError> {
        self.inner.incoming.try_recv()
    }

    /// The oldest request, as soon as there is one.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future loses nothing.
    ///
    /// # Errors
    ///
    /// The control end is gone and all its requests have been received.
    pub async fn recv(&mut self) -> Result<Q, Closed> {
        poll_fn(|context| self.inner.incoming.poll_recv(context)).await
    }

    /// As [`Self::recv`], blocking this thread.
    ///
    /// # Errors
    ///
    /// The control end is gone and all its requests have been received.
    pub fn recv_blocking(&mut self) -> Result<Q, Closed> {
        block_on(self.recv())
    }

    /// Moves up to `max` requests into `into`; says how many. Never waits.
    pub fn drain(&mut self, into: &mut Vec<Q>, max: usize) -> usize {
        self.inner.incoming.drain(into, max)
    }

    /// Sends a response if there is room now.
    ///
    /// # Errors
    ///
    /// Hands the response back when the bridge is full or the control end is gone.
    pub fn try_send(&mut self, response: R) -> Result<(), TrySendError<R>> {
        self.inner.responses.try_send(response)
    }

    /// Sends a response as soon as there is room.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future before it is ready drops the response unsent.
    ///
    /// # Errors
    ///
    /// Hands the response back when the control end is gone.
    pub async fn send(&mut self, response: R) -> Result<(), SendError<R>> {
        let mut response = Some(response);
        poll_fn(|context| self.inner.responses.poll_send(&mut response, context)).await
    }

    /// As [`Self::send`], blocking this thread.
    ///
    /// # Errors
    ///
    /// Hands the response back when the control end is gone.
    pub fn send_blocking(&mut self, response: R) -> Result<(), SendError<R>> {
        block_on(self.send(response))
    }

    /// How full the request ring is.
    pub fn pressure(&self) -> Pressure {
        self.inner.pressure.level()
    }

    /// Whether the senders should send less.
    pub fn should_throttle(&self) -> bool {
        self.pressure() >= Pressure::Throttled
    }

    /// Whether the senders should stop for now.
    pub fn should_suspend(&self) -> bool {
        self.pressure() >= Pressure::Suspended
    }
}

impl<Q, R> fmt::Debug for PinnedDataHandle<Q, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PinnedDataHandle")
            .field("pressure", &self.pressure())
            .finish_non_exhaustive()
    }
}
