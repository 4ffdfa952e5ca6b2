//! The data plane: one actor per shard around its [`Store`], pinned to a core for life.
//!
//! A shard that panics comes back empty; this server keeps nothing on disk.

use crate::store::{
    Contents, Figures, Lifetime, Only, ScanPage, SetOutcome, Store, StoreError, Ttl,
};
use bytes::Bytes;
use std::time::Duration;
use tpc_actors::prelude::*;

/// The most keys that are forgotten in one go; whoever waits is served before it goes on.
const SWEEP_MAX_KEYS: usize = 512;

/// One part of the key space. The capacity is twice what all connections together may have under way
/// (see `Server::room`), so a run of pipelined asks always finds room.
#[core_actor(capacity = 4096)]
pub(crate) struct Shard {
    store: Store,
    /// A sweep is not through and has told this actor to go on.
    sweeping: bool,
}

#[core_actor]
impl Shard {
    #[init]
    fn new() -> Self {
        Self { store: Store::default(), sweeping: false }
    }

    /// The value of a key.
    #[handler]
    fn get(&mut self, cx: &mut Ctx<Self>, #[key] key: Bytes) -> Option<Bytes> {
        self.store.get(&key, cx.now())
    }

    /// Writes a value and says whether the condition let it.
    #[handler]
    fn set(
        &mut self,
        cx: &mut Ctx<Self>,
        #[key] key: Bytes,
        value: Bytes,
        only: Only,
        lifetime: Lifetime,
    ) -> bool {
        self.store.set(key, value, only, lifetime, cx.now()).stored
    }

    /// Writes a value and gives back the one before.
    #[handler]
    fn swap(
        &mut self,
        cx: &mut Ctx<Self>,
        #[key] key: Bytes,
        value: Bytes,
        only: Only,
        lifetime: Lifetime,
    ) -> SetOutcome {
        self.store.set(key, value, only, lifetime, cx.now())
    }

    /// Removes a key and says whether it was there.
    #[handler]
    fn del(&mut self, cx: &mut Ctx<Self>, #[key] key: Bytes) -> bool {
        self.store.remove(&key, cx.now())
    }

    /// Whether a key is there.
    #[handler]
    fn exists(&mut self, cx: &mut Ctx<Self>, #[key] key: Bytes) -> bool {
        self.store.contains(&key, cx.now())
    }

    /// Adds to a number and answers with the sum.
    #[handler]
    fn incr_by(
        &mut self,
        cx: &mut Ctx<Self>,
        #[key] key: Bytes,
        by: i64,
    ) -> Result<i64, StoreError> {
        self.store.incr_by(key, by, cx.now())
    }

    /// Adds to the end of a value and answers with its length.
    #[handler]
    fn append(
        &mut self,
        cx: &mut Ctx<Self>,
        #[key] key: Bytes,
        tail: Bytes,
    ) -> Result<usize, StoreError> {
        self.store.append(key, tail, cx.now())
    }

    /// The length of a value.
    #[handler]
    fn strlen(&mut self, cx: &mut Ctx<Self>, #[key] key: Bytes) -> usize {
        self.store.strlen(&key, cx.now())
    }

    /// Lets a key die after some time.
    #[handler]
    fn expire(&mut self, cx: &mut Ctx<Self>, #[key] key: Bytes, after: Duration) -> bool {
        self.store.expire(&key, after, cx.now())
    }

    /// Lets a key live for ever.
    #[handler]
    fn persist(&mut self, cx: &mut Ctx<Self>, #[key] key: Bytes) -> bool {
        self.store.persist(&key, cx.now())
    }

    /// How long a key has left.
    #[handler]
    fn ttl(&mut self, cx: &mut Ctx<Self>, #[key] key: Bytes) -> Ttl {
        self.store.ttl(&key, cx.now())
    }

    /// The values of several keys of this shard, in their order.
    #[handler]
    fn get_all(
        &mut self,
        cx: &mut Ctx<Self>,
        #[key] first: Bytes,
        others: Vec<Bytes>,
    ) -> Vec<Option<Bytes>> {
        let now = cx.now();
        let mut values = Vec::with_capacity(1 + others.len());
        values.push(self.store.get(&first, now));
        values.extend(others.iter().map(|key| self.store.get(key, now)));
        values
    }

    /// Writes several keys of this shard.
    #[handler]
    fn set_all(
        &mut self,
        cx: &mut Ctx<Self>,
        #[key] first: Bytes,
        value: Bytes,
        others: Vec<(Bytes, Bytes)>,
    ) {
        let now = cx.now();
        self.store.set(first, value, Only::Always, Lifetime::Forever, now);
        for (key, value) in others {
            self.store.set(key, value, Only::Always, Lifetime::Forever, now);
        }
    }

    /// Removes several keys of this shard and counts those that were there.
    #[handler]
    fn del_all(&mut self, cx: &mut Ctx<Self>, #[key] first: Bytes, others: Vec<Bytes>) -> usize {
        let now = cx.now();
        let removed = others.iter().filter(|key| self.store.remove(key, now)).count();
        removed + usize::from(self.store.remove(&first, now))
    }

    /// Counts those of several keys of this shard that are there.
    #[handler]
    fn exist_all(&mut self, cx: &mut Ctx<Self>, #[key] first: Bytes, others: Vec<Bytes>) -> usize {
        let now = cx.now();
        let found = others.iter().filter(|key| self.store.contains(key, now)).count();
        found + usize::from(self.store.contains(&first, now))
    }

    /// One step of a scan over the shard that `_route` belongs to.
    #[handler]
    fn scan(
        &mut self,
        cx: &mut Ctx<Self>,
        #[key] _route: Bytes,
        from: u64,
        count: usize,
        pattern: Option<Bytes>,
    ) -> ScanPage {
        self.store.scan(from, count, pattern.as_deref(), cx.now())
    }

    /// The number of keys.
    #[handler(all)]
    fn size(&self) -> usize {
        self.store.figures().keys
    }

    /// What happened here since the shard started.
    #[handler(all)]
    fn figures(&self) -> Figures {
        self.store.figures()
    }

    /// Empties the shard. The contents travel to the caller, who has the time to free them.
    #[handler(all)]
    fn flush(&mut self) -> Contents {
        self.store.flush()
    }

    /// Looks for keys whose time has come and that nobody asks for any more. How often does not
    /// matter to those who do ask: they never see such a key.
    #[every("100ms")]
    fn tick(&mut self, cx: &mut Ctx<Self>) {
        if !self.sweeping {
            self.sweep(cx);
        }
    }

    /// Forgets some of those keys, and goes on in a later turn if there are more.
    #[handler(tell, all)]
    fn sweep(&mut self, cx: &mut Ctx<Self>) {
        let rest = self.store.sweep(SWEEP_MAX_KEYS, cx.now()) == SWEEP_MAX_KEYS;
        // Without room in the queue the next tick goes on.
        self.sweeping = rest && cx.pinned().sweep().now().is_ok();
    }
}
