//! Driving a core: turn after turn, a bounded spin, then sleep.
//!
//! A sleep costs its waker about eleven microseconds and the sleeper forty (`docs/performance.md`), so a
//! core whose CPU nobody else needs looks a while longer first. On a shared CPU spinning would only
//! keep the producers from running, so the spin is zero there.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::called::AWAKE;
use super::shared::CoreShared;
use super::{Budget, Core};
use crate::clock::{Clock, later};
use crate::patience::pause;

/// How a core waits.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Idle {
    /// How long an idle core looks before it sleeps.
    pub(crate) spin: Duration,
    /// The longest sleep; `None` trusts the wake protocol alone.
    pub(crate) backstop: Option<Duration>,
}

/// Looks between two readings of the clock while spinning.
const LOOKS_PER_CLOCK: u32 = 32;

/// Runs `core` on this thread until it has finished.
///
/// `on_abort` is called when an actor's policy asks for the end of the whole system.
pub(crate) fn drive(core: &mut Core, budget: &Budget, idle: Idle, on_abort: &dyn Fn()) {
    let shared = Arc::clone(&core.local.shared);
    let clock = Arc::clone(&core.local.clock);
    let mut looked = clock.now();
    while !core.is_finished() {
        let turn = core.turn(clock.now(), budget);
        if core.local.abort_system.take() {
            on_abort();
        }
        if turn.ran > 0 {
            if turn.patient && !idle.spin.is_zero() {
                have_patience(&*clock);
            }
            continue;
        }
        if turn.more {
            continue;
        }
        // Nothing is being called: what takes long from here on is no stall.
        shared.stats.calling.set(AWAKE);
        let due = turn.next_deadline;
        if core.is_finished() || spin(core, idle.spin, due) || !core.try_park() {
            continue;
        }
        shared.goes_to_sleep();
        // A sleep that ends for nothing is followed by another one, without a turn or a spin in between.
        while !sleep(core, &shared, due, idle.backstop, &mut looked) && core.try_park() {}
        shared.goes_to_work();
    }
}

/// How long senders can add to what they have sent before the core looks again.
const PATIENCE: Duration = Duration::from_nanos(700);

/// A look takes the line with the sender's position away from it, so a core that looks after every message makes
/// each of them as slow as a transfer between the CPUs; and askers that are answered together are woken together.
fn have_patience(clock: &dyn Clock) {
    let until = later(clock.now(), PATIENCE);
    while clock.now() < until {
        pause(8);
    }
}

/// Looks for work for as long as `budget`; true when there is some.
fn spin(core: &mut Core, budget: Duration, due: Option<Instant>) -> bool {
    if budget.is_zero() {
        return false;
    }
    let clock = Arc::clone(&core.local.clock);
    let start = clock.now();
    let end = later(start, budget);
    let end = due.map_or(end, |due| due.min(end));
    loop {
        for _ in 0..LOOKS_PER_CLOCK {
            if core.has_work() {
                return true;
            }
            std::hint::spin_loop();
        }
        let now = clock.now();
        core.local.wakes.overtake_late(now);
        if now >= end {
            return due.is_some_and(|due| now >= due);
        }
    }
}

/// Sleeps until a ring or until something is due. `looked` is when the backstop last looked at all lanes:
/// timers end sleeps too, and must not keep it from looking. True when there is something to do.
fn sleep(
    core: &mut Core,
    shared: &CoreShared,
    due: Option<Instant>,
    backstop: Option<Duration>,
    looked: &mut Instant,
) -> bool {
    let clock = Arc::clone(&core.local.clock);
    let look = backstop.map(|backstop| later(*looked, backstop));
    let until = [due, look].into_iter().flatten().min();
    let rung = shared.bell.sleep(until.map(|at| at.saturating_duration_since(clock.now())));
    let now = clock.now();
    let work = rung || due.is_some_and(|due| now >= due);
    if look.is_none_or(|look| now < look) {
        return work;
    }
    *looked = now;
    // Whatever is found now without a ring was missed by the protocol, which must never happen.
    if rung || shared.bell.has_news() || !core.poll_all_lanes() {
        return work;
    }
    // A producer between its publish and its ring has not been missed; give it the time to ring.
    std::thread::sleep(Duration::from_millis(1));
    if !shared.bell.has_news() {
        shared.stats.backstop_rescues.add(1);
        tracing::error!(core = shared.index, "a sleeping core missed a wake; please report this");
    }
    true
}
