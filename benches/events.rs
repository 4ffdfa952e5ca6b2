//! Events against the ways in which people publish on Tokio and on threads, in rounds that take turns.
//!
//! ```sh
//! cargo bench -p tpc-actors-benches --bench events
//! ```
//!
//! One publisher on one CPU, eight subscribers on another, each of which wants one event in eight. Nobody
//! loses anything: who publishes waits for whoever is behind. Prints medians over the rounds, and the
//! ratio to ours in the same run. Also: what an event costs that nobody wants, how soon a dropped tail is
//! told of, how many events a second the default log makes durable, and what that does to the latency of asks.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::thread;
use std::time::{Duration, Instant};

use tokio::runtime::{Builder, Runtime};
use tokio::sync::{broadcast, mpsc};
use tpc_actors::bus::log::{DecodeError, FjallLog, LogEvent, LogOptions};
use tpc_actors::placement::{CpuSet, Placement};
use tpc_actors::prelude::*;
use tpc_actors_benches::{Contender, Unit, compare, median, wanted};

const SUBSCRIBERS: u64 = 8;
/// Events that may be on their way to each subscriber.
const CAPACITY: usize = 4096;
const ROUNDS: usize = 7;

#[derive(Clone, Copy, Debug)]
struct Quote {
    instrument: u64,
    price: u64,
}

/// How far each subscriber is, each on a line of its own.
#[derive(Clone, Default)]
struct Seen(Arc<[Line; 8]>);

#[derive(Default)]
#[repr(align(128))]
struct Line(AtomicU64);

impl Seen {
    fn set(&self, subscriber: u64, count: u64) {
        self.0[usize::try_from(subscriber).expect("few")].0.store(count, Ordering::Release);
    }

    /// Whether nobody is further behind than the rings allow.
    fn has_room(&self, published: u64) -> bool {
        let behind = |line: &Line| published / SUBSCRIBERS - line.0.load(Ordering::Acquire);
        self.0.iter().all(|line| behind(line) < (CAPACITY - 256) as u64)
    }
}

#[core_actor(event = Quote)]
struct Market;

#[core_actor]
impl Market {
    #[init]
    fn new() -> Self {
        Self
    }

    /// Publishes in turns of 1024 events, and waits a turn when the slowest subscriber is behind.
    #[handler(tell)]
    fn publish(&mut self, cx: &mut Ctx<Self>, from: u64, to: u64, seen: Seen) {
        let mut next = from;
        if seen.has_room(from) {
            next = to.min(from + 1024);
            for n in from..next {
                cx.publish(Quote { instrument: n % SUBSCRIBERS, price: n });
            }
        } else {
            // Each look takes lines away from subscribers that are about to write there.
            for _ in 0..128 {
                std::hint::spin_loop();
            }
        }
        if next < to {
            cx.pinned().publish(next, to, seen).now().expect("room for one");
        }
    }

    /// Nanoseconds for each turn of the loop below without the publication.
    #[handler]
    fn unsaid(&mut self, count: u64) -> f64 {
        let start = Instant::now();
        for n in 0..count {
            std::hint::black_box(Quote { instrument: n % SUBSCRIBERS, price: n });
        }
        nanos(start.elapsed(), count)
    }

    /// Nanoseconds for each event that nobody wants.
    #[handler]
    fn unheard(&mut self, cx: &mut Ctx<Self>, count: u64) -> f64 {
        let start = Instant::now();
        for n in 0..count {
            cx.publish(std::hint::black_box(Quote { instrument: n % SUBSCRIBERS, price: n }));
        }
        nanos(start.elapsed(), count)
    }
}

/// An event of 64 bytes.
#[derive(Clone, Debug)]
struct Record([u8; 64]);

impl LogEvent for Record {
    fn encode(&self, into: &mut Vec<u8>) {
        into.extend_from_slice(&self.0);
    }

    fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        bytes.try_into().map(Self).map_err(|_| DecodeError("64 bytes expected".to_owned()))
    }
}

#[core_actor(event = Record)]
struct Writer;

#[core_actor]
impl Writer {
    #[init]
    fn new() -> Self {
        Self
    }

