//! Simulated systems: one seed is one history, time is virtual, and the books balance whatever happens.

#[path = "simulation/account.rs"]
mod account;

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use tpc_actors::prelude::*;
use tpc_actors::sim::{Faults, Sim};
use tpc_actors::supervision::{Group, Strategy, Supervise};

use account::{Account, Moved};

const MS: Duration = Duration::from_millis(1);

/// Everything that a simulation can do, under faults.
fn history(seed: u64) -> Vec<String> {
    let restarts = Supervise::new().max(1000).backoff(MS, MS);
    let mut sim = Sim::seeded(seed).cores(3).core_restarts(restarts).start();
    let one = sim.spawn::<Account>(());
    let two = sim.spawn::<Account>(());
    let mut events = sim.events::<Moved>().capacity(16).subscribe();
    sim.faults(
        Faults::none()
            .handler_panics(0.1)
            .full_lanes(0.1)
            .stalls(0.05, Duration::from_millis(3))
            .core_losses(0.001),
    );
    for n in 0..30 {
        let limit = Duration::from_millis(n % 5 + 1);
        let (a, b, c) =
            (one.add(n), two.through(one.clone(), n).deadline(limit), one.outside(n % 7 == 0));
        sim.run(async {
            drop(a.now());
            let ((), (), ()) = (drop(b.await), drop(c.await), drop(two.put(n).now()));
        });
        let kept = one.keep().now();
        sim.advance(MS);
        drop(kept);
        assert!(sim.ledger().balances(), "{}", sim.ledger());
    }
    while events.try_next().is_some() {}
    sim.faults(Faults::none());
    sim.advance(Duration::from_secs(2));
    let ledger = sim.ledger();
    assert!(ledger.balances() && ledger.waiting == 0, "{ledger}");
    assert!(ledger.panics > 0 && ledger.restarts > 0, "{ledger}");
    let report = sim.shutdown(Duration::from_secs(1));
    assert_eq!(report.finished(), sim.ledger().handled);
    assert!(sim.ledger().balances(), "{}", sim.ledger());
    sim.trace()
}

#[test]
fn one_seed_is_one_history_and_another_seed_another_one() {
    for seed in 0..40 {
        let (first, second) = (history(seed), history(seed));
        let differs = first.iter().zip(&second).position(|(a, b)| a != b);
        assert_eq!(differs.map(|at| (&first[at], &second[at])), None, "seed {seed}");
        assert_eq!(first.len(), second.len());
    }
    assert_ne!(history(1), history(2));
}

#[test]
fn a_history_does_not_depend_on_the_thread_or_on_what_ran_there_before() {
    let here = history(3);
    let there = std::thread::spawn(|| history(3)).join().unwrap();
    assert_eq!(here, there);
}

#[test]
fn time_is_virtual_and_timers_follow_it() {
    let mut sim = Sim::seeded(1).start();
    let account = sim.spawn::<Account>(());
    let began = Instant::now();
    sim.advance(Duration::from_hours(1));
    assert_eq!(sim.run(account.ticks()).unwrap(), 3600);
    assert!(sim.elapsed() >= Duration::from_hours(1));
    let before = sim.elapsed();
    sim.run(account.naps(Duration::from_mins(5))).unwrap();
    let took = sim.elapsed().abs_diff(before);
    assert!(took >= Duration::from_mins(5) && took < Duration::from_mins(6), "{took:?}");
    assert!(began.elapsed() < Duration::from_mins(5), "nobody has slept");
}

#[test]
fn a_deadline_passes_while_the_answer_is_kept() {
    let mut sim = Sim::seeded(1).start();
    let account = sim.spawn::<Account>(());
    let before = sim.elapsed();
    let late = sim.run(account.keep().deadline(50 * MS));
    assert!(matches!(late, Err(AskError::Deadline { started: true })), "{late:?}");
    assert!(sim.elapsed() >= before + 50 * MS);
    let kept = account.keep().now().unwrap();
    assert_eq!(sim.run(account.release()).unwrap(), 2);
    assert_eq!(sim.run(kept).unwrap(), 1);
    assert!(sim.ledger().balances(), "{}", sim.ledger());
}

#[test]
#[should_panic(expected = "the future still waits (seed 5, 1 accepted = 1 handled")]
fn a_wait_without_end_is_told_of() {
    let mut sim = Sim::seeded(5).run_time_max(Duration::from_mins(1)).start();
    let account = sim.spawn::<Account>(());
    drop(sim.run(account.keep()));
}

