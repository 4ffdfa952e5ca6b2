//! Hearing of an actor's end, and holding a client that keeps nothing of it.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Weak};
use std::task::{Context, Poll};

use super::{Ask, AskBatch, Client, OrderedLanes, TellBatch, block};
use crate::actor::Actor;
use crate::bridge::Pressure;
use crate::mailbox::{Ended, Life, Mailbox};

/// What every generated client can do beside sending.
///
/// In the prelude. A handler of the same name as one of these methods wins; write
/// `ActorClient::closed(&client)` then.
///
/// Every client is `Send` and `Sync`; code that is generic over them and moves them to other threads asks for that.
///
/// ```
/// use std::time::Duration;
/// use tpc_actors::Ended;
/// use tpc_actors::prelude::*;
///
/// #[core_actor]
/// pub struct Worker;
///
/// #[core_actor]
/// impl Worker {
///     #[init]
///     fn new() -> Self {
///         Self
///     }
///
///     #[handler(tell)]
///     fn finish(&mut self, cx: &mut Ctx<Self>) {
///         cx.stop();
///     }
/// }
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let system = System::builder().cores(1).start()?;
/// let worker = system.spawn::<Worker>(()).wait()?;
/// worker.finish().wait()?;
/// assert!(matches!(worker.closed().wait(), Ended::Normal));
/// # system.shutdown_wait(Duration::from_secs(5));
/// # Ok(())
/// # }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not the client of an actor",
    note = "clients are what `System::spawn` returns: `CounterClient` for an actor `Counter`"
)]
pub trait ActorClient: Clone + From<Client<Self::Actor>> + 'static {
    /// The actor that this is a client of.
    type Actor: Actor<Client = Self>;

    /// The untyped part.
    fn untyped(&self) -> &Client<Self::Actor>;

    /// Waits until the actor, with all of its shards, has ended for good; says how the last one did.
    fn closed(&self) -> Closed {
        Closed(self.watch())
    }

    /// Tells of the end of each shard.
    fn watch(&self) -> Watch {
        let shards = self.untyped().shards.iter();
        let system = self.untyped().mailbox(0).core.system;
        let shards = shards.map(|mailbox| Some(Arc::clone(mailbox) as Arc<dyn Mortal>));
        let shards = shards.map(|mailbox| Place { mailbox, id: None }).collect();
        Watch { system, shards }
    }

    /// Whether the actor, or one of its shards, is still there.
    fn is_alive(&self) -> bool {
        self.untyped().shards.iter().any(|mailbox| mailbox.ending.get().is_none())
    }

    /// How full the lane is that a send from here would take, or the fullest of them if there are several
    /// shards: whether it is time to send less, before anything has to wait or is refused.
    ///
    /// Only messages that wait for their handlers count. Asks whose handlers take their time to answer, or whose
    /// answers nobody polls for, do not, and an ask may have to wait for them in an empty lane.
    ///
    /// Judged by each call anew, so it falls as the actor works through what it has. A level is left at a lower
    /// fill than it is entered at; `#[core_actor(pressure(..))]` changes [both](crate::actor::Policy::pressure).
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use tpc_actors::prelude::*;
    /// use tpc_actors::bridge::Pressure;
    ///
    /// # #[core_actor] pub struct Sink;
    /// # #[core_actor] impl Sink {
    /// #     #[init] fn new() -> Self { Self }
    /// #     #[handler(tell)] fn put(&mut self, n: u64) { drop(n); }
    /// # }
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let system = System::builder().cores(1).start()?;
    /// # let sink = system.spawn::<Sink>(()).wait()?;
    /// for reading in 0..1_000 {
    ///     // Every tenth is enough while the actor is behind.
    ///     if sink.pressure() == Pressure::Normal || reading % 10 == 0 {
    ///         sink.put(reading).wait()?;
    ///     }
    /// }
    /// # system.shutdown_wait(Duration::from_secs(5));
    /// # Ok(())
    /// # }
    /// ```
    fn pressure(&self) -> Pressure {
        self.untyped().pressure()
    }

    /// Tells that are collected and sent together.
    fn batch(&self) -> TellBatch<'_, Self::Actor> {
        TellBatch::new(self.untyped())
    }

    /// Sends asks of one kind together, and awaits their answers as one.
    fn ask_batch<'a, T, E>(
        &'a self,
        asks: impl IntoIterator<Item = Ask<'a, Self::Actor, T, E>>,
    ) -> AskBatch<'a, Self::Actor, T, E> {
        asks.into_iter().collect()
    }

    /// A client that keeps nothing of the actor, not even the memory of its lanes. That of an
    /// [ordered](Client::ordered) client becomes one of its clones again, as long as there is another one.
    fn downgrade(&self) -> WeakClient<Self> {
        let client = self.untyped();
        WeakClient {
            shards: client.shards.iter().map(Arc::downgrade).collect(),
            ordered: client.ordered.as_ref().map(Arc::downgrade),
        }
    }
}

