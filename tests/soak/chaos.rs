//! One episode: a system, its senders, and everything that happens to them.

use std::cell::Cell;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use tpc_actors::AskError;
use tpc_actors::System;
use tpc_actors::client::Ask;
use tpc_actors::supervision::{Supervise, Then};

use super::books::{Ledger, Outcome, Totals, violation};
use super::listeners::Listeners;
use super::worker::{Worker, WorkerClient};

/// Numbers that a seed determines (`SplitMix64`).
pub struct Random(Cell<u64>);

impl Random {
    pub fn new(seed: u64) -> Self {
        Self(Cell::new(seed))
    }

    fn next(&self) -> u64 {
        let state = self.0.get().wrapping_add(0x9E37_79B9_7F4A_7C15);
        self.0.set(state);
        let mut bits = state;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        bits ^ (bits >> 31)
    }

    /// Others, for another thread.
    pub fn fork(&self) -> Self {
        Self::new(self.next())
    }

    pub fn below(&self, end: u64) -> u64 {
        self.next() % end
    }

    fn pick<'a, T>(&self, from: &'a [T]) -> &'a T {
        let end = u64::try_from(from.len()).expect("a few");
        &from[usize::try_from(self.below(end)).expect("one of them")]
    }

    pub fn one_in(&self, of: u64) -> bool {
        self.below(of) == 0
    }
}

/// What the senders of an episode share.
struct Stage {
    ledger: Arc<Ledger>,
    workers: Vec<WorkerClient>,
    stop: AtomicBool,
    cancels: AtomicU64,
    /// Grows with every answer; a standstill is a hang.
    progress: AtomicU64,
}

type WorkerAsk<'a> = Ask<'a, Worker, u64>;

impl Stage {
    /// Makes a request of one kind or another, sometimes with a tiny deadline.
    fn request<'a>(
        &self,
        worker: &'a WorkerClient,
        random: &Random,
    ) -> Option<(u64, WorkerAsk<'a>)> {
        let number = self.ledger.number()?;
        let ask = match random.below(10_000) {
            0..10 => worker.fail(number),
            10..11 => worker.slow(number, Duration::from_millis(1)),
            11..100 => worker.keep(number),
            _ => worker.work(number),
        };
        let late = random.one_in(20);
        let ask = if late { ask.deadline(Duration::from_micros(random.below(300))) } else { ask };
        Some((number, ask))
    }

    fn close(&self, number: u64, answer: &Result<u64, AskError>) -> bool {
        self.progress.fetch_add(1, Ordering::Relaxed);
        self.ledger.answer(number, answer)
    }

    /// A plain thread that sends in batches.
    fn batches(&self, ordered: bool, random: &Random) {
        let ordered: Vec<_> = self
            .workers
            .iter()
            .map(|worker| if ordered { worker.ordered() } else { worker.clone() })
            .collect();
        let mut goes_on = true;
        while goes_on && !self.stop.load(Ordering::Relaxed) {
            // A client that is dropped in the middle of it all.
            let worker = random.pick(&ordered).clone();
            let mut pending = Vec::with_capacity(48);
            for _ in 0..48 {
                let Some((number, ask)) = self.request(&worker, random) else {
                    // Out of numbers; what is under way is still accounted for.
                    goes_on = false;
                    break;
                };
                match ask.now() {
                    Ok(ask) => pending.push((number, ask)),
                    Err(refused) => goes_on &= self.close(number, &Err(refused.into())),
                }
            }
            if random.one_in(4)
                && let Some(number) = self.ledger.number()
            {
                let told = worker.told(number).now();
                self.ledger.close(number, told.map_or(Outcome::Rejected, |()| Outcome::Told));
            }
            for (number, ask) in pending {
                let answer = if random.one_in(8) {
                    self.cancels.fetch_add(1, Ordering::Relaxed);
                    let (ask, canceller) = ask.cancellable();
                    canceller.cancel();
                    ask.wait()
                } else {
                    ask.wait()
                };
                goes_on &= self.close(number, &answer);
            }
        }
    }

    /// A task that asks one by one, and sometimes drops what it has begun.
    async fn task(self: Arc<Self>, seed: u64) {
        let random = Random::new(seed);
        while !self.stop.load(Ordering::Relaxed) {
            let worker = random.pick(&self.workers).clone();
            let Some((number, mut ask)) = self.request(&worker, &random) else { return };
            if random.one_in(10) {
                self.cancels.fetch_add(1, Ordering::Relaxed);
                // Polled once, which sends it, and dropped after a while.
                let sent = std::future::poll_fn(|context| {
                    std::task::Poll::Ready(std::pin::Pin::new(&mut ask).poll(context))
                });
                match sent.await {
                    std::task::Poll::Ready(answer) => _ = self.close(number, &answer),
                    std::task::Poll::Pending => {
                        if random.one_in(2) {
                            tokio::task::yield_now().await;
                        }
                        drop(ask);
                        self.ledger.close(number, Outcome::Cancelled);
                    }
                }
            } else if !self.close(number, &ask.await) {
                return;
            }
        }
    }

    /// Panics in a row: enough of them to degrade the actor.
    fn storm(&self, random: &Random) {
        let worker = random.pick(&self.workers);
        for _ in 0..40 {
            let Some(number) = self.ledger.number() else { return };
            match worker.fail(number).now() {
                Ok(ask) => _ = self.close(number, &ask.wait()),
                Err(refused) => _ = self.close(number, &Err(refused.into())),
            }
        }
    }
}

