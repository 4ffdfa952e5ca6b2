//! What a simulation does to its system.

use std::time::Duration;

/// Faults that a simulation injects, each with a probability from 0 to 1; see [`Sim::faults`](super::Sim::faults).
///
/// ```
/// use std::time::Duration;
/// use tpc_actors::sim::Faults;
///
/// let faults = Faults::none()
///     .handler_panics(0.05)
///     .full_lanes(0.05)
///     .stalls(0.01, Duration::from_millis(20));
/// assert_ne!(faults, Faults::none());
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Default)]
#[must_use = "faults do nothing by themselves; hand them to `Sim::faults`"]
pub struct Faults {
    pub(super) handler_panics: f64,
    pub(super) full_lanes: f64,
    pub(super) stalls: f64,
    pub(super) stall_max: Duration,
    pub(super) core_losses: f64,
}

impl Faults {
    /// None at all, which is how a simulation begins.
    pub fn none() -> Self {
        Self::default()
    }

    /// How probable it is that a call of a handler panics before its first line. The actor fails as it does with
    /// a panic of its own: the caller is answered, and the actor's supervision decides what follows.
    ///
    /// # Panics
    ///
    /// `probability` is no number from 0 to 1.
    #[track_caller]
    pub fn handler_panics(mut self, probability: f64) -> Self {
        self.handler_panics = checked(probability);
        self
    }

    /// How probable it is that a send finds its lane full: `.now()` hands the message back, and everybody else waits
    /// in line until the next attempt.
    ///
    /// # Panics
    ///
    /// `probability` is no number from 0 to 1.
    #[track_caller]
    pub fn full_lanes(mut self, probability: f64) -> Self {
        self.full_lanes = checked(probability);
        self
    }

    /// How probable it is that a core stands still before a turn, as if its thread had lost its CPU, and for how long
    /// at most. Others go on meanwhile, and deadlines pass.
    ///
    /// # Panics
    ///
    /// `probability` is no number from 0 to 1.
    #[track_caller]
    pub fn stalls(mut self, probability: f64, time_max: Duration) -> Self {
        self.stalls = checked(probability);
        self.stall_max = time_max;
        self
    }

    /// How probable it is that a core is lost before a turn, as if its thread had panicked outside of every actor: what it
    /// had is answered, and it comes back with its actors, as often as
    /// [`core_restarts`](super::SimBuilder::core_restarts) allows.
    ///
    /// # Panics
    ///
    /// `probability` is no number from 0 to 1.
    #[track_caller]
    pub fn core_losses(mut self, probability: f64) -> Self {
        self.core_losses = checked(probability);
        self
    }
}

#[track_caller]
fn checked(probability: f64) -> f64 {
    assert!(
        (0.0..=1.0).contains(&probability),
        "{probability} is no probability; write a number from 0 to 1"
    );
    probability
}