    #[handler]
    fn write(&mut self, cx: &mut Ctx<Self>, count: u64) -> u64 {
        for n in 0..count {
            let mut record = Record([7; 64]);
            record.0[..8].copy_from_slice(&n.to_le_bytes());
            cx.publish(record);
        }
        count
    }
}

#[expect(clippy::cast_precision_loss, reason = "a benchmark's figures")]
fn nanos(time: Duration, count: u64) -> f64 {
    time.as_nanos() as f64 / count as f64
}

/// Million events a second.
fn rate(time: Duration, count: u64) -> f64 {
    1000.0 / nanos(time, count)
}

/// Runs on the CPU that the core leaves free.
struct Outside {
    cpu: usize,
    runtime: Runtime,
}

fn bind(cpu: usize) {
    let set: CpuSet = [cpu].into_iter().collect();
    set.bind_current_thread();
}

/// Ours: nanoseconds for an event; perhaps beside a subscriber that wants everything and never reads.
fn bus(system: &System, market: &MarketClient, outside: &Outside, count: u64, stuck: bool) -> f64 {
    let seen = Seen::default();
    let _stuck = stuck.then(|| system.events::<Quote>().capacity(CAPACITY).subscribe());
    let tasks: Vec<_> = (0..SUBSCRIBERS)
        .map(|wanted| {
            let events = system.events::<Quote>().capacity(CAPACITY);
            let mut events = events.filter(move |quote| quote.instrument == wanted).subscribe();
            let seen = seen.clone();
            outside.runtime.spawn(async move {
                let mut sum = 0_u64;
                let mut got = 0;
                while got < count / SUBSCRIBERS {
                    match events.next().await {
                        Some(Delivery::Event { event, .. }) => sum = sum.wrapping_add(event.price),
                        other => panic!("nothing may be lost: {other:?}"),
                    }
                    got += 1;
                    if got % 64 == 0 {
                        seen.set(wanted, got);
                    }
                }
                sum
            })
        })
        .collect();
    let start = Instant::now();
    outside.runtime.block_on(async {
        market.publish(0, count, seen).await.expect("alive");
        for task in tasks {
            std::hint::black_box(task.await.expect("it counts"));
        }
    });
    nanos(start.elapsed(), count)
}

/// A bounded crossbeam channel and a thread for each subscriber; the publisher chooses and waits.
fn crossbeam(publisher_cpu: usize, cpu: usize, count: u64) -> f64 {
    let mut senders = Vec::new();
    let mut threads = Vec::new();
    for _ in 0..SUBSCRIBERS {
        let (sender, receiver) = crossbeam_channel::bounded::<Quote>(CAPACITY);
        senders.push(sender);
        threads.push(thread::spawn(move || {
            bind(cpu);
            receiver.into_iter().fold(0, |sum: u64, quote| sum.wrapping_add(quote.price))
        }));
    }
    let start = Instant::now();
    let publisher = thread::spawn(move || {
        bind(publisher_cpu);
        for n in 0..count {
            let quote = Quote { instrument: n % SUBSCRIBERS, price: n };
            for (wanted, sender) in (0..).zip(&senders) {
                if quote.instrument == wanted {
                    sender.send(quote).expect("it listens");
                }
            }
        }
    });
    publisher.join().expect("it publishes");
    for thread in threads {
        std::hint::black_box(thread.join().expect("it counts"));
    }
    nanos(start.elapsed(), count)
}

/// Tokio's broadcast channel, with room for all, so that nobody lags.
fn broadcast(publisher_cpu: usize, outside: &Outside, count: u64) -> f64 {
    let (sender, _) = broadcast::channel(usize::try_from(count).expect("few"));
    let tasks: Vec<_> = (0..SUBSCRIBERS)
        .map(|wanted| {
            let mut events = sender.subscribe();
            outside.runtime.spawn(async move {
                let mut sum = 0_u64;
                while let Ok(Quote { instrument, price }) = events.recv().await {
                    if instrument == wanted {
                        sum = sum.wrapping_add(price);
                    }
                }
                sum
            })
        })
        .collect();
    let start = Instant::now();
    publish_elsewhere(publisher_cpu, count, sender);
    outside.runtime.block_on(async {
        for task in tasks {
            std::hint::black_box(task.await.expect("it counts"));
        }
    });
    nanos(start.elapsed(), count)
}

