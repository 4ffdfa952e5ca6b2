//! Looking after the cores from outside: which ones do not get on, and which ones are gone.
//!
//! One thread a system. It reads what a core is calling and how much it has done; a core that is in the same
//! call for too long has stalled, and whom it has answered before is woken. Nothing is asked of the core but the words that
//! it writes anyway, and no stack is unwound: that has deadlocked others (Seastar's stall detector in `dlopen`). While all cores are
//! idle it sleeps; the first one that goes to work wakes it.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use super::losses::Losses;
use super::stall_report::{OnStall, StallReport};
use super::{CoreThread, Inner, lock};
use crate::core_loop::called::{cell_of, is_call};
use crate::core_loop::shared::CoreShared;
use crate::isolate::{catch, drop_quietly, panic_message};
use crate::rate::FiveAMinute;
use crate::supervision::Supervise;

/// What a system wants to be looked after for.
#[derive(Debug, Clone)]
pub(super) struct WatchOptions {
    pub(super) stall_after: Option<Duration>,
    pub(super) on_stall: Option<OnStall>,
    pub(super) restarts: Supervise,
}

impl Default for WatchOptions {
    fn default() -> Self {
        Self {
            stall_after: Some(Duration::from_millis(25)),
            on_stall: None,
            restarts: Supervise::new().max(3).within(Duration::from_mins(1)),
        }
    }
}

/// Looks at a core in the time that it may be in one call.
const LOOKS: u32 = 4;
/// Between two looks when nobody wants to hear of stalls.
const UNHURRIED: Duration = Duration::from_millis(25);

/// What one look at a core finds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Look {
    /// What it is calling; 0 while it sleeps.
    calling: u64,
    turns: u64,
    handled: u64,
}

impl Look {
    fn at(core: &CoreShared) -> Self {
        let stats = &core.stats;
        Self {
            calling: stats.calling.get(),
            turns: stats.turns.get(),
            handled: stats.handled.get(),
        }
    }
}

/// What the looks at one core come to.
#[derive(Debug)]
struct Stalls {
    last: Look,
    /// When it was first found as it is now, and how often since.
    since: Instant,
    looks: u32,
    rate: FiveAMinute,
}

impl Stalls {
    fn new(first: Look, now: Instant) -> Self {
        Self { last: first, since: now, looks: 0, rate: FiveAMinute::default() }
    }

    /// Whether the core is in the same call as at the last look.
    fn stays(&self, look: Look) -> bool {
        look == self.last && is_call(look.calling)
    }

    /// `Some` once for each stall, when it has lasted for `limit`. Counted in looks as well: if this thread
    /// was held up, the core may just have been, too.
    fn look(&mut self, look: Look, now: Instant, limit: Duration) -> Option<Duration> {
        if !self.stays(look) {
            (self.last, self.since, self.looks) = (look, now, 0);
            return None;
        }
        self.looks += 1;
        let stalled_for = now.saturating_duration_since(self.since);
        // Told once: the number of looks passes the bound only once.
        if self.looks < LOOKS || stalled_for < limit {
            return None;
        }
        let told = self.looks > LOOKS * 2;
        self.looks = LOOKS * 2 + 1;
        (!told).then_some(stalled_for)
    }
}

/// Starts the thread that looks after the cores of a system.
pub(super) fn start(inner: &Arc<Inner>, options: WatchOptions) -> std::io::Result<()> {
    let (nap, weak) = (Arc::clone(&inner.nap), Arc::downgrade(inner));
    let pause = options.stall_after.map_or(UNHURRIED, |limit| limit / LOOKS).min(UNHURRIED);
    let now = Instant::now();
    let mut cores: Vec<_> =
        inner.cores.iter().map(|core| Stalls::new(Look::at(core), now)).collect();
    let mut losses = Losses::new(options.restarts);
    let run = move || {
        while nap.pause(losses.due_within(pause, Instant::now())) {
            let Some(inner) = weak.upgrade() else { return };
            let looked = inner.cores.iter().zip(&mut cores);
            let stuck: Vec<_> = looked
                .filter_map(|(core, stalls)| inner.look_at(core, stalls, &options).then_some(core))
                .collect();
            inner.replace_lost(&mut losses);
            // Last, because wakers are foreign code.
            for core in stuck {
                core.answered.wake_all();
            }
            if inner.is_idle() && nap.lie_down(|| inner.is_idle()) {
                drop_quietly(inner);
                nap.sleep();
                continue;
            }
            drop_quietly(inner);
        }
    };
    let thread = std::thread::Builder::new().name("tpc-warden".to_owned()).spawn(run)?;
    *lock(&inner.warden_thread) = Some(thread);
    Ok(())
}

impl Inner {
    /// Whether all cores sleep.
    fn is_idle(&self) -> bool {
        self.cores.iter().all(|core| core.stats.calling.get() == 0)
    }

