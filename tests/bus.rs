//! Events: order, exact loss, filters, and subscribers that come and go.

mod random;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use random::Random;
use tpc_actors::prelude::*;
use tpc_actors::{Overflow, Subscription};

#[derive(Clone, Debug, PartialEq)]
struct Tick(u64);

#[core_actor(event = Tick)]
struct Source {
    next: u64,
}

#[core_actor]
impl Source {
    #[init]
    fn new() -> Self {
        Self { next: 0 }
    }

    #[handler]
    fn burst(&mut self, cx: &mut Ctx<Self>, count: u64) -> u64 {
        for _ in 0..count {
            cx.publish(Tick(self.next));
            self.next += 1;
        }
        self.next
    }
}

fn start(cores: usize) -> (System, Vec<SourceClient>) {
    let system = System::builder().cores(cores).start().unwrap();
    let sources = (0..cores).map(|_| system.spawn::<Source>(()).wait().unwrap()).collect();
    (system, sources)
}

fn stop(system: &System) {
    let report = system.shutdown_wait(Duration::from_secs(10));
    assert!(report.is_clean(), "{report}");
}

#[test]
fn events_arrive_in_order_with_contiguous_positions() {
    let (system, sources) = start(2);
    let mut events = system.events::<Tick>().capacity(4096).subscribe();
    for source in &sources {
        source.burst(1000).wait().unwrap();
    }
    let mut next = [0; 2];
    for _ in 0..2000 {
        let Some(Delivery::Event { position, event }) = events.next_wait() else {
            panic!("nothing is lost")
        };
        assert_eq!((position.seq, event), (next[position.core], Tick(next[position.core])));
        next[position.core] += 1;
    }
    assert_eq!((next, events.lagged()), ([1000; 2], 0));
    stop(&system);
    assert_eq!(events.next_wait(), None);
}

#[test]
fn delivered_and_reported_missing_make_up_what_was_published_also_at_the_tail() {
    let (system, sources) = start(1);
    let mut slow = system.events::<Tick>().capacity(16).subscribe();
    sources[0].burst(1000).wait().unwrap();
    let mut expected = 0;
    while expected < 1000 {
        match slow.next_wait().unwrap() {
            Delivery::Event { event, .. } => {
                assert_eq!(event, Tick(expected));
                expected += 1;
            }
            Delivery::Gap(gap) => {
                assert_eq!(gap.core(), 0);
                expected += gap.len();
            }
        }
    }
    assert_eq!(expected, 1000);
    assert_eq!(slow.lagged(), 1000 - 16);
    assert_eq!(slow.try_next(), None);
    stop(&system);
}

#[test]
fn lag_counts_only_what_the_filter_wants() {
    let (system, sources) = start(1);
    let mut even = system.events::<Tick>().capacity(512).filter(|Tick(n)| n % 2 == 0).subscribe();
    sources[0].burst(1000).wait().unwrap();
    for n in 0..500 {
        let Some(Delivery::Event { position, event }) = even.next_wait() else { panic!("a gap") };
        assert_eq!((event, position.seq), (Tick(2 * n), 2 * n));
    }
    assert_eq!((even.lagged(), even.try_next()), (0, None));
    stop(&system);
}

/// Whether a reader with this number wants an event.
fn is_for(reader: u64, Tick(n): &Tick) -> bool {
    match reader {
        0 => true,
        1 => n % 3 != 0,
        2 => n % 3 != 1,
        _ => n % 2 == 0,
    }
}

/// How many of the first `n` events that is.
fn wanted_before(reader: u64, n: u64) -> u64 {
    match reader {
        0 => n,
        1 => n - n.div_ceil(3),
        2 => n - (n + 1) / 3,
        _ => n.div_ceil(2),
    }
}

/// Reads to the end, with pauses of 0 to 50 ms; says how many events of each core came or were reported.
fn read_with_pauses(mut events: Subscription<Tick>, reader: u64, cores: usize) -> Vec<u64> {
    let mut seen = vec![0; cores];
    let (mut lagged, random) = (0, Random::beside(reader));
    for taken in 1_u64.. {
        match events.next_wait() {
            Some(Delivery::Event { position, event }) => {
                assert_eq!(event, Tick(position.seq));
                assert!(is_for(reader, &event));
                let before = wanted_before(reader, event.0);
                assert_eq!(seen[position.core], before, "in order, gaps in place");
                seen[position.core] += 1;
            }
            Some(Delivery::Gap(gap)) => {
                seen[gap.core()] += gap.len();
                lagged += gap.len();
            }
            None => break,
        }
        if taken.is_multiple_of(10_000) {
            thread::sleep(Duration::from_millis(random.below(51)));
        }
    }
    assert_eq!(lagged, events.lagged());
    for lane in events.lanes() {
        let lost = lane.dropped_newest + lane.dropped_oldest + lane.conflated;
        assert_eq!(
            lane.reported_missing, lost,
            "what is missing was dropped for a reason: {lane:?}"
        );
        assert_eq!(lane.wanted, lane.delivered + lost, "{lane:?}");
    }
    seen
}

