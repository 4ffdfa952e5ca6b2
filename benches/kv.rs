//! A key-value store as an actor, behind channels, in frameworks and behind locks.
//!
//! ```sh
//! cargo bench -p tpc-actors-benches --bench kv
//! ```
//!
//! 256 tasks; four of five operations read, one writes; 65,536 keys. Each contender has both CPUs as it likes them:
//! ours a Tokio worker on one and a core on the other, the locks and the channels' tasks two workers.

use std::collections::HashMap;
use std::future::Future;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use dashmap::DashMap;
use kameo::actor::Spawn as _;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::{mpsc, oneshot};
use tpc_actors::prelude::*;
use tpc_actors_benches::stage::Stage;
use tpc_actors_benches::{Contender, Unit, compare, timed};

const TASKS: u64 = 256;
const KEYS: u64 = 1 << 16;
const OPERATIONS: usize = 16;

#[derive(Debug, Clone, Copy)]
enum Operation {
    Get(u64),
    Set(u64, u64),
}

impl Operation {
    fn key(self) -> u64 {
        let (Self::Get(key) | Self::Set(key, _)) = self;
        key
    }

    /// Which of two shards it is for; several go together to that of the first.
    fn shard(self) -> usize {
        usize::from(self.key() % 2 == 1)
    }
}

/// Somebody who runs operations, one at a time or several.
trait Store: Clone + Send + Sync + 'static {
    fn one(&self, operation: Operation) -> impl Future<Output = Option<u64>> + Send;
    fn many(&self, operations: Vec<Operation>) -> impl Future<Output = Vec<Option<u64>>> + Send;
}

#[derive(Default)]
struct Map(HashMap<u64, u64>);

impl Map {
    fn run(&mut self, operation: Operation) -> Option<u64> {
        match operation {
            Operation::Get(key) => self.0.get(&key).copied(),
            Operation::Set(key, value) => self.0.insert(key, value),
        }
    }

    fn run_all(&mut self, operations: Vec<Operation>) -> Vec<Option<u64>> {
        operations.into_iter().map(|operation| self.run(operation)).collect()
    }
}

// ---- ours ------------------------------------------------------------------------------------------

#[core_actor(capacity = 1024)]
struct Shard(Map);

#[core_actor]
impl Shard {
    #[init]
    fn new() -> Self {
        Self(Map::default())
    }

    #[handler]
    fn run(&mut self, operation: Operation) -> Option<u64> {
        self.0.run(operation)
    }

    #[handler]
    fn run_all(&mut self, operations: Vec<Operation>) -> Vec<Option<u64>> {
        self.0.run_all(operations)
    }
}

impl Store for ShardClient {
    async fn one(&self, operation: Operation) -> Option<u64> {
        self.run(operation).await.expect("alive")
    }

    async fn many(&self, operations: Vec<Operation>) -> Vec<Option<u64>> {
        self.run_all(operations).await.expect("alive")
    }
}

// ---- a task per shard behind a channel ---------------------------------------------------------------

enum Message {
    One(Operation, oneshot::Sender<Option<u64>>),
    Many(Vec<Operation>, oneshot::Sender<Vec<Option<u64>>>),
}

#[derive(Clone)]
struct Channels(Arc<[mpsc::Sender<Message>]>);

impl Channels {
    fn start(runtime: &Runtime) -> Self {
        let shards = (0..2).map(|_| {
            let (sender, mut inbox) = mpsc::channel(1024);
            runtime.spawn(async move {
                let mut map = Map::default();
                while let Some(message) = inbox.recv().await {
                    match message {
                        Message::One(operation, reply) => _ = reply.send(map.run(operation)),
                        Message::Many(operations, reply) => _ = reply.send(map.run_all(operations)),
                    }
                }
            });
            sender
        });
        Self(shards.collect())
    }

    fn shard(&self, operation: Operation) -> &mpsc::Sender<Message> {
        &self.0[operation.shard()]
    }
}

impl Store for Channels {
    async fn one(&self, operation: Operation) -> Option<u64> {
        let (reply, answer) = oneshot::channel();
        let _ = self.shard(operation).send(Message::One(operation, reply)).await;
        answer.await.expect("an answer")
    }

    async fn many(&self, operations: Vec<Operation>) -> Vec<Option<u64>> {
        let (reply, answer) = oneshot::channel();
        let _ = self.shard(operations[0]).send(Message::Many(operations, reply)).await;
        answer.await.expect("an answer")
    }
}

// ---- kameo -----------------------------------------------------------------------------------------

#[derive(kameo::Actor, Default)]
struct KameoShard(Map);

struct One(Operation);
struct Many(Vec<Operation>);

impl kameo::message::Message<One> for KameoShard {
    type Reply = Option<u64>;

    async fn handle(
        &mut self,
        one: One,
        _: &mut kameo::message::Context<Self, Self::Reply>,
    ) -> Self::Reply {
        self.0.run(one.0)
    }
}

