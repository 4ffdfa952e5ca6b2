//! What a gap lost, fetched again.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tpc_actors::bus::log::{LogOptions, MemoryLog};
use tpc_actors::bus::{Position, ReplayError, Start, Subscription};
use tpc_actors::prelude::*;

#[derive(Clone, Debug, PartialEq)]
struct Tick(u64);

#[core_actor(event = Tick)]
struct Source {
    next: u64,
    built: Arc<AtomicU64>,
}

#[core_actor]
impl Source {
    #[init]
    fn new(built: Arc<AtomicU64>) -> Self {
        Self { next: 0, built }
    }

    #[handler]
    fn burst(&mut self, cx: &mut Ctx<Self>, count: u64) -> Position {
        let mut last = Position::new(0, 0, 0);
        for _ in 0..count {
            let n = self.next;
            let built = &self.built;
            last = cx.publish_with(|| {
                built.fetch_add(1, Ordering::Relaxed);
                Tick(n)
            });
            self.next += 1;
        }
        last
    }

    #[handler]
    fn wanted(&self, cx: &mut Ctx<Self>) -> bool {
        cx.wants_events()
    }
}

fn start() -> (System, SourceClient, Arc<AtomicU64>) {
    let system = System::builder().cores(1).start().unwrap();
    let built = Arc::<AtomicU64>::default();
    let source = system.spawn::<Source>(Arc::clone(&built)).wait().unwrap();
    (system, source, built)
}

fn stop(system: &System) {
    let report = system.shutdown_wait(Duration::from_secs(10));
    assert!(report.is_clean(), "{report}");
}

/// Everything up to `until`, with gaps filled; fails when one cannot be.
fn all(events: &mut Subscription<Tick>, count: usize) -> Vec<u64> {
    let mut seen = Vec::new();
    while seen.len() < count {
        match events.next_wait().expect("the bus is open") {
            Delivery::Event { event: Tick(n), .. } => seen.push(n),
            Delivery::Gap(gap) => {
                let missing = events.replay_wait(&gap).unwrap();
                assert_eq!(missing.len() as u64, gap.len());
                for (position, _) in &missing {
                    assert!((gap.from()..gap.to()).contains(position), "{position} in {gap}");
                }
                seen.extend(missing.into_iter().map(|(_, Tick(n))| n));
            }
        }
    }
    seen
}

#[test]
fn a_gap_is_filled_from_the_retained_events_also_after_the_end() {
    let (system, source, _) = start();
    let mut early = system.events::<Tick>().capacity(16).retain(4096).subscribe();
    let mut late = system.events::<Tick>().capacity(16).filter(|Tick(n)| n % 3 == 0).subscribe();
    source.burst(3000).wait().unwrap();
    assert_eq!(all(&mut early, 3000), (0..3000).collect::<Vec<_>>());
    stop(&system);
    assert_eq!(all(&mut late, 1000), (0..3000).step_by(3).collect::<Vec<_>>());
    assert_eq!((early.next_wait(), late.next_wait()), (None, None));
}

#[test]
fn what_is_kept_no_more_is_counted_exactly() {
    let (system, source, _) = start();
    let filter = |Tick(n): &Tick| n % 2 == 1;
    let mut odd = system.events::<Tick>().capacity(10).retain(100).filter(filter).subscribe();
    source.burst(1000).wait().unwrap();
    let gap = loop {
        if let Some(Delivery::Gap(gap)) = odd.next_wait() {
            break gap;
        }
    };
    assert_eq!((gap.from().seq, gap.to().seq, gap.len()), (20, 1000, 490));
    // More events, so that the retained ones reach beyond the gap.
    source.burst(50).wait().unwrap();
    let Err(ReplayError::Gone { gone, found }) = odd.replay_wait(&gap) else { panic!("too much") };
    // Kept are 950 to 1049; 951, 953 .. 999 belong to the gap.
    assert_eq!((gone, found.len()), (465, 25));
    assert_eq!(found[0], (Position::new(0, 0, 951), Tick(951)));
    assert_eq!(found[24].1, Tick(999));
    stop(&system);
}

#[test]
fn without_retention_everything_is_gone() {
    let (system, source, _) = start();
    let mut events = system.events::<Tick>().capacity(1).subscribe();
    source.burst(5).wait().unwrap();
    assert!(matches!(events.try_next(), Some(Delivery::Event { .. })));
    let Some(Delivery::Gap(gap)) = events.try_next() else { panic!("no gap") };
    let error = events.replay_wait(&gap).unwrap_err();
    assert!(matches!(error, ReplayError::Gone { gone: 4, .. }), "{error}");
    stop(&system);
}

