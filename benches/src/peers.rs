//! Counters in the clothes of channels and frameworks, each on a CPU of its own.

use std::future::Future;

use actix::Actor as _;
use kameo::actor::Spawn as _;
use tokio::sync::oneshot;
use tpc_actors::prelude::*;

use crate::stage::{on_cpu, on_runtime};

#[cfg(feature = "nodedb-bridge")]
mod behind_nodedb;
mod in_kompact;

#[cfg(feature = "nodedb-bridge")]
pub use behind_nodedb::Nodedb;
pub use in_kompact::Kompact;

const CAPACITY: usize = 1024;

/// An actor that adds up what it is sent, in whatever clothes.
pub trait Peer: Clone + Send + Sync + 'static {
    fn tell(&self, n: u64) -> impl Future<Output = ()> + Send;
    fn ask(&self, n: u64) -> impl Future<Output = u64> + Send;
}

// ---- tpc-actors ------------------------------------------------------------------------------------

#[core_actor(capacity = 1024)]
pub struct Counter {
    sum: u64,
}

#[core_actor]
impl Counter {
    #[init]
    fn new() -> Self {
        Self { sum: 0 }
    }

    #[handler(tell)]
    fn add(&mut self, n: u64) {
        self.sum = self.sum.wrapping_add(n);
    }

    #[handler]
    fn get(&mut self, n: u64) -> u64 {
        self.sum = self.sum.wrapping_add(n);
        self.sum
    }
}

impl Peer for CounterClient {
    async fn tell(&self, n: u64) {
        self.add(n).await.expect("alive");
    }

    async fn ask(&self, n: u64) -> u64 {
        self.get(n).await.expect("alive")
    }
}

// ---- channels --------------------------------------------------------------------------------------

pub enum Message {
    Add(u64),
    Get(u64, oneshot::Sender<u64>),
}

#[derive(Default)]
struct Sum(u64);

impl Sum {
    fn handle(&mut self, message: Message) {
        match message {
            Message::Add(n) => self.0 = self.0.wrapping_add(n),
            Message::Get(n, reply) => {
                self.0 = self.0.wrapping_add(n);
                let _ = reply.send(self.0);
            }
        }
    }
}

/// Implements the peer for a sender whose `send` is awaited.
macro_rules! async_channel {
    ($name:ident, $sender:ty) => {
        #[derive(Clone)]
        pub struct $name($sender);

        impl Peer for $name {
            async fn tell(&self, n: u64) {
                let _ = self.0.send(Message::Add(n)).await;
            }

            async fn ask(&self, n: u64) -> u64 {
                let (reply, answer) = oneshot::channel();
                let _ = self.0.send(Message::Get(n, reply)).await;
                answer.await.expect("an answer")
            }
        }
    };
}

async_channel!(TokioTask, tokio::sync::mpsc::Sender<Message>);
async_channel!(CrossfireThread, crossfire::compat::MAsyncTx<Message>);
async_channel!(KanalThread, kanal::AsyncSender<Message>);

/// A channel whose `send` blocks, as people use it from tasks that they trust to find room.
#[derive(Clone)]
pub struct CrossbeamThread(crossbeam_channel::Sender<Message>);

impl Peer for CrossbeamThread {
    async fn tell(&self, n: u64) {
        let _ = self.0.send(Message::Add(n));
    }

    async fn ask(&self, n: u64) -> u64 {
        let (reply, answer) = oneshot::channel();
        let _ = self.0.send(Message::Get(n, reply));
        answer.await.expect("an answer")
    }
}

// ---- frameworks ------------------------------------------------------------------------------------

#[derive(kameo::Actor, Default)]
pub struct KameoCounter(u64);

pub struct Add(u64);
pub struct Get(u64);

impl kameo::message::Message<Add> for KameoCounter {
    type Reply = ();

    async fn handle(&mut self, add: Add, _: &mut kameo::message::Context<Self, ()>) {
        self.0 = self.0.wrapping_add(add.0);
    }
}

impl kameo::message::Message<Get> for KameoCounter {
    type Reply = u64;

    async fn handle(&mut self, get: Get, _: &mut kameo::message::Context<Self, u64>) -> u64 {
        self.0 = self.0.wrapping_add(get.0);
        self.0
    }
}

