//! Asks that are answered together, as writers are whose log is flushed once for all of them: each is kept until as
//! many have come as there are tasks.
//!
//! ```sh
//! cargo bench -p tpc-actors-benches --bench group_commit
//! ```
//!
//! Callers and what they call have a CPU each, as in `messages`.

use std::time::Duration;

use kameo::actor::{ActorRef, Spawn as _};
use kameo::message::{Context, Message};
use kameo::reply::{DelegatedReply, ReplySender};
use tokio::sync::oneshot;
use tpc_actors::prelude::*;
use tpc_actors_benches::stage::{Stage, on_cpu, on_runtime};
use tpc_actors_benches::{Contender, Unit, compare, timed};

const CAPACITY: usize = 1024;

/// Takes entries, and answers them together.
trait Ledger: Clone + Send + Sync + 'static {
    /// Adds an entry, one of `writers` that are answered together; the number of entries by then.
    fn commit(&self, writers: usize) -> impl Future<Output = u64> + Send;
}

/// Entries that wait for the others, each with what answers it.
struct Waiting<R> {
    entries: u64,
    replies: Vec<R>,
}

impl<R> Default for Waiting<R> {
    fn default() -> Self {
        Self { entries: 0, replies: Vec::new() }
    }
}

impl<R> Waiting<R> {
    fn add(&mut self, writers: usize, reply: R, answer: impl Fn(R, u64)) {
        self.entries += 1;
        self.replies.push(reply);
        if self.replies.len() >= writers {
            let entries = self.entries;
            self.replies.drain(..).for_each(|reply| answer(reply, entries));
        }
    }
}

// ---- tpc-actors ------------------------------------------------------------------------------------

#[core_actor(capacity = 1024)]
struct Ours {
    waiting: Waiting<Reply<u64>>,
}

#[core_actor]
impl Ours {
    #[init]
    fn new() -> Self {
        Self { waiting: Waiting::default() }
    }

    #[handler]
    fn keep(&mut self, writers: usize, reply: Reply<u64>) {
        self.waiting.add(writers, reply, Reply::send);
    }

    /// Answers what has come by then, whether that is all or not.
    #[handler(batch = 256)]
    fn take(&mut self, batch: Batch<usize, Reply<u64>>) {
        for (_, reply) in batch {
            self.waiting.entries += 1;
            reply.send(self.waiting.entries);
        }
    }
}

impl Ledger for OursClient {
    async fn commit(&self, writers: usize) -> u64 {
        self.keep(writers).await.expect("alive")
    }
}

/// The same actor, which takes what comes together.
#[derive(Clone)]
struct InBatches(OursClient);

impl Ledger for InBatches {
    async fn commit(&self, writers: usize) -> u64 {
        self.0.take(writers).await.expect("alive")
    }
}

// ---- channels --------------------------------------------------------------------------------------

type Entry = (usize, oneshot::Sender<u64>);

fn answer(reply: oneshot::Sender<u64>, entries: u64) {
    let _ = reply.send(entries);
}

/// Commits by `send`, and waits for what comes back through its own channel.
async fn commit_by<F: Future>(writers: usize, send: impl FnOnce(Entry) -> F) -> u64 {
    let (reply, answer) = oneshot::channel();
    let _ = send((writers, reply)).await;
    answer.await.expect("an answer")
}

#[derive(Clone)]
struct TokioTask(tokio::sync::mpsc::Sender<Entry>);

impl TokioTask {
    fn start(cpu: usize) -> Self {
        let (sender, mut inbox) = tokio::sync::mpsc::channel::<Entry>(CAPACITY);
        on_runtime(cpu, move || async move {
            tokio::spawn(async move {
                let mut waiting = Waiting::default();
                while let Some((writers, reply)) = inbox.recv().await {
                    waiting.add(writers, reply, answer);
                }
            });
            Self(sender)
        })
    }
}

impl Ledger for TokioTask {
    async fn commit(&self, writers: usize) -> u64 {
        commit_by(writers, |entry| self.0.send(entry)).await
    }
}

#[derive(Clone)]
struct CrossfireThread(crossfire::compat::MAsyncTx<Entry>);

impl CrossfireThread {
    fn start(cpu: usize) -> Self {
        let (sender, inbox) = crossfire::compat::mpsc::bounded_tx_async_rx_blocking(CAPACITY);
        on_cpu(cpu, move || {
            let mut waiting = Waiting::default();
            while let Ok((writers, reply)) = inbox.recv() {
                waiting.add(writers, reply, answer);
            }
        });
        Self(sender)
    }
}

impl Ledger for CrossfireThread {
    async fn commit(&self, writers: usize) -> u64 {
        commit_by(writers, |entry| self.0.send(entry)).await
    }
}

// ---- a framework -----------------------------------------------------------------------------------

#[derive(kameo::Actor, Default)]
struct KameoLedger(Waiting<ReplySender<u64>>);

struct Commit(usize);

impl Message<Commit> for KameoLedger {
    type Reply = DelegatedReply<u64>;

    async fn handle(
        &mut self,
        Commit(writers): Commit,
        context: &mut Context<Self, Self::Reply>,
    ) -> Self::Reply {
        let (delegated, reply) = context.reply_sender();
        if let Some(reply) = reply {
            self.0.add(writers, reply, ReplySender::send);
        }
        delegated
    }
}

impl Ledger for ActorRef<KameoLedger> {
    async fn commit(&self, writers: usize) -> u64 {
        self.ask(Commit(writers)).await.expect("an answer")
    }
}

// ---- rounds ----------------------------------------------------------------------------------------

fn commits(stage: &Stage, ledger: &impl Ledger, writers: usize, each: u64) -> f64 {
    let ledger = ledger.clone();
    let count = each * u64::try_from(writers).expect("a number");
    timed(count, || {
        stage.in_task(async move {
            let before = ledger.commit(1).await;
            let writer = || {
                let ledger = ledger.clone();
                async move {
                    for _ in 0..each {
                        ledger.commit(writers).await;
                    }
                }
            };
            let all: Vec<_> = (0..writers).map(|_| tokio::spawn(writer())).collect();
            for task in all {
                task.await.expect("no panic");
            }
            assert_eq!(ledger.commit(1).await - before, count + 1, "every entry once");
        });
    })
}

fn main() {
    let stage = Stage::new();
    let system = stage.system(Duration::from_micros(50));
    let ours = system.spawn::<Ours>(()).wait().expect("an actor");
    let in_batches = InBatches(ours.clone());
    let tokio = TokioTask::start(stage.cpu);
    let crossfire = CrossfireThread::start(stage.cpu);
    let kameo = on_runtime(stage.cpu, || async {
        KameoLedger::spawn_with_mailbox(KameoLedger::default(), kameo::mailbox::bounded(CAPACITY))
    });
    for (writers, each) in [(4, 3_000), (16, 3_000), (64, 1_000), (256, 300), (1_024, 100)] {
        compare(
            &format!("commit, {writers} tasks that are answered together"),
            Unit::Time,
            9,
            vec![
                Contender::new("tpc-actors", || commits(&stage, &ours, writers, each)),
                Contender::new("tpc-actors, those that come together", || {
                    commits(&stage, &in_batches, writers, each)
                }),
                Contender::new("crossfire", || commits(&stage, &crossfire, writers, each)),
                Contender::new("tokio mpsc", || commits(&stage, &tokio, writers, each)),
                Contender::new("kameo", || commits(&stage, &kameo, writers, each)),
            ],
        );
    }
    let report = system.shutdown_wait(Duration::from_secs(5));
    assert!(report.is_clean(), "{report}");
}
