//! What has become of the requests of a simulation.

use std::fmt;

/// Every request that was accepted, and what has become of it; see [`Sim::ledger`](super::Sim::ledger).
///
/// Accepted is what was sent and not handed back: asks, tells, and messages between actors. Each of them is in exactly
/// one of the other columns.
///
/// ```
/// # use tpc_actors::prelude::*;
/// # #[core_actor]
/// # pub struct Counter(u64);
/// # #[core_actor]
/// # impl Counter {
/// #     #[init] fn new() -> Self { Self(0) }
/// #     #[handler] fn add(&mut self, more: u64) -> u64 { self.0 += more; self.0 }
/// # }
/// use tpc_actors::sim::Sim;
///
/// let mut sim = Sim::seeded(1).start();
/// let counter = sim.spawn::<Counter>(());
/// let (first, left) = (counter.add(1).now().unwrap(), counter.add(2).now().unwrap());
/// drop(left); // before its handler has begun
/// sim.run(first).unwrap();
/// sim.advance(std::time::Duration::ZERO);
/// assert_eq!(
///     sim.ledger().to_string(),
///     "2 accepted = 1 handled + 1 cancelled + 0 expired + 0 rejected + 0 waiting; 0 panics, 0 restarts",
/// );
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Ledger {
    /// Requests that an actor's queue has taken.
    pub accepted: u64,
    /// Those whose handlers were called. A call that panicked is one of them.
    pub handled: u64,
    /// Those whose askers had left before their handlers were called.
    pub cancelled: u64,
    /// Those that ended by their deadline before their handlers were called.
    pub expired: u64,
    /// Those that were answered without a call, because their actor stopped, was degraded, or rejects what waits for
    /// its restart.
    pub rejected: u64,
    /// Those that wait in queues.
    pub waiting: u64,
    /// Panics that were caught: in handlers, timers, tasks and hooks.
    pub panics: u64,
    /// States that were built anew.
    pub restarts: u64,
}

impl Ledger {
    /// Whether everything that was accepted is somewhere, and nothing was counted twice.
    #[must_use]
    pub fn balances(&self) -> bool {
        let Self { accepted, handled, cancelled, expired, rejected, waiting, .. } = *self;
        accepted == handled + cancelled + expired + rejected + waiting
    }
}

impl fmt::Display for Ledger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { accepted, handled, cancelled, expired, rejected, waiting, panics, restarts } =
            self;
        let sign = if self.balances() { '=' } else { '≠' };
        write!(
            f,
            "{accepted} accepted {sign} {handled} handled + {cancelled} cancelled + {expired} expired + \
             {rejected} rejected + {waiting} waiting; {panics} panics, {restarts} restarts"
        )
    }
}
