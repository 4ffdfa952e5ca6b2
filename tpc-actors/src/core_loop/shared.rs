//! What other threads see of a core.

use std::fmt;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use crossbeam_utils::CachePadded;

use super::Core;
use super::called::AWAKE;
use super::tasks::TaskId;
use super::wakes::AnsweredList;
use crate::bridge::bell::{CoreBell, LANES_MAX};
use crate::bridge::doorbell::Doorbell;
use crate::bridge::inbox::Inbox;
use crate::isolate::drop_quietly;
use crate::mailbox::life::Gate;
use crate::nap::Nap;
use crate::placement::Home;
use crate::sim::Script;
use crate::stats::CoreStats;

/// Something for the core to do between two turns, with all of the core at hand.
pub(crate) type Command = Box<dyn FnOnce(&mut Core) + Send>;

/// Cold news for a core. Every part is bounded by what exists: a waiting caller a command, a lane an
/// announcement, a task a wake.
#[derive(Default)]
pub(crate) struct News {
    pub(crate) commands: Vec<Command>,
    /// The last command, after all others.
    pub(crate) finish: Option<Command>,
    /// New lanes: core-wide id, and the actor they lead to.
    pub(crate) lanes: Vec<(u32, u32)>,
    pub(crate) wakes: Vec<TaskId>,
    closed: bool,
    /// The core does not move, and its system has ended without it.
    left_behind: bool,
}

impl News {
    /// Hands the command back if none is taken any more.
    fn add_command(&mut self, command: Command) -> Result<(), Command> {
        if self.closed {
            return Err(command);
        }
        self.commands.push(command);
        Ok(())
    }

    /// Changes places with `empty`, so that neither is ever allocated anew.
    fn move_to(&mut self, empty: &mut Self) {
        std::mem::swap(&mut self.commands, &mut empty.commands);
        std::mem::swap(&mut self.lanes, &mut empty.lanes);
        std::mem::swap(&mut self.wakes, &mut empty.wakes);
        empty.finish = self.finish.take();
    }
}

/// An actor whose core has lost its thread.
pub(crate) trait Orphan: Send + Sync {
    /// Its index on the core.
    fn cell(&self) -> u32;
    /// Starts it again on the core's new thread.
    fn revive(self: Arc<Self>, core: &mut Core);
    /// Its core does not come back.
    fn abandon(&self);
}

#[derive(Debug, Default)]
struct LaneIds {
    free: Vec<u32>,
    used: u32,
}

/// The part of a core that any thread may touch.
pub(crate) struct CoreShared {
    /// The system that the core belongs to; unique in the process and never 0.
    pub(crate) system: u64,
    /// Counted from 0 within the system.
    pub(crate) index: usize,
    pub(crate) home: Home,
    pub(crate) bell: Arc<CoreBell>,
    /// Padded: the core writes here per message, and senders read the fields around it.
    pub(crate) stats: CachePadded<CoreStats>,
    /// Requests that a closing lane answered unserved; cold, so any thread may count.
    pub(crate) rejected: AtomicU64,
    /// Shut for all actors of the core when its watchdog has seen too many failures.
    pub(crate) gate: Gate,
    /// The warden's, who is woken when the core goes to work.
    nap: OnceLock<Arc<Nap>>,
    /// Askers that the turn has answered and not woken yet.
    pub(crate) answered: Arc<AnsweredList>,
    /// Calls that took too long; counted by who looks from outside.
    pub(crate) stalls: AtomicU64,
    /// There if the system is simulated.
    pub(crate) script: Option<Arc<Script>>,
    /// Actors that the core's thread has left behind by unwinding.
    orphans: Mutex<Vec<Arc<dyn Orphan>>>,
    inbox: Inbox<News>,
    lane_ids: Mutex<LaneIds>,
}

impl CoreShared {
    pub(crate) fn new(
        system: u64,
        index: usize,
        home: Home,
        doorbell: Arc<dyn Doorbell>,
        script: Option<Arc<Script>>,
    ) -> Arc<Self> {
        let bell = Arc::new(CoreBell::new(doorbell));
        Arc::new(Self {
            system,
            index,
            home,
            inbox: Inbox::new(Arc::clone(&bell), News::default()),
            bell,
            stats: CachePadded::default(),
            rejected: AtomicU64::new(0),
            gate: Gate::default(),
            nap: OnceLock::new(),
            answered: Arc::default(),
            stalls: AtomicU64::new(0),
            script,
            orphans: Mutex::default(),
            lane_ids: Mutex::default(),
        })
    }

