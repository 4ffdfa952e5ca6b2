//! What the senders to one actor and its core share.

use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use crossbeam_utils::CachePadded;

use crate::actor::{Actor, Settings};
use crate::bridge::bell::LaneBell;
use crate::bridge::pressure::Levels;
use crate::bridge::ring::ring;
use crate::core_loop::Core;
use crate::core_loop::shared::CoreShared;
use crate::error::Fate;
use crate::keeper::Keeper;
use crate::relay::Relay;
use crate::stats::ActorStats;

mod closing;
mod deadlines;
mod earliest;
mod ended;
mod ends;
mod entry;
mod fill;
pub(crate) mod lane;
pub(crate) mod life;
mod lost;
pub(crate) mod orphan;
mod place;
pub(crate) mod threads;
pub(crate) mod waiters;

use crate::core_loop::incidents::GroupId;
use earliest::Earliest;
pub use ended::Ended;
use ended::Ending;
use lane::{Lane, LaneConsumer, LaneProducer, Unserved};
use life::{Gate, LifeWord};
pub(crate) use life::{Life, Refusal, Shortage, flag};
use orphan::Kept;
use place::Place;

/// Lanes that one actor can have.
const LANES_MAX: usize = GROUPS * GROUP;
const GROUPS: usize = 64;
const GROUP: usize = 64;

/// Table index of the lane that threads without their own share.
pub(crate) const VISITOR: u32 = 0;

/// Lanes stay where they are once built, so that asks can borrow them for as long as their client.
type Group<A> = OnceLock<Box<[OnceLock<Arc<Lane<A>>>]>>;

struct Registry<A: Actor> {
    /// Table indices whose producers have gone.
    free: Vec<u32>,
    used: u32,
    /// Lanes that the core has not seen yet.
    arrivals: Vec<LaneConsumer<A>>,
    closed: bool,
}

/// The shared part of one actor.
pub(crate) struct Mailbox<A: Actor> {
    /// Unique in the process, for good.
    pub(crate) id: u64,
    /// Unique among the mailboxes of this type and moment; where the threads' lane tables have their lane.
    pub(crate) place: Place,
    pub(crate) shard: usize,
    /// The name that the actor was spawned under, if it was.
    pub(crate) given_name: OnceLock<Arc<str>>,
    pub(crate) core: Arc<CoreShared>,
    /// The actor's index on its core; set by the core before anyone can send.
    pub(crate) cell: OnceLock<u32>,
    life: LifeWord,
    /// Somebody wants the actor stopped, which its core is told; here it outlives the core's thread.
    to_stop: AtomicBool,
    pub(crate) gate: Gate,
    pub(crate) ending: Ending,
    capacity: usize,
    levels: Levels,
    lanes: Box<[Group<A>]>,
    registry: Mutex<Registry<A>>,
    /// Reserved from the start, so that a send never fails for want of a lane.
    visitor_id: u32,
    visitor: Mutex<Option<LaneProducer<A>>>,
    /// What is needed to build the actor again, while its core has no thread.
    kept: Mutex<Option<Kept<A>>>,
    group: OnceLock<(GroupId, crate::supervision::Group)>,
    earliest_deadline: Earliest,
    keeper: Arc<Keeper>,
    /// Padded: the core writes here per message, and senders read the fields around it.
    pub(crate) stats: CachePadded<ActorStats>,
}