/// A mailbox of any type, as far as its end goes.
trait Mortal: Send + Sync {
    fn poll(&self, id: &mut Option<u64>, context: &Context<'_>) -> Poll<Ended>;
    fn leave(&self, id: u64);
}

impl<A: Actor> Mortal for Mailbox<A> {
    fn poll(&self, id: &mut Option<u64>, context: &Context<'_>) -> Poll<Ended> {
        self.ending.poll(id, context)
    }

    fn leave(&self, id: u64) {
        self.ending.leave(id);
    }
}

struct Place {
    /// `None` once its end was told.
    mailbox: Option<Arc<dyn Mortal>>,
    id: Option<u64>,
}

/// The ends of an actor's shards, as they come; made by [`ActorClient::watch`].
pub struct Watch {
    system: u64,
    shards: Vec<Place>,
}

impl Watch {
    /// The next shard that ends, counted from 0, and how; `None` when all have been told.
    ///
    /// # Cancel safety
    ///
    /// Nothing is lost when the future is dropped.
    pub async fn next(&mut self) -> Option<(usize, Ended)> {
        std::future::poll_fn(|context| self.poll_next(context)).await
    }

    fn poll_next(&mut self, context: &Context<'_>) -> Poll<Option<(usize, Ended)>> {
        let mut waiting = false;
        for (shard, place) in self.shards.iter_mut().enumerate() {
            let Some(mailbox) = &place.mailbox else { continue };
            if let Poll::Ready(ended) = mailbox.poll(&mut place.id, context) {
                place.mailbox = None;
                return Poll::Ready(Some((shard, ended)));
            }
            waiting = true;
        }
        if waiting { Poll::Pending } else { Poll::Ready(None) }
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        for place in &mut self.shards {
            if let (Some(mailbox), Some(id)) = (&place.mailbox, place.id) {
                mailbox.leave(id);
            }
        }
    }
}

impl fmt::Debug for Watch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Watch").field("shards", &self.shards.len()).finish_non_exhaustive()
    }
}

/// Waits for the end of an actor; made by [`ActorClient::closed`] and by
/// [`System::stop`](crate::System::stop).
///
/// # Cancel safety
///
/// Dropping it changes nothing.
#[derive(Debug)]
#[must_use = "it waits for the end only when it is awaited or waited for"]
pub struct Closed(Watch);

impl Closed {
    /// Waits on this thread.
    ///
    /// # Panics
    ///
    /// On a core's own thread, which must not block.
    pub fn wait(self) -> Ended {
        assert!(!crate::core_loop::on_core_thread(), "a core must not wait for an actor's end");
        block::block_on_of(self.0.system, self)
    }
}

impl Future for Closed {
    type Output = Ended;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Ended> {
        loop {
            match std::task::ready!(self.0.poll_next(context)) {
                Some((_, ended)) if self.0.shards.iter().all(|place| place.mailbox.is_none()) => {
                    return Poll::Ready(ended);
                }
                Some(_) => {}
                None => panic!("the end of an actor was awaited after it had been told of"),
            }
        }
    }
}

/// A client that keeps nothing of its actor; made by [`ActorClient::downgrade`].
pub struct WeakClient<C: ActorClient> {
    shards: Vec<Weak<Mailbox<C::Actor>>>,
    ordered: Option<Weak<OrderedLanes<C::Actor>>>,
}

impl<C: ActorClient> WeakClient<C> {
    pub(crate) fn new(shards: Vec<Weak<Mailbox<C::Actor>>>) -> Self {
        Self { shards, ordered: None }
    }

    /// A client, unless the actor, or one of its shards, has ended for good.
    pub fn upgrade(&self) -> Option<C> {
        let alive = |weak: &Weak<Mailbox<C::Actor>>| {
            // Named only once it has started, and not named any more once it has ended; one whose core is lost may
            // come back.
            let is_there = |mailbox: &Arc<Mailbox<C::Actor>>| {
                let stopped = mailbox.life() == Life::Stopped || mailbox.ending.get().is_some();
                mailbox.cell.get().is_some() && !stopped
            };
            weak.upgrade().filter(is_there)
        };
        let shards: Vec<_> = self.shards.iter().map(alive).collect::<Option<_>>()?;
        let mut client = Client::new(shards);
        if let Some(lanes) = &self.ordered {
            client.ordered = lanes.upgrade().or_else(|| client.ordered().ordered);
        }
        Some(C::from(client))
    }
}

impl<C: ActorClient> Clone for WeakClient<C> {
    fn clone(&self) -> Self {
        Self { shards: self.shards.clone(), ordered: self.ordered.clone() }
    }
}

impl<C: ActorClient> fmt::Debug for WeakClient<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WeakClient")
            .field("actor", &<C::Actor as crate::actor::Settings>::NAME)
            .finish_non_exhaustive()
    }
}
