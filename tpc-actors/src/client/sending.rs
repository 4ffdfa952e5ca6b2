//! A request on its way into a lane: what asks and tells have in common.

use std::task::{Context, Poll};
use std::time::Duration;

use super::Client;
use crate::actor::Actor;
use crate::clock::{deadline_after, nanos};
use crate::error::TellError;
use crate::mailbox::lane::{Sent, Wish};
use crate::mailbox::waiters::WaiterId;
use crate::mailbox::{Mailbox, Refusal};
use crate::reply::slot::NO_DEADLINE;
use std::sync::Arc;

/// The client of a request: borrowed, or its own copy when the request must outlive the caller.
pub(crate) enum Sender<'a, A: Actor> {
    Borrowed(&'a Client<A>),
    Owned(Client<A>),
}

impl<A: Actor> Sender<'_, A> {
    fn get(&self) -> &Client<A> {
        match self {
            Self::Borrowed(client) => client,
            Self::Owned(client) => client,
        }
    }
}

/// A place in the line for room in one lane.
#[derive(Debug, Clone, Copy)]
struct Line {
    lane: u32,
    id: WaiterId,
}

/// One request, from the first poll until its lane has taken it.
pub(crate) struct Sending<'a, A: Actor> {
    client: Sender<'a, A>,
    shard: usize,
    pub(crate) request: Option<A::Request>,
    /// The limit until the first poll, which turns it into a deadline.
    limit: Option<Duration>,
    deadline: u64,
    line: Option<Line>,
}

impl<'a, A: Actor> Sending<'a, A> {
    pub(crate) fn new(client: &'a Client<A>, shard: usize, request: A::Request) -> Self {
        Self {
            client: Sender::Borrowed(client),
            shard,
            request: Some(request),
            limit: None,
            deadline: NO_DEADLINE,
            line: None,
        }
    }

    /// Moves everything over to a request with a client of its own; this one is void then.
    pub(crate) fn move_to_owned(&mut self) -> Sending<'static, A> {
        let client = Client::clone(self.client.get());
        Sending {
            client: Sender::Owned(client),
            shard: self.shard,
            request: self.request.take(),
            limit: self.limit.take(),
            deadline: self.deadline,
            line: self.line.take(),
        }
    }

    /// The request of a sending that has not begun.
    pub(crate) fn take_request(&mut self) -> A::Request {
        self.request.take().expect("a request is sent once")
    }

    pub(crate) fn limit(&mut self, limit: Duration) {
        self.limit = Some(limit);
    }

    pub(crate) fn mailbox(&self) -> &Arc<Mailbox<A>> {
        self.client.get().mailbox(self.shard)
    }

    /// Whether the deadline has passed.
    pub(crate) fn is_late(&self) -> bool {
        let clock = self.mailbox().clock();
        self.deadline != NO_DEADLINE && nanos(clock, clock.now()) >= self.deadline
    }

    fn start_clock(&mut self) {
        if let Some(limit) = self.limit.take() {
            self.deadline = deadline_after(self.mailbox().clock(), limit);
        }
    }

    /// Sends now, or hands the request back.
    pub(crate) fn now(&mut self, ask: bool) -> Result<Sent, TellError<A::Request>> {
        self.start_clock();
        let request = self.take_request();
        let wish = ask.then_some(Wish { waker: None, deadline: self.deadline });
        let sent = self.client.get().send(self.shard, request, wish, false);
        sent.map_err(|(refusal, request, _)| refusal.with(request))
    }

    /// Sends as soon as there is room.
    pub(crate) fn poll(
        &mut self,
        ask: bool,
        context: &Context<'_>,
    ) -> Poll<Result<Sent, TellError<A::Request>>> {
        self.start_clock();
        let request = self.request.take().expect("polled after it was ready");
        if let Some(Line { lane, id }) = self.line {
            let mailbox = self.mailbox();
            let waits = mailbox.lane(lane).waiters.still_waiting(id, context.waker());
            if waits && mailbox.refusal().is_none() {
                if self.is_late() {
                    return Poll::Ready(Err(TellError::Deadline(request)));
                }
                self.request = Some(request);
                return Poll::Pending;
            }
        }
        let wish =
            ask.then(|| Wish { waker: Some(context.waker().clone()), deadline: self.deadline });
        // Who has waited already goes first; who comes new lines up behind those that wait.
        let patient = self.line.is_none();
        match self.client.get().send(self.shard, request, wish, patient) {
            Ok(sent) => {
                // The place that we were told of is used now, unless this went over another lane.
                if self.line.is_some_and(|line| line.lane == sent.lane) {
                    self.line = None;
                }
                Poll::Ready(Ok(sent))
            }
            Err((Refusal::Full, request, Some(lane))) => {
                self.request = Some(request);
                self.line_up(lane, ask, context);
                Poll::Pending
            }
            Err((refusal, request, _)) => Poll::Ready(Err(refusal.with(request))),
        }
    }

    fn line_up(&mut self, lane: u32, ask: bool, context: &Context<'_>) {
        let old = self.line.take();
        let mailbox = self.mailbox();
        let id = old.filter(|line| line.lane == lane).map(|line| line.id);
        if let (None, Some(old)) = (id, old) {
            mailbox.lane(old.lane).waiters.leave(old.id);
        }
        let waiters = &mailbox.lane(lane).waiters;
        let id = waiters.join(id, context.waker().clone(), self.deadline);
        if self.deadline != NO_DEADLINE {
            mailbox.note_deadline(self.deadline);
        }
        // A place may have been freed just before we lined up, when nobody could tell us.
        if mailbox.refusal().is_some() || self.client.get().has_room(self.shard, lane, ask) {
            waiters.freed(1);
        }
        self.line = Some(Line { lane, id });
    }
}

impl<A: Actor> Drop for Sending<'_, A> {
    fn drop(&mut self) {
        if let Some(Line { lane, id }) = self.line {
            self.mailbox().lane(lane).waiters.leave(id);
        }
    }
}
