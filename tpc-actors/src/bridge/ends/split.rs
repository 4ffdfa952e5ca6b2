//! The two directions of the control plane's end, each by itself.

use std::fmt;

use crate::bridge::pipe::{
    Closed, PipeReceiver, PipeSender, SendError, TryRecvError, TrySendError,
};

/// Sends requests; made by [`ControlHandle::split`](super::ControlHandle::split).
pub struct RequestSender<'a, Q>(pub(super) &'a mut PipeSender<Q>);

impl<Q> RequestSender<'_, Q> {
    /// Sends a request if there is room now.
    ///
    /// # Errors
    ///
    /// Hands the request back when the bridge is full or the data end is gone.
    pub fn try_send(&mut self, request: Q) -> Result<(), TrySendError<Q>> {
        self.0.try_send(request)
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
        self.0.send(request).await
    }

    /// Sends requests of `source` while there is room, and wakes the data end once for all of them;
    /// says how many. Those that do not fit stay in `source`.
    ///
    /// # Errors
    ///
    /// The data end is gone; nothing was taken.
    pub fn try_send_batch(
        &mut self,
        source: &mut impl Iterator<Item = Q>,
    ) -> Result<usize, Closed> {
        self.0.try_send_batch(source)
    }
}

impl<Q> fmt::Debug for RequestSender<'_, Q> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RequestSender").finish_non_exhaustive()
    }
}

/// Receives responses; made by [`ControlHandle::split`](super::ControlHandle::split).
pub struct ResponseReceiver<'a, R>(pub(super) &'a mut PipeReceiver<R>);

impl<R> ResponseReceiver<'_, R> {
    /// Takes the oldest response if there is one.
    ///
    /// # Errors
    ///
    /// There is none now, or there will never be one.
    pub fn try_recv(&mut self) -> Result<R, TryRecvError> {
        self.0.try_recv()
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
        self.0.recv().await
    }

    /// Moves up to `max` responses into `into`, as soon as there is one; says how many. With a `max` of 0 nothing is
    /// waited for.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future loses nothing.
    ///
    /// # Errors
    ///
    /// The data end is gone and all its responses have been received.
    pub async fn recv_many(&mut self, into: &mut Vec<R>, max: usize) -> Result<usize, Closed> {
        self.0.recv_many(into, max).await
    }

    /// Moves up to `max` responses into `into`; says how many. Never waits.
    pub fn drain(&mut self, into: &mut Vec<R>, max: usize) -> usize {
        self.0.drain(into, max)
    }
}

impl<R> fmt::Debug for ResponseReceiver<'_, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseReceiver").finish_non_exhaustive()
    }
}
