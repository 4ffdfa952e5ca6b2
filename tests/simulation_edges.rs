//! Simulations where they are easily wrong: what never ends, what happens all at once, other threads and runtimes.

#[path = "simulation/account.rs"]
mod account;
#[path = "simulation/page.rs"]
mod page;

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use tpc_actors::prelude::*;
use tpc_actors::sim::{Faults, Sim};
use tpc_actors::supervision::Supervise;

use account::Account;
use page::{Page, PageClient, Sweeper, Written};

const US: Duration = Duration::from_micros(1);
const MS: Duration = Duration::from_millis(1);

fn page(sim: &mut Sim) -> PageClient {
    sim.spawn::<Page>(Arc::default())
}

#[test]
fn what_a_checkpoint_leaves_behind_is_seen_to() {
    let mut sim = Sim::seeded(1).start();
    let page = page(&mut sim);
    let mut events = sim.events::<Written>().subscribe();
    sim.run(page.touched()).unwrap();
    assert_eq!(sim.checkpoint().taken(), 1);
    let written = sim.run(events.next());
    assert!(matches!(written, Some(Delivery::Event { event: Written(0), .. })), "{written:?}");
    assert_eq!(sim.run(page.touched()).unwrap(), 1);
    page.fail_next().wait().unwrap();
    sim.advance(MS);
    assert_eq!(sim.checkpoint().failures().len(), 1);
    sim.advance(10 * MS);
    assert_eq!((sim.ledger().panics, sim.ledger().restarts), (1, 1));
}

#[test]
fn no_handler_runs_between_two_hooks_of_a_checkpoint() {
    for seed in 0..20 {
        let mut sim = Sim::seeded(seed).cores(4).start();
        let pages: Vec<_> = (0..4).map(|_| page(&mut sim)).collect();
        let mut events = sim.events::<Written>().subscribe();
        for touched in &pages {
            touched.touch().now().unwrap();
        }
        assert_eq!(sim.checkpoint().taken(), 4);
        sim.advance(MS);
        let written = std::iter::from_fn(|| events.try_next());
        let written: Vec<_> = written
            .filter_map(|delivery| match delivery {
                Delivery::Event { event: Written(touched), .. } => Some(touched),
                Delivery::Gap(_) => None,
            })
            .collect();
        // No handler has run, or none that had not before the cores stood still.
        assert_eq!(written.len(), 4);
        assert!(written.is_sorted_by(|a, b| a == b), "{written:?}");
    }
}

/// What has waited meanwhile goes on in the same order each time, also what came over lanes that nobody polled.
#[test]
fn what_waits_for_the_end_of_a_checkpoint_goes_on_in_one_order() {
    let story = || {
        let mut sim = Sim::seeded(7).cores(1).start();
        let page = page(&mut sim);
        let clients: Vec<_> = (0..8).map(|_| page.ordered()).collect();
        for client in &clients {
            sim.run(client.touched()).unwrap();
        }
        sim.advance(Duration::from_secs(1));
        let asks: Vec<_> = clients.iter().map(|client| client.touched().now().unwrap()).collect();
        sim.checkpoint();
        for ask in asks {
            sim.run(ask).unwrap();
        }
        sim.trace()
    };
    let first = story();
    assert!((0..10).all(|_| story() == first));
}

#[test]
fn a_core_that_is_lost_when_the_system_ends_does_not_come_back() {
    let mut sim = Sim::seeded(1).cores(1).start();
    let page = page(&mut sim);
    sim.faults(Faults::none().core_losses(1.0));
    assert!(matches!(sim.run(page.touched()), Err(AskError::CoreLost { .. })));
    sim.faults(Faults::none());
    assert_eq!(sim.shutdown(Duration::ZERO).lost_threads(), ["tpc-core-0"]);
    sim.advance(Duration::from_mins(1));
    assert!(!sim.trace().iter().any(|line| line.ends_with("is there again")));
    assert!(matches!(sim.run(page.touched()), Err(AskError::CoreLost { .. })));
}