impl kameo::message::Message<Many> for KameoShard {
    type Reply = Vec<Option<u64>>;

    async fn handle(
        &mut self,
        many: Many,
        _: &mut kameo::message::Context<Self, Self::Reply>,
    ) -> Self::Reply {
        self.0.run_all(many.0)
    }
}

#[derive(Clone)]
struct Kameo(Arc<[kameo::actor::ActorRef<KameoShard>]>);

impl Kameo {
    fn start(runtime: &Runtime) -> Self {
        runtime.block_on(async {
            let shard = |_| {
                let mailbox = kameo::mailbox::bounded(1024);
                KameoShard::spawn_with_mailbox(KameoShard::default(), mailbox)
            };
            Self((0..2).map(shard).collect())
        })
    }
}

impl Store for Kameo {
    async fn one(&self, operation: Operation) -> Option<u64> {
        self.0[operation.shard()].ask(One(operation)).await.expect("an answer")
    }

    async fn many(&self, operations: Vec<Operation>) -> Vec<Option<u64>> {
        self.0[operations[0].shard()].ask(Many(operations)).await.expect("an answer")
    }
}

// ---- locks -----------------------------------------------------------------------------------------

#[derive(Clone)]
struct Locks(Arc<[Mutex<Map>]>);

impl Store for Locks {
    async fn one(&self, operation: Operation) -> Option<u64> {
        let lock = &self.0[usize::try_from(operation.key() % 64).expect("few")];
        lock.lock().expect("no panic").run(operation)
    }

    async fn many(&self, operations: Vec<Operation>) -> Vec<Option<u64>> {
        let mut answers = Vec::with_capacity(operations.len());
        for operation in operations {
            answers.push(self.one(operation).await);
        }
        answers
    }
}

#[derive(Clone)]
struct Dash(Arc<DashMap<u64, u64>>);

impl Store for Dash {
    async fn one(&self, operation: Operation) -> Option<u64> {
        match operation {
            Operation::Get(key) => self.0.get(&key).map(|value| *value),
            Operation::Set(key, value) => self.0.insert(key, value),
        }
    }

    async fn many(&self, operations: Vec<Operation>) -> Vec<Option<u64>> {
        let mut answers = Vec::with_capacity(operations.len());
        for operation in operations {
            answers.push(self.one(operation).await);
        }
        answers
    }
}

// ---- the load --------------------------------------------------------------------------------------

/// Operations of one task, without a random number generator's cost: an odd stride meets all keys.
struct Load(u64);

impl Load {
    fn next(&mut self) -> Operation {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let key = (self.0 >> 40) % KEYS;
        if self.0.is_multiple_of(5) { Operation::Set(key, self.0) } else { Operation::Get(key) }
    }
}

/// Runs the load; each call has `per_call` operations.
fn load(runtime: &Runtime, store: &impl Store, per_call: usize, calls: u64) -> f64 {
    let store = store.clone();
    timed(TASKS * calls * per_call as u64, || {
        let tasks: Vec<_> = (0..TASKS)
            .map(|task| {
                let store = store.clone();
                runtime.spawn(async move {
                    let mut load = Load(task << 48);
                    let mut found = 0_u64;
                    for _ in 0..calls {
                        if per_call == 1 {
                            found += u64::from(store.one(load.next()).await.is_some());
                        } else {
                            let operations = (0..per_call).map(|_| load.next()).collect();
                            let answers = store.many(operations).await;
                            found += answers.iter().flatten().count() as u64;
                        }
                        // What is never waited for never lets others have their turn.
                        tokio::task::coop::consume_budget().await;
                    }
                    found
                })
            })
            .collect();
        runtime.block_on(async {
            for task in tasks {
                std::hint::black_box(task.await.expect("no panic"));
            }
        });
    })
}

fn main() {
    let stage = Stage::new();
    let system = stage.system(Duration::from_micros(50));
    let shard: ShardClient = system.spawn::<Shard>(()).wait().expect("an actor");
    let two =
        Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
    let channels = Channels::start(&two);
    let kameo = Kameo::start(&two);
    let locks = Locks((0..64).map(|_| Mutex::default()).collect());
    let dash = Dash(Arc::default());
    for (per_call, calls) in [(1, 1_000), (OPERATIONS, 200)] {
        compare(
            &format!("key-value, {per_call} operations a call"),
            Unit::Rate,
            9,
            vec![
                Contender::new("tpc-actors, 1 worker + 1 core", || {
                    load(&stage.runtime, &shard, per_call, calls)
                }),
                Contender::new("tokio mpsc and oneshot, 2 workers", || {
                    load(&two, &channels, per_call, calls)
                }),
                Contender::new("kameo, 2 workers", || load(&two, &kameo, per_call, calls)),
                Contender::new("64 mutexes, 2 workers", || load(&two, &locks, per_call, calls)),
                Contender::new("dashmap, 2 workers", || load(&two, &dash, per_call, calls)),
            ],
        );
    }
    system.shutdown_wait(Duration::from_secs(5));
}