impl<A: Actor> Mailbox<A> {
    /// `None` when the core has no lane id left for the actor's visitors.
    pub(crate) fn new(
        core: Arc<CoreShared>,
        keeper: Arc<Keeper>,
        shard: usize,
    ) -> Option<Arc<Self>> {
        static NEXT_ID: AtomicU64 = AtomicU64::new(1);
        let visitor_id = core.acquire_lane_id()?;
        let policy = <A as Settings>::POLICY;
        let life = LifeWord::default();
        life.set_flag(flag::SIMULATED, core.script.is_some());
        Some(Arc::new(Self {
            id: NEXT_ID.fetch_add(1, Ordering::Relaxed),
            place: Place::acquire::<A>(),
            shard,
            given_name: OnceLock::new(),
            core,
            cell: OnceLock::new(),
            life,
            to_stop: AtomicBool::new(false),
            gate: Gate::default(),
            ending: Ending::default(),
            capacity: policy.lane_capacity(),
            levels: Levels::of_sound(policy.pressure_levels(), policy.lane_capacity()),
            lanes: (0..GROUPS).map(|_| OnceLock::new()).collect(),
            registry: Mutex::new(Registry {
                free: Vec::new(),
                used: VISITOR + 1,
                arrivals: Vec::new(),
                closed: false,
            }),
            visitor_id,
            visitor: Mutex::new(None),
            kept: Mutex::new(None),
            group: OnceLock::new(),
            earliest_deadline: Earliest::new(),
            keeper,
            stats: CachePadded::default(),
        }))
    }

    fn registry(&self) -> MutexGuard<'_, Registry<A>> {
        self.registry.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn clock(&self) -> &dyn crate::clock::Clock {
        self.keeper.clock()
    }

    pub(crate) fn capacity(&self) -> usize {
        self.capacity
    }

    // ---- life ----------------------------------------------------------------------------------

    /// Whether there is nothing to be said of the actor's life; one relaxed load.
    #[inline]
    pub(crate) fn is_plain(&self) -> bool {
        self.life.is_plain()
    }

    pub(crate) fn life(&self) -> Life {
        self.life.life()
    }

    /// Moves on to a later state; an actor never goes back.
    pub(crate) fn advance(&self, life: Life) {
        self.life.advance(life);
    }

    /// Has its core run `stop` with the actor's index, or whoever would start it again on the core's next thread do
    /// without.
    pub(crate) fn stop(&self, stop: fn(&mut Core, Option<u32>)) {
        if self.ending.get().is_some() {
            // Its index may be another actor's by now.
            return;
        }
        // Before the command: who drops that finds this.
        self.to_stop.store(true, Ordering::Relaxed);
        let cell = self.cell.get().copied();
        drop(self.core.command(Box::new(move |core| stop(core, cell))));
    }

    pub(crate) fn set_flag(&self, flag: u32, on: bool) {
        self.life.set_flag(flag, on);
    }

    pub(crate) fn has_flag(&self, flag: u32) -> bool {
        self.life.has_flag(flag)
    }

    /// What requests answer that are found in a lane when it closes.
    pub(crate) fn closing_fate(&self) -> Fate {
        match self.life() {
            Life::Open | Life::Lost => Fate::CoreLost { started: false },
            Life::Draining | Life::Closing => Fate::Stopping { started: false },
            Life::Stopped => Fate::Stopped,
        }
    }

    /// Counts requests that were taken out of a queue of the actor and will not run.
    pub(crate) fn count_unserved(&self, Unserved { rejected, left }: Unserved) {
        self.count_rejected(rejected);
        if let Some(script) = &self.core.script {
            script.drops(left);
        }
    }

    fn count_rejected(&self, requests: usize) {
        self.core.rejected.fetch_add(requests as u64, Ordering::Relaxed);
    }

    /// No lane is opened from here on; those that the core never saw are answered.
    pub(crate) fn close(&self) {
        let arrivals = {
            let mut registry = self.registry();
            registry.closed = true;
            std::mem::take(&mut registry.arrivals)
        };
        drop(arrivals);
        self.for_each_lane(Lane::wake_all);
    }

    // ---- lanes ---------------------------------------------------------------------------------

    /// The lane at a table index that a producer of it has given out.
    pub(crate) fn lane(&self, index: u32) -> &Arc<Lane<A>> {
        let index = index as usize;
        let group = self.lanes[index / GROUP].get();
        group.and_then(|group| group[index % GROUP].get()).expect("a lane in use is in the table")
    }

