//! A request on its way into a lane: what asks and tells have in common.

use std::num::NonZeroUsize;
use std::ptr::NonNull;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use super::line::Line;
use super::sender::Sender;
use super::time_limit::TimeLimit;
use super::{Client, Refused};
use crate::actor::Actor;
use crate::error::TellError;
use crate::isolate::drop_quietly;
use crate::mailbox::lane::{Sent, Wish};
use crate::mailbox::{Mailbox, Refusal, Shortage};

/// The two addresses that tell wakers apart: of the clone that a slot holds, so that they stay its own
/// for as long as it may be woken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct WakerIdentity {
    data: usize,
    vtable: NonZeroUsize,
}

impl WakerIdentity {
    pub(crate) fn of(waker: &Waker) -> Self {
        Self { data: waker.data().addr(), vtable: NonNull::from(waker.vtable()).addr() }
    }

    /// What is to be left for `waker` where the one of `known` is: a clone, unless it is the same, and what is known then.
    pub(crate) fn renewed(known: Option<Self>, waker: &Waker) -> (Option<Waker>, Option<Self>) {
        if known == Some(Self::of(waker)) {
            return (None, known);
        }
        let fresh = waker.clone();
        let known = Self::of(&fresh);
        (Some(fresh), Some(known))
    }
}

/// One request, from the first poll until its lane has taken it.
pub(crate) struct Sending<'a, A: Actor> {
    client: Sender<'a, A>,
    shard: usize,
    pub(crate) request: Option<A::Request>,
    limit: TimeLimit,
    line: Option<Line<A>>,
}

impl<'a, A: Actor> Sending<'a, A> {
    #[inline]
    pub(crate) fn new(client: &'a Client<A>, shard: usize, request: A::Request) -> Self {
        Self {
            client: Sender::Borrowed(client),
            shard,
            request: Some(request),
            limit: TimeLimit::None,
            line: None,
        }
    }

    /// A tell that waits for room no longer than that.
    pub(super) fn limited(
        client: &'a Client<A>,
        shard: usize,
        request: A::Request,
        limit: TimeLimit,
    ) -> Self {
        let mut sending = Self::new(client, shard, request);
        sending.limit = limit;
        sending
    }

    pub(super) fn shard(&self) -> usize {
        self.shard
    }

    /// Whether it goes over the same lane as what `client` sends to that shard, as far as clients decide that.
    pub(super) fn goes_over(&self, client: &Client<A>, shard: usize) -> bool {
        self.shard == shard && self.client.get().has_lanes_of(client)
    }