fn publish_elsewhere(cpu: usize, count: u64, sender: broadcast::Sender<Quote>) {
    thread::spawn(move || {
        bind(cpu);
        for n in 0..count {
            let _ = sender.send(Quote { instrument: n % SUBSCRIBERS, price: n });
        }
    });
}

/// A broadcast channel and one worker that filters into a channel for each subscriber.
fn worker(publisher_cpu: usize, outside: &Outside, count: u64) -> f64 {
    let (sender, mut all) = broadcast::channel::<Quote>(usize::try_from(count).expect("few"));
    let mut outlets = Vec::new();
    let mut tasks = Vec::new();
    for wanted in 0..SUBSCRIBERS {
        let (outlet, mut events) = mpsc::channel(usize::try_from(count).expect("few"));
        outlets.push((wanted, outlet));
        tasks.push(outside.runtime.spawn(async move {
            let mut sum = 0_u64;
            while let Some(Quote { price, .. }) = events.recv().await {
                sum = sum.wrapping_add(price);
            }
            sum
        }));
    }
    outside.runtime.spawn(async move {
        while let Ok(quote) = all.recv().await {
            for (_, outlet) in outlets.iter().filter(|(wanted, _)| quote.instrument == *wanted) {
                outlet.try_send(quote).expect("room for all");
            }
        }
    });
    let start = Instant::now();
    publish_elsewhere(publisher_cpu, count, sender);
    outside.runtime.block_on(async {
        for task in tasks {
            std::hint::black_box(task.await.expect("it counts"));
        }
    });
    nanos(start.elapsed(), count)
}

fn system() -> (System, usize, Outside) {
    // Once, because a plan is made of the CPUs that this thread has before it is bound below.
    static PLACEMENT: OnceLock<Placement> = OnceLock::new();
    let placement = PLACEMENT.get_or_init(|| Placement::plan(1)).clone();
    let core = placement.data_plane().first().copied().unwrap_or(0);
    let cpu = placement.control_plane().iter().next().unwrap_or(core);
    bind(cpu);
    let system = System::builder().placement(placement).start().expect("it starts");
    let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
    (system, core, Outside { cpu, runtime })
}

/// Events of 64 bytes that the default log makes durable in a second, in millions.
fn durable(path: &std::path::Path, count: u64) -> f64 {
    let (system, _, _) = system();
    let log = FjallLog::open(path).expect("a log");
    system.log_events::<Record>(log, LogOptions::new()).expect("in time");
    let writer = system.spawn::<Writer>(()).wait().expect("it starts");
    let end =
        |status: &tpc_actors::bus::log::LogStatus| status.durable.of(0).map_or(0, |end| end.seq);
    let status = || system.log_status::<Record>().expect("a log");
    let start = Instant::now();
    let mut written = 0;
    while written < count {
        // Half of the feed may be on its way.
        while written - end(&status()) > 32_768 {
            thread::sleep(Duration::from_micros(50));
        }
        written += writer.write(1024).wait().expect("alive");
    }
    while end(&status()) < written {
        thread::sleep(Duration::from_micros(50));
    }
    let figure = rate(start.elapsed(), written);
    assert_eq!(status().missing, 0);
    system.shutdown_wait(Duration::from_secs(5));
    figure
}

/// Events that each ask publishes.
const EVENTS_PER_ASK: u32 = 4;

/// The 95th and the 99th percentile of asks, in microseconds: one after the other, or at most one in every `pace`.
fn latency(log: Option<FjallLog>, asks: u32, pace: Duration) -> (f64, f64) {
    let (system, _, outside) = system();
    if let Some(log) = log {
        system.log_events::<Record>(log, LogOptions::new()).expect("in time");
    }
    let _subscriber = system.events::<Record>().filter(|_| false).subscribe();
    let writer = system.spawn::<Writer>(()).wait().expect("it starts");
    let mut times = outside.runtime.block_on(async {
        let mut times = Vec::new();
        for _ in 0..asks {
            let start = Instant::now();
            writer.write(EVENTS_PER_ASK.into()).await.expect("alive");
            times.push(nanos(start.elapsed(), 1000));
            while start.elapsed() < pace {
                std::hint::spin_loop();
            }
        }
        times
    });
    system.shutdown_wait(Duration::from_secs(5));
    times.sort_by(f64::total_cmp);
    (times[times.len() * 95 / 100], times[times.len() * 99 / 100])
}

