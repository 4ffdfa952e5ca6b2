//! The handle for code that already runs on the actor's core: no ring, no other thread, not `Send`.
//!
//! Generated `XPinned` types wrap [`Pinned`]. They are made by [`Ctx::pinned`](crate::Ctx::pinned) and
//! used by tasks of the same core and by other actors there. Requests queue locally and are run by the
//! loop after the handler that sent them has returned, so no handler is ever entered twice.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::fmt;
use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll};

use crate::actor::Actor;
use crate::client::Decode;
use crate::core_loop::Ctx;
use crate::core_loop::local::CoreLocal;
use crate::error::{AskError, TellError};
use crate::isolate::drop_quietly;
use crate::mailbox::lane::{Envelope, slots_max};
use crate::mailbox::waiters::{WaiterId, Waiters};
use crate::mailbox::{Life, Mailbox, Refusal, Shortage};
use crate::reply::Credit;
use crate::reply::slot::{FreeSlots, NO_DEADLINE, Polled, Ticket};

/// Keeps what holds it on the thread of its core; named so that rustc's notes say why.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct PinnedToCore(PhantomData<*mut ()>);

/// What is to happen on an actor once something else has finished.
pub(crate) type Continuation<A> = Box<dyn FnOnce(&mut A, &mut Ctx<A>)>;

/// An actor's queue for its own core.
pub(crate) struct LocalMailbox<A: Actor> {
    cell: u32,
    pub(crate) local: Rc<CoreLocal>,
    pub(crate) mailbox: Arc<Mailbox<A>>,
    queue: RefCell<VecDeque<Envelope<A>>>,
    continuations: RefCell<VecDeque<Continuation<A>>>,
    /// Whether the core has this actor on its list already.
    runnable: Cell<bool>,
    /// Senders that wait for a place in the queue.
    waiters: Waiters,
    credit: Arc<Credit<A>>,
    free: RefCell<FreeSlots>,
}

/// What an actor finds in its local queue.
pub(crate) enum LocalWork<A: Actor> {
    Continue(Continuation<A>),
    Request(Envelope<A>),
}

impl<A: Actor> LocalMailbox<A> {
    pub(crate) fn new(cell: u32, local: Rc<CoreLocal>, mailbox: Arc<Mailbox<A>>) -> Rc<Self> {
        Rc::new(Self {
            cell,
            local,
            mailbox,
            queue: RefCell::default(),
            continuations: RefCell::default(),
            runnable: Cell::new(false),
            waiters: Waiters::default(),
            credit: Arc::new(Credit::new()),
            free: RefCell::default(),
        })
    }

    pub(crate) fn credit(&self) -> &Arc<Credit<A>> {
        &self.credit
    }

    /// The line for what is short.
    fn line(&self, shortage: Shortage) -> &Waiters {
        match shortage {
            Shortage::Place => &self.waiters,
            Shortage::Slot => &self.credit.waiters,
        }
    }

    fn send(
        &self,
        request: A::Request,
        ask: bool,
    ) -> Result<Option<Ticket>, (Refusal, A::Request)> {
        if let Some(refusal) = self.mailbox.refusal() {
            return Err((refusal, request));
        }
        if self.queue.borrow().len() >= self.mailbox.capacity() {
            return Err((Refusal::Full(Shortage::Place), request));
        }
        let mut ticket = None;
        if ask {
            let most = slots_max(self.mailbox.capacity());
            let mut no_waker = None;
            let free = &mut *self.free.borrow_mut();
            ticket = self.credit.acquire(free, most, &mut no_waker, NO_DEADLINE);
            drop_quietly(no_waker);
            if ticket.is_none() {
                return Err((Refusal::Full(Shortage::Slot), request));
            }
        }
        self.queue.borrow_mut().push_back(Envelope { request, ticket, deadline: NO_DEADLINE });
        self.announce();
        Ok(ticket)
    }

    /// What is missing for a request to be sent now.
    fn shortage(&self, ask: bool) -> Option<Shortage> {
        if self.queue.borrow().len() >= self.mailbox.capacity() {
            return Some(Shortage::Place);
        }
        let most = slots_max(self.mailbox.capacity());
        let free = &mut *self.free.borrow_mut();
        (ask && !self.credit.has_free(free, most)).then_some(Shortage::Slot)
    }

    /// Has `continuation` run on the actor soon.
    pub(crate) fn resume(&self, continuation: Continuation<A>) {
        if self.mailbox.life() >= Life::Stopped {
            // Nobody will run it; what it holds is answered by being dropped.
            drop_quietly(continuation);
            return;
        }
        self.continuations.borrow_mut().push_back(continuation);
        self.announce();
    }

    fn announce(&self) {
        if !self.runnable.replace(true) {
            self.local.runnable.borrow_mut().push_back(self.cell);
        }
    }

    /// The core has taken this actor off its list.
    pub(crate) fn taken_off_the_list(&self) {
        self.runnable.set(false);
    }

