//! Events against the ways in which people publish on Tokio and on threads, in rounds that take turns.
//!
//! ```sh
//! cargo bench -p tpc-actors-benches --bench events
//! ```
//!
//! One publisher on one CPU, eight subscribers on another, each of which wants one event in eight. Nobody
//! loses anything: who publishes waits for whoever is behind. Prints medians over the rounds, and the
//! ratio to ours in the same run. Also: what an event costs that nobody wants, how soon a dropped tail is
//! told of.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use tokio::sync::{broadcast, mpsc};
use tpc_actors::Overflow;
use tpc_actors::prelude::*;
use tpc_actors_benches::stage::{Outside, beside_core};
use tpc_actors_benches::{Contender, Unit, compare, each, median, pin, wanted};

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
        each(start.elapsed(), count)
    }

    /// Nanoseconds for each event that nobody wants.
    #[handler]
    fn unheard(&mut self, cx: &mut Ctx<Self>, count: u64) -> f64 {
        let start = Instant::now();
        for n in 0..count {
            cx.publish(std::hint::black_box(Quote { instrument: n % SUBSCRIBERS, price: n }));
        }
        each(start.elapsed(), count)
    }
}

/// Ours: nanoseconds for an event; perhaps beside a subscriber that wants everything and never reads.
fn bus(
    system: &System,
    market: &MarketClient,
    outside: &Outside,
    count: u64,
    stuck: Option<Overflow<Quote>>,
) -> f64 {
    let seen = Seen::default();
    let events = || system.events::<Quote>().capacity(CAPACITY);
    let _stuck = stuck.map(|overflow| events().overflow(overflow).subscribe());
    let tasks: Vec<_> = (0..SUBSCRIBERS)
        .map(|wanted| {
            let wants = move |quote: &Quote| quote.instrument == wanted;
            let mut events = events().filter(wants).subscribe();
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
    each(start.elapsed(), count)
}

/// A bounded crossbeam channel and a thread for each subscriber; the publisher chooses and waits.
fn crossbeam(publisher_cpu: usize, cpu: usize, count: u64) -> f64 {
    let mut senders = Vec::new();
    let mut threads = Vec::new();
    for _ in 0..SUBSCRIBERS {
        let (sender, receiver) = crossbeam_channel::bounded::<Quote>(CAPACITY);
        senders.push(sender);
        threads.push(thread::spawn(move || {
            pin(cpu);
            receiver.into_iter().fold(0, |sum: u64, quote| sum.wrapping_add(quote.price))
        }));
    }
    let start = Instant::now();
    let publisher = thread::spawn(move || {
        pin(publisher_cpu);
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
    each(start.elapsed(), count)
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
    each(start.elapsed(), count)
}

fn publish_elsewhere(cpu: usize, count: u64, sender: broadcast::Sender<Quote>) {
    thread::spawn(move || {
        pin(cpu);
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
    each(start.elapsed(), count)
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
    let (system, core, outside) = beside_core();
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
        Contender::new("this bus", || bus(&system, &market, &outside, 4_000_000, None)),
        Contender::new("this bus, and a ninth that never reads", || {
            bus(&system, &market, &outside, 4_000_000, Some(Overflow::DropNewest))
        }),
        Contender::new("the same, dropping the oldest", || {
            bus(&system, &market, &outside, 4_000_000, Some(Overflow::DropOldest))
        }),
        Contender::new("the same, one of each instrument", || {
            let latest = Overflow::conflate(|quote: &Quote| quote.instrument);
            bus(&system, &market, &outside, 4_000_000, Some(latest))
        }),
        Contender::new("crossbeam per subscriber", || crossbeam(core, outside.cpu, 1_000_000)),
        Contender::new("broadcast and a worker", || worker(core, &outside, 250_000)),
        Contender::new("tokio broadcast", || broadcast(core, &outside, 250_000)),
    ];
    compare("1 publisher, 8 subscribers, events", Unit::Rate, ROUNDS, contenders);
    system.shutdown_wait(Duration::from_secs(5));
}
