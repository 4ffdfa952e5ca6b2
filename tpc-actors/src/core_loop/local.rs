//! What all actors of one core share, reached through their `Ctx`. Never leaves the core's thread.

use std::any::{Any, TypeId};
use std::cell::{Cell, RefCell};
use std::collections::{HashMap, VecDeque};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Instant;

use super::chores::Chore;
use super::incidents::Incident;
use super::shared::CoreShared;
use super::tasks::Tasks;
use super::timers::Timers;
use super::wakes::Wakes;
use crate::actor::Actor;
use crate::bus::publisher::{CorePublisher, Flush};
use crate::bus::{Bus, BusRegistry};
use crate::clock::Clock;
use crate::error::PanicReport;
use crate::isolate::{catch, drop_quietly};
use crate::mailbox::Mailbox;
use crate::offload::Offload;
use crate::random::Random;
use crate::rate::FiveAMinute;
use crate::sync::planted;

/// Services of one core.
pub(crate) struct CoreLocal {
    pub(crate) shared: Arc<CoreShared>,
    pub(crate) clock: Arc<dyn Clock>,
    /// Read once a turn.
    pub(crate) now: Cell<Instant>,
    pub(crate) random: Random,
    pub(crate) timers: RefCell<Timers>,
    /// Timers whose sleeps were dropped, roughly.
    pub(crate) dead_alarms: Cell<usize>,
    pub(crate) tasks: Tasks,
    /// Askers that were answered in this turn; woken together at its end.
    pub(crate) wakes: Wakes,
    /// An asker was answered in this turn.
    pub(crate) answered: Cell<bool>,
    /// A lane had no room to spare in this turn, or more than its share: who has sent or would send waits for the core.
    pub(crate) crowded: Cell<bool>,
    /// Requests that tasks may still have served within their polls of this round; 0 while something else runs.
    pub(crate) here: Cell<usize>,
    /// Actors with something in their local queue, each at most once.
    pub(crate) runnable: RefCell<VecDeque<u32>>,
    pub(crate) offload: Arc<Offload>,
    publishers: RefCell<HashMap<TypeId, Rc<dyn Any>>>,
    flushers: RefCell<Vec<Rc<dyn Flush>>>,
    /// After the publishers, whose sources it lets go of when it is the last.
    bus: Arc<BusRegistry>,
    /// Something was published that its subscribers cannot see yet.
    unshown: Rc<Cell<bool>>,
    /// Some were shown that the log has not got.
    unlogged: Cell<bool>,
    /// Some were shown to subscribers that have not been woken.
    untold: Cell<bool>,
    /// An actor asked for the whole system to end.
    pub(crate) abort_system: Cell<bool>,
    /// What the actors have left for the core to see to at the end of the turn.
    pub(crate) incidents: RefCell<Vec<Incident>>,
    /// How many panics have been told of lately.
    panics_told: RefCell<FiveAMinute>,
    /// Housekeeping that has something to do; at most as many as the actors have `#[maintenance]` methods.
    pub(crate) chores: RefCell<VecDeque<Chore>>,
    /// Whether the core has to look after a turn: at incidents, at chores, or at how its probes do.
    pub(crate) attention: Cell<bool>,
}

impl CoreLocal {
    pub(crate) fn new(
        shared: Arc<CoreShared>,
        clock: Arc<dyn Clock>,
        seed: u64,
        tasks_max: usize,
        offload: Arc<Offload>,
        bus: Arc<BusRegistry>,
    ) -> Rc<Self> {
        let now = clock.now();
        let wakes = Wakes::new(Arc::clone(&shared.answered), now);
        Rc::new(Self {
            tasks: Tasks::new(Arc::clone(&shared), tasks_max),
            shared,
            now: Cell::new(now),
            clock,
            random: Random::seeded(seed),
            timers: RefCell::default(),
            dead_alarms: Cell::new(0),
            wakes,
            answered: Cell::new(false),
            crowded: Cell::new(false),
            here: Cell::new(0),
            runnable: RefCell::default(),
            offload,
            bus,
            publishers: RefCell::default(),
            flushers: RefCell::default(),
            unshown: Rc::default(),
            unlogged: Cell::new(false),
            untold: Cell::new(false),
            abort_system: Cell::new(false),
            incidents: RefCell::default(),
            panics_told: RefCell::default(),
            chores: RefCell::default(),
            attention: Cell::new(false),
        })
    }

    /// Leaves something for the core to see to at the end of the turn.
    pub(crate) fn report(&self, incident: Incident) {
        self.incidents.borrow_mut().push(incident);
        self.attention.set(true);
    }