/// `just soak-events` runs it with ten million events of each core.
#[test]
fn loss_is_accounted_for_under_load_from_several_cores() {
    const CORES: usize = 4;
    let each = std::env::var("TPC_SOAK_EVENTS").map_or(200_000, |events| events.parse().unwrap());
    let each: u64 = each / 1000 * 1000;
    let (system, sources) = start(CORES);
    let by_key = Overflow::conflate(|Tick(n): &Tick| n % 8);
    let policies = [
        (16, Overflow::DropNewest),
        (1024, Overflow::DropNewest),
        (64, Overflow::DropOldest),
        (64, by_key),
    ];
    let readers: Vec<_> = (0..)
        .zip(policies)
        .map(|(reader, (capacity, overflow))| {
            let events = system.events::<Tick>().capacity(capacity).overflow(overflow);
            let events = events.filter(move |event| is_for(reader, event)).subscribe();
            thread::spawn(move || read_with_pauses(events, reader, CORES))
        })
        .collect();
    thread::scope(|scope| {
        for source in &sources {
            scope.spawn(move || {
                for _ in 0..each / 1000 {
                    source.burst(1000).wait().unwrap();
                }
            });
        }
    });
    stop(&system);
    for (number, reader) in (0..).zip(readers) {
        let wanted = wanted_before(number, each);
        assert_eq!(reader.join().unwrap(), [wanted; CORES], "reader {number}");
    }
}

/// Defects that whoever adds up what came and what was reported must notice.
#[cfg(tpc_planted)]
#[test]
fn planted_losses_are_noticed() {
    for name in ["lose-event", "short-gap", "quiet-tail", "uncounted-drop"] {
        let output = std::process::Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "loss_is_accounted_for_under_load_from_several_cores"])
            .env("TPC_PLANTED", name)
            .env("TPC_SOAK_EVENTS", "50000")
            .output()
            .unwrap();
        assert!(!output.status.success(), "`{name}` went unnoticed");
    }
}

#[test]
fn subscribers_come_and_go() {
    let (system, sources) = start(1);
    for round in 0..1000 {
        let mut events = system.events::<Tick>().capacity(2).filter(|_| true).subscribe();
        let never = system.events::<Tick>().filter(|_| false).subscribe();
        sources[0].burst(1).wait().unwrap();
        assert!(matches!(
            events.try_next(),
            Some(Delivery::Event { event: Tick(n), .. }) if n == round
        ));
        drop(never);
    }
    assert!(system.events::<Tick>().capacity(0).try_subscribe().is_err());
    stop(&system);
    assert_eq!(system.events::<Tick>().subscribe().next_wait(), None, "over is over");
}

/// An event whose clones can be counted.
#[derive(Debug)]
struct Counted(Arc<AtomicU64>);

impl Clone for Counted {
    fn clone(&self) -> Self {
        self.0.fetch_add(1, Ordering::Relaxed);
        Self(Arc::clone(&self.0))
    }
}

#[core_actor(event = Counted)]
struct Cloner(Arc<AtomicU64>);

#[core_actor]
impl Cloner {
    #[init]
    fn new(clones: Arc<AtomicU64>) -> Self {
        Self(clones)
    }

    #[handler]
    fn publish(&mut self, cx: &mut Ctx<Self>) {
        cx.publish(Counted(Arc::clone(&self.0)));
    }
}

#[test]
fn filters_run_before_the_copy() {
    let system = System::builder().cores(1).start().unwrap();
    let clones = Arc::<AtomicU64>::default();
    let publisher = system.spawn::<Cloner>(Arc::clone(&clones)).wait().unwrap();
    let clones_after = || {
        publisher.publish().wait().unwrap();
        clones.load(Ordering::Relaxed)
    };
    assert_eq!(clones_after(), 0, "nobody listens");
    let _never = system.events::<Counted>().filter(|_| false).subscribe();
    assert_eq!(clones_after(), 0, "nobody wants it");
    let _always = system.events::<Counted>().subscribe();
    assert_eq!(clones_after(), 1);
    stop(&system);
}

#[test]
fn what_passes_both_filters_is_delivered() {
    let (system, sources) = start(1);
    let events = system.events::<Tick>().filter(|Tick(n)| n % 2 == 0);
    let mut sixths = events.filter(|Tick(n)| n % 3 == 0).subscribe();
    sources[0].burst(18).wait().unwrap();
    stop(&system);
    let number = |delivery| match delivery {
        Delivery::Event { event: Tick(n), .. } => n,
        Delivery::Gap(gap) => panic!("{gap}"),
    };
    let numbers: Vec<_> = std::iter::from_fn(|| sixths.next_wait()).map(number).collect();
    assert_eq!(numbers, [0, 6, 12]);
}