    fn for_each_lane(&self, mut each: impl FnMut(&Lane<A>)) {
        for group in self.lanes.iter().filter_map(OnceLock::get) {
            group.iter().filter_map(OnceLock::get).for_each(|lane| each(lane));
        }
    }

    /// Opens a lane and announces it to the core; `None` when the actor or its core has no more.
    pub(crate) fn open_lane(
        self: &Arc<Self>,
        relay: Option<Arc<Relay>>,
    ) -> Option<LaneProducer<A>> {
        let index = {
            let mut registry = self.registry();
            match registry.free.pop() {
                Some(index) => index,
                None if (registry.used as usize) < LANES_MAX => {
                    registry.used += 1;
                    registry.used - 1
                }
                None => return None,
            }
        };
        let id = self.core.acquire_lane_id();
        let lane = id.and_then(|id| self.open_lane_at(index, id, relay));
        if lane.is_none() {
            self.registry().free.push(index);
            if let Some(id) = id {
                self.core.release_lane_id(id);
            }
        }
        lane
    }

    /// `None` when the actor has ended, or when memory is short at this moment.
    fn open_lane_at(
        self: &Arc<Self>,
        index: u32,
        id: u32,
        relay: Option<Arc<Relay>>,
    ) -> Option<LaneProducer<A>> {
        let cell = *self.cell.get()?;
        let (producer, consumer) = ring(self.capacity).ok()?;
        let lane = self.lane_or_new(index);
        lane.watch(producer.gauge());
        let bell = Arc::new(LaneBell::new(Arc::clone(&self.core.bell), id));
        let mut registry = self.registry();
        if registry.closed {
            // Neither end has been announced, so nobody has to be told.
            return None;
        }
        let consumer =
            LaneConsumer::new(consumer, Arc::clone(&bell), index, Arc::clone(self), relay);
        registry.arrivals.push(consumer);
        drop(registry);
        self.core.announce_lane(id, cell);
        Some(LaneProducer::new(producer, bell, index, self))
    }

    /// The lane at `index`, as a former producer left it or new.
    fn lane_or_new(&self, index: u32) -> &Lane<A> {
        let index = index as usize;
        let group =
            self.lanes[index / GROUP].get_or_init(|| (0..GROUP).map(|_| OnceLock::new()).collect());
        group[index % GROUP].get_or_init(|| Arc::new(Lane::new()))
    }

    /// The lanes that the core has not seen yet.
    pub(crate) fn take_arrivals(&self) -> Vec<LaneConsumer<A>> {
        std::mem::take(&mut self.registry().arrivals)
    }

    /// One end of this lane is gone: with the second one, another lane may take its place. Not before,
    /// because the first end of a lane may outlive a thread of the core by far.
    fn lane_ended(&self, lane: u32, id: u32) {
        // The visitors' id is reserved.
        if lane == VISITOR || !self.lane(lane).ends.one_is_gone() {
            return;
        }
        self.lane(lane).unwatch();
        self.core.release_lane_id(id);
        self.registry().free.push(lane);
    }

    /// Runs `send` with the lane that all other threads share; FIFO, bounded, and opened by the first of
    /// them. `None` when the actor has ended, or when memory is short at this moment.
    pub(crate) fn with_visitor<R>(
        self: &Arc<Self>,
        send: impl FnOnce(&mut LaneProducer<A>) -> R,
    ) -> Option<R> {
        let mut visitor = self.visitor.lock().unwrap_or_else(PoisonError::into_inner);
        if visitor.is_none() {
            *visitor = self.open_lane_at(VISITOR, self.visitor_id, None);
        }
        visitor.as_mut().map(send)
    }
}

impl<A: Actor> Drop for Mailbox<A> {
    fn drop(&mut self) {
        self.core.release_lane_id(self.visitor_id);
        self.keeper.forget(self.id);
    }
}

impl<A: Actor> fmt::Debug for Mailbox<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mailbox")
            .field("actor", &A::NAME)
            .field("shard", &self.shard)
            .field("life", &self.life())
            .finish_non_exhaustive()
    }
}
