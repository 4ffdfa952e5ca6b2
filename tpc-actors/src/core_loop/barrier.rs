//! A core that stands still for a checkpoint.
//!
//! No core waits for another: each is told to stand still, says so, and goes on taking commands; whoever
//! coordinates the checkpoint tells it when to run its hooks and when to go on.

use super::Core;

/// What became of one actor's checkpoint.
#[derive(Debug, Clone)]
pub(crate) struct Taken {
    pub(crate) actor: &'static str,
    pub(crate) shard: usize,
    /// Why there is none.
    pub(crate) failure: Option<String>,
}

impl Core {
    /// Runs nothing but commands from here on.
    pub(crate) fn stand_still(&mut self) {
        self.still = true;
    }

    /// Runs the hooks of all actors that have one.
    pub(crate) fn checkpoint(&mut self) -> Vec<Taken> {
        self.cells.iter().filter_map(|actor| actor.borrow_mut().checkpoint()).collect()
    }

    /// Goes on.
    pub(crate) fn go_on(&mut self) {
        if std::mem::replace(&mut self.still, false) {
            // While it stood still it may have slept, with requests in armed lanes.
            self.poll_all_lanes();
        }
    }
}