    /// Whether the core is in the same call as at the last look; stalls are told of.
    fn look_at(&self, core: &CoreShared, stalls: &mut Stalls, options: &WatchOptions) -> bool {
        let now = Instant::now();
        let look = Look::at(core);
        let stays = stalls.stays(look);
        let limit = options.stall_after.unwrap_or(Duration::MAX);
        if let Some(stalled_for) = stalls.look(look, now, limit) {
            self.tell_of_stall(core, look, stalled_for, &mut stalls.rate, options);
        }
        stays
    }

    fn tell_of_stall(
        &self,
        core: &CoreShared,
        look: Look,
        stalled_for: Duration,
        rate: &mut FiveAMinute,
        options: &WatchOptions,
    ) {
        core.stalls.fetch_add(1, Ordering::Relaxed);
        let Some(unreported) = rate.admit(Instant::now()) else { return };
        let actors: Vec<_> = lock(&self.actors).iter().filter_map(|actor| actor.on(core)).collect();
        let called =
            actors.iter().find_map(|actor| actor.called(cell_of(look.calling), look.calling));
        // An actor is listed once it has started.
        let (actor, shard, handler) = called.unwrap_or(("(an actor that starts)", 0, "init"));
        for actor in actors {
            drop_quietly(actor);
        }
        let core = core.index;
        let report = StallReport { core, actor, shard, handler, stalled_for, unreported };
        tracing::warn!(core, actor, shard, handler, ?stalled_for, unreported, "a core has stalled");
        if let Some(OnStall(hear)) = &options.on_stall {
            drop_quietly(catch(|| hear(&report)));
        }
    }

    /// Replaces the threads of cores that have ended although nobody wanted it, when it is time for that, or gives up.
    fn replace_lost(self: &Arc<Self>, losses: &mut Losses) {
        while let Some(CoreThread { index, name, thread }) = self.take_lost() {
            let message = match thread.join() {
                Ok(()) => "it ended by itself".to_owned(),
                Err(payload) => panic_message(payload),
            };
            tracing::error!(core = index, message, "the thread of a core is lost");
            lock(&self.lost_cores).push(name);
            if !losses.lost(index, Instant::now()) {
                tracing::error!("too many cores were lost: the system ends");
                drop(self.shut_down(Duration::ZERO));
            }
        }
        for index in losses.take_due(Instant::now()) {
            self.replace_core(index);
        }
    }

    /// A thread that has ended. While the system ends, threads end, and are joined by who ends it.
    fn take_lost(&self) -> Option<CoreThread> {
        let mut threads = lock(&self.threads);
        let place = threads.iter().position(|thread| thread.thread.is_finished())?;
        if lock(&self.ending).is_some() {
            return None;
        }
        Some(threads.swap_remove(place))
    }

    fn replace_core(self: &Arc<Self>, index: usize) {
        // Held meanwhile: who ends the system must find this core either gone or taking commands.
        let ending = lock(&self.ending);
        if ending.is_some() {
            return;
        }
        let core = &self.cores[index];
        core.reopen();
        match self.start_core(index, None) {
            Ok(()) => tracing::warn!(core = index, "the core runs again"),
            Err(error) => {
                core.close_inbox();
                drop(ending);
                tracing::error!(core = index, %error, "no thread for the core: the system ends");
                drop(self.shut_down(Duration::ZERO));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: Duration = Duration::from_millis(25);
    const STEP: Duration = Duration::from_micros(6250);

    /// A look that finds a call of the actor 7, or none for 0.
    fn look(actor: u64, handled: u64) -> Look {
        Look { calling: actor << 32, turns: 0, handled }
    }

    /// How often `looks`, one step apart, come to a stall.
    fn stalls(looks: impl IntoIterator<Item = Look>) -> usize {
        let start = Instant::now();
        let mut stalls = Stalls::new(look(0, 0), start);
        let found = looks.into_iter().zip(1u32..);
        found.filter_map(|(look, step)| stalls.look(look, start + STEP * step, LIMIT)).count()
    }

    #[test]
    fn a_call_that_lasts_is_told_once() {
        assert_eq!(stalls(vec![look(7, 1); 4]), 0, "not yet");
        assert_eq!(stalls(vec![look(7, 1); 5]), 1);
        assert_eq!(stalls(vec![look(7, 1); 500]), 1);
    }

    #[test]
    fn the_next_stall_is_told_again() {
        let again = [vec![look(7, 1); 10], vec![look(7, 2); 10]].concat();
        assert_eq!(stalls(again), 2);
    }

    #[test]
    fn who_is_idle_or_gets_on_has_not_stalled() {
        assert_eq!(stalls(vec![look(0, 1); 500]), 0);
        assert_eq!(stalls((0..500).map(|handled| look(7, handled))), 0);
    }

    #[test]
    fn who_looks_late_waits_for_more_looks() {
        let start = Instant::now();
        let mut stalls = Stalls::new(look(7, 1), start);
        for n in 1..LOOKS {
            assert_eq!(stalls.look(look(7, 1), start + LIMIT * 10 * n, LIMIT), None);
        }
    }
}