#[test]
fn all_that_is_due_has_happened_when_time_has_passed() {
    for seed in 0..10 {
        let slept = Arc::<AtomicU32>::default();
        let mut sim = Sim::seeded(seed).start();
        let page = sim.spawn::<Page>(Arc::clone(&slept));
        sim.run(page.naps(10)).unwrap();
        sim.advance(Duration::from_secs(10));
        assert_eq!(slept.load(Ordering::Relaxed), 10, "seed {seed}");
        for _ in 0..100 {
            page.touch().now().unwrap();
        }
        sim.advance(Duration::ZERO);
        assert_eq!(sim.ledger().waiting, 0, "{}", sim.ledger());
    }
}

#[test]
fn deadlines_end_asks_at_their_time() {
    let mut sim = Sim::seeded(1).start();
    let account = sim.spawn::<Account>(());
    let began = sim.elapsed();
    let limits = (0..20).map(|n| 10 * MS + n * 20 * US);
    let asks: Vec<_> =
        limits.map(|limit| (limit, account.keep().deadline(limit).now().unwrap())).collect();
    for (limit, ask) in asks {
        assert!(matches!(sim.run(ask), Err(AskError::Deadline { .. })));
        let late = sim.elapsed().saturating_sub(began + limit);
        assert!(late < 15 * US, "{late:?} late");
    }
    sim.faults(Faults::none().full_lanes(1.0));
    let began = sim.elapsed();
    assert!(matches!(sim.run(account.add(1).deadline(MS)), Err(AskError::Deadline { .. })));
    assert!(sim.elapsed() < began + 2 * MS, "also when there is never room");
}

#[test]
fn what_never_ends_is_bounded() {
    let mut sim = Sim::seeded(1).cores(1).start();
    let sweeper = sim.spawn::<Sweeper>(());
    sim.advance(20 * MS);
    assert!(sim.run(sweeper.swept()).unwrap() > 1);

    let mut sim = Sim::seeded(1).start();
    let spinning = page(&mut sim);
    spinning.spin().now().unwrap();
    sim.advance(MS);
    sim.advance(Duration::ZERO);
    sim.shutdown(MS);

    let mut sim = Sim::seeded(1).start();
    sim.advance(Duration::MAX);
    sim.advance(Duration::MAX);
    assert!(sim.elapsed() >= Duration::from_hours(24 * 365 * 20));
}

#[test]
#[should_panic(expected = "the future still waits (seed 1, 0 accepted = 0 handled")]
fn a_run_without_room_is_bounded_in_steps() {
    let mut sim = Sim::seeded(1).run_steps_max(1000).start();
    let page = page(&mut sim);
    sim.faults(Faults::none().full_lanes(1.0));
    drop(sim.run(page.touched()));
}

#[test]
#[should_panic(expected = "nothing is left that could wake it")]
fn a_wait_without_end_is_told_of_as_well() {
    let mut sim = Sim::seeded(1).start();
    let _page = page(&mut sim);
    let mut events = sim.events::<Written>().subscribe();
    let _never = events.next_wait();
}

#[test]
fn a_wait_runs_the_simulation_that_it_is_for_and_no_other() {
    let (mut one, mut two) = (Sim::seeded(1).start(), Sim::seeded(2).start());
    let (_busy, account) = (one.spawn::<Account>(()), two.spawn::<Account>(()));
    let before = one.elapsed();
    assert_eq!(account.add(1).wait().unwrap(), 1);
    let other = two.spawn::<Page>(Arc::default());
    other.touch().wait().unwrap();
    let closed = other.closed();
    two.stop(&other);
    assert!(matches!(closed.wait(), tpc_actors::Ended::Stopped));
    let system = System::builder().cores(1).start().unwrap();
    let real = system.spawn::<Account>(()).wait().unwrap();
    for n in 1..=10 {
        assert_eq!(real.add(1).wait().unwrap(), n);
    }
    assert_eq!(one.elapsed(), before);
    assert!(system.shutdown_wait(Duration::from_secs(10)).is_clean());
}

#[test]
fn neither_offloaded_work_nor_a_core_can_drive_a_simulation() {
    let mut sim = Sim::seeded(1).start();
    let (one, two) = (page(&mut sim), page(&mut sim));
    assert!(matches!(sim.run(one.waits_outside(two)), Err(AskError::Dropped)));
    let told = sim.trace().into_iter().find(|line| line.contains("panicked"));
    assert!(told.is_some_and(|line| line.contains("cannot wait for its own simulation")));
    assert!(sim.run(one.starts_one()).unwrap());
}

