//! The handle for code that already runs on the actor's core: no ring, no other thread, not `Send`.
//!
//! Generated `XPinned` types wrap [`Pinned`]. They are made by [`Ctx::pinned`](crate::Ctx::pinned) and
//! used by tasks of the same core and by other actors there. Requests queue locally and are run by the
//! loop after the handler that sent them has returned, so no handler is ever entered twice. A task's ask of an
//! actor that has nothing else to do is answered within its poll.

mod here;
mod queue;

use std::fmt;
use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use crate::actor::Actor;
use crate::client::{Decode, WakerIdentity};
use crate::error::{AskError, TellError};
use crate::mailbox::waiters::WaiterId;
use crate::mailbox::{Refusal, Shortage};
use crate::reply::slot::{Polled, Ticket};

use here::Here;
pub(crate) use queue::LocalMailbox;

/// Keeps what holds it on the thread of its core; named so that rustc's notes say why.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct PinnedToCore(PhantomData<*mut ()>);

/// The untyped part of a generated `XPinned`.
pub struct Pinned<A: Actor> {
    inner: Rc<LocalMailbox<A>>,
    _pinned: PinnedToCore,
}

impl<A: Actor> Pinned<A> {
    pub(crate) fn new(inner: Rc<LocalMailbox<A>>) -> Self {
        Self { inner, _pinned: PinnedToCore::default() }
    }

    /// Asks; used by generated methods.
    #[inline]
    pub fn ask<T, E>(
        &self,
        request: A::Request,
        decode: Decode<A, T, E>,
    ) -> PinnedAsk<'_, A, T, E> {
        PinnedAsk {
            to: &self.inner,
            request: Some(request),
            decode,
            waiting: None,
            ticket: None,
            waker: None,
            _pinned: PinnedToCore::default(),
        }
    }

    /// Tells; used by generated methods.
    #[inline]
    pub fn tell(&self, request: A::Request) -> PinnedTell<'_, A> {
        PinnedTell {
            to: &self.inner,
            request: Some(request),
            waiting: None,
            _pinned: PinnedToCore::default(),
        }
    }
}

impl<A: Actor> Clone for Pinned<A> {
    fn clone(&self) -> Self {
        Self::new(Rc::clone(&self.inner))
    }
}

impl<A: Actor> fmt::Debug for Pinned<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pinned").field("actor", &A::NAME).finish_non_exhaustive()
    }
}

/// A tell to an actor on the same core: `.await` waits for room, `.now()` refuses at once.
///
/// # Cancel safety
///
/// Dropping it before it is ready drops the message unsent.
#[must_use = "a tell does nothing until it is awaited or sent with `.now()`"]
pub struct PinnedTell<'a, A: Actor> {
    to: &'a Rc<LocalMailbox<A>>,
    request: Option<A::Request>,
    waiting: Option<(Shortage, WaiterId)>,
    _pinned: PinnedToCore,
}

impl<A: Actor> PinnedTell<'_, A> {
    /// Sends now or not at all.
    ///
    /// # Errors
    ///
    /// Hands the message back when there is no room, or the actor has stopped.
    ///
    /// # Panics
    ///
    /// It has been polled to its end.
    #[expect(clippy::inline_always, reason = "a copy of the request costs more than the rest")]
    #[inline(always)]
    pub fn now(mut self) -> Result<(), TellError<A::Request>> {
        let request = self.request.take().expect("a tell is sent once");
        self.to.send(request).map_err(|(refusal, request)| refusal.with(request))
    }
}

impl<A: Actor> Unpin for PinnedTell<'_, A> {}

impl<A: Actor> Future for PinnedTell<'_, A> {
    type Output = Result<(), TellError<A::Request>>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        let sent = poll_send(this.to, &mut this.request, &mut this.waiting, false, context);
        sent.map(|sent| sent.map(drop))
    }
}

impl<A: Actor> Drop for PinnedTell<'_, A> {
    #[inline]
    fn drop(&mut self) {
        leave_line(self.to, &mut self.waiting);
    }
}

impl<A: Actor> fmt::Debug for PinnedTell<'_, A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PinnedTell").field("request", &self.request).finish_non_exhaustive()
    }
}

/// An ask on its way: where its answer comes, and whose waker went along.
#[derive(Clone, Copy)]
struct Asked {
    ticket: Ticket,
    waker: WakerIdentity,
}

