//! Asks and tells against a Tokio actor of mpsc and oneshot, in rounds that take turns.
//!
//! ```sh
//! cargo bench -p tpc-actors-benches
//! ```
//!
//! Prints medians over the rounds and the ratio to the peer of the same run. Callers are tasks on one
//! Tokio worker; the actor runs on a core of its own, the peer on a runtime of its own.

use std::time::{Duration, Instant};

use tokio::runtime::{Builder, Runtime};
use tokio::sync::{mpsc, oneshot};
use tpc_actors::placement::Placement;
use tpc_actors::prelude::*;

/// Adds up what it is sent.
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

enum Message {
    Add(u64),
    Get(u64, oneshot::Sender<u64>),
}

/// The peer: the actor that people write by hand on Tokio.
fn peer(cpu: usize) -> (Runtime, mpsc::Sender<Message>) {
    let (sender, mut receiver) = mpsc::channel(1024);
    let (handle, handles) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let set: tpc_actors::placement::CpuSet = [cpu].into_iter().collect();
        set.bind_current_thread();
        let runtime = Builder::new_current_thread().build().expect("a runtime");
        let _ = handle.send(());
        runtime.block_on(async move {
            let mut sum = 0u64;
            while let Some(message) = receiver.recv().await {
                match message {
                    Message::Add(n) => sum = sum.wrapping_add(n),
                    Message::Get(n, reply) => {
                        sum = sum.wrapping_add(n);
                        let _ = reply.send(sum);
                    }
                }
            }
        });
    });
    handles.recv().expect("the peer runs");
    (Builder::new_current_thread().build().expect("a runtime"), sender)
}

struct Bench {
    runtime: Runtime,
    counter: CounterClient,
    peer: mpsc::Sender<Message>,
}

impl Bench {
    /// Nanoseconds per operation: ours and the peer's.
    fn tells(&self, count: u64) -> (f64, f64) {
        let (ours, theirs) = (self.counter.clone(), self.peer.clone());
        let ours = self.time(count, async move {
            for n in 0..count {
                ours.add(n).await.expect("alive");
            }
            ours.get(0).await.expect("alive");
        });
        let theirs = self.time(count, async move {
            for n in 0..count {
                let _ = theirs.send(Message::Add(n)).await;
            }
            let (reply, answer) = oneshot::channel();
            let _ = theirs.send(Message::Get(0, reply)).await;
            let _ = answer.await;
        });
        (ours, theirs)
    }

    fn asks(&self, tasks: u64, each: u64) -> (f64, f64) {
        let ours = self.tasks(tasks, each, |_| {
            let counter = self.counter.clone();
            async move {
                for n in 0..each {
                    counter.get(n).await.expect("alive");
                }
            }
        });
        let theirs = self.tasks(tasks, each, |_| {
            let peer = self.peer.clone();
            async move {
                for n in 0..each {
                    let (reply, answer) = oneshot::channel();
                    let _ = peer.send(Message::Get(n, reply)).await;
                    let _ = answer.await;
                }
            }
        });
        (ours, theirs)
    }

    fn tasks<F>(&self, tasks: u64, each: u64, make: impl Fn(u64) -> F) -> f64
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let all: Vec<F> = (0..tasks).map(make).collect();
        self.time(tasks * each, async move {
            let all: Vec<_> = all.into_iter().map(tokio::spawn).collect();
            for task in all {
                task.await.expect("no panic");
            }
        })
    }

    fn time(&self, operations: u64, work: impl Future<Output = ()> + Send + 'static) -> f64 {
        let start = Instant::now();
        // A task of the runtime, so that it runs where a user's code would.
        self.runtime.block_on(async { tokio::spawn(work).await.expect("no panic") });
        let operations = u32::try_from(operations).expect("fewer than four billion");
        start.elapsed().as_secs_f64() * 1e9 / f64::from(operations)
    }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

type Case = fn(&Bench) -> (f64, f64);

fn main() {
    let placement = Placement::plan(1);
    let cpu = placement.data_plane().first().copied().unwrap_or(0);
    placement.control_plane().bind_current_thread();
    let (runtime, peer) = peer(cpu);
    // The two take turns on the same CPU, so only the one that is measured may spin.
    let spin = Duration::from_micros(50);
    let system = System::builder().placement(placement).spin(spin).start().expect("a system");
    let counter = system.spawn::<Counter>(()).wait().expect("an actor");
    let bench = Bench { runtime, counter, peer };
    let cases: [(&str, Case); 4] = [
        ("tell, one task", |bench| bench.tells(300_000)),
        ("ask, one task", |bench| bench.asks(1, 20_000)),
        ("ask, 64 tasks", |bench| bench.asks(64, 3_000)),
        ("ask, 1024 tasks", |bench| bench.asks(1024, 200)),
    ];
    println!("{:<18} {:>12} {:>18} {:>8}", "", "tpc-actors", "mpsc + oneshot", "ratio");
    for (name, case) in cases {
        let rounds: Vec<_> = (0..7).map(|_| case(&bench)).collect();
        let ours = median(rounds.iter().map(|round| round.0).collect());
        let theirs = median(rounds.iter().map(|round| round.1).collect());
        println!("{name:<18} {ours:>9.0} ns {theirs:>15.0} ns {:>7.1}x", theirs / ours);
    }
    let report = system.shutdown_wait(Duration::from_secs(5));
    assert!(report.is_clean(), "{report}");
}