#[test]
#[should_panic(expected = "and nothing is left that could wake it")]
fn a_system_without_timers_comes_to_a_stop() {
    let mut sim = Sim::seeded(5).start();
    let _page = sim.spawn::<Page>(Arc::default());
    sim.run(std::future::pending::<()>());
}

#[test]
fn a_stalled_core_lets_deadlines_pass() {
    let mut sim = Sim::seeded(1).cores(1).start();
    let account = sim.spawn::<Account>(());
    sim.faults(Faults::none().stalls(1.0, Duration::from_secs(1)));
    let late = sim.run(account.add(1).deadline(MS));
    assert!(matches!(late, Err(AskError::Deadline { .. })), "{late:?}");
    sim.faults(Faults::none());
    assert_eq!(sim.run(account.add(1)).unwrap(), 1, "the late one was skipped");
    let ledger = sim.ledger();
    assert_eq!(ledger.cancelled + ledger.expired, 1, "{ledger}");
}

#[test]
fn full_lanes_hand_messages_back_and_make_the_others_wait() {
    let mut sim = Sim::seeded(1).start();
    let account = sim.spawn::<Account>(());
    sim.faults(Faults::none().full_lanes(1.0));
    assert!(matches!(account.put(1).now(), Err(TellError::Full(_))));
    assert!(account.add(1).now().is_err());
    sim.faults(Faults::none().full_lanes(0.9));
    for n in 1..=20 {
        assert_eq!(sim.run(account.add(1)).unwrap(), n);
    }
    assert_eq!(sim.ledger().accepted, 20);
}

#[test]
fn injected_panics_are_answered_and_the_state_is_rebuilt() {
    let mut sim = Sim::seeded(1).start();
    let account = sim.spawn::<Account>(());
    assert_eq!(sim.run(account.add(5)).unwrap(), 5);
    sim.faults(Faults::none().handler_panics(1.0));
    match sim.run(account.add(5)) {
        Err(AskError::Panicked(report)) => {
            assert_eq!((report.actor(), report.handler()), ("Account", "add"));
        }
        other => panic!("{other:?}"),
    }
    sim.faults(Faults::none());
    assert_eq!(sim.run(account.add(1)).unwrap(), 1, "after the restart");
    let ledger = sim.ledger();
    assert_eq!((ledger.panics, ledger.restarts, ledger.handled), (1, 1, 3), "{ledger}");
    assert!(sim.trace().iter().any(|line| line.contains("a fault of the simulation")));
}

#[test]
fn a_lost_core_comes_back_with_its_actors() {
    let mut sim = Sim::seeded(1).cores(2).start();
    let (one, two) = (sim.spawn::<Account>(()), sim.spawn::<Account>(()));
    assert_eq!(sim.run(one.add(5)).unwrap(), 5);
    let kept = two.keep().now().unwrap();
    sim.run(two.ticks()).unwrap();
    sim.faults(Faults::none().core_losses(1.0));
    assert!(matches!(sim.run(kept), Err(AskError::CoreLost { started: true })));
    sim.faults(Faults::none());
    sim.advance(Duration::from_secs(10));
    assert_eq!(sim.run(one.add(1)).unwrap() % 5, 1, "lost with its core, or not");
    assert_eq!(sim.run(two.add(1)).unwrap(), 1);
    assert!(sim.trace().iter().any(|line| line.ends_with("is there again")));
    let ledger = sim.ledger();
    assert!(ledger.balances() && ledger.restarts > 0, "{ledger}");
}

#[test]
fn a_system_that_loses_its_cores_too_often_ends() {
    let mut sim = Sim::seeded(1).cores(1).core_restarts(Supervise::new().max(0)).start();
    let account = sim.spawn::<Account>(());
    sim.faults(Faults::none().core_losses(1.0));
    assert!(matches!(sim.run(account.add(1)), Err(AskError::CoreLost { .. })));
    let report = sim.shutdown(Duration::ZERO);
    assert_eq!(report.lost_threads(), ["tpc-core-0"], "{report}");
    assert!(sim.ledger().balances(), "{}", sim.ledger());
}

#[test]
fn offloaded_work_is_polled_by_the_simulation() {
    let mut sim = Sim::seeded(1).start();
    let account = sim.spawn::<Account>(());
    assert_eq!(sim.run(account.outside(false)).unwrap(), 7);
    assert!(matches!(sim.run(account.outside(true)), Err(AskError::Dropped)));
    assert_eq!(sim.ledger().panics, 1);
}