#[test]
fn a_gap_of_another_subscription_is_no_reason_to_panic() {
    let (larger, smaller) = (System::builder().cores(2), System::builder().cores(1));
    let (larger, smaller) = (larger.start().unwrap(), smaller.start().unwrap());
    let mut theirs = larger.events::<Tick>().capacity(1).subscribe();
    let publisher = larger.publisher::<Tick>();
    (0..3).for_each(|n| _ = publisher.publish(Tick(n)).unwrap());
    assert!(matches!(theirs.next_wait(), Some(Delivery::Event { .. })));
    let Some(Delivery::Gap(gap)) = theirs.next_wait() else { panic!("no gap") };
    let ours = smaller.events::<Tick>().subscribe();
    let error = ours.replay_wait(&gap).unwrap_err();
    assert!(matches!(error, ReplayError::Gone { gone: 2, .. }), "{error}");
    stop(&larger);
    stop(&smaller);
}

#[test]
fn events_are_built_only_when_somebody_wants_them_and_numbered_always() {
    let (system, source, built) = start();
    assert!(!source.wanted().wait().unwrap());
    assert_eq!(source.burst(10).wait().unwrap().seq, 9);
    assert_eq!(built.load(Ordering::Relaxed), 0);
    let mut events = system.events::<Tick>().subscribe();
    assert!(source.wanted().wait().unwrap());
    assert_eq!(source.burst(1).wait().unwrap(), Position::new(0, 0, 10));
    // Who has the answer finds the events that led to it.
    assert_eq!(
        events.try_next(),
        Some(Delivery::Event { position: Position::new(0, 0, 10), event: Tick(10) })
    );
    drop(events);
    assert!(!source.wanted().wait().unwrap());
    stop(&system);
}

/// A subscription is not `Sync`, and what is spawned has to be `Send`.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tasks_that_travel_fill_gaps() {
    let system = System::builder().cores(1).start().unwrap();
    let source = system.spawn::<Source>(Arc::default()).await.unwrap();
    let mut events = system.events::<Tick>().capacity(16).retain(4096).subscribe();
    source.burst(1000).await.unwrap();
    let task = tokio::spawn(async move {
        let mut count = 0;
        while count < 1000 {
            match events.next().await.expect("the bus is open") {
                Delivery::Event { .. } => count += 1,
                Delivery::Gap(gap) => count += events.replay(&gap).await.unwrap().len(),
            }
        }
        count
    });
    assert_eq!(task.await.unwrap(), 1000);
    system.shutdown(Duration::from_secs(10)).await;
}

/// What is retained belongs to the bus, which lives as long as its last subscription.
#[test]
fn who_outlives_the_system_still_catches_up() {
    let (system, source, _) = start();
    let first = system.events::<Tick>().retain(3000).subscribe();
    source.burst(2000).wait().unwrap();
    let mut late = system.events::<Tick>().from(Start::Oldest).subscribe();
    stop(&system);
    drop((system, source, first));
    assert_eq!(all(&mut late, 2000), (0..2000).collect::<Vec<_>>());
    assert_eq!((late.next_wait(), late.end_reason()), (None, None));
}

/// A gap may be kept for longer than the system was as large as that.
#[test]
fn a_gap_of_a_system_with_more_cores_costs_only_its_events() {
    let larger = System::builder().cores(3).start().unwrap();
    let mut events = larger.events::<u64>().capacity(1).subscribe();
    let publisher = larger.publisher::<u64>();
    (0..3).for_each(|n| _ = publisher.publish(n).unwrap());
    assert!(matches!(events.next_wait(), Some(Delivery::Event { .. })));
    let Some(Delivery::Gap(gap)) = events.next_wait() else { panic!("it had room for one") };
    larger.shutdown_wait(Duration::from_secs(10));

    let system = System::builder().cores(1).start().unwrap();
    system.log_events::<u64>(MemoryLog::new(), LogOptions::new()).unwrap();
    let mut durable = system.events::<u64>().durable().subscribe();
    let replayed = durable.replay_wait(&gap);
    assert!(matches!(replayed, Err(ReplayError::Gone { gone: 2, .. })), "{replayed:?}");
    system.publisher::<u64>().publish(7).unwrap();
    assert!(matches!(durable.next_wait(), Some(Delivery::Event { event: 7, .. })));
    system.shutdown_wait(Duration::from_secs(10));
}