/// No answer at all for so long is a hang; where one is expected, it need not be waited for that long.
pub fn hang() -> Duration {
    Duration::from_secs(if std::env::var_os("TPC_PLANTED").is_some() { 2 } else { 10 })
}

/// Runs one system from its start to its end, and closes the books.
pub fn episode(ledger: &Arc<Ledger>, random: &Random, length: Duration, totals: &mut Totals) {
    let policy = Supervise::new()
        .max(1_000_000)
        .within(Duration::from_secs(1))
        .backoff(Duration::from_micros(1), Duration::from_micros(1))
        .then(Then::AbortSystem);
    let system = System::builder()
        .cores(2)
        .park_backstop(None)
        .stall_after(None)
        .core_restarts(policy)
        .start()
        .expect("a system starts");
    let system = Arc::new(system);
    // Half of the time nobody listens, and the machine has all its time for asks: what leaks shows by how many there are.
    let listeners = random.one_in(2).then(|| Listeners::start(&system, random));
    let spawn = |_| system.spawn::<Worker>(Arc::clone(ledger)).wait().expect("a worker starts");
    let workers = (0..4).map(spawn).collect();
    let (stop, cancels, progress) = (AtomicBool::new(false), AtomicU64::new(0), AtomicU64::new(0));
    let stage = Arc::new(Stage { ledger: Arc::clone(ledger), workers, stop, cancels, progress });
    let over = Arc::new(AtomicBool::new(false));
    let watch = watch(Arc::clone(&stage), Arc::clone(&over));
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let runtime = runtime.expect("a runtime starts");
    let tasks: Vec<_> =
        (0..32).map(|_| runtime.spawn(Arc::clone(&stage).task(random.next()))).collect();
    let threads: Vec<_> = (0..3u64)
        .map(|kind| {
            let (stage, seed) = (Arc::clone(&stage), random.next());
            thread::spawn(move || {
                if kind == 0 {
                    tpc_actors::register_thread();
                }
                stage.batches(kind == 1, &Random::new(seed));
            })
        })
        .collect();
    let start = Instant::now();
    while start.elapsed() < length {
        thread::sleep(Duration::from_millis(10 + random.below(40)));
        match random.below(6) {
            0 => system.crash_core(*random.pick(&[0, 1])),
            1..4 => stage.storm(random),
            _ => {}
        }
    }
    // Half of the time the system ends under its senders' feet.
    let mut report = None;
    if random.one_in(2) {
        report = Some(system.shutdown_wait(Duration::from_millis(random.below(200))));
    }
    stage.stop.store(true, Ordering::Relaxed);
    for sender in threads {
        sender.join().expect("a sender ends well");
    }
    for task in tasks {
        runtime.block_on(task).expect("a task ends well");
    }
    over.store(true, Ordering::Relaxed);
    watch.join().expect("the watch ends");
    let report = report.unwrap_or_else(|| system.shutdown_wait(Duration::from_secs(5)));
    drop(runtime);
    if let Some(listeners) = listeners {
        listeners.balance(&system, ledger.started.load(Ordering::Relaxed), totals);
    }
    totals.cancels += stage.cancels.load(Ordering::Relaxed);
    ledger.balance(&report, totals);
}

fn watch(stage: Arc<Stage>, over: Arc<AtomicBool>) -> thread::JoinHandle<()> {
    thread::spawn(move || {
        let (mut last, mut since, hang) = (0, Instant::now(), hang());
        while !over.load(Ordering::Relaxed) {
            thread::sleep(Duration::from_millis(10));
            let progress = stage.progress.load(Ordering::Relaxed);
            if progress != last {
                (last, since) = (progress, Instant::now());
            }
            if since.elapsed() > hang {
                violation("a hang: no answer comes any more");
            }
        }
    })
}