impl Peer for kameo::actor::ActorRef<KameoCounter> {
    async fn tell(&self, n: u64) {
        let _ = kameo::actor::ActorRef::tell(self, Add(n)).await;
    }

    async fn ask(&self, n: u64) -> u64 {
        kameo::actor::ActorRef::ask(self, Get(n)).await.expect("an answer")
    }
}

#[derive(Default)]
pub struct ActixCounter(u64);

impl actix::Actor for ActixCounter {
    type Context = actix::Context<Self>;

    fn started(&mut self, context: &mut Self::Context) {
        context.set_mailbox_capacity(CAPACITY);
    }
}

impl actix::Message for Add {
    type Result = ();
}

impl actix::Message for Get {
    type Result = u64;
}

impl actix::Handler<Add> for ActixCounter {
    type Result = ();

    fn handle(&mut self, add: Add, _: &mut Self::Context) {
        self.0 = self.0.wrapping_add(add.0);
    }
}

impl actix::Handler<Get> for ActixCounter {
    type Result = u64;

    fn handle(&mut self, get: Get, _: &mut Self::Context) -> u64 {
        self.0 = self.0.wrapping_add(get.0);
        self.0
    }
}

impl Peer for actix::Addr<ActixCounter> {
    async fn tell(&self, n: u64) {
        // There is no tell that waits for room, so the task tries again after a turn of the others.
        while let Err(error) = self.try_send(Add(n)) {
            assert!(matches!(error, actix::prelude::SendError::Full(_)), "{error}");
            tokio::task::yield_now().await;
        }
    }

    async fn ask(&self, n: u64) -> u64 {
        self.send(Get(n)).await.expect("an answer")
    }
}

pub struct Peers {
    pub tokio: TokioTask,
    pub crossfire: CrossfireThread,
    pub kanal: KanalThread,
    pub crossbeam: CrossbeamThread,
    pub kameo: kameo::actor::ActorRef<KameoCounter>,
    pub actix: actix::Addr<ActixCounter>,
    pub kompact: Kompact,
    #[cfg(feature = "nodedb-bridge")]
    pub nodedb: Nodedb,
}

impl Peers {
    pub fn start(cpu: usize) -> Self {
        let (tokio, mut inbox) = tokio::sync::mpsc::channel(CAPACITY);
        let tokio = on_runtime(cpu, move || async move {
            tokio::spawn(async move {
                let mut sum = Sum::default();
                while let Some(message) = inbox.recv().await {
                    sum.handle(message);
                }
            });
            TokioTask(tokio)
        });
        let (crossfire, inbox) = crossfire::compat::mpsc::bounded_tx_async_rx_blocking(CAPACITY);
        on_cpu(cpu, move || {
            let mut sum = Sum::default();
            while let Ok(message) = inbox.recv() {
                sum.handle(message);
            }
        });
        let (kanal, inbox) = kanal::bounded_async(CAPACITY);
        on_cpu(cpu, move || {
            let (inbox, mut sum) = (inbox.to_sync(), Sum::default());
            while let Ok(message) = inbox.recv() {
                sum.handle(message);
            }
        });
        let (crossbeam, inbox) = crossbeam_channel::bounded(CAPACITY);
        on_cpu(cpu, move || {
            let mut sum = Sum::default();
            for message in inbox {
                sum.handle(message);
            }
        });
        let kameo = on_runtime(cpu, || async {
            KameoCounter::spawn_with_mailbox(
                KameoCounter::default(),
                kameo::mailbox::bounded(CAPACITY),
            )
        });
        let (address, waits) = std::sync::mpsc::channel();
        on_cpu(cpu, move || {
            actix::System::new().block_on(async {
                let _ = address.send(ActixCounter::default().start());
                std::future::pending::<()>().await;
            });
        });
        let actix = waits.recv().expect("it starts");
        Self {
            tokio,
            crossfire: CrossfireThread(crossfire),
            kanal: KanalThread(kanal),
            crossbeam: CrossbeamThread(crossbeam),
            kameo,
            actix,
            kompact: Kompact::start(cpu),
            #[cfg(feature = "nodedb-bridge")]
            nodedb: Nodedb::start(cpu),
        }
    }
}