    /// Tells of a panic, at most five times a minute; the counters are exact.
    pub(crate) fn tell_of_panic(&self, report: &PanicReport, shard: usize) {
        let admitted = self.panics_told.borrow_mut().admit(self.clock.now());
        if let Some(untold) = admitted {
            tracing::error!(core = report.core(), shard, untold, "{report}");
        }
    }

    /// Counts a panic in the figures of its actor and of the core, and tells the simulation, if this is one.
    pub(crate) fn count_panic<A: Actor>(
        &self,
        mailbox: &Mailbox<A>,
        handler: &'static str,
        message: String,
    ) -> PanicReport {
        self.shared.stats.panics.add(u64::from(!planted!("uncounted-panic", 1 in 10)));
        mailbox.stats.panics.add(1);
        let (actor, shard) = (A::NAME, mailbox.shard);
        self.shared.note(|| format!("{actor}[{shard}] {handler} panicked: {message}"));
        PanicReport::new(actor, handler, self.shared.index, message)
    }

    /// A chore has something to do.
    pub(crate) fn begin_chore(&self, chore: Chore) {
        self.chores.borrow_mut().push_back(chore);
        self.attention.set(true);
    }

    /// This core's publisher of `E`; all actors that publish `E` share its sequence.
    pub(crate) fn publisher<E: Send + Clone + 'static>(&self) -> Rc<CorePublisher<E>> {
        self.publisher_of(&self.bus.of::<E>())
    }

    /// The same, for who has the bus at hand.
    pub(crate) fn publisher_of<E: Send + Clone + 'static>(
        &self,
        bus: &Arc<Bus<E>>,
    ) -> Rc<CorePublisher<E>> {
        let key = TypeId::of::<E>();
        if let Some(known) = self.publishers.borrow().get(&key)
            && let Ok(publisher) = Rc::clone(known).downcast::<CorePublisher<E>>()
        {
            return publisher;
        }
        let publisher = Rc::new(CorePublisher::new(
            Arc::clone(bus),
            self.shared.index,
            Rc::clone(&self.unshown),
        ));
        self.publishers.borrow_mut().insert(key, Rc::clone(&publisher) as _);
        self.flushers.borrow_mut().push(Rc::clone(&publisher) as _);
        publisher
    }

    /// Lets go of the publishers, also where something in an actor's state keeps this core from being dropped.
    pub(crate) fn end_publishers(&self) {
        let flushers = self.flushers.take();
        drop_quietly(self.publishers.take());
        for flusher in flushers {
            drop(catch(|| flusher.end()));
            drop_quietly(flusher);
        }
    }

    /// Shows what was published to its subscribers, and wakes none of them. Where the log waits, somebody calls
    /// [`Self::pass_on_events`] before other code of the user runs, but for filters and copies.
    #[inline]
    pub(crate) fn show_events(&self, log_waits: bool) {
        if self.unshown.replace(false) {
            self.untold.set(true);
            if log_waits {
                self.unlogged.set(true);
            }
            self.flushers.borrow().iter().for_each(|flusher| flusher.show(log_waits));
        }
    }

    /// Passes what was shown without it on to the log.
    #[inline]
    pub(crate) fn pass_on_events(&self) {
        if self.unlogged.replace(false) {
            self.flushers.borrow().iter().for_each(|flusher| flusher.pass_on());
        }
    }

    /// Whether a task, a local queue or housekeeping has something to do.
    pub(crate) fn has_own_work(&self) -> bool {
        self.tasks.has_ready()
            || !self.runnable.borrow().is_empty()
            || !self.chores.borrow().is_empty()
    }

    /// Whether somebody waits for the end of the turn, to be woken or to have a turn.
    pub(crate) fn is_awaited(&self) -> bool {
        self.answered.get()
            || self.has_published()
            || self.attention.get()
            || self.has_own_work()
            || self.shared.bell.has_news()
            || self.timers.borrow().next().is_some_and(|due| due <= self.clock.now())
    }

    /// Whether subscribers are to be woken at the end of the turn.
    pub(crate) fn has_published(&self) -> bool {
        self.unshown.get() || self.untold.get()
    }

    /// Wakes the askers that were answered so far, and those that their wakers answer.
    pub(crate) fn wake_askers(&self) {
        self.wakes.wake_all(self.now.get());
    }

    /// Wakes everyone that this turn has news for: askers and subscribers.
    pub(crate) fn publish(&self) {
        // Shown before anybody is woken, who may answer somebody else.
        self.show_events(false);
        self.wake_askers();
        self.unshown.set(false);
        self.untold.set(false);
        for flusher in &*self.flushers.borrow() {
            flusher.flush();
        }
        // Those that a subscriber's waker has answered, or an event's drop.
        self.wake_askers();
    }
}
