//! What all parts of a simulated system share: its dice, its faults, its books, and the story so far.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::Faults;
use super::clock::VirtualClock;
use super::trace::Trace;
use crate::random::Random;

/// Decides by a seed what happens, and writes it down.
#[derive(Debug)]
pub(crate) struct Script {
    clock: Arc<VirtualClock>,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    dice: Random,
    faults: Faults,
    accepted: u64,
    left: u64,
    trace: Trace,
}

impl Script {
    pub(super) fn new(seed: u64, clock: Arc<VirtualClock>, trace_lines_max: usize) -> Arc<Self> {
        let state = State {
            dice: Random::seeded(seed),
            faults: Faults::none(),
            accepted: 0,
            left: 0,
            trace: Trace::new(trace_lines_max),
        };
        Arc::new(Self { clock, state: Mutex::new(state) })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    // ---- dice ------------------------------------------------------------------------------------

    /// A number below `end`, or 0.
    pub(super) fn below(&self, end: u64) -> u64 {
        self.state().below(end)
    }

    /// Whether the handler that is about to be called panics.
    pub(crate) fn fails_handler(&self) -> bool {
        let state = &*self.state();
        state.happens(state.faults.handler_panics)
    }

    /// Whether the lane that is about to be sent through pretends to be full.
    pub(crate) fn fills_lane(&self) -> bool {
        let state = &*self.state();
        state.happens(state.faults.full_lanes)
    }

    /// How long a core stands still that would have its turn now.
    pub(super) fn stall(&self) -> Option<Duration> {
        let state = &*self.state();
        let Faults { stalls, stall_max, .. } = state.faults;
        let nanos = u64::try_from(stall_max.as_nanos()).unwrap_or(u64::MAX);
        state.happens(stalls).then(|| Duration::from_nanos(state.below(nanos) + 1))
    }

    /// Whether a core is lost that would have its turn now.
    pub(super) fn loses_core(&self) -> bool {
        let state = &*self.state();
        state.happens(state.faults.core_losses)
    }

    pub(super) fn set_faults(&self, faults: Faults) {
        self.state().faults = faults;
    }

    // ---- books -----------------------------------------------------------------------------------

    /// A queue has taken a request.
    pub(crate) fn accepts(&self) {
        self.state().accepted += 1;
    }

    /// The queue had closed meanwhile, and its sender has the request back.
    pub(crate) fn hands_back(&self) {
        self.state().accepted -= 1;
    }

    /// Requests were dropped in a queue that closed, and their askers had left before.
    pub(crate) fn drops(&self, left: usize) {
        self.state().left += left as u64;
    }

    /// Requests that were accepted, and those of them that were dropped after their askers had left.
    pub(super) fn books(&self) -> (u64, u64) {
        let state = self.state();
        (state.accepted, state.left)
    }

    // ---- story -----------------------------------------------------------------------------------

    /// Writes a line about a core, or about what happens outside of all of them.
    pub(crate) fn note(&self, core: Option<usize>, what: fmt::Arguments<'_>) {
        let elapsed = self.clock.elapsed();
        let (seconds, nanos) = (elapsed.as_secs(), elapsed.subsec_nanos());
        let line = match core {
            Some(core) => format!("{seconds}.{nanos:09} core {core}: {what}"),
            None => format!("{seconds}.{nanos:09} {what}"),
        };
        self.state().trace.add(line);
    }

    pub(super) fn trace(&self) -> Vec<String> {
        self.state().trace.lines()
    }
}

impl State {
    fn below(&self, end: u64) -> u64 {
        let spread = u128::from(self.dice.next()) * u128::from(end);
        u64::try_from(spread >> 64).unwrap_or(0)
    }

    /// Throws no dice for what never happens: the same seed without a fault stays on its course.
    fn happens(&self, probability: f64) -> bool {
        #[expect(clippy::cast_precision_loss, reason = "53 bits fit")]
        let random = || (self.dice.next() >> 11) as f64 / (1_u64 << 53) as f64;
        probability > 0.0 && random() < probability
    }
}
