//! Wakes asks whose deadline has passed, also when their core is stuck.
//!
//! One thread a system. It does not know single asks: a mailbox reports its earliest deadline, and when
//! that has come, all slots of the mailbox are looked through and the next earliest is taken from there.
//! An ask with a deadline thus costs one load unless it is the earliest of its mailbox.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};
use std::thread::JoinHandle;
use std::time::Duration;

use crate::clock::{Clock, nanos};
use crate::isolate::{catch, drop_quietly};
use crate::reply::slot::NO_DEADLINE;

/// Something with askers that wait for a time.
pub(crate) trait Expire: Send + Sync {
    /// Unique in the process.
    fn id(&self) -> u64;

    /// Wakes those whose time has come; returns the earliest time left.
    fn expire(&self, now: u64) -> u64;
}

#[derive(Default)]
struct State {
    /// One entry for each that has a time; the number is the one of [`Expire::id`].
    by_time: BTreeMap<(u64, u64), Weak<dyn Expire>>,
    times: HashMap<u64, u64>,
    stopped: bool,
    /// The thread has ended after that.
    ended: bool,
}

/// Nanoseconds between two looks at one mailbox, whose deadlines may be many.
const BETWEEN_LOOKS: u64 = 200_000;

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

    /// Looks at `who` at the time `at`, unless that happens earlier anyway.
    pub(crate) fn note(self: &Arc<Self>, at: u64, id: u64, who: Weak<dyn Expire>) {
        let mut state = self.state();
        if let Some(&known) = state.times.get(&id) {
            if known <= at {
                return;
            }
            state.by_time.remove(&(known, id));
        }
        let earlier = state.by_time.first_key_value().is_none_or(|(&(first, _), _)| at < first);
        state.times.insert(id, at);
        state.by_time.insert((at, id), who);
        let ended = std::mem::take(&mut state.ended);
        drop(state);
        if ended {
            // An ask that outlives the system was given its time only now.
            self.start_again();
        } else if earlier {
            self.changed.notify_one();
        }
    }

    /// Nobody waits there any more, and its memory is not to wait for the last deadline that somebody had.
    pub(crate) fn forget(&self, id: u64) {
        let mut state = self.state();
        let Some(at) = state.times.remove(&id) else { return };
        state.by_time.remove(&(at, id));
        let is_last = state.stopped && state.by_time.is_empty();
        drop(state);
        if is_last {
            self.changed.notify_one();
        }
    }

    #[cold]
    fn start_again(self: &Arc<Self>) {
        if let Err(error) = self.start() {
            tracing::error!(%error, "no thread for a deadline after the system's end; the next one tries again");
            self.state().ended = true;
        }
    }

    /// Whether nobody waits for a time.
    pub(crate) fn is_idle(&self) -> bool {
        self.state().by_time.is_empty()
    }

    /// Starts the thread; it ends after [`Self::stop`], as soon as nobody waits for a time.
    pub(crate) fn start(self: &Arc<Self>) -> std::io::Result<JoinHandle<()>> {
        let keeper = Arc::clone(self);
        std::thread::Builder::new().name("tpc-deadlines".to_owned()).spawn(move || keeper.run())
    }

    /// Looks once more for those who really wait: deadlines of asks that were answered keep no thread.
    pub(crate) fn stop(self: &Arc<Self>) {
        let known: Vec<_> = {
            let mut state = self.state();
            state.stopped = true;
            state.by_time.keys().copied().collect()
        };
        let now = nanos(&*self.clock, self.clock.now());
        for (at, id) in known {
            self.look_at_first(at, id, now, BETWEEN_LOOKS);
        }
        self.changed.notify_one();
    }

    fn run(self: &Arc<Self>) {
        let mut state = self.state();
        loop {
            // Asks that outlive the system (their reply tokens were taken elsewhere) still end in time.
            if state.stopped && state.by_time.is_empty() {
                state.ended = true;
                return;
            }
            let now = nanos(&*self.clock, self.clock.now());
            let Some(&(at, id)) = state.by_time.keys().next() else {
                state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
                continue;
            };
            if at > now {
                let left = Duration::from_nanos(at - now);
                let waited = self.changed.wait_timeout(state, left);
                state = waited.unwrap_or_else(PoisonError::into_inner).0;
                continue;
            }
            drop(state);
            self.look_at_first(at, id, now, BETWEEN_LOOKS);
            state = self.state();
        }
    }

    /// When the next look is due, in nanoseconds since the clock's epoch.
    pub(crate) fn next_due(&self) -> Option<u64> {
        self.state().by_time.keys().next().map(|(at, _)| *at)
    }

    /// Looks at who is due first, if anybody is; for who drives the keeper without its thread.
    pub(crate) fn look(self: &Arc<Self>) {
        let now = nanos(&*self.clock, self.clock.now());
        let first = self.state().by_time.keys().next().copied();
        if let Some((at, id)) = first.filter(|(at, _)| *at <= now) {
            self.look_at_first(at, id, now, 1);
        }
    }

    fn look_at_first(self: &Arc<Self>, at: u64, id: u64, now: u64, pause: u64) {
        let due = {
            let mut state = self.state();
            let due = state.by_time.remove(&(at, id));
            if due.is_some() {
                state.times.remove(&id);
            }
            due
        };
        if let Some(who) = due {
            self.look_at(who, now, pause);
        }
    }

    fn look_at(self: &Arc<Self>, who: Weak<dyn Expire>, now: u64, pause: u64) {
        let Some(mailbox) = who.upgrade() else { return };
        // Askers' wakers are foreign code; one that panics must not end the keeper.
        let next = catch(|| mailbox.expire(now)).unwrap_or(now);
        if next != NO_DEADLINE {
            // A slot that was busy for a moment keeps its passed deadline: look again soon, not at once.
            self.note(next.max(now + pause), mailbox.id(), who);
        }
        // Perhaps the last to hold it, and what its slots hold is foreign.
        drop_quietly(mailbox);
    }
}

impl fmt::Debug for Keeper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keeper").finish_non_exhaustive()
    }
}