/// Medians over the rounds.
fn print_percentiles(of: &str, rounds: Vec<(f64, f64)>) {
    let (p95, p99): (Vec<_>, Vec<_>) = rounds.into_iter().unzip();
    println!("ask + 4 events, {of} p95 {:6.2} us, p99 {:6.2} us", median(p95), median(p99));
}

fn log_figures() {
    let path = std::env::temp_dir().join(format!("tpc-bench-log-{}", std::process::id()));
    let fresh = || {
        let _ = std::fs::remove_dir_all(&path);
        path.clone()
    };
    let rates = (0..3).map(|_| durable(&fresh(), 1 << 20)).collect();
    println!("log-fjall, 64 B, durable:       {:8.2} M events/s", median(rates));
    // Half a million events a second is what such a log must bear; the other is as many as come.
    let paces = [
        ("500,000 events/s", EVENTS_PER_ASK * Duration::from_micros(2)),
        ("as many as come", Duration::ZERO),
    ];
    for (name, pace) in paces {
        let mut plain = Vec::new();
        let mut logged = Vec::new();
        for _ in 0..7 {
            plain.push(latency(None, 50_000, pace));
            let log = FjallLog::open(fresh()).expect("a log");
            logged.push(latency(Some(log), 50_000, pace));
        }
        print_percentiles(&format!("{name}, no log:   "), plain);
        print_percentiles(&format!("{name}, log-fjall:"), logged);
    }
    let _ = std::fs::remove_dir_all(&path);
}

/// Milliseconds from a publication that finds no room to the gap that tells of it, while nothing else is
/// published: median and worst of many.
fn tail(system: &System, market: &MarketClient, outside: &Outside, count: u32) -> (f64, f64) {
    let mut events = system.events::<Quote>().capacity(1).subscribe();
    let mut times = outside.runtime.block_on(async {
        let mut times = Vec::new();
        for _ in 0..count {
            let start = Instant::now();
            market.publish(0, 2, Seen::default()).await.expect("alive");
            let event = events.next().await;
            assert!(matches!(event, Some(Delivery::Event { .. })));
            let gap = events.next().await;
            times.push(start.elapsed().as_secs_f64() * 1000.0);
            assert!(matches!(gap, Some(Delivery::Gap(gap)) if gap.len() == 1));
            // The core has gone to sleep when the next one comes.
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        times
    });
    times.sort_by(f64::total_cmp);
    (times[times.len() / 2], times[times.len() - 1])
}

fn main() {
    let (system, core, outside) = system();
    let market = system.spawn::<Market>(()).wait().expect("it starts");
    if wanted("publishing") {
        let unheard = (0..ROUNDS).map(|_| market.unheard(20_000_000).wait().expect("alive"));
        let unsaid = (0..ROUNDS).map(|_| market.unsaid(20_000_000).wait().expect("alive"));
        let (unheard, unsaid) = (median(unheard.collect()), median(unsaid.collect()));
        println!("publishing, nobody listens: {unheard:.2} ns, the loop alone {unsaid:.2} ns");
    }
    if wanted("tail") {
        let (median, worst) = tail(&system, &market, &outside, 500);
        println!("a dropped tail is told of after: {median:.3} ms, at worst {worst:.3} ms");
    }
    let contenders = vec![
        Contender::new("this bus", || bus(&system, &market, &outside, 4_000_000, false)),
        Contender::new("this bus, and a ninth that never reads", || {
            bus(&system, &market, &outside, 4_000_000, true)
        }),
        Contender::new("crossbeam per subscriber", || crossbeam(core, outside.cpu, 1_000_000)),
        Contender::new("broadcast and a worker", || worker(core, &outside, 250_000)),
        Contender::new("tokio broadcast", || broadcast(core, &outside, 250_000)),
    ];
    compare("1 publisher, 8 subscribers, events", Unit::Rate, ROUNDS, contenders);
    system.shutdown_wait(Duration::from_secs(5));
    if wanted("log") {
        log_figures();
    }
}
