//! The control plane's end.

use std::fmt;
#[cfg(target_os = "linux")]
use std::io;
use std::sync::Arc;

use super::split::{RequestSender, ResponseReceiver};
use super::{Watch, may_block};
use crate::bridge::pipe::{
    Closed, PipeReceiver, PipeSender, SendError, TryRecvError, TrySendError,
};
use crate::bridge::pressure::Pressure;
#[cfg(target_os = "linux")]
use crate::bridge::ready_fd::ReadyFd;
use crate::client::block::block_on;

/// The control plane's end: sends requests, receives responses. `Send`, one owner at a time.
///
/// Its futures know no scheduler, and no budget of Tokio's: an awaited call that finds what it wants does not yield. A
/// loop that may always find something lets others have their turn itself, by
/// [`recv_many`](Self::recv_many) and a `tokio::task::yield_now().await` behind it, for instance.
pub struct ControlHandle<Q, R> {
    /// Dropped before the requests: who finds that no more of these come can take back what was not received.
    answers: PipeReceiver<R>,
    requests: PipeSender<Q>,
    pressure: Arc<Watch<Q>>,
    #[cfg(target_os = "linux")]
    response_fd: Option<ReadyFd>,
    #[cfg(target_os = "linux")]
    request_space_fd: Option<ReadyFd>,
}

impl<Q, R> ControlHandle<Q, R> {
    pub(super) fn new(
        requests: PipeSender<Q>,
        answers: PipeReceiver<R>,
        pressure: Arc<Watch<Q>>,
    ) -> Self {
        Self {
            requests,
            answers,
            pressure,
            #[cfg(target_os = "linux")]
            response_fd: None,
            #[cfg(target_os = "linux")]
            request_space_fd: None,
        }
    }