    pub(crate) fn set_nap(&self, nap: Arc<Nap>) {
        drop(self.nap.set(nap));
    }

    /// The core is about to sleep, and nobody needs to look after it. Whatever ends that has to say so: the warden
    /// may have gone to sleep as well.
    pub(crate) fn goes_to_sleep(&self) {
        self.stats.calling.set(0);
    }

    /// The core has slept and goes to work.
    pub(crate) fn goes_to_work(&self) {
        let set_word = || self.stats.calling.set(AWAKE);
        match self.nap.get() {
            Some(nap) => nap.goes_to_work(set_word),
            None => set_word(),
        }
    }

    /// Tells the simulation, if this is one, what happens here.
    #[inline]
    pub(crate) fn note(&self, what: impl FnOnce() -> String) {
        if let Some(script) = &self.script {
            script.note(Some(self.index), format_args!("{}", what()));
        }
    }

    fn lane_ids(&self) -> MutexGuard<'_, LaneIds> {
        self.lane_ids.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Has `command` run on the core.
    ///
    /// # Errors
    ///
    /// Hands the command back when the core's thread has ended or is about to.
    pub(crate) fn command(&self, command: Command) -> Result<(), Command> {
        self.inbox.command(|news| news.add_command(command))
    }

    /// Has `finish` run on the core as its last command, also should it be left behind now and go on later.
    pub(crate) fn finish(&self, finish: Command) {
        let unneeded = self
            .inbox
            .command(|news| if news.closed { Some(finish) } else { news.finish.replace(finish) });
        drop_quietly(unneeded);
    }

    /// Makes a lane known; the core adopts it with its next turn.
    pub(crate) fn announce_lane(&self, id: u32, cell: u32) {
        self.inbox.tell(|news| news.lanes.push((id, cell)));
    }

    pub(crate) fn wake_task(&self, task: TaskId) {
        self.inbox.tell(|news| news.wakes.push(task));
    }

    /// Calls `lane` for each lane that has rung; true when there are other news, which `empty` has then.
    pub(crate) fn take_news(&self, lane: impl FnMut(u32), empty: &mut News) -> bool {
        self.inbox.take(lane, |news| news.move_to(empty)).is_some()
    }

    /// Refuses commands from here on; those that nobody will run are dropped, which tells their callers.
    pub(crate) fn close_inbox(&self) {
        let (left, finish) = {
            let mut news = self.inbox.news();
            news.closed = true;
            (std::mem::take(&mut news.commands), news.finish.take())
        };
        left.into_iter().chain(finish).for_each(drop_quietly);
    }

    /// Takes commands again, for a new thread of the core.
    pub(crate) fn reopen(&self) {
        self.inbox.reopen(|news| news.closed = false);
    }

    fn orphans(&self) -> MutexGuard<'_, Vec<Arc<dyn Orphan>>> {
        self.orphans.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps an actor for the core's next thread.
    pub(crate) fn leave_orphan(&self, orphan: Arc<dyn Orphan>) {
        self.orphans().push(orphan);
    }

    /// The actors of the core's last thread, in the order of their start.
    pub(crate) fn take_orphans(&self) -> Vec<Arc<dyn Orphan>> {
        let mut orphans = std::mem::take(&mut *self.orphans());
        orphans.sort_by_key(|orphan| orphan.cell());
        orphans
    }

    /// There will be no other thread for them.
    pub(crate) fn abandon_orphans(&self) {
        for orphan in self.take_orphans() {
            orphan.abandon();
            drop_quietly(orphan);
        }
    }

    /// For a core that does not move any more: drops the commands that wait for it, which tells their
    /// callers, except the one that ends it should it ever go on.
    pub(crate) fn refuse_starts(&self) {
        let left = {
            let mut news = self.inbox.news();
            news.closed = true;
            news.left_behind = true;
            std::mem::take(&mut news.commands)
        };
        left.into_iter().for_each(drop_quietly);
    }

    /// Whether the core's thread was stuck when its system ended.
    pub(crate) fn is_left_behind(&self) -> bool {
        self.inbox.news().left_behind
    }

    pub(crate) fn acquire_lane_id(&self) -> Option<u32> {
        let mut ids = self.lane_ids();
        if let Some(id) = ids.free.pop() {
            return Some(id);
        }
        let id = ids.used;
        if id as usize >= LANES_MAX {
            return None;
        }
        ids.used += 1;
        Some(id)
    }

    pub(crate) fn release_lane_id(&self, id: u32) {
        self.lane_ids().free.push(id);
    }
}

impl fmt::Debug for CoreShared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CoreShared").field("index", &self.index).finish_non_exhaustive()
    }
}
