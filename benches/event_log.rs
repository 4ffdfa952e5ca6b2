//! The default event log: how many events a second it makes durable, and what that does to the latency of asks.
//!
//! ```sh
//! cargo bench -p tpc-actors-benches --bench event_log
//! ```
//!
//! The asker is on the CPU that the core leaves free, and so is the log's thread. Prints medians over rounds
//! with a log and without one, which take turns.

use std::thread;
use std::time::{Duration, Instant};

use tokio::task::yield_now;
use tpc_actors::bus::log::{DecodeError, FjallLog, LogEvent, LogOptions};
use tpc_actors::prelude::*;
use tpc_actors_benches::stage::beside_core;
use tpc_actors_benches::{counted, each, median, wanted};

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

    /// Asks itself from a task of the core, and answers with the time that each ask took.
    #[handler]
    fn asks(&mut self, cx: &mut Ctx<Self>, pace: Duration, reply: Reply<Vec<f64>>) {
        let me: WriterPinned = cx.pinned();
        cx.spawn(async move {
            let ask = async || me.write(EVENTS_PER_ASK).await.expect("alive");
            reply.send(timed_asks(pace, ask, yield_now).await);
        });
    }
}

/// Events that each ask publishes.
const EVENTS_PER_ASK: u64 = 4;

/// Asks whose latency is measured, in each round.
const ASKS: usize = 50_000;

/// Asks before those: a system that has just started is not what is measured.
const ASKS_BEFORE: usize = 20_000;

const ROUNDS: usize = 11;

/// The microseconds that each ask takes, of which there is at most one in every `pace`; `rest` is called meanwhile.
async fn timed_asks(pace: Duration, ask: impl AsyncFn() -> u64, rest: impl AsyncFn()) -> Vec<f64> {
    let mut times = Vec::with_capacity(ASKS_BEFORE + ASKS);
    for _ in 0..ASKS_BEFORE + ASKS {
        let start = Instant::now();
        ask().await;
        times.push(each(start.elapsed(), 1000));
        while start.elapsed() < pace {
            rest().await;
        }
    }
    times
}

/// Events of 64 bytes that the default log makes durable in a second, in millions.
fn durable(path: &std::path::Path, count: u64) -> f64 {
    let (system, ..) = beside_core();
    let log = FjallLog::open(path).expect("a log");
    system.log_events::<Record>(log, LogOptions::new()).expect("in time");
    let writer = system.spawn::<Writer>(()).wait().expect("it starts");
    let end =
        |status: &tpc_actors::bus::log::LogStatus| status.durable.of(0).map_or(0, |end| end.seq);
    let status = || system.log_status::<Record>().expect("a log");
    let start = Instant::now();
    let mut written = 0;
    while written < count {
        // Three quarters of the feed may be on their way; the log begins a group when it is half full.
        while written - end(&status()) > 49_152 {
            thread::sleep(Duration::from_micros(50));
        }
        written += writer.write(1024).wait().expect("alive");
    }
    while end(&status()) < written {
        thread::sleep(Duration::from_micros(50));
    }
    let figure = 1000.0 / each(start.elapsed(), written);
    assert_eq!(status().missing, 0);
    system.shutdown_wait(Duration::from_secs(5));
    figure
}

/// Who asks.
#[derive(Debug, Clone, Copy)]
enum Asker {
    /// A task of the core.
    Core,
    /// A Tokio task on the CPU that the log's thread has as well.
    BesideLog,
}

/// How long asks took, and what the log did meanwhile.
struct Round {
    /// Percentiles, in microseconds.
    p95: f64,
    p99: f64,
    /// Of the events, those that came too fast for the log.
    missing_percent: f64,
}

/// A round of asks: one after the other, or at most one in every `pace`.
fn latency(log: Option<(FjallLog, LogOptions)>, asker: Asker, pace: Duration) -> Round {
    let (system, _, outside) = beside_core();
    if let Some((log, options)) = log {
        system.log_events::<Record>(log, options).expect("in time");
    }
    let _subscriber = system.events::<Record>().filter(|_| false).subscribe();
    let writer = system.spawn::<Writer>(()).wait().expect("it starts");
    let mut times = match asker {
        Asker::Core => writer.asks(pace).wait().expect("alive"),
        Asker::BesideLog => outside.runtime.block_on(async {
            let ask = async || writer.write(EVENTS_PER_ASK).await.expect("alive");
            timed_asks(pace, ask, async || std::hint::spin_loop()).await
        }),
    };
    system.shutdown_wait(Duration::from_secs(5));
    let missing = system.log_status::<Record>().map_or(0, |status| {
        // A log that has less to do would be no comparison, where its pace is what it must bear.
        let fine = status.failed.is_none() && (status.missing == 0 || pace.is_zero());
        assert!(fine, "{status:?}");
        status.missing
    });
    let published = system.event_sources::<Record>()[0].published;
    times.drain(..ASKS_BEFORE);
    times.sort_by(f64::total_cmp);
    Round {
        p95: times[times.len() * 95 / 100],
        p99: times[times.len() * 99 / 100],
        missing_percent: 100.0 * counted(missing) / counted(published),
    }
}

/// Medians over the rounds.
fn print_percentiles(row: &str, log: &str, rounds: &[Round]) {
    let of = |figure: fn(&Round) -> f64| median(rounds.iter().map(figure).collect());
    let (p95, p99) = (of(|round| round.p95), of(|round| round.p99));
    let missing = of(|round| round.missing_percent);
    println!(
        "ask + 4 events from {row}, {log:<22} p95 {p95:6.2} us, p99 {p99:6.2} us, {missing:.0} % too fast for the log"
    );
}

fn main() {
    let path = std::env::temp_dir().join(format!("tpc-bench-log-{}", std::process::id()));
    let fresh = || {
        let _ = std::fs::remove_dir_all(&path);
        path.clone()
    };
    if wanted("durable") {
        let rates = (0..3).map(|_| durable(&fresh(), 1 << 20)).collect();
        println!("log-fjall, 64 B, durable:           {:8.2} M events/s", median(rates));
    }
    // Half a million events a second is what such a log must bear; the other is as many as come.
    let paces =
        [("500,000 events/s", Duration::from_micros(8)), ("as many as come", Duration::ZERO)];
    let askers = [("the core", Asker::Core), ("beside the log", Asker::BesideLog)];
    // How far groups are apart: by default, and where asks matter more than how soon an event is durable.
    let intervals = [
        ("log-fjall, by default:", LogOptions::new()),
        ("log-fjall, 50 ms:", LogOptions::new().commit_interval(Duration::from_millis(50))),
    ];
    for (asked_from, asker) in askers {
        for (events, pace) in paces {
            let row = format!("{asked_from}, {events}");
            if !wanted(&row) {
                continue;
            }
            let mut plain = Vec::new();
            let mut logged = intervals.each_ref().map(|_| Vec::new());
            for _ in 0..ROUNDS {
                plain.push(latency(None, asker, pace));
                for ((_, options), rounds) in intervals.iter().zip(&mut logged) {
                    let log = FjallLog::open(fresh()).expect("a log");
                    rounds.push(latency(Some((log, options.clone())), asker, pace));
                }
            }
            print_percentiles(&row, "no log:", &plain);
            for ((log, _), rounds) in intervals.iter().zip(logged) {
                print_percentiles(&row, log, &rounds);
            }
        }
    }
    let _ = std::fs::remove_dir_all(&path);
}
