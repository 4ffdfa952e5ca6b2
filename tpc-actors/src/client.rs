//! Asking and telling from anywhere.
//!
//! Generated `XClient` types wrap [`Client`]; their methods build an [`Ask`] or a [`Tell`], and three
//! verbs finish both: `.await` waits for room, `.now()` refuses at once and hands the message back,
//! `.wait()` blocks a plain thread. The futures need no particular runtime.
//!
//! # Order
//!
//! Messages of one thread to one actor arrive in the order in which they were sent. A Tokio task may
//! move to another worker thread between two sends, so two *tells* of one task may overtake each other;
//! asks that are awaited one after the other never do. A client from `.ordered()` has a lane of its own
//! that its clones share, and is strictly first in, first out wherever its tasks run. What a plain thread sends comes
//! after whatever the actor had accepted from clients before; there is no order between other senders, and none between
//! a client and the [pinned](crate::pinned) handle, which is a way of its own, also where one task uses both.

use std::fmt;
use std::hash::Hash;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::Waker;

use crate::actor::{Actor, Settings, Sharded};
use crate::bridge::Pressure;
use crate::bridge::bell::LaneClosed;
use crate::error::{AskError, Fate};
use crate::isolate::drop_quietly;
use crate::mailbox::lane::{Envelope, LaneProducer, Sent, Wish};
use crate::mailbox::{Mailbox, Refusal, Shortage, VISITOR, threads};

mod all;
mod ask;
mod ask_batch;
pub(crate) mod block;
mod cancel;
mod cancelled;
mod crowd;
mod line;
mod lone;
mod monitor;
mod sender;
mod sending;
mod shard;
mod sleepers;
mod tell;
mod tell_batch;
mod time_limit;

pub(crate) use sending::WakerIdentity;

pub use all::{AskAll, TellAll};
pub use ask::Ask;
pub use ask_batch::{Answers, AskBatch, SendAsks};
pub use cancel::{CancellableAsk, Canceller};
pub use monitor::{ActorClient, Closed, Watch, WeakClient};
pub use tell::Tell;
pub(crate) use tell_batch::Staged;
pub use tell_batch::{SendBatch, TellBatch};

/// Picks the answer of one handler out of the response enum.
pub type Decode<A, T, E> = fn(<A as Actor>::Response) -> Option<Result<T, E>>;

/// A shard's lane of an ordered client, decided on by the first send: two lanes would not keep the order.
enum OwnLane<A: Actor> {
    Unopened,
    Own(LaneProducer<A>),
    /// No lane was to be had; the visitors' lane is first in, first out as well.
    Visitors,
}

/// The lanes of an ordered client and its clones, by shard.
type OrderedLanes<A> = [Mutex<OwnLane<A>>];

/// The untyped part of a generated `XClient`: where the actor's shards are and which lane leads there.
///
/// Cloning costs two reference counts. A client does not keep its actor running.
pub struct Client<A: Actor> {
    shards: Arc<[Arc<Mailbox<A>>]>,
    /// There for an ordered client; otherwise each thread uses its own.
    ordered: Option<Arc<OrderedLanes<A>>>,
}

impl<A: Actor> Client<A> {
    pub(crate) fn new(shards: Vec<Arc<Mailbox<A>>>) -> Self {
        Self { shards: shards.into(), ordered: None }
    }

    /// A client with lanes of its own: strictly first in, first out over all of its clones. A send that waits for room is
    /// in when it is ready, and others may be before it until then.
    #[must_use]
    pub fn ordered(&self) -> Self {
        let lanes = self.shards.iter().map(|_| Mutex::new(OwnLane::Unopened)).collect();
        Self { shards: Arc::clone(&self.shards), ordered: Some(lanes) }
    }

    /// Number of shards; 1 for an actor that was spawned alone.
    pub fn shards(&self) -> usize {
        self.shards.len()
    }

    /// The shard that owns `key`. Stable: the same key and number of shards give the same shard in
    /// every run and on every machine.
    pub fn shard_of(&self, key: &A::Key) -> usize
    where
        A: Sharded,
        A::Key: Hash,
    {
        shard::shard_of(key, self.shards.len())
    }

