//! Groups: actors of one core whose restarts concern each other.

use std::time::Duration;

use super::{Supervise, Then};

/// Whom the restart of one member of a group concerns.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Strategy {
    /// Only the member that failed.
    #[default]
    OneForOne,
    /// All members: none of them makes sense without the others' state.
    OneForAll,
    /// The member that failed and those that were spawned after it, which build on it.
    RestForOne,
}

/// The options of a supervision group: actors that live on one core and fail together.
///
/// Each member keeps its own restart policy. The strategy says whom each of its restarts concerns. The state of the
/// member that failed goes with its failure, those of the others right after it, the youngest first; they are built anew
/// together, the oldest first. A member that has used up its own restarts with `then = escalate` has the whole group restarted,
/// as often as the group's own policy allows. With its last member a group forgets what it has restarted.
///
/// ```
/// use std::time::Duration;
/// use tpc_actors::supervision::{Group, Strategy};
///
/// let group = Group::new().strategy(Strategy::RestForOne).max(10).within(Duration::from_secs(60));
/// assert_eq!(group, Group::new().max(10).strategy(Strategy::RestForOne).within(Duration::from_mins(1)));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Group {
    strategy: Strategy,
    supervise: Supervise,
}

impl Default for Group {
    fn default() -> Self {
        Self::new()
    }
}

impl Group {
    /// One for one; three restarts of the whole group in a minute, then the core decides.
    pub const fn new() -> Self {
        let supervise = Supervise::new().max(3).within(Duration::from_mins(1)).then(Then::Escalate);
        Self { strategy: Strategy::OneForOne, supervise }
    }

    /// Whom the restart of one member concerns.
    #[must_use]
    pub const fn strategy(mut self, strategy: Strategy) -> Self {
        self.strategy = strategy;
        self
    }

    /// How many restarts of the whole group the window holds.
    #[must_use]
    pub const fn max(mut self, restarts: u32) -> Self {
        self.supervise = self.supervise.max(restarts);
        self
    }

    /// The length of the sliding window.
    ///
    /// # Panics
    ///
    /// It is 0; while compiling, where this makes a constant.
    #[must_use]
    pub const fn within(mut self, window: Duration) -> Self {
        self.supervise = self.supervise.within(window);
        self
    }

    /// The pause before a restart of the whole group; see [`Supervise::backoff`].
    ///
    /// # Panics
    ///
    /// `max` is shorter than `min`; while compiling, where this makes a constant.
    #[must_use]
    pub const fn backoff(mut self, min: Duration, max: Duration) -> Self {
        self.supervise = self.supervise.backoff(min, max);
        self
    }

    /// What follows when the window is full: the group stops, the core decides (the default), or the
    /// system ends.
    #[must_use]
    pub const fn then(mut self, then: Then) -> Self {
        self.supervise = self.supervise.then(then);
        self
    }

    pub(crate) const fn supervision(&self) -> Supervise {
        self.supervise
    }

    pub(crate) const fn siblings(&self) -> Strategy {
        self.strategy
    }
}

/// The members that restart when `failed` does, in the order of their start.
pub(crate) fn affected(strategy: Strategy, members: &[u32], failed: u32) -> Vec<u32> {
    let place = members.iter().position(|member| *member == failed);
    match (strategy, place) {
        (Strategy::OneForAll, Some(_)) => members.to_vec(),
        (Strategy::RestForOne, Some(place)) => members[place..].to_vec(),
        _ => vec![failed],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_strategy_decides_who_restarts_along() {
        let members = [3, 5, 8];
        assert_eq!(affected(Strategy::OneForOne, &members, 5), [5]);
        assert_eq!(affected(Strategy::OneForAll, &members, 5), [3, 5, 8]);
        assert_eq!(affected(Strategy::RestForOne, &members, 5), [5, 8]);
        assert_eq!(affected(Strategy::RestForOne, &members, 3), [3, 5, 8]);
        assert_eq!(affected(Strategy::OneForAll, &members, 9), [9], "not a member any more");
    }
}