    pub(super) fn client(&self) -> &Sender<'a, A> {
        &self.client
    }

    /// Whether it is not in line for room.
    pub(super) fn is_new(&self) -> bool {
        self.line.is_none()
    }

    /// Whether nothing but the way to the lane is between this and its being sent.
    pub(super) fn is_plain(&self) -> bool {
        self.is_new() && self.limit.is_none()
    }

    /// Whether it has to end by itself at some time.
    pub(super) fn is_timed(&self) -> bool {
        !self.limit.is_none()
    }

    /// Moves everything over to a request with a client of its own; this one is void then.
    pub(crate) fn move_to_owned(&mut self) -> Sending<'static, A> {
        let client = Client::clone(self.client.get());
        Sending {
            client: Sender::Owned(client),
            shard: self.shard,
            request: self.request.take(),
            limit: self.limit,
            line: self.line.take(),
        }
    }

    /// What goes where, over a lane of `client`.
    ///
    /// # Panics
    ///
    /// It is for another client, has a time limit of its own, or has been sent.
    #[expect(clippy::inline_always, reason = "see `TellBatch::push`")]
    #[inline(always)]
    pub(super) fn into_parts(self, client: &Client<A>) -> (usize, A::Request) {
        // Dropped before anything can panic: what a panic has to drop must stand in memory until then.
        let Self { client: own, shard, request, limit, line, .. } = self;
        let same = own.get().has_lanes_of(client);
        // Each where it is known to be there: for what may be empty, the compiler calls a function that looks.
        if let Sender::Owned(own) = own {
            drop(own);
        }
        if let Some(line) = line {
            drop(line);
        }
        assert!(same, "the tell is for another actor, or for another ordered client of this one");
        assert!(limit.is_none(), "a tell in a batch has no deadline of its own; give `send()` one");
        (shard, request.expect("a request is sent once"))
    }

    /// The request of a sending that has not begun.
    pub(crate) fn take_request(&mut self) -> A::Request {
        self.request.take().expect("a request is sent once")
    }

    /// Gives up its place among those that wait for room.
    pub(super) fn leave_line(&mut self) {
        self.line = None;
    }

    /// Sets how long it may take from the first poll on, or from now on for what is in line by then.
    pub(crate) fn limit(&mut self, limit: Duration) {
        self.limit = TimeLimit::Within(limit);
        if self.line.is_some() {
            self.limit_waiting();
        }
    }

    pub(super) fn time_limit(&self) -> TimeLimit {
        self.limit
    }

    #[cold]
    fn limit_waiting(&mut self) {
        let deadline = self.start_clock();
        self.line.iter().for_each(|line| line.limit(deadline));
    }

    /// The same for an ask that is on its way: its time begins now.
    #[cold]
    pub(super) fn limit_sent(&mut self, sent: Sent) {
        let deadline = self.start_clock();
        let mailbox = self.mailbox();
        let credit = &mailbox.lane(sent.lane()).credit;
        mailbox.with_deadline(deadline, || credit.limit(sent.ticket(), deadline));
    }

    pub(crate) fn mailbox(&self) -> &Arc<Mailbox<A>> {
        self.client.get().mailbox(self.shard)
    }

    /// Whether the deadline has passed.
    pub(crate) fn is_late(&self) -> bool {
        self.limit.has_passed(self.mailbox().clock())
    }

    /// Begins the time unless it has begun; says the deadline.
    pub(super) fn start_clock(&mut self) -> u64 {
        let clock = self.client.get().mailbox(self.shard).clock();
        self.limit.begin(clock)
    }

    /// Sends a tell if nothing is in the way: the common case.
    #[inline]
    fn tell_at_once(&mut self) -> bool {
        if !self.is_plain() || self.request.is_none() {
            return false;
        }
        self.client.get().tell_at_once(self.shard, &mut self.request);
        self.request.is_none()
    }

    /// The same for an ask with `waker`, which becomes that of the slot's last use: the caller drops it outside
    /// of every borrow, because it is foreign.
    #[inline]
    fn ask_at_once(&mut self, waker: &mut Option<Waker>) -> Option<Sent> {
        if !self.is_plain() {
            return None;
        }
        self.client.get().ask_at_once(self.shard, &mut self.request, waker)
    }

    /// Sends a tell now, or hands it back.
    #[inline]
    pub(crate) fn tell_now(&mut self) -> Result<(), TellError<A::Request>> {
        if self.tell_at_once() { Ok(()) } else { self.now(false).map(drop) }
    }

    /// Sends an ask now, or hands it back.
    #[inline]
    pub(crate) fn ask_now(&mut self) -> Result<Sent, TellError<A::Request>> {
        let mut waker = None;
        let sent = self.ask_at_once(&mut waker);
        drop_quietly(waker);
        match sent {
            Some(sent) => Ok(sent),
            None => self.now(true),
        }
    }

    /// The same with everything that may be in the way.
    #[inline(never)]
    fn now(&mut self, ask: bool) -> Result<Sent, TellError<A::Request>> {
        // Who does not wait has no place among those that do.
        self.line = None;
        let deadline = self.start_clock();
        let wish = || ask.then_some(Wish { waker: None, deadline });
        let client = self.client.get();
        let mut sent = client.send(self.shard, &mut self.request, wish(), false);
        if let Err(Refused { refusal: Refusal::Reopened, .. }) = sent {
            // Over a new lane, once: whoever loses the core again in between has lost it.
            sent = client.send(self.shard, &mut self.request, wish(), false);
        }
        sent.map_err(|refused| refused.refusal.with(self.take_request()))
    }

    /// Sends a tell as soon as there is room.
    #[inline]
    pub(crate) fn poll_tell(
        &mut self,
        context: &Context<'_>,
    ) -> Poll<Result<(), TellError<A::Request>>> {
        if self.tell_at_once() { Poll::Ready(Ok(())) } else { self.poll_later(context) }
    }

    /// A tell that did not go at once.
    #[cold]
    fn poll_later(&mut self, context: &Context<'_>) -> Poll<Result<(), TellError<A::Request>>> {
        if self.is_plain() && self.client.get().room_soon(self.shard) && self.tell_at_once() {
            return Poll::Ready(Ok(()));
        }
        self.poll_slowly(false, context).map(|sent| sent.map(drop))
    }

    /// Sends an ask if nothing is in the way; otherwise [`Self::poll_slowly`] does.
    #[inline]
    pub(super) fn try_ask(&mut self, mut waker: Option<Waker>) -> Option<Sent> {
        let sent = self.ask_at_once(&mut waker);
        if waker.is_some() {
            drop_quietly(waker);
        }
        sent
    }

    /// Sends a request as soon as there is room, whatever is in the way.
    #[inline(never)]
    pub(super) fn poll_slowly(
        &mut self,
        ask: bool,
        context: &Context<'_>,
    ) -> Poll<Result<Sent, TellError<A::Request>>> {
        let deadline = self.start_clock();
        if self.line.as_ref().is_some_and(|line| line.still_waiting(context.waker())) {
            if self.mailbox().refusal().is_none() {
                if self.is_late() {
                    self.line = None;
                    return Poll::Ready(Err(TellError::Deadline(self.take_request())));
                }
                return Poll::Pending;
            }
            // It is tried out of turn, and must not be in line twice if it has to wait again.
            self.line = None;
        }
        let waker = ask.then(|| context.waker().clone());
        let wish = ask.then_some(Wish { waker, deadline });
        // Who has waited already goes first; who comes new lines up behind those that wait.
        let patient = self.line.is_none();
        let client = self.client.get();
        match client.send(self.shard, &mut self.request, wish, patient) {
            Ok(sent) => {
                // Room in another lane is not what the line has told of.
                if let Some(line) = self.line.as_mut().filter(|line| line.lane == sent.lane()) {
                    line.id = None;
                }
                self.line = None;
                Poll::Ready(Ok(sent))
            }
            Err(Refused { refusal: Refusal::Full(_), .. }) if self.is_late() => {
                // Woken again and again, and each time somebody else was quicker.
                self.line = None;
                Poll::Ready(Err(TellError::Deadline(self.take_request())))
            }
            Err(Refused { refusal: Refusal::Full(shortage), lane: Some(lane) }) => {
                self.line_up(lane, shortage, ask, context);
                Poll::Pending
            }
            // The line of a lane that is gone keeps nobody.
            Err(Refused { refusal: Refusal::Reopened, .. }) => {
                self.line = None;
                self.poll_slowly(ask, context)
            }
            Err(refused) => {
                self.line = None;
                Poll::Ready(Err(refused.refusal.with(self.take_request())))
            }
        }
    }

    fn line_up(&mut self, lane: u32, shortage: Shortage, ask: bool, context: &Context<'_>) {
        // Who comes back to the same line keeps its place there.
        let same = |line: &mut Line<A>| (line.lane, line.shortage) == (lane, shortage);
        let id = self.line.take_if(same).and_then(|mut line| line.id.take());
        self.line = None;
        let mailbox = self.mailbox();
        let waiters = mailbox.lane(lane).line(shortage);
        let deadline = self.limit.deadline();
        let is_short = || {
            let still = self.client.get().shortage(self.shard, lane, ask) == Some(shortage);
            still && mailbox.refusal().is_none()
        };
        let line_up = || waiters.line_up(id, context.waker().clone(), deadline, is_short);
        let id = mailbox.with_deadline(deadline, line_up);
        let mailbox = Arc::clone(mailbox);
        self.line = Some(Line { mailbox, lane, shortage, id: Some(id) });
    }
}
