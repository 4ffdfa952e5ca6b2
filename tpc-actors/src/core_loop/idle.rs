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
    /// How long a core sleeps before it looks at all lanes for the first time; `None` trusts the wake protocol alone.
    pub(crate) backstop: Option<Duration>,
}

/// When a core that sleeps looks at all lanes although nobody has rung.
///
/// A look wakes the core, which costs up to a tenth of a millisecond of a virtual CPU. So the second one in vain comes
/// after twice as long as the first, and so on: a wake that was lost is noticed after about as long as the core had
/// been silent before.
#[derive(Debug, Clone, Copy)]
struct Backstop {
    first: Duration,
    /// The time between the last look and the next one.
    wait: Duration,
    looked: Instant,
}

impl Backstop {
    /// The most that the time between two looks grows.
    const WAITS_MAX: u32 = 8;

    fn new(first: Duration, now: Instant) -> Self {
        Self { first, wait: first, looked: now }
    }

    fn due(&self) -> Instant {
        later(self.looked, self.wait)
    }

    fn has_looked(&mut self, now: Instant) {
        self.looked = now;
        let most = self.first.saturating_mul(Self::WAITS_MAX);
        self.wait = self.wait.saturating_mul(2).min(most);
    }

    /// The core is at work. When it has looked stays: timers end sleeps too, and must not keep it from looking.
    fn works(&mut self) {
        self.wait = self.first;
    }
}

/// Looks between two readings of the clock while spinning.
const LOOKS_PER_CLOCK: u32 = 32;

/// Runs `core` on this thread until it has finished.
///
/// `on_abort` is called when an actor's policy asks for the end of the whole system.
pub(crate) fn drive(core: &mut Core, budget: &Budget, idle: Idle, on_abort: &dyn Fn()) {
    let shared = Arc::clone(&core.local.shared);
    let clock = Arc::clone(&core.local.clock);
    let mut backstop = idle.backstop.map(|first| Backstop::new(first, clock.now()));
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
        while !sleep(core, &shared, due, backstop.as_mut()) && core.try_park() {}
        backstop.as_mut().map(Backstop::works);
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

/// How long a producer may take to ring after its message is there.
const LATE_RING_MAX: Duration = Duration::from_millis(10);

/// Sleeps until a ring or until something is due. True when there is something to do.
fn sleep(
    core: &mut Core,
    shared: &CoreShared,
    due: Option<Instant>,
    backstop: Option<&mut Backstop>,
) -> bool {
    let clock = Arc::clone(&core.local.clock);
    let look = backstop.as_ref().map(|backstop| backstop.due());
    let until = [due, look].into_iter().flatten().min();
    let rung = shared.bell.sleep(until.map(|at| at.saturating_duration_since(clock.now())));
    let now = clock.now();
    let work = rung || due.is_some_and(|due| now >= due);
    let Some(backstop) = backstop.filter(|backstop| now >= backstop.due()) else { return work };
    backstop.has_looked(now);
    // Whatever is found now without a ring was missed by the protocol, which must never happen.
    if rung || shared.bell.has_news() || !core.any_lane_has_request() {
        return work;
    }
    // A producer between its publish and its ring has not been missed. It has time to ring, also if somebody else has
    // its CPU; and the lanes stay armed for so long, or it would not.
    for _ in 0..LATE_RING_MAX.as_millis() {
        std::thread::sleep(Duration::from_millis(1));
        if shared.bell.has_news() {
            return true;
        }
    }
    core.poll_all_lanes();
    shared.stats.backstop_rescues.add(1);
    tracing::error!(core = shared.index, "a sleeping core missed a wake; please report this");
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn looks_in_vain_become_rare() {
        let (first, mut now) = (Duration::from_millis(100), Instant::now());
        let mut backstop = Backstop::new(first, now);
        let mut waits = Vec::new();
        for _ in 0..6 {
            waits.push(backstop.due().duration_since(now).as_millis());
            now = backstop.due();
            backstop.has_looked(now);
        }
        assert_eq!(waits, [100, 200, 400, 800, 800, 800]);
        // A timer ends the sleep in the middle, again and again.
        backstop.works();
        assert_eq!(backstop.due(), now + first);
        backstop.works();
        assert_eq!(backstop.due(), now + first);
    }

    #[test]
    fn the_longest_of_times_is_no_overflow() {
        let mut backstop = Backstop::new(Duration::MAX, Instant::now());
        backstop.has_looked(backstop.due());
        assert_eq!(backstop.wait, Duration::MAX);
    }
}
