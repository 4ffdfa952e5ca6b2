//! An actor's queue for its own core: requests from there, and continuations.

mod two_stacks;

use std::cell::{Cell, OnceCell, RefCell};
use std::collections::VecDeque;
use std::rc::{Rc, Weak};
use std::sync::Arc;
use std::task::Waker;

use crate::actor::Actor;
use crate::core_loop::Ctx;
use crate::core_loop::cell::ActorCell;
use crate::core_loop::local::CoreLocal;
use crate::isolate::drop_quietly;
use crate::mailbox::lane::{Envelope, slots_max};
use crate::mailbox::waiters::{WaiterId, Waiters};
use crate::mailbox::{Life, Mailbox, Refusal, Shortage};
use crate::relay::RelayId;
use crate::reply::slot::{FreeSlots, NO_DEADLINE, Polled, Started, Ticket};
use crate::reply::{Answers, Credit, Outcome, Ways};

use two_stacks::TwoStacks;

/// What is to happen on an actor once something else has finished.
pub(crate) type Continuation<A> = Box<dyn FnOnce(&mut A, &mut Ctx<A>)>;

/// An actor's queue for its own core.
pub(crate) struct LocalMailbox<A: Actor> {
    cell: u32,
    pub(crate) local: Rc<CoreLocal>,
    pub(crate) mailbox: Arc<Mailbox<A>>,
    queue: RefCell<TwoStacks<Envelope<A>>>,
    continuations: RefCell<VecDeque<Continuation<A>>>,
    /// There may be a continuation, or a sender that waits for room: more than the next request is due.
    detour: Cell<bool>,
    /// Whether the core has this actor on its list already.
    runnable: Cell<bool>,
    /// Senders that wait for a place in the queue.
    waiters: Waiters,
    credit: Arc<Credit<A>>,
    /// Where tokens answer.
    ways: RefCell<Ways>,
    free: RefCell<FreeSlots>,
    /// Who serves the queue.
    server: OnceCell<Weak<RefCell<ActorCell<A>>>>,
}

impl<A: Actor> LocalMailbox<A> {
    pub(crate) fn new(cell: u32, local: Rc<CoreLocal>, mailbox: Arc<Mailbox<A>>) -> Rc<Self> {
        Rc::new(Self {
            cell,
            local,
            mailbox,
            queue: RefCell::default(),
            continuations: RefCell::default(),
            detour: Cell::new(false),
            runnable: Cell::new(false),
            waiters: Waiters::default(),
            credit: Arc::new(Credit::<A>::new()),
            ways: RefCell::default(),
            free: RefCell::default(),
            server: OnceCell::new(),
        })
    }

    /// This actor serves the queue, once it has started.
    pub(crate) fn served_by(&self, server: Weak<RefCell<ActorCell<A>>>) {
        drop(self.server.set(server));
    }

    pub(super) fn server(&self) -> Option<Rc<RefCell<ActorCell<A>>>> {
        self.server.get()?.upgrade()
    }

    pub(crate) fn credit(&self) -> &Arc<Credit<A>> {
        &self.credit
    }

