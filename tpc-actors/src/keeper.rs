//! Wakes asks whose deadline has passed, also when their core is stuck.
//!
//! One thread a system. It does not know single asks: a mailbox reports its earliest deadline, and when
//! that has come, all slots of the mailbox are looked through and the next earliest is taken from there.
//! An ask with a deadline thus costs one load unless it is the earliest of its mailbox.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::fmt;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};
use std::thread::JoinHandle;
use std::time::Duration;

use crate::clock::{Clock, nanos};
use crate::reply::slot::NO_DEADLINE;

/// Something with askers that wait for a time.
pub(crate) trait Expire: Send + Sync {
    /// Wakes those whose time has come; returns the earliest time left.
    fn expire(&self, now: u64) -> u64;
}

struct Entry {
    at: u64,
    who: Weak<dyn Expire>,
}

impl PartialEq for Entry {
    fn eq(&self, other: &Self) -> bool {
        self.at == other.at
    }
}
impl Eq for Entry {}
impl PartialOrd for Entry {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Entry {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.at.cmp(&other.at)
    }
}

#[derive(Default)]
struct State {
    entries: BinaryHeap<Reverse<Entry>>,
    stopped: bool,
}

/// The deadline keeper of one system.
pub(crate) struct Keeper {
    state: Mutex<State>,
    changed: Condvar,
    clock: Arc<dyn Clock>,
}

impl Keeper {
    pub(crate) fn new(clock: Arc<dyn Clock>) -> Arc<Self> {
        Arc::new(Self { state: Mutex::default(), changed: Condvar::new(), clock })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn clock(&self) -> &dyn Clock {
        &*self.clock
    }

    /// Looks at `who` at the time `at`.
    pub(crate) fn note(&self, at: u64, who: Weak<dyn Expire>) {
        let mut state = self.state();
        let earlier = state.entries.peek().is_none_or(|Reverse(first)| at < first.at);
        state.entries.push(Reverse(Entry { at, who }));
        drop(state);
        if earlier {
            self.changed.notify_one();
        }
    }

    /// Starts the thread; it ends with [`Self::stop`].
    pub(crate) fn start(self: &Arc<Self>) -> std::io::Result<JoinHandle<()>> {
        let keeper = Arc::clone(self);
        std::thread::Builder::new().name("tpc-deadlines".to_owned()).spawn(move || keeper.run())
    }

    pub(crate) fn stop(&self) {
        self.state().stopped = true;
        self.changed.notify_one();
    }

    fn run(&self) {
        let mut state = self.state();
        while !state.stopped {
            let now = nanos(&*self.clock, self.clock.now());
            let Some(Reverse(first)) = state.entries.peek() else {
                state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
                continue;
            };
            if first.at > now {
                let left = Duration::from_nanos(first.at - now);
                let waited = self.changed.wait_timeout(state, left);
                state = waited.unwrap_or_else(PoisonError::into_inner).0;
                continue;
            }
            let due = state.entries.pop();
            drop(state);
            if let Some(Reverse(entry)) = due {
                self.look_at(&entry.who, now);
            }
            state = self.state();
        }
    }

    fn look_at(&self, who: &Weak<dyn Expire>, now: u64) {
        let Some(mailbox) = who.upgrade() else { return };
        let next = mailbox.expire(now);
        if next != NO_DEADLINE {
            // A slot that was busy for a moment keeps its passed deadline: look again soon, not at once.
            self.note(next.max(now + 200_000), Weak::clone(who));
        }
    }
}

impl fmt::Debug for Keeper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keeper").finish_non_exhaustive()
    }
}