    /// An ask to one shard; used by generated methods.
    #[inline]
    pub fn ask<T, E>(
        &self,
        shard: usize,
        request: A::Request,
        decode: Decode<A, T, E>,
    ) -> Ask<'_, A, T, E> {
        let ask = Ask::new(self, shard, request, decode);
        match const { <A as Settings>::POLICY.default_deadline() } {
            Some(limit) => ask.deadline(limit),
            None => ask,
        }
    }

    /// A tell to one shard; used by generated methods.
    #[inline]
    pub fn tell(&self, shard: usize, request: A::Request) -> Tell<'_, A> {
        Tell::new(self, shard, request)
    }

    /// An ask to every shard; used by generated methods.
    pub fn ask_all<T, E>(
        &self,
        make: impl Fn() -> A::Request,
        decode: Decode<A, T, E>,
    ) -> AskAll<'_, A, T, E> {
        AskAll::new((0..self.shards()).map(|shard| self.ask(shard, make(), decode)).collect())
    }

    /// A tell to every shard; used by generated methods.
    pub fn tell_all(&self, make: impl Fn() -> A::Request) -> TellAll<'_, A> {
        TellAll::new((0..self.shards()).map(|shard| self.tell(shard, make())).collect())
    }

    pub(crate) fn mailboxes(&self) -> &[Arc<Mailbox<A>>] {
        &self.shards
    }

    /// Whether what is sent through either takes the same way.
    #[inline]
    fn has_lanes_of(&self, other: &Self) -> bool {
        // The very same one, nearly always.
        if std::ptr::eq(self, other) {
            return true;
        }
        let lanes = |client: &Self| client.ordered.as_ref().map(|lanes| lanes.as_ptr().addr());
        Arc::ptr_eq(&self.shards, &other.shards) && lanes(self) == lanes(other)
    }

    #[inline]
    fn mailbox(&self, shard: usize) -> &Arc<Mailbox<A>> {
        &self.shards[shard]
    }

    /// Runs `send` with the lane that a send from here takes.
    fn with_lane<R>(
        &self,
        shard: usize,
        send: impl FnOnce(&mut LaneProducer<A>) -> R,
    ) -> Option<R> {
        let mailbox = self.mailbox(shard);
        let Some(lanes) = &self.ordered else { return threads::with_lane(mailbox, send) };
        let mut own = lanes[shard].lock().unwrap_or_else(PoisonError::into_inner);
        if let OwnLane::Unopened = *own {
            // Its tasks may run anywhere, so nobody's relay is theirs.
            *own = mailbox.open_lane(None).map_or(OwnLane::Visitors, OwnLane::Own);
        }
        match &mut *own {
            OwnLane::Own(lane) => Some(send(lane)),
            OwnLane::Visitors | OwnLane::Unopened => mailbox.with_visitor(send),
        }
    }

    /// Sends a tell over the calling thread's own lane when nothing at all is in the way; otherwise leaves it for
    /// [`Self::send`] to see to.
    #[inline(never)]
    fn tell_at_once(&self, shard: usize, request: &mut Option<A::Request>) {
        let mailbox = self.mailbox(shard);
        if self.ordered.is_none() && mailbox.is_plain() {
            mailbox.sending(|| threads::with_own_lane(mailbox, |lane| lane.tell_at_once(request)));
        }
    }

    /// The same for an ask with `waker`, which becomes that of the slot's last use.
    #[inline(never)]
    fn ask_at_once(
        &self,
        shard: usize,
        request: &mut Option<A::Request>,
        waker: &mut Option<Waker>,
    ) -> Option<Sent> {
        let mailbox = self.mailbox(shard);
        if self.ordered.is_some() || !mailbox.is_plain() {
            return None;
        }
        let ask = |lane: &mut LaneProducer<A>| lane.ask_at_once(mailbox, request, waker);
        mailbox.sending(|| threads::with_own_lane(mailbox, ask)).flatten()
    }

    /// Sends as many of `messages` as nothing is in the way of, from the first one on; says how many.
    fn send_batch(&self, shard: usize, messages: &mut Staged<Envelope<A>>) -> usize {
        let mailbox = self.mailbox(shard);
        if !mailbox.is_plain() {
            return 0;
        }
        let sent = self.with_lane(shard, |lane| {
            if lane.fixed().waiters.any() { Ok(0) } else { lane.send_batch(messages) }
        });
        sent.unwrap_or(Ok(0)).unwrap_or_else(|LaneClosed| {
            self.forget_lane(shard);
            0
        })
    }

    /// How full the fullest of the lanes is that a send from here may take.
    fn pressure(&self) -> Pressure {
        let levels = self.shards.iter().enumerate().map(|(shard, mailbox)| {
            let lane = match &self.ordered {
                None => threads::lane_of(mailbox),
                Some(lanes) => {
                    match &*lanes[shard].lock().unwrap_or_else(PoisonError::into_inner) {
                        OwnLane::Own(lane) => Some(lane.lane),
                        OwnLane::Visitors => Some(VISITOR),
                        OwnLane::Unopened => None,
                    }
                }
            };
            lane.map_or(Pressure::Normal, |lane| mailbox.lane_pressure(lane))
        });
        levels.max().unwrap_or_default()
    }

    /// Looks a little longer for a place in the calling thread's full lane; whether there is one now.
    fn room_soon(&self, shard: usize) -> bool {
        // A core has other things to do.
        self.ordered.is_none()
            && !crate::core_loop::on_core_thread()
            && threads::with_own_lane(self.mailbox(shard), LaneProducer::room_soon) == Some(true)
    }

    /// Sends what is in `request`, or leaves it there. `patient` says that the sender would wait, and so
    /// lines up behind those that wait for the same.
    fn send(
        &self,
        shard: usize,
        request: &mut Option<A::Request>,
        mut wish: Option<Wish>,
        patient: bool,
    ) -> Result<Sent, Refused> {
        let mailbox = self.mailbox(shard);
        // Asked before any lane is taken: a lane that closes must not be waited for.
        if let Some(refusal) = mailbox.refusal() {
            return Err(Refused { refusal, lane: None });
        }
        let send = |lane: &mut LaneProducer<A>| {
            let fixed = lane.fixed();
            if patient && fixed.line(Shortage::Place).any() {
                return Err(Refused::full(Shortage::Place, lane.lane));
            }
            if patient && wish.is_some() && fixed.line(Shortage::Slot).any() {
                return Err(Refused::full(Shortage::Slot, lane.lane));
            }
            let sent = lane.send(mailbox, request, &mut wish);
            sent.map_err(|refusal| Refused { refusal, lane: Some(lane.lane) })
        };
        let outcome = mailbox.sending(|| self.with_lane(shard, send));
        // What is left of it, the waker of the slot's last use perhaps, is foreign.
        drop_quietly(wish);
        if let Some(Err(Refused { refusal: Refusal::Reopened, .. })) = &outcome {
            self.forget_lane(shard);
        }
        // No lane at all: the actor has just ended, or memory is short.
        let none = || mailbox.refusal().unwrap_or(Refusal::Full(Shortage::Place));
        outcome.unwrap_or_else(|| Err(Refused { refusal: none(), lane: None }))
    }

    /// Lets go of the lane that a send from here takes, because its core has a new thread.
    #[cold]
    fn forget_lane(&self, shard: usize) {
        let Some(lanes) = &self.ordered else { return threads::forget_lane(self.mailbox(shard)) };
        let mut own = lanes[shard].lock().unwrap_or_else(PoisonError::into_inner);
        // A clone may have opened another lane meanwhile, and two lanes would not keep the order.
        let closed = matches!(&*own, OwnLane::Own(lane) if lane.is_closed());
        let closed = closed.then(|| std::mem::replace(&mut *own, OwnLane::Unopened));
        drop(own);
        drop_quietly(closed);
    }

    /// What is short in `lane` for a sender from here; nothing when a send would not go there.
    fn shortage(&self, shard: usize, lane: u32, ask: bool) -> Option<Shortage> {
        self.with_lane(shard, |own| {
            if own.lane == lane { own.shortage(self.mailbox(shard), ask) } else { None }
        })?
    }
}

/// Why a request was not taken, and by which lane.
struct Refused {
    refusal: Refusal,
    lane: Option<u32>,
}

impl Refused {
    fn full(shortage: Shortage, lane: u32) -> Self {
        Self { refusal: Refusal::Full(shortage), lane: Some(lane) }
    }
}

impl<A: Actor> Clone for Client<A> {
    fn clone(&self) -> Self {
        Self { shards: Arc::clone(&self.shards), ordered: self.ordered.clone() }
    }
}

impl<A: Actor> fmt::Debug for Client<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("actor", &A::NAME)
            .field("shards", &self.shards())
            .field("ordered", &self.ordered.is_some())
            .finish()
    }
}

/// Turns what came through a slot into what the caller gets.
pub(crate) fn decoded<R, T, E>(
    decode: fn(R) -> Option<Result<T, E>>,
    outcome: Result<R, Fate>,
) -> Result<T, AskError<E>> {
    let answer = decode(outcome?).expect("a handler answers with its own variant");
    answer.map_err(AskError::Handler)
}
