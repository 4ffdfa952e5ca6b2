//! Tells and asks against channels and actor frameworks.
//!
//! ```sh
//! cargo bench -p tpc-actors-benches --bench messages
//! ```
//!
//! Callers are tasks on a Tokio runtime with one worker, bound to one CPU. The actor, or what stands in for
//! it, runs on the other: ours on a core, a channel's receiver on a thread, a framework's actor on a
//! current-thread runtime. Every ask returns a running total, so that lost messages are noticed.

use std::future::Future;
use std::thread;
use std::time::Duration;

use actix::Actor as _;
use kameo::actor::Spawn as _;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::oneshot;
use tpc_actors::placement::Placement;
use tpc_actors::prelude::*;
use tpc_actors_benches::{Contender, Unit, compare, pin, timed};

const CAPACITY: usize = 1024;

/// An actor that adds up what it is sent, in whatever clothes.
trait Peer: Clone + Send + Sync + 'static {
    fn tell(&self, n: u64) -> impl Future<Output = ()> + Send;
    fn ask(&self, n: u64) -> impl Future<Output = u64> + Send;
}

// ---- tpc-actors ------------------------------------------------------------------------------------

#[core_actor(capacity = 1024)]
struct Counter {
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

enum Message {
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
        struct $name($sender);

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
struct CrossbeamThread(crossbeam_channel::Sender<Message>);

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
struct KameoCounter(u64);

struct Add(u64);
struct Get(u64);

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
struct ActixCounter(u64);

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
        // There is no tell that waits for room; a message whose answer is ignored is the nearest thing.
        let _ = self.send(Add(n)).await;
    }

    async fn ask(&self, n: u64) -> u64 {
        self.send(Get(n)).await.expect("an answer")
    }
}

// ---- the stage -------------------------------------------------------------------------------------

/// Runs `serve` on a thread of that CPU.
fn on_cpu(cpu: usize, serve: impl FnOnce() + Send + 'static) {
    thread::spawn(move || {
        pin(cpu);
        serve();
    });
}

/// Runs what `start` begins on a current-thread runtime of that CPU, for good.
fn on_runtime<P: Send + 'static, F: Future<Output = P>>(
    cpu: usize,
    start: impl FnOnce() -> F + Send + 'static,
) -> P {
    let (started, waits) = std::sync::mpsc::channel();
    on_cpu(cpu, move || {
        let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
        let local = tokio::task::LocalSet::new();
        runtime.block_on(local.run_until(async {
            let _ = started.send(start().await);
            std::future::pending::<()>().await;
        }));
    });
    waits.recv().expect("it starts")
}

struct Peers {
    tokio: TokioTask,
    crossfire: CrossfireThread,
    kanal: KanalThread,
    crossbeam: CrossbeamThread,
    kameo: kameo::actor::ActorRef<KameoCounter>,
    actix: actix::Addr<ActixCounter>,
}

impl Peers {
    fn start(cpu: usize) -> Self {
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
        }
    }
}

fn in_task(runtime: &Runtime, work: impl Future<Output = ()> + Send + 'static) {
    // A task of the runtime, so that it runs where a user's code would.
    runtime.block_on(async { tokio::spawn(work).await.expect("no panic") });
}

fn tells(runtime: &Runtime, peer: &impl Peer, count: u64) -> f64 {
    let peer = peer.clone();
    timed(count, || {
        in_task(runtime, async move {
            let before = peer.ask(0).await;
            for n in 0..count {
                peer.tell(n).await;
            }
            let after = peer.ask(0).await;
            assert_eq!(after.wrapping_sub(before), count * (count - 1) / 2, "every tell once");
        });
    })
}