#[test]
fn waits_of_the_thread_drive_the_simulation() {
    let mut sim = Sim::seeded(1).start();
    let account = sim.spawn::<Account>(());
    let mut events = sim.events::<Moved>().subscribe();
    assert_eq!(account.add(3).wait().unwrap(), 3);
    assert_eq!(sim.run(account.add(4)).unwrap(), 7);
    let moved: Vec<_> = std::iter::from_fn(|| events.try_next())
        .filter_map(|delivery| match delivery {
            Delivery::Event { event, .. } => Some(event.by),
            Delivery::Gap(_) => None,
        })
        .collect();
    assert_eq!(moved, [3, 4]);
}

#[test]
fn events_published_later_are_waited_for_on_the_thread() {
    let mut sim = Sim::seeded(1).start();
    let account = sim.spawn::<Account>(());
    let mut events = sim.events::<Moved>().subscribe();
    let asked = account.add(3).now().unwrap();
    assert!(matches!(events.next_wait(), Some(Delivery::Event { event: Moved { by: 3 }, .. })));
    assert_eq!(sim.run(asked).unwrap(), 3);
    sim.publisher().publish(Moved { by: 9 }).unwrap();
    let next = sim.run(events.next());
    assert!(matches!(next, Some(Delivery::Event { event: Moved { by: 9 }, .. })));
    sim.shutdown(Duration::ZERO);
    assert!(sim.run(events.next()).is_none());
}

#[test]
fn groups_names_stops_and_ends_are_those_of_any_system() {
    let mut sim = Sim::seeded(1).cores(2).start();
    let group = sim.group(Group::new().strategy(Strategy::OneForAll));
    let (one, two) = (group.spawn::<Account>(()), group.spawn::<Account>(()));
    let (one, two) = (sim.run(one).unwrap(), sim.run(two).unwrap());
    sim.run(two.add(1)).unwrap();
    assert!(sim.run(one.fail()).is_err());
    assert_eq!(sim.run(two.add(1)).unwrap(), 1, "both restart");

    let named = sim.spawner().name("third").core(1).spawn::<Account>(());
    let named = sim.run(named).unwrap();
    let found = sim.find::<Account>("third").unwrap();
    assert_eq!(sim.run(found.add(2)).unwrap(), 2);
    let kept = named.keep().now().unwrap();
    sim.run(named.ticks()).unwrap();
    sim.stop(&named);
    assert!(matches!(sim.run(kept), Err(AskError::Dropped)));
    assert!(matches!(sim.run(named.add(1)), Err(AskError::Stopped)));

    let report = sim.shutdown(Duration::from_secs(1));
    assert_eq!((report.panics(), report.restarts()), (1, 2), "{report}");
    assert!(matches!(sim.run(one.add(1)), Err(AskError::Stopping { .. } | AskError::Stopped)));
    assert!(sim.ledger().balances(), "{}", sim.ledger());
}

#[core_actor]
pub struct Page(Arc<AtomicU32>);

#[core_actor]
impl Page {
    #[init]
    fn new(written: Arc<AtomicU32>) -> Self {
        Self(written)
    }

    #[handler(tell)]
    fn touch(&self) {}

    #[checkpoint]
    fn write(&mut self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    #[on_stop]
    fn close(&mut self) {
        self.0.fetch_add(100, Ordering::Relaxed);
    }
}

#[test]
fn a_checkpoint_and_the_last_hooks_run() {
    let written = Arc::<AtomicU32>::default();
    let mut sim = Sim::seeded(1).cores(2).start();
    let _pages = [sim.spawn::<Page>(Arc::clone(&written)), sim.spawn::<Page>(Arc::clone(&written))];
    assert_eq!(sim.checkpoint().taken(), 2);
    assert_eq!(written.load(Ordering::Relaxed), 2);
    drop(sim);
    assert_eq!(written.load(Ordering::Relaxed), 202, "dropped without a shutdown");
}

#[test]
fn bad_options_say_what_to_write_instead() {
    assert!(Sim::seeded(1).cores(0).try_start().is_err());
    let bad = std::panic::catch_unwind(|| Faults::none().full_lanes(5.0)).unwrap_err();
    let message = bad.downcast_ref::<String>().unwrap();
    assert_eq!(message, "5 is no probability; write a number from 0 to 1");
}

#[test]
fn the_trace_is_bounded() {
    let mut sim = Sim::seeded(1).trace_lines_max(3).start();
    let account = sim.spawn::<Account>(());
    for _ in 0..10 {
        sim.run(account.add(1)).unwrap();
    }
    let trace = sim.trace();
    assert_eq!((trace.len(), trace[0].ends_with("earlier lines")), (4, true), "{trace:?}");
}