    /// Puts the actor back on the core's list if it has work left.
    pub(crate) fn announce_rest(&self) -> bool {
        let rest = self.has_work();
        if rest {
            self.announce();
        }
        rest
    }

    pub(crate) fn has_work(&self) -> bool {
        !self.queue.borrow().is_empty() || !self.continuations.borrow().is_empty()
    }

    /// Continuations first: they end what was begun earlier.
    pub(crate) fn take(&self) -> Option<LocalWork<A>> {
        if let Some(continuation) = self.continuations.borrow_mut().pop_front() {
            return Some(LocalWork::Continue(continuation));
        }
        let request = self.queue.borrow_mut().pop_front()?;
        self.waiters.freed(1);
        Some(LocalWork::Request(request))
    }

    /// Continuations that are ready to run.
    pub(crate) fn continuations(&self) -> usize {
        self.continuations.borrow().len()
    }

    /// The continuations of an incarnation that is over; dropped by the caller, outside every borrow.
    pub(crate) fn take_continuations(&self) -> VecDeque<Continuation<A>> {
        self.continuations.take()
    }

    /// The requests that nobody will serve.
    pub(crate) fn take_requests(&self) -> VecDeque<Envelope<A>> {
        let taken = self.queue.take();
        self.waiters.wake_all();
        self.credit.waiters.wake_all();
        taken
    }
}

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
            _pinned: PinnedToCore::default(),
        }
    }

    /// Tells; used by generated methods.
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
    pub fn now(mut self) -> Result<(), TellError<A::Request>> {
        let Some(request) = self.request.take() else { return Ok(()) };
        let sent = self.to.send(request, false);
        sent.map(drop).map_err(|(refusal, request)| refusal.with(request))
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
    fn drop(&mut self) {
        leave_line(self.to, &mut self.waiting);
    }
}

impl<A: Actor> fmt::Debug for PinnedTell<'_, A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PinnedTell").field("request", &self.request).finish_non_exhaustive()
    }
}

/// Sends as soon as there is room.
fn poll_send<A: Actor>(
    to: &LocalMailbox<A>,
    request: &mut Option<A::Request>,
    waiting: &mut Option<(Shortage, WaiterId)>,
    ask: bool,
    context: &Context<'_>,
) -> Poll<Result<Option<Ticket>, TellError<A::Request>>> {
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
    } else {
        to.send(message, ask)
    };
    match sent {
        Err((Refusal::Full(shortage), message)) => {
            *request = Some(message);
            // Who comes back to the same line keeps its place.
            let id = waiting.take_if(|(line, _)| *line == shortage).map(|(_, id)| id);
            leave_line(to, waiting);
            let id = to.line(shortage).join(id, context.waker().clone(), NO_DEADLINE);
            *waiting = Some((shortage, id));
            // A deferred reply on another thread may have freed a slot just before we lined up.
            if to.shortage(ask) != Some(shortage) {
                to.line(shortage).freed(1);
            }
            Poll::Pending
        }
        Err((refusal, message)) => {
            leave_line(to, waiting);
            Poll::Ready(Err(refusal.with(message)))
        }
        Ok(ticket) => {
            *waiting = None;
            Poll::Ready(Ok(ticket))
        }
    }
}

fn leave_line<A: Actor>(to: &LocalMailbox<A>, waiting: &mut Option<(Shortage, WaiterId)>) {
    if let Some((shortage, id)) = waiting.take() {
        to.line(shortage).leave(id);
    }
}

/// An ask to an actor on the same core, for tasks of that core.
///
/// A handler cannot await it; it uses [`Ctx::ask`](crate::Ctx::ask) with a client.
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
    _pinned: PinnedToCore,
}

impl<A: Actor, T, E> PinnedAsk<'_, A, T, E> {
    /// Sends now or not at all; the returned ask only waits for the answer.
    ///
    /// # Errors
    ///
    /// Hands the request back when there is no room, or the actor has stopped.
    pub fn now(mut self) -> Result<Self, TellError<A::Request>> {
        let Some(request) = self.request.take() else { return Ok(self) };
        match self.to.send(request, true) {
            Ok(ticket) => {
                self.ticket = ticket;
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
        let ticket = match this.ticket {
            Some(ticket) => ticket,
            None => match poll_send(this.to, &mut this.request, &mut this.waiting, true, context) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(Err(refused)) => return Poll::Ready(Err(refused.into())),
                Poll::Ready(Ok(None)) => unreachable!("an ask is sent with a ticket"),
                Poll::Ready(Ok(Some(ticket))) => *this.ticket.insert(ticket),
            },
        };
        match this.to.credit.poll(ticket, context.waker(), false) {
            Polled::Registered | Polled::Busy => Poll::Pending,
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
            drop(self.to.credit.leave(ticket));
        }
    }
}

impl<A: Actor, T, E> fmt::Debug for PinnedAsk<'_, A, T, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PinnedAsk").field("request", &self.request).finish_non_exhaustive()
    }
}