    /// The way of answers that come later, which `wrap` makes the actor's.
    pub(crate) fn way<T: 'static>(&self, wrap: fn(T) -> A::Response) -> Arc<dyn Answers<T>> {
        self.ways.borrow_mut().of(&self.credit, RelayId::default(), wrap)
    }

    /// Lines up for what is short; see [`Waiters::line_up`].
    pub(super) fn line_up(
        &self,
        shortage: Shortage,
        id: Option<WaiterId>,
        waker: Waker,
        is_short: impl FnOnce() -> bool,
    ) -> WaiterId {
        self.detour.set(true);
        self.line(shortage).line_up(id, waker, NO_DEADLINE, is_short)
    }

    /// The line for what is short.
    pub(super) fn line(&self, shortage: Shortage) -> &Waiters {
        match shortage {
            Shortage::Place => &self.waiters,
            Shortage::Slot => &self.credit.waiters,
        }
    }

    /// Sends a tell, or hands it back.
    #[expect(clippy::inline_always, reason = "a copy of the request costs more than the rest")]
    #[inline(always)]
    pub(super) fn send(&self, request: A::Request) -> Result<(), (Refusal, A::Request)> {
        let mut queue = self.queue.borrow_mut();
        if !self.mailbox.is_plain() || queue.len() >= self.mailbox.capacity() {
            drop(queue);
            return self.send_slowly(request);
        }
        queue.push(Envelope::tell(request));
        drop(queue);
        self.announce();
        Ok(())
    }

    /// The same with everything that may be in the way.
    #[cold]
    fn send_slowly(&self, request: A::Request) -> Result<(), (Refusal, A::Request)> {
        if let Some(refusal) = self.obstacle(false) {
            return Err((refusal, request));
        }
        self.push(Envelope::tell(request));
        Ok(())
    }

    /// Sends an ask, whose answer wakes `waker`.
    pub(super) fn send_ask(
        &self,
        request: A::Request,
        mut waker: Option<Waker>,
    ) -> Result<Ticket, (Refusal, A::Request)> {
        if let Some(refusal) = self.obstacle(true) {
            return Err((refusal, request));
        }
        let ticket = self.credit.acquire(&mut self.free.borrow_mut(), &mut waker, NO_DEADLINE);
        let Some(ticket) = ticket else { unreachable!("a slot was looked for") };
        self.push(Envelope { request, ticket: Some(ticket) });
        // That of the slot's last use: it is foreign, and dropped when all is done.
        drop_quietly(waker);
        Ok(ticket)
    }

    /// A slot for a request whose handler has been called. There was one; if the handler has used it for an ask of
    /// its own, this is one more than the limit.
    pub(crate) fn begun_slot(&self) -> Option<Started> {
        let mut waker = None;
        let ticket = {
            let free = &mut *self.free.borrow_mut();
            let found = self.credit.has_free(free, u32::MAX);
            found.then(|| self.credit.acquire(free, &mut waker, NO_DEADLINE)).flatten()
        };
        // That of the slot's last use: it is foreign, and may come back here.
        drop_quietly(waker);
        self.credit.start(ticket?)
    }

    /// Looks for the answer to one of this queue's asks.
    pub(super) fn poll(
        &self,
        ticket: Ticket,
        fresh: Option<Waker>,
    ) -> Polled<Outcome<A::Response>> {
        let answer = self.credit.take_answer(&mut self.free.borrow_mut(), ticket);
        match answer {
            Some(outcome) => {
                self.credit.freed(1);
                Polled::Ready(outcome)
            }
            None => self.credit.poll(ticket, fresh),
        }
    }

    fn push(&self, envelope: Envelope<A>) {
        self.queue.borrow_mut().push(envelope);
        self.announce();
    }

    /// Why a request is not taken now, if something is in the way.
    fn obstacle(&self, ask: bool) -> Option<Refusal> {
        if let Some(refusal) = self.mailbox.refusal() {
            return Some(refusal);
        }
        if let Some(shortage) = self.shortage(ask) {
            return Some(Refusal::Full(shortage));
        }
        self.mailbox.admit().err()
    }

    /// What is missing for a request to be sent now.
    pub(super) fn shortage(&self, ask: bool) -> Option<Shortage> {
        if self.queue.borrow().len() >= self.mailbox.capacity() {
            return Some(Shortage::Place);
        }
        (ask && !self.has_slot()).then_some(Shortage::Slot)
    }

    pub(super) fn has_slot(&self) -> bool {
        let free = &mut *self.free.borrow_mut();
        free.is_stocked() || self.credit.has_free(free, slots_max(self.mailbox.capacity()))
    }

    /// Has `continuation` run on the actor soon.
    pub(crate) fn resume(&self, continuation: Continuation<A>) {
        if self.mailbox.life() >= Life::Stopped {
            // Nobody will run it; what it holds is answered by being dropped.
            drop_quietly(continuation);
            return;
        }
        self.continuations.borrow_mut().push_back(continuation);
        self.detour.set(true);
        self.announce();
    }

    fn announce(&self) {
        if !self.runnable.get() {
            self.runnable.set(true);
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
        self.requests() > 0 || self.continuations() > 0
    }

    /// What is to happen next, before any request: continuations end what was begun earlier.
    pub(crate) fn take_continuation(&self) -> Option<Continuation<A>> {
        self.continuations.borrow_mut().pop_front()
    }

    /// The oldest request, unless a continuation goes first.
    #[inline]
    pub(crate) fn take_request(&self) -> Option<Envelope<A>> {
        if self.detour.get() {
            return self.take_request_slowly();
        }
        self.queue.borrow_mut().pop()
    }

    /// The same with everything that is due besides.
    #[cold]
    fn take_request_slowly(&self) -> Option<Envelope<A>> {
        if self.continuations() > 0 {
            return None;
        }
        let request = self.queue.borrow_mut().pop();
        if request.is_some() {
            self.waiters.freed_in_order(1);
        }
        // Asked last: whoever was woken may have left a continuation.
        self.detour.set(self.waiters.any() || self.continuations() > 0);
        request
    }

    /// Requests that wait.
    pub(crate) fn requests(&self) -> usize {
        self.queue.borrow().len()
    }

    /// Whether the oldest request is one of those.
    pub(crate) fn next_request_is(&self, wanted: impl FnOnce(&Envelope<A>) -> bool) -> bool {
        self.queue.borrow().peek().is_some_and(wanted)
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
    pub(crate) fn take_requests(&self) -> impl Iterator<Item = Envelope<A>> + use<A> {
        let taken = self.queue.take();
        self.waiters.wake_all();
        self.credit.waiters.wake_all();
        taken.into_items()
    }
}
