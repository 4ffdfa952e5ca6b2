//! The last events of a system: who is refused, what is still delivered, and what nobody waits for.

mod hindered;

use std::thread;
use std::time::{Duration, Instant};

use hindered::{Hindered, Step, held};
use tpc_actors::bus::log::{LogOptions, MemoryLog};
use tpc_actors::bus::{EndReason, Overflow, Publisher, Start, Subscription};
use tpc_actors::prelude::*;

const LONG: Duration = Duration::from_secs(20);

fn start() -> System {
    System::builder().cores(1).start().unwrap()
}

/// Publishes until it is refused; says how many events were not.
fn publish_until_refused(publisher: Publisher<u64>, pause: Duration) -> thread::JoinHandle<u64> {
    thread::spawn(move || {
        let mut count = 0;
        while publisher.publish(count).is_ok() {
            count += 1;
            thread::sleep(pause);
        }
        count
    })
}

/// Events and what was missing, up to the end.
fn count(events: &mut Subscription<u64>) -> u64 {
    let number = |delivery| match delivery {
        Delivery::Event { .. } => 1,
        Delivery::Gap(gap) => gap.len(),
    };
    std::iter::from_fn(|| events.next_wait()).map(number).sum()
}

#[test]
fn whatever_was_not_refused_is_delivered_before_the_end() {
    for round in 0..50 {
        let system = start();
        let mut events = system.events::<u64>().capacity(64).subscribe();
        let publisher = publish_until_refused(system.publisher(), Duration::ZERO);
        let receiver = thread::spawn(move || {
            let total = count(&mut events);
            assert_eq!((events.try_next(), events.next_wait()), (None, None));
            total
        });
        thread::sleep(Duration::from_micros(50 * round));
        system.shutdown_wait(LONG);
        assert_eq!(receiver.join().unwrap(), publisher.join().unwrap(), "round {round}");
    }
}

/// The log gets what was published, and an end, also while somebody goes on publishing.
#[test]
fn a_publisher_that_goes_on_does_not_keep_a_log_from_its_end() {
    let system = start();
    let slow = Hindered(MemoryLog::new(), |step| {
        if step == Step::Sync {
            thread::sleep(Duration::from_millis(5));
        }
    });
    system.log_events::<u64>(slow, LogOptions::new()).unwrap();
    let mut durable = system.events::<u64>().capacity(100_000).durable().subscribe();
    let publisher = publish_until_refused(system.publisher(), Duration::from_micros(100));
    thread::sleep(Duration::from_millis(30));
    let report = system.shutdown_wait(LONG);
    assert!(report.is_clean(), "{report}");
    assert_eq!(count(&mut durable), publisher.join().unwrap());
}

#[test]
fn a_log_that_does_not_come_to_an_end_is_left_behind() {
    let system = start();
    let (stuck, begun, let_go) = held();
    system.log_events::<u64>(stuck, LogOptions::new()).unwrap();
    system.log_events::<String>(MemoryLog::new(), LogOptions::new()).unwrap();
    let mut durable = system.events::<u64>().durable().subscribe();
    let mut behind = system.events::<u64>().durable().from(Start::Oldest).subscribe();
    let mut live = system.events::<u64>().subscribe();
    let mut others = system.events::<String>().durable().subscribe();
    system.publisher::<u64>().publish(1).unwrap();
    system.publisher().publish("durable".to_owned()).unwrap();
    begun.recv().unwrap();
    assert_eq!(behind.try_next(), None, "the log has no time for it");
    let start = Instant::now();
    let report = system.shutdown_wait(Duration::ZERO);
    assert_eq!(report.stuck_threads(), ["tpc-log"], "{report}");
    assert!(start.elapsed() < LONG);
    assert_eq!((count(&mut live), live.end_reason()), (1, None));
    for hung in [&mut durable, &mut behind] {
        assert_eq!(count(hung), 0);
        let why = hung.end_reason();
        assert!(matches!(why, Some(EndReason::LogFailed(_) | EndReason::LogClosed)), "{why:?}");
    }
    // Another log has nothing to do with it.
    assert!(matches!(others.next_wait(), Some(Delivery::Event { .. })));
    assert_eq!((others.next_wait(), others.end_reason()), (None, None));
    drop(let_go);
}

/// A consumer that always finds something would keep its runtime from everything else.
#[tokio::test]
async fn a_lagging_consumer_lets_timeouts_come() {
    let system = start();
    let mut events = system.events::<u64>().overflow(Overflow::DropOldest).subscribe();
    let publisher = publish_until_refused(system.publisher(), Duration::ZERO);
    let consume = async {
        while events.next().await.is_some() {
            thread::sleep(Duration::from_micros(200));
        }
    };
    let limited = tokio::time::timeout(Duration::from_millis(100), consume).await;
    assert!(limited.is_err(), "the publisher goes on");
    system.shutdown(LONG).await;
    publisher.join().unwrap();
}