/// Sends as soon as there is room.
fn poll_send<A: Actor>(
    to: &LocalMailbox<A>,
    request: &mut Option<A::Request>,
    waiting: &mut Option<(Shortage, WaiterId)>,
    ask: bool,
    context: &Context<'_>,
) -> Poll<Result<Option<Asked>, TellError<A::Request>>> {
    if let Some((shortage, id)) = *waiting
        && to.mailbox.refusal().is_none()
        && to.line(shortage).still_waiting(id, context.waker())
    {
        return Poll::Pending;
    }
    let message = request.take().expect("polled after it was ready");
    // Who comes new lines up behind those that wait.
    let ahead = |shortage| waiting.is_none() && to.line(shortage).any();
    let sent = if ahead(Shortage::Place) {
        Err((Refusal::Full(Shortage::Place), message))
    } else if ask && ahead(Shortage::Slot) {
        Err((Refusal::Full(Shortage::Slot), message))
    } else if ask {
        // That of the clone: it stays its own for as long as the slot may wake it.
        let waker = context.waker().clone();
        let identity = WakerIdentity::of(&waker);
        to.send_ask(message, Some(waker)).map(|ticket| Some(Asked { ticket, waker: identity }))
    } else {
        to.send(message).map(|()| None)
    };
    match sent {
        Err((Refusal::Full(shortage), message)) => {
            *request = Some(message);
            // Who comes back to the same line keeps its place.
            let id = waiting.take_if(|(line, _)| *line == shortage).map(|(_, id)| id);
            leave_line(to, waiting);
            // A deferred reply on another thread may free a slot at this very moment.
            let is_short = || to.shortage(ask) == Some(shortage);
            let id = to.line_up(shortage, id, context.waker().clone(), is_short);
            *waiting = Some((shortage, id));
            Poll::Pending
        }
        Err((refusal, message)) => {
            leave_line(to, waiting);
            Poll::Ready(Err(refusal.with(message)))
        }
        Ok(sent) => {
            *waiting = None;
            Poll::Ready(Ok(sent))
        }
    }
}

#[inline]
fn leave_line<A: Actor>(to: &LocalMailbox<A>, waiting: &mut Option<(Shortage, WaiterId)>) {
    if let Some((shortage, id)) = waiting.take() {
        to.line(shortage).leave(id);
    }
}

/// An ask to an actor on the same core, for tasks of that core.
///
/// A handler cannot await it; it uses [`Ctx::ask`](crate::Ctx::ask) with a client.
///
/// Of an actor that nothing waits for, the handler runs within the first poll, up to 32 times in a round of the
/// core's tasks; otherwise, and for `#[handler(batch = N)]`, the request waits behind what came before it. Whoever
/// polls an ask by hand holds no lock or borrow meanwhile that the handler needs.
///
/// # Cancel safety
///
/// Dropping it before the handler has begun means that the handler never runs.
#[must_use = "an ask does nothing until it is awaited"]
pub struct PinnedAsk<'a, A: Actor, T, E = std::convert::Infallible> {
    to: &'a Rc<LocalMailbox<A>>,
    request: Option<A::Request>,
    decode: Decode<A, T, E>,
    waiting: Option<(Shortage, WaiterId)>,
    ticket: Option<Ticket>,
    /// The waker that was left.
    waker: Option<WakerIdentity>,
    _pinned: PinnedToCore,
}

impl<A: Actor, T, E> PinnedAsk<'_, A, T, E> {
    /// Sends now or not at all; the returned ask only waits for the answer.
    ///
    /// # Errors
    ///
    /// Hands the request back when there is no room, or the actor has stopped.
    pub fn now(mut self) -> Result<Self, TellError<A::Request>> {
        // Who does not wait has no place among those that do.
        leave_line(self.to, &mut self.waiting);
        let Some(request) = self.request.take() else { return Ok(self) };
        match self.to.send_ask(request, None) {
            Ok(ticket) => {
                self.ticket = Some(ticket);
                Ok(self)
            }
            Err((refusal, request)) => Err(refusal.with(request)),
        }
    }
}

impl<A: Actor, T, E> Unpin for PinnedAsk<'_, A, T, E> {}

impl<A: Actor, T, E> Future for PinnedAsk<'_, A, T, E> {
    type Output = Result<T, AskError<E>>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        if this.ticket.is_none() && this.waiting.is_none() {
            match this.to.ask_here(&mut this.request) {
                Some(Here::Answered(outcome)) => {
                    return Poll::Ready(crate::client::decoded(this.decode, outcome));
                }
                Some(Here::Later(ticket)) => this.ticket = Some(ticket),
                Some(Here::AfterEnd(ticket)) => {
                    this.ticket = Some(ticket);
                    context.waker().wake_by_ref();
                    return Poll::Pending;
                }
                None => {}
            }
        }
        let Some(ticket) = this.ticket else {
            let sent = poll_send(this.to, &mut this.request, &mut this.waiting, true, context);
            if let Poll::Ready(sent) = sent {
                // The waker went along, and nothing on this core has run since.
                let sent = sent?;
                this.ticket = sent.map(|asked| asked.ticket);
                this.waker = sent.map(|asked| asked.waker);
            }
            return Poll::Pending;
        };
        let (fresh, left) = WakerIdentity::renewed(this.waker, context.waker());
        match this.to.poll(ticket, fresh) {
            Polled::Registered => {
                this.waker = left;
                Poll::Pending
            }
            Polled::Busy => Poll::Pending,
            Polled::Ready(outcome) => {
                this.ticket = None;
                Poll::Ready(crate::client::decoded(this.decode, outcome))
            }
        }
    }
}

impl<A: Actor, T, E> Drop for PinnedAsk<'_, A, T, E> {
    fn drop(&mut self) {
        leave_line(self.to, &mut self.waiting);
        if let Some(ticket) = self.ticket {
            drop(self.to.credit().leave(ticket));
        }
    }
}

impl<A: Actor, T, E> fmt::Debug for PinnedAsk<'_, A, T, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PinnedAsk").field("request", &self.request).finish_non_exhaustive()
    }
}