/// Tells in batches of 32.
fn batches(runtime: &Runtime, counter: &CounterClient, count: u64) -> f64 {
    let counter = counter.clone();
    timed(count, || {
        in_task(runtime, async move {
            let before = counter.get(0).await.expect("alive");
            let mut batch = counter.batch();
            for n in 0..count {
                batch.push(counter.add(n));
                if n % 32 == 31 {
                    batch.send().await.expect("alive");
                }
            }
            batch.send().await.expect("alive");
            let after = counter.get(0).await.expect("alive");
            assert_eq!(after.wrapping_sub(before), count * (count - 1) / 2, "every tell once");
        });
    })
}

/// Asks in batches of 32 by one task.
fn ask_batches(runtime: &Runtime, counter: &CounterClient, count: u64) -> f64 {
    let counter = counter.clone();
    timed(count, || {
        in_task(runtime, async move {
            for _ in 0..count / 32 {
                let answers = counter.ask_batch((0..32).map(|_| counter.get(1))).await;
                assert!(answers.iter().all(Result::is_ok));
            }
        });
    })
}

fn asks(runtime: &Runtime, peer: &impl Peer, tasks: u64, each: u64) -> f64 {
    let peer = peer.clone();
    timed(tasks * each, || {
        in_task(runtime, async move {
            let before = peer.ask(0).await;
            let all: Vec<_> = (0..tasks)
                .map(|_| {
                    let peer = peer.clone();
                    tokio::spawn(async move {
                        for _ in 0..each {
                            peer.ask(1).await;
                        }
                    })
                })
                .collect();
            for task in all {
                task.await.expect("no panic");
            }
            assert_eq!(peer.ask(0).await.wrapping_sub(before), tasks * each, "every ask once");
        });
    })
}

fn main() {
    let placement = Placement::plan(1);
    let cpu = placement.data_plane().first().copied().unwrap_or(0);
    let control = placement.control_plane();
    let runtime = Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .on_thread_start(move || _ = control.bind_current_thread())
        .build()
        .expect("a runtime");
    let peers = Peers::start(cpu);
    // All take turns on the same CPU, so only the one that is measured may spin.
    let spin = Duration::from_micros(50);
    let system = System::builder().placement(placement).spin(spin).start().expect("a system");
    let counter = system.spawn::<Counter>(()).wait().expect("an actor");

    let count = 200_000;
    compare(
        "tell, one task",
        Unit::Rate,
        9,
        vec![
            Contender::new("tpc-actors", || tells(&runtime, &counter, count)),
            Contender::new("tpc-actors, batches of 32", || batches(&runtime, &counter, count * 4)),
            Contender::new("crossfire", || tells(&runtime, &peers.crossfire, count)),
            Contender::new("crossbeam-channel", || tells(&runtime, &peers.crossbeam, count)),
            Contender::new("kanal", || tells(&runtime, &peers.kanal, count)),
            Contender::new("tokio mpsc", || tells(&runtime, &peers.tokio, count)),
            Contender::new("actix", || tells(&runtime, &peers.actix, count / 32)),
            Contender::new("kameo", || tells(&runtime, &peers.kameo, count / 8)),
        ],
    );
    for (tasks, each) in [(1, 3_000), (64, 1_500), (1024, 150)] {
        compare(
            &format!("ask, {tasks} tasks"),
            Unit::Time,
            9,
            vec![
                Contender::new("tpc-actors", || asks(&runtime, &counter, tasks, each)),
                Contender::new("tpc-actors, one task, batches of 32", || {
                    ask_batches(&runtime, &counter, tasks * each)
                }),
                Contender::new("crossfire", || asks(&runtime, &peers.crossfire, tasks, each)),
                Contender::new("kanal", || asks(&runtime, &peers.kanal, tasks, each)),
                Contender::new("tokio mpsc", || asks(&runtime, &peers.tokio, tasks, each)),
                Contender::new("actix", || asks(&runtime, &peers.actix, tasks, each)),
                Contender::new("kameo", || asks(&runtime, &peers.kameo, tasks, each)),
            ],
        );
    }
    let report = system.shutdown_wait(Duration::from_secs(5));
    assert!(report.is_clean(), "{report}");
}
