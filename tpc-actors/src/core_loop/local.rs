//! What all actors of one core share, reached through their `Ctx`. Never leaves the core's thread.

use std::any::{Any, TypeId};
use std::cell::{Cell, RefCell};
use std::collections::{HashMap, VecDeque};
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::chores::Chore;
use super::incidents::Incident;
use super::shared::CoreShared;
use super::tasks::Tasks;
use super::timers::Timers;
use crate::bus::publisher::{CorePublisher, Flush};
use crate::bus::{Bus, BusRegistry};
use crate::clock::Clock;
use crate::error::PanicReport;
use crate::isolate::{catch, drop_quietly};
use crate::offload::Offload;
use crate::random::Random;
use crate::rate::FiveAMinute;
use crate::relay::Relay;
use crate::reply::slot::Asker;
use crate::sync::planted;

/// How long a relay has for its askers before a core that does not go to sleep wakes those that are left.
const RELAYED_MAX: Duration = Duration::from_millis(1);

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
    pub(crate) wakes: RefCell<Vec<Asker>>,
    /// An asker was answered in this turn.
    pub(crate) answered: Cell<bool>,
    /// A lane had no room to spare in this turn, or more than its share: who has sent or would send waits for the core.
    pub(crate) crowded: Cell<bool>,
    /// The relay of the lane that came last.
    relay: RefCell<Option<Arc<Relay>>>,
    /// Relays that may still have askers to wake.
    relays: RefCell<Vec<Arc<Relay>>>,
    /// When the first of them was given some.
    relayed: Cell<Instant>,
    /// Room for those that they have not woken.
    overtaken: RefCell<Vec<Asker>>,
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
        Rc::new(Self {
            tasks: Tasks::new(Arc::clone(&shared), tasks_max),
            shared,
            now: Cell::new(now),
            clock,
            random: Random::seeded(seed),
            timers: RefCell::default(),
            dead_alarms: Cell::new(0),
            wakes: RefCell::default(),
            answered: Cell::new(false),
            crowded: Cell::new(false),
            relay: RefCell::default(),
            relays: RefCell::default(),
            relayed: Cell::new(now),
            overtaken: RefCell::default(),
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

    /// Tells the simulation, if this is one, of a panic.
    pub(crate) fn note_panic(&self, report: &PanicReport, shard: usize) {
        let (actor, handler, message) = (report.actor(), report.handler(), report.message());
        self.shared.note(|| format!("{actor}[{shard}] {handler} panicked: {message}"));
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
    /// [`Self::pass_on_events`] before other code of the user runs.
    #[inline]
    pub(crate) fn show_events(&self, log_waits: bool) {
        if self.unshown.replace(false) {
            self.untold.set(true);
            self.unlogged.set(log_waits);
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

    /// Whether subscribers are to be woken at the end of the turn.
    pub(crate) fn has_published(&self) -> bool {
        self.unshown.get() || self.untold.get()
    }

    /// A lane has come, whose sender's worker has this relay.
    pub(crate) fn has_relay(&self, relay: &Arc<Relay>) {
        self.relay.replace(Some(Arc::clone(relay)));
    }

    /// Has `relay` wake those of the answered askers from the `first` on that it may, if they are enough.
    pub(crate) fn relay(&self, relay: &Arc<Relay>, first: usize) {
        if !self.with_wakes(|wakes| relay.take(wakes, first)) {
            return;
        }
        let mut relays = self.relays.borrow_mut();
        if relays.is_empty() {
            self.relayed.set(self.now.get());
        }
        if !relays.iter().any(|known| Arc::ptr_eq(known, relay)) {
            relays.push(Arc::clone(relay));
        }
    }

    /// As [`Self::overtake_relays`], once they have had the time for it.
    pub(crate) fn overtake_late_relays(&self, now: Instant) {
        let late = now.saturating_duration_since(self.relayed.get()) >= RELAYED_MAX;
        if late && !self.relays.borrow().is_empty() {
            self.overtake_relays();
        }
    }

    /// Wakes the askers that relays have not come to, so that none depends on somebody else's runtime.
    pub(crate) fn overtake_relays(&self) {
        if self.relays.borrow().is_empty() {
            return;
        }
        // Out of their cells for the time: wakers are foreign code.
        let (mut relays, mut spare) = (self.relays.take(), self.overtaken.take());
        relays.drain(..).for_each(|relay| relay.overtake(&mut spare));
        self.overtaken.replace(spare);
        if self.relays.borrow().is_empty() {
            self.relays.replace(relays);
        }
    }

    /// An asker was answered in this turn, and is woken with the others.
    pub(crate) fn wake_later(&self, asker: Asker) {
        self.wakes.borrow_mut().push(asker);
    }

    /// Wakes the askers that were answered so far, and those that their wakers answer. Who is answered by timers, tasks or
    /// other cores waits on any worker; many of them are woken by one that asks here.
    pub(crate) fn wake_askers(&self) {
        while !self.wakes.borrow().is_empty() {
            if Relay::is_worth(self.wakes.borrow().len())
                && let Some(relay) = self.relay.borrow().clone()
            {
                self.relay(&relay, 0);
            }
            self.with_wakes(|wakes| {
                for asker in wakes.drain(..) {
                    if planted!("lost-wake", 1 in 10_000) {
                        continue;
                    }
                    asker.wake();
                }
            });
        }
    }

    /// Hands the askers that were answered so far to `call`, out of their cell for the time, because a waker is foreign code
    /// and may lead back here.
    fn with_wakes<R>(&self, call: impl FnOnce(&mut Vec<Asker>) -> R) -> R {
        let mut wakes = self.wakes.take();
        let done = call(&mut wakes);
        // The buffer goes back unless a waker has started another one.
        let started = self.wakes.replace(wakes);
        self.wakes.borrow_mut().extend(started);
        done
    }

    /// Wakes everyone that this turn has news for: askers and subscribers.
    pub(crate) fn publish(&self) {
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