/// Some of everything, in one future.
fn story() -> Vec<String> {
    let mut sim = Sim::seeded(3).cores(2).start();
    let (one, two) = (sim.spawn::<Account>(()), sim.spawn::<Account>(()));
    sim.faults(Faults::none().full_lanes(0.1));
    for n in 0..300 {
        let answers =
            sim.run(async { (one.outside(false).await, two.through(one.clone(), n).await) });
        assert!(matches!(answers, (Ok(7), Ok(_))), "{answers:?}");
    }
    let batch = sim.run(one.ask_batch((0..5).map(|n| one.add(n))));
    assert!(batch.iter().all(Result::is_ok));
    sim.trace()
}

#[test]
fn a_history_does_not_depend_on_the_runtime_around_it() {
    let plain = story();
    let current = tokio::runtime::Builder::new_current_thread().build().unwrap();
    assert_eq!(current.block_on(async { story() }), plain);
    let workers = tokio::runtime::Builder::new_multi_thread().worker_threads(1).build().unwrap();
    let on_worker = workers.block_on(async { tokio::spawn(async { story() }).await.unwrap() });
    assert_eq!(on_worker, plain);
    let registered = std::thread::spawn(|| {
        tpc_actors::register_thread();
        story()
    });
    assert_eq!(registered.join().unwrap(), plain);
}

#[core_actor]
pub struct Sender;

#[core_actor]
impl Sender {
    #[init]
    fn new() -> Self {
        Self
    }

    #[handler]
    fn send(&self, to: Vec<PageClient>) -> usize {
        to.iter().filter(|page| page.touch().now().is_ok()).count()
    }
}

#[test]
fn a_history_does_not_depend_on_actors_that_were_there_before() {
    let story = || {
        let mut sim = Sim::seeded(5).cores(1).start();
        let sender = sim.spawn::<Sender>(());
        let mut pages: Vec<_> = (0..5).map(|_| page(&mut sim)).collect();
        let later = pages.split_off(2);
        sim.run(sender.send(pages.clone())).unwrap();
        for page in pages {
            sim.stop(&page);
        }
        for _ in 0..5 {
            sim.run(sender.send(later.clone())).unwrap();
            sim.advance(MS);
        }
        sim.trace()
    };
    let first = story();
    let mut sim = Sim::seeded(1).start();
    let mut others: Vec<_> = (0..40).map(|_| page(&mut sim)).collect();
    for n in 0..20 {
        // In another order each time.
        others.remove((n * 7) % others.len());
        assert_eq!(story(), first);
    }
}

#[test]
fn a_stop_is_kept_when_the_core_is_lost_before_it_comes_to_it() {
    for seed in 0..100 {
        let restarts = Supervise::new().max(1000).backoff(MS, MS);
        let mut sim = Sim::seeded(seed).cores(1).core_restarts(restarts).start();
        let page = page(&mut sim);
        sim.faults(Faults::none().core_losses(0.5));
        sim.stop(&page);
        sim.faults(Faults::none());
        assert!(matches!(sim.run(page.touched()), Err(AskError::Stopped)), "seed {seed}");
    }
}

#[core_actor(supervise(max = 0, within = "1s", then = abort_system))]
pub struct Fuse;

#[core_actor]
impl Fuse {
    #[init]
    fn new() -> Self {
        Self
    }

    #[handler(tell)]
    fn blow(&self) {
        std::panic::resume_unwind(Box::new("on purpose"));
    }

    #[handler]
    fn never(&mut self, cx: &mut Ctx<Self>, reply: Reply<()>) {
        cx.offload(std::future::pending(), move |_, _, ()| reply.send(()));
    }
}

#[test]
fn an_end_within_an_end_has_one_report() {
    let mut sim = Sim::seeded(1).cores(1).start();
    let (waits, fuse) = (sim.spawn::<Fuse>(()), sim.spawn::<Fuse>(()));
    let _asks: Vec<_> = (0..3).map(|_| waits.never().now().unwrap()).collect();
    sim.advance(MS);
    fuse.blow().now().unwrap();
    let report = sim.shutdown(Duration::from_secs(5));
    assert_eq!(report.abandoned(), 3, "{report}");
    assert!(sim.elapsed() < Duration::from_secs(1), "the drain was cut short");
}
