//! Tells and asks against channels and actor frameworks.
//!
//! ```sh
//! cargo bench -p tpc-actors-benches --bench messages
//! cargo bench -p tpc-actors-benches --bench messages --features nodedb-bridge
//! ```
//!
//! Callers are tasks on a Tokio runtime with one worker, bound to one CPU. The actor, or what stands in for
//! it, runs on the other: ours on a core, a channel's receiver on a thread, a framework's actor on a
//! current-thread runtime or a pool of one thread. Every ask returns a running total, so that lost messages are
//! noticed.

use std::future::poll_fn;
use std::ops::Range;
use std::task::Poll;
use std::time::Duration;

use tpc_actors::client::TellBatch;
use tpc_actors::prelude::*;
use tpc_actors_benches::peers::{Counter, CounterClient, Peer, Peers};
use tpc_actors_benches::stage::Stage;
use tpc_actors_benches::{Contender, Unit, compare, timed};

fn tells(stage: &Stage, peer: &impl Peer, count: u64) -> f64 {
    let peer = peer.clone();
    timed(count, || {
        stage.in_task(async move {
            let before = peer.ask(0).await;
            for n in 0..count {
                peer.tell(n).await;
            }
            let after = peer.ask(0).await;
            assert_eq!(after.wrapping_sub(before), count * (count - 1) / 2, "every tell once");
        });
    })
}

/// Tells in batches of 32, which `fill` puts together.
fn batches(
    stage: &Stage,
    counter: &CounterClient,
    count: u64,
    fill: impl for<'a> Fn(&mut TellBatch<'a, Counter>, &'a CounterClient, Range<u64>) + Send + 'static,
) -> f64 {
    let counter = counter.clone();
    timed(count, || {
        stage.in_task(async move {
            let before = counter.get(0).await.expect("alive");
            let mut batch = counter.batch();
            for first in (0..count).step_by(32) {
                fill(&mut batch, &counter, first..first + 32);
                batch.send().await.expect("alive");
            }
            let after = counter.get(0).await.expect("alive");
            assert_eq!(after.wrapping_sub(before), count * (count - 1) / 2, "every tell once");
        });
    })
}

/// Asks in batches of 32 by one task.
fn ask_batches(stage: &Stage, counter: &CounterClient, count: u64) -> f64 {
    let counter = counter.clone();
    timed(count, || {
        stage.in_task(async move {
            for _ in 0..count / 32 {
                let answers = counter.ask_batch((0..32).map(|_| counter.get(1))).await;
                assert!(answers.iter().all(Result::is_ok));
            }
        });
    })
}

fn asks(stage: &Stage, peer: &impl Peer, tasks: u64, each: u64) -> f64 {
    let peer = peer.clone();
    timed(tasks * each, || {
        stage.in_task(async move {
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

/// Tasks that ask nobody: each wakes itself and is polled again, which is Tokio's own part of an ask.
fn turns(stage: &Stage, tasks: u64, each: u64) -> f64 {
    timed(tasks * each, || {
        stage.in_task(async move {
            let turns = || async move {
                for _ in 0..each {
                    let mut woken = false;
                    poll_fn(|context| {
                        if std::mem::replace(&mut woken, true) {
                            return Poll::Ready(());
                        }
                        context.waker().wake_by_ref();
                        Poll::Pending
                    })
                    .await;
                }
            };
            let all: Vec<_> = (0..tasks).map(|_| tokio::spawn(turns())).collect();
            for task in all {
                task.await.expect("no panic");
            }
        });
    })
}

fn main() {
    let stage = Stage::new();
    let peers = Peers::start(stage.cpu);
    let system = stage.system(Duration::from_micros(50));
    let counter = system.spawn::<Counter>(()).wait().expect("an actor");

    // As many as take about ten milliseconds, so that the wake at the beginning weighs the same for all.
    let count = 200_000;
    compare(
        "tell, one task",
        Unit::Rate,
        9,
        vec![
            Contender::new("tpc-actors", || tells(&stage, &counter, count * 4)),
            Contender::new("tpc-actors, batches of 32", || {
                batches(&stage, &counter, count * 12, |batch, counter, numbers| {
                    batch.extend(numbers.map(|n| counter.add(n)));
                })
            }),
            Contender::new("the same, pushed one by one", || {
                batches(&stage, &counter, count * 12, |batch, counter, numbers| {
                    for n in numbers {
                        batch.push(counter.add(n));
                    }
                })
            }),
            Contender::new("crossfire", || tells(&stage, &peers.crossfire, count)),
            Contender::new("crossbeam-channel", || tells(&stage, &peers.crossbeam, count)),
            Contender::new("kanal", || tells(&stage, &peers.kanal, count)),
            Contender::new("tokio mpsc", || tells(&stage, &peers.tokio, count)),
            Contender::new("actix", || tells(&stage, &peers.actix, count / 32)),
            Contender::new("kameo", || tells(&stage, &peers.kameo, count / 8)),
            Contender::new("kompact, unbounded", || tells(&stage, &peers.kompact, count)),
            #[cfg(feature = "nodedb-bridge")]
            Contender::new("nodedb-bridge", || tells(&stage, &peers.nodedb, count / 4)),
        ],
    );
    for (tasks, each) in [(1, 3_000), (4, 3_000), (64, 1_500), (1024, 150)] {
        compare(
            &format!("ask, {tasks} tasks"),
            Unit::Time,
            9,
            vec![
                Contender::new("tpc-actors", || asks(&stage, &counter, tasks, each)),
                Contender::new("tpc-actors, one task, batches of 32", || {
                    ask_batches(&stage, &counter, tasks * each)
                }),
                Contender::new("turns of tasks that ask nobody", || turns(&stage, tasks, each)),
                Contender::new("crossfire", || asks(&stage, &peers.crossfire, tasks, each)),
                Contender::new("kanal", || asks(&stage, &peers.kanal, tasks, each)),
                Contender::new("tokio mpsc", || asks(&stage, &peers.tokio, tasks, each)),
                Contender::new("actix", || asks(&stage, &peers.actix, tasks, each)),
                Contender::new("kameo", || asks(&stage, &peers.kameo, tasks, each)),
                Contender::new("kompact", || asks(&stage, &peers.kompact, tasks, each)),
                #[cfg(feature = "nodedb-bridge")]
                Contender::new("nodedb-bridge", || asks(&stage, &peers.nodedb, tasks, each)),
            ],
        );
    }
    let report = system.shutdown_wait(Duration::from_secs(5));
    assert!(report.is_clean(), "{report}");
}
