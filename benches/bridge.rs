//! The raw bridge, driven by one task that keeps a number of requests under way, against glommio's channels and
//! against a bare pair of rings.
//!
//! ```sh
//! cargo bench -p tpc-actors-benches --bench bridge
//! ```
//!
//! One side on each CPU; answers come in the order of the requests.

use std::future::Future;
use std::thread;
use std::time::{Duration, Instant};

use glommio::channels::shared_channel;
use glommio::{LocalExecutorBuilder, Placement};
use tpc_actors::bridge::{self, BridgeConfig, TryRecvError, ring};
use tpc_actors_benches::stage::{Stage, on_cpu};
use tpc_actors_benches::{Contender, Unit, compare, each, pin};

/// Places in each ring.
const CAPACITY: usize = 2048;

/// What goes to the other side at a time, at most.
const BATCH: usize = 256;

/// Counts what is sent and received of `total`, with `window` at most in between.
struct Flight {
    total: u64,
    window: u64,
    sent: u64,
    received: u64,
}

impl Flight {
    fn new(total: u64, window: u64) -> Self {
        Self { total, window, sent: 0, received: 0 }
    }

    /// What may be sent now.
    fn requests(&self) -> std::ops::Range<u64> {
        self.sent..self.total.min(self.received + self.window).min(self.sent + BATCH as u64)
    }

    /// Answers must come in order.
    fn take(&mut self, answer: u64) {
        assert_eq!(answer, self.received + 1, "in order");
        self.received += 1;
    }

    fn is_over(&self) -> bool {
        self.received == self.total
    }
}

/// Ours: a task on a Tokio worker, and a thread that looks for a while before it sleeps.
fn ours(stage: &Stage, total: u64, window: u64) -> f64 {
    let (mut control, data) =
        bridge::channel(BridgeConfig::new(CAPACITY, CAPACITY)).expect("a bridge");
    on_cpu(stage.cpu, move || {
        let (mut data, mut requests) = (data.pin(), Vec::with_capacity(BATCH));
        let mut looks = 0;
        loop {
            data.drain(&mut requests, BATCH);
            if requests.is_empty() {
                looks += 1;
                match data.try_recv() {
                    Ok(request) => requests.push(request),
                    Err(TryRecvError::Closed) => return,
                    Err(TryRecvError::Empty) if looks < 10_000 => {
                        std::hint::spin_loop();
                        continue;
                    }
                    Err(TryRecvError::Empty) => match data.recv_blocking() {
                        Ok(request) => requests.push(request),
                        Err(_) => return,
                    },
                }
            }
            looks = 0;
            let mut answers = requests.drain(..).map(|request: u64| request + 1).peekable();
            while answers.peek().is_some() {
                if data.try_send_batch(&mut answers).is_err() {
                    return;
                }
            }
        }
    });
    stage.in_task(async move {
        let (mut flight, mut answers) = (Flight::new(total, window), Vec::with_capacity(BATCH));
        let start = Instant::now();
        let mut looks = 0;
        while !flight.is_over() {
            flight.sent += control.try_send_batch(&mut flight.requests()).expect("open") as u64;
            if control.drain(&mut answers, BATCH) == 0 {
                looks += 1;
                if looks % 1_000_u32 == 0 {
                    control.recv_many(&mut answers, BATCH).await.expect("open");
                } else {
                    std::hint::spin_loop();
                }
            }
            answers.drain(..).for_each(|answer| flight.take(answer));
        }
        each(start.elapsed(), total)
    })
}

/// Two rings and two spinning threads: what is there to be had.
fn bare(cpu: usize, total: u64, window: u64) -> f64 {
    let (mut requests, mut asked) = ring::<u64>(CAPACITY).expect("a ring");
    let (mut answers, mut answered) = ring::<u64>(CAPACITY).expect("a ring");
    let server = thread::spawn(move || {
        pin(cpu);
        let (mut served, mut batch) = (0, Vec::with_capacity(BATCH));
        while served < total {
            served += asked.pop_batch(&mut batch, BATCH) as u64;
            let mut ready = batch.drain(..).map(|request| request + 1).peekable();
            while ready.peek().is_some() {
                answers.push_batch(&mut ready);
            }
        }
    });
    let client = thread::spawn(move || {
        pin(usize::from(cpu == 0));
        let mut flight = Flight::new(total, window);
        let start = Instant::now();
        while !flight.is_over() {
            flight.sent += requests.push_batch(&mut flight.requests()) as u64;
            answered.drain(BATCH, |answer| flight.take(answer));
        }
        each(start.elapsed(), total)
    });
    server.join().expect("no panic");
    client.join().expect("no panic")
}

/// A glommio executor on that CPU which looks for 50 us before it sleeps.
fn glommio<T: Send + 'static, F: Future<Output = T> + 'static>(
    cpu: usize,
    run: impl FnOnce() -> F + Send + 'static,
) -> glommio::ExecutorJoinHandle<T> {
    LocalExecutorBuilder::new(Placement::Fixed(cpu))
        .spin_before_park(Duration::from_micros(50))
        .spawn(run)
        .expect("an executor")
}

fn shared_channels(cpu: usize, total: u64, window: u64) -> f64 {
    let (requests, asked) = shared_channel::new_bounded::<u64>(CAPACITY);
    let (answers, answered) = shared_channel::new_bounded::<u64>(CAPACITY);
    let server = glommio(cpu, move || async move {
        let (asked, answers) = (asked.connect().await, answers.connect().await);
        while let Some(request) = asked.recv().await {
            if answers.send(request + 1).await.is_err() {
                break;
            }
        }
    });
    let client = glommio(usize::from(cpu == 0), move || async move {
        let (requests, answered) = (requests.connect().await, answered.connect().await);
        let mut flight = Flight::new(total, window);
        let start = Instant::now();
        while !flight.is_over() {
            for request in flight.requests() {
                requests.send(request).await.expect("open");
                flight.sent += 1;
            }
            flight.take(answered.recv().await.expect("an answer"));
        }
        each(start.elapsed(), total)
    });
    let time = client.join().expect("no panic");
    server.join().expect("no panic");
    time
}

fn main() {
    let stage = Stage::new();
    for (window, total) in [(1, 100_000), (64, 2_000_000), (1024, 4_000_000)] {
        compare(
            &format!("raw bridge, {window} under way"),
            Unit::Rate,
            7,
            vec![
                Contender::new("tpc-actors bridge, one task", || ours(&stage, total, window)),
                Contender::new("a pair of rings, both sides spin", || {
                    bare(stage.cpu, total, window)
                }),
                Contender::new("glommio shared channels, spinning", || {
                    shared_channels(stage.cpu, total / 10, window)
                }),
            ],
        );
    }
}
