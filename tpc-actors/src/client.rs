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
//! that its clones share, and is strictly first in, first out wherever its tasks run.

use std::fmt;
use std::hash::Hash;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use crate::actor::{Actor, Sharded};
use crate::error::{AskError, Fate};
use crate::mailbox::lane::{LaneProducer, Sent, Wish};
use crate::mailbox::{Mailbox, Refusal, threads};

mod all;
mod ask;
pub(crate) mod block;
mod sending;
mod shard;
mod tell;

pub use all::{AskAll, TellAll};
pub use ask::Ask;
pub use tell::Tell;

/// Picks the answer of one handler out of the response enum.
pub type Decode<A, T, E> = fn(<A as Actor>::Response) -> Option<Result<T, E>>;

/// A shard's lane, opened by the first send of an ordered client.
type OwnLane<A> = OnceLock<Option<Mutex<LaneProducer<A>>>>;

/// The untyped part of a generated `XClient`: where the actor's shards are and which lane leads there.
///
/// Cloning costs two reference counts. A client does not keep its actor running.
pub struct Client<A: Actor> {
    shards: Arc<[Arc<Mailbox<A>>]>,
    /// The lanes of an ordered client and its clones; otherwise each thread uses its own.
    ordered: Option<Arc<[OwnLane<A>]>>,
}

impl<A: Actor> Client<A> {
    pub(crate) fn new(shards: Vec<Arc<Mailbox<A>>>) -> Self {
        Self { shards: shards.into(), ordered: None }
    }

    /// A client with lanes of its own: strictly first in, first out over all of its clones.
    #[must_use]
    pub fn ordered(&self) -> Self {
        let lanes = self.shards.iter().map(|_| OnceLock::new()).collect();
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
    pub fn ask<T, E>(
        &self,
        shard: usize,
        request: A::Request,
        decode: Decode<A, T, E>,
    ) -> Ask<'_, A, T, E> {
        Ask::new(self, shard, request, decode)
    }

    /// A tell to one shard; used by generated methods.
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
        // Without a lane to be had, the visitors' lane is first in, first out as well.
        let own = lanes[shard].get_or_init(|| mailbox.open_lane().map(Mutex::new));
        let lane = own.as_ref().or_else(|| mailbox.visitor())?;
        Some(send(&mut lane.lock().unwrap_or_else(PoisonError::into_inner)))
    }

    /// Sends now or hands the request back. `patient` says that the sender would wait, and so lines up
    /// behind those that wait already.
    fn send(
        &self,
        shard: usize,
        request: A::Request,
        wish: Option<Wish>,
        patient: bool,
    ) -> Result<Sent, Refused<A>> {
        let mailbox = self.mailbox(shard);
        let mut request = Some(request);
        let sent = self.with_lane(shard, |lane| {
            let request = request.take()?;
            if patient && mailbox.lane(lane.lane).waiters.any() && mailbox.refusal().is_none() {
                return Some(Err((Refusal::Full, request, Some(lane.lane))));
            }
            let sent = lane.send(mailbox, request, wish);
            Some(sent.map_err(|(refusal, request)| (refusal, request, Some(lane.lane))))
        });
        match (sent.flatten(), request) {
            (Some(sent), _) => sent,
            (None, Some(request)) => {
                Err((mailbox.refusal().unwrap_or(Refusal::Full), request, None))
            }
            (None, None) => unreachable!("the request is taken only to be sent"),
        }
    }

    fn has_room(&self, shard: usize, lane: u32, ask: bool) -> bool {
        let room =
            self.with_lane(shard, |own| own.lane != lane || own.has_room(self.mailbox(shard), ask));
        room.unwrap_or(true)
    }
}

/// Why, the request, and the lane that was full.
type Refused<A> = (Refusal, <A as Actor>::Request, Option<u32>);

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