    /// Both directions at once, for code that sends and receives at the same time.
    ///
    /// Who sends until there is no room, and receives only then, needs rings that hold all of it: a data end that does
    /// the same waits for room in the other ring meanwhile, and neither goes on.
    ///
    /// ```
    /// use tpc_actors::bridge::{self, BridgeConfig};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let (mut control, data) = bridge::channel::<u32, u32>(BridgeConfig::new(4, 4))?;
    /// let core = std::thread::spawn(move || {
    ///     let mut data = data.pin();
    ///     while let Ok(request) = data.recv_blocking() {
    ///         data.send_blocking(request * 2).unwrap();
    ///     }
    /// });
    /// let (mut requests, mut responses) = control.split();
    /// let (mut next, mut sum) = (0, 0);
    /// for _ in 0..100 {
    ///     loop {
    ///         tokio::select! {
    ///             response = responses.recv() => break sum += response?,
    ///             sent = requests.send(next), if next < 100 => {
    ///                 sent?;
    ///                 next += 1;
    ///             }
    ///         }
    ///     }
    /// }
    /// assert_eq!(sum, 9900);
    /// drop(control);
    /// core.join().unwrap();
    /// # Ok(())
    /// # }
    /// ```
    pub fn split(&mut self) -> (RequestSender<'_, Q>, ResponseReceiver<'_, R>) {
        (RequestSender(&mut self.requests), ResponseReceiver(&mut self.answers))
    }

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
        self.requests.send(request).await
    }

    /// As [`Self::send`], blocking this thread.
    ///
    /// # Errors
    ///
    /// Hands the request back when the data end is gone.
    ///
    /// # Panics
    ///
    /// On a core's own thread, which must not block.
    pub fn send_blocking(&mut self, request: Q) -> Result<(), SendError<Q>> {
        may_block();
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
        self.answers.recv().await
    }

    /// As [`Self::recv`], blocking this thread.
    ///
    /// # Errors
    ///
    /// The data end is gone and all its responses have been received.
    ///
    /// # Panics
    ///
    /// On a core's own thread, which must not block.
    pub fn recv_blocking(&mut self) -> Result<R, Closed> {
        may_block();
        block_on(self.recv())
    }

    /// Moves up to `max` responses into `into`; says how many. Never waits.
    pub fn drain(&mut self, into: &mut Vec<R>, max: usize) -> usize {
        self.answers.drain(into, max)
    }

    /// Sends requests of `source` while there is room, and wakes the data end once for all of them;
    /// says how many.
    ///
    /// Those that do not fit stay in `source`: pass an iterator that you keep, as they go with one like
    /// `&mut items.drain(..)`. Takes nothing from it that is not sent.
    ///
    /// # Errors
    ///
    /// The data end is gone; nothing was taken.
    pub fn try_send_batch(
        &mut self,
        source: &mut impl Iterator<Item = Q>,
    ) -> Result<usize, Closed> {
        self.requests.try_send_batch(source)
    }

    /// Moves up to `max` responses into `into`, as soon as there is one; says how many. With a `max` of 0 nothing is
    /// waited for, and the answer is 0 also when the other end is gone.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future loses nothing.
    ///
    /// # Errors
    ///
    /// The data end is gone and all its responses have been received.
    pub async fn recv_many(&mut self, into: &mut Vec<R>, max: usize) -> Result<usize, Closed> {
        self.answers.recv_many(into, max).await
    }

    /// Whether the data end is gone; responses that it left can still be received, and requests that it has not received
    /// [taken back](Self::reclaim). Its directions end one after the other, so receiving may say so a moment later.
    pub fn is_closed(&self) -> bool {
        self.answers.is_closed() || self.requests.is_closed()
    }

    /// Takes back the oldest request that the data end has not received, once that end is gone.
    ///
    /// Requests lie in the ring until they are taken back, or this end goes too: who waits for what one of them holds,
    /// the sender of a channel for instance, waits until then.
    pub fn reclaim(&mut self) -> Option<Q> {
        self.requests.reclaim()
    }

    /// How full the request ring is. Judged by each look of either end: a fill that nobody looked at leaves no trace.
    pub fn pressure(&self) -> Pressure {
        self.pressure.level()
    }

    /// A descriptor that says when there is a response, or the data end is gone; see [`ReadyFd`].
    ///
    /// # Errors
    ///
    /// The process or the system has no descriptors left.
    #[cfg(target_os = "linux")]
    pub fn response_fd(&mut self) -> io::Result<ReadyFd> {
        ReadyFd::of(self.answers.waiting(), &mut self.response_fd)
    }

    /// A descriptor that says when there is room for a request, or the data end is gone; see
    /// [`ReadyFd`].
    ///
    /// # Errors
    ///
    /// The process or the system has no descriptors left.
    #[cfg(target_os = "linux")]
    pub fn request_space_fd(&mut self) -> io::Result<ReadyFd> {
        ReadyFd::of(self.requests.waiting(), &mut self.request_space_fd)
    }

    /// Arms [`response_fd`](Self::response_fd): true when it is time to sleep until that is readable,
    /// false when there is a response already or the data end is gone.
    ///
    /// # Panics
    ///
    /// Nobody has got the descriptor yet.
    #[cfg(target_os = "linux")]
    #[must_use = "after `false` there is something to do, of which the descriptor will not tell"]
    pub fn arm_response_fd(&mut self) -> bool {
        self.answers.arm()
    }

    /// Arms [`request_space_fd`](Self::request_space_fd): true when it is time to sleep until that is readable,
    /// false when there is room for a request already or the data end is gone.
    ///
    /// # Panics
    ///
    /// Nobody has got the descriptor yet.
    #[cfg(target_os = "linux")]
    #[must_use = "after `false` there is something to do, of which the descriptor will not tell"]
    pub fn arm_request_space_fd(&mut self) -> bool {
        self.requests.arm()
    }
}

impl<Q, R> fmt::Debug for ControlHandle<Q, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ControlHandle").field("closed", &self.is_closed()).finish_non_exhaustive()
    }
}
