//! The data plane's end.

use std::fmt;
#[cfg(target_os = "linux")]
use std::io;
use std::sync::Arc;

use super::{Watch, may_block};
use crate::bridge::pipe::{
    Closed, PipeReceiver, PipeSender, SendError, TryRecvError, TrySendError,
};
use crate::bridge::pressure::Pressure;
#[cfg(target_os = "linux")]
use crate::bridge::ready_fd::ReadyFd;
use crate::client::block::block_on;
use crate::pinned::PinnedToCore;

/// The data plane's end on its way to its thread; [`Self::pin`] it there.
pub struct DataHandle<Q, R> {
    /// Dropped before the responses, as in [`ControlHandle`](super::ControlHandle).
    incoming: PipeReceiver<Q>,
    responses: PipeSender<R>,
    pressure: Arc<Watch<Q>>,
    #[cfg(target_os = "linux")]
    request_fd: Option<ReadyFd>,
    #[cfg(target_os = "linux")]
    response_space_fd: Option<ReadyFd>,
}

impl<Q, R> DataHandle<Q, R> {
    pub(super) fn new(
        incoming: PipeReceiver<Q>,
        responses: PipeSender<R>,
        pressure: Arc<Watch<Q>>,
    ) -> Self {
        Self {
            incoming,
            responses,
            pressure,
            #[cfg(target_os = "linux")]
            request_fd: None,
            #[cfg(target_os = "linux")]
            response_space_fd: None,
        }
    }

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

    /// A descriptor that says when there is a request, or the control end is gone; see [`ReadyFd`].
    ///
    /// # Errors
    ///
    /// The process or the system has no descriptors left.
    #[cfg(target_os = "linux")]
    pub fn request_fd(&mut self) -> io::Result<ReadyFd> {
        ReadyFd::of(self.incoming.waiting(), &mut self.request_fd)
    }

    /// A descriptor that says when there is room for a response, or the control end is gone; see
    /// [`ReadyFd`].
    ///
    /// # Errors
    ///
    /// The process or the system has no descriptors left.
    #[cfg(target_os = "linux")]
    pub fn response_space_fd(&mut self) -> io::Result<ReadyFd> {
        ReadyFd::of(self.responses.waiting(), &mut self.response_space_fd)
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
        self.inner.incoming.recv().await
    }

    /// As [`Self::recv`], blocking this thread.
    ///
    /// # Errors
    ///
    /// The control end is gone and all its requests have been received.
    ///
    /// # Panics
    ///
    /// On a core's own thread, which must not block.
    pub fn recv_blocking(&mut self) -> Result<Q, Closed> {
        may_block();
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
        self.inner.responses.send(response).await
    }

    /// As [`Self::send`], blocking this thread.
    ///
    /// # Errors
    ///
    /// Hands the response back when the control end is gone.
    ///
    /// # Panics
    ///
    /// On a core's own thread, which must not block.
    pub fn send_blocking(&mut self, response: R) -> Result<(), SendError<R>> {
        may_block();
        block_on(self.send(response))
    }

    /// Sends responses of `source` while there is room, and wakes the control end once for all of them;
    /// says how many.
    ///
    /// Those that do not fit stay in `source`: pass an iterator that you keep, as they go with one like
    /// `&mut items.drain(..)`. Takes nothing from it that is not sent.
    ///
    /// # Errors
    ///
    /// The control end is gone; nothing was taken.
    pub fn try_send_batch(
        &mut self,
        source: &mut impl Iterator<Item = R>,
    ) -> Result<usize, Closed> {
        self.inner.responses.try_send_batch(source)
    }

    /// Moves up to `max` requests into `into`, as soon as there is one; says how many. With a `max` of 0 nothing is
    /// waited for, and the answer is 0 also when the other end is gone.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future loses nothing.
    ///
    /// # Errors
    ///
    /// The control end is gone and all its requests have been received.
    pub async fn recv_many(&mut self, into: &mut Vec<Q>, max: usize) -> Result<usize, Closed> {
        self.inner.incoming.recv_many(into, max).await
    }

    /// Whether the control end is gone; requests that it left can still be received, and responses that it has not
    /// received [taken back](Self::reclaim). Its directions end one after the other, so receiving may say so a moment
    /// later.
    pub fn is_closed(&self) -> bool {
        self.inner.incoming.is_closed() || self.inner.responses.is_closed()
    }

    /// Takes back the oldest response that the control end has not received, once that end is gone.
    pub fn reclaim(&mut self) -> Option<R> {
        self.inner.responses.reclaim()
    }

    /// How full the request ring is. Judged by each look of either end: a fill that nobody looked at leaves no trace.
    pub fn pressure(&self) -> Pressure {
        self.inner.pressure.level()
    }

    /// A descriptor that says when there is a request, or the control end is gone; see [`ReadyFd`].
    ///
    /// # Errors
    ///
    /// The process or the system has no descriptors left.
    #[cfg(target_os = "linux")]
    pub fn request_fd(&mut self) -> io::Result<ReadyFd> {
        self.inner.request_fd()
    }

    /// A descriptor that says when there is room for a response, or the control end is gone; see
    /// [`ReadyFd`].
    ///
    /// # Errors
    ///
    /// The process or the system has no descriptors left.
    #[cfg(target_os = "linux")]
    pub fn response_space_fd(&mut self) -> io::Result<ReadyFd> {
        self.inner.response_space_fd()
    }

    /// Arms [`request_fd`](Self::request_fd): true when it is time to sleep until that is readable,
    /// false when there is a request already or the control end is gone.
    ///
    /// # Panics
    ///
    /// Nobody has got the descriptor yet.
    #[cfg(target_os = "linux")]
    #[must_use = "after `false` there is something to do, of which the descriptor will not tell"]
    pub fn arm_request_fd(&mut self) -> bool {
        self.inner.incoming.arm()
    }

    /// Arms [`response_space_fd`](Self::response_space_fd): true when it is time to sleep until that is readable,
    /// false when there is room for a response already or the control end is gone.
    ///
    /// # Panics
    ///
    /// Nobody has got the descriptor yet.
    #[cfg(target_os = "linux")]
    #[must_use = "after `false` there is something to do, of which the descriptor will not tell"]
    pub fn arm_response_space_fd(&mut self) -> bool {
        self.inner.responses.arm()
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
            .field("closed", &self.is_closed())
            .finish_non_exhaustive()
    }
}
