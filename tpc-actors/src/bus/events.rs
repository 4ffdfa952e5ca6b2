//! The options of a subscription.

use std::fmt;
use std::hash::Hash;
use std::sync::Arc;

use super::channel::{Begin, Channel, Filter, end};
use super::inlet::Inlet;
use super::lane::{Policy, check};
use super::past::Past;
use super::position::Position;
use super::registry::Bus;
use super::stage::index_by;
use super::start::Start;
use super::subscription::Subscription;
use crate::bridge::CapacityError;

/// What gives way when a subscriber is slower than its events.
///
/// Whatever it is, the subscriber is told of it as a [`Gap`](super::Gap).
pub struct Overflow<E>(Policy<E>);

#[expect(non_upper_case_globals, reason = "they read like the variants that they stand for")]
impl<E> Overflow<E> {
    /// The newest event, so that those that wait stay as they are; the default, and the fastest.
    pub const DropNewest: Self = Self(Policy::DropNewest);
    /// The oldest event that waits, so that the subscriber sees the newest ones.
    pub const DropOldest: Self = Self(Policy::DropOldest);
}

/// Builds a subscription to the events of type `E`; made by
/// [`System::events`](crate::System::events).
#[must_use = "nothing is received before `.subscribe()`"]
pub struct Events<E> {
    bus: Arc<Bus<E>>,
    filter: Option<Filter<E>>,
    capacity: usize,
    policy: Policy<E>,
    retain: usize,
    start: Start,
    durable: bool,
    /// `None` stands for all.
    cores: Option<Vec<usize>>,
}

/// Why there is no subscription.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SubscribeError {
    /// The capacity is 0 or does not fit in memory.
    #[error("the subscription's ring: {0}")]
    Capacity(#[from] CapacityError),
    /// A core in [`Events::cores`] or [`Events::from`] does not exist.
    #[error(
        "there is no core {core}; the system has {cores}, and {cores} stands for publishers outside"
    )]
    NoSuchCore {
        /// The core, counted from 0.
        core: usize,
        /// How many cores there are.
        cores: usize,
    },
    /// A position belongs to an epoch of which nothing is kept.
    #[error("nothing is kept of epoch {epoch}; the numbers of this run have epoch {now}")]
    NoSuchEpoch {
        /// The position's epoch.
        epoch: u64,
        /// The epoch of the events that are published now.
        now: u64,
    },
    /// A position in [`Events::from`] is one of a core that [`Events::cores`] leaves out.
    #[error("the position {position} is of a core that is not among the chosen ones")]
    NotAmongCores {
        /// The position.
        position: Position,
    },
    /// [`Events::cores`] leaves no core.
    #[error("a subscription to no core would never receive anything; name at least one")]
    NoCores,
    /// A durable subscription needs a log.
    #[error("nothing is durable on a bus without a log; see `System::log_events`")]
    NoLog,
}

impl<E: Send + Clone + 'static> Events<E> {
    /// Events that each core's ring holds when the subscriber does not say.
    pub const DEFAULT_CAPACITY: usize = 1024;

    pub(crate) fn new(bus: Arc<Bus<E>>) -> Self {
        Self {
            bus,
            filter: None,
            capacity: Self::DEFAULT_CAPACITY,
            policy: Policy::DropNewest,
            retain: 0,
            start: Start::Latest,
            durable: false,
            cores: None,
        }
    }

    /// Receives only what `wanted` says yes to. It runs on the publishing core, before the event is
    /// copied, so it should be quick. A filter that panics ends its subscription. A second one is asked about what the
    /// first one wants.
    pub fn filter(mut self, wanted: impl Fn(&E) -> bool + Send + Sync + 'static) -> Self {
        self.filter = Some(match self.filter.take() {
            None => Arc::new(wanted),
            Some(first) => Arc::new(move |event: &E| first.wants(event) && wanted(event)),
        });
        self
    }

    /// Events that may wait on each core; what happens to more of them is up to
    /// [`overflow`](Self::overflow).
    pub fn capacity(mut self, events: usize) -> Self {
        self.capacity = events;
        self
    }

    /// Has each core keep its last `events` events of this type for [`Subscription::replay`].
    ///
    /// The events are kept for all subscriptions, and until the system and the last of these are gone: the largest
    /// number that anybody has asked for counts.
    pub fn retain(mut self, events: usize) -> Self {
        self.retain = events;
        self
    }

    /// What gives way when too many events wait; [`Overflow::DropNewest`] by default.
    pub fn overflow(mut self, overflow: Overflow<E>) -> Self {
        self.policy = overflow.0;
        self
    }

    /// Where to begin; [`Start::Latest`] by default. What is still [retained](Self::retain) comes first,
    /// in order and without a hole before the events that are published meanwhile. Events that are kept
    /// no more are reported as a [`Gap`](super::Gap); since the filter cannot be asked about them, it counts
    /// all of them. How many events the end of an earlier run had that its log keeps no more, nobody knows, and no gap
    /// tells; a position of an earlier run need not name an event that became durable. An event of this run that has not
    /// been published yet is no place to begin: the subscription [ends](Subscription::end_reason), for all of its cores.
    /// So does one that has not caught up with the log when the system ends.
    ///
    /// The subscription looks for what it has missed at once, and for more than the first 256 events when it is polled. Until
    /// it has seen all of that, what is published meanwhile has no room of its [`capacity`](Self::capacity): it waits among
    /// the retained events, or in the log. So poll it, and retain as many events as may come until it has caught up.
    ///
    /// A subscription that was away goes on where it ended:
    ///
    /// ```
    /// # use std::time::Duration;
    /// use tpc_actors::prelude::*;
    ///
    /// # let system = System::builder().cores(1).start()?;
    /// let publisher = system.publisher::<u32>();
    /// let mut events = system.events::<u32>().retain(100).subscribe();
    /// publisher.publish(1)?;
    /// assert!(matches!(events.next_wait(), Some(Delivery::Event { event: 1, .. })));
    /// let position = events.position();
    /// drop(events);
    ///
    /// publisher.publish(2)?;
    /// let mut events = system.events::<u32>().from(position).subscribe();
    /// assert!(matches!(events.next_wait(), Some(Delivery::Event { event: 2, .. })));
    /// # system.shutdown_wait(Duration::from_secs(1));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn from(mut self, start: impl Into<Start>) -> Self {
        self.start = start.into();
        self
    }

    /// Receives only events that the bus's [log](super::log) has made durable, once that is so.
    ///
    /// What is lost on the way to the log is reported as a [`Gap`](super::Gap) where it stood; of what was lost before the
    /// core knew of a subscription that begins [earlier](Self::from), the filter cannot be asked, and all of it counts.
    /// When the log fails, the subscription [ends](Subscription::end_reason).
    pub fn durable(mut self) -> Self {
        self.durable = true;
        self
    }

    /// Receives only what these cores publish, counted from 0. The number of cores stands for
    /// [publishers](crate::System::publisher) outside of them.
    pub fn cores(mut self, cores: impl IntoIterator<Item = usize>) -> Self {
        self.cores = Some(cores.into_iter().collect());
        self
    }

    /// Receives events from here on, or from where [`from`](Self::from) says.
    ///
    /// # Panics
    ///
    /// When an option is out of its range; see [`Self::try_subscribe`].
    pub fn subscribe(self) -> Subscription<E> {
        self.try_subscribe().unwrap_or_else(|error| panic!("{error}"))
    }

    /// As [`Self::subscribe`], for options that come from outside.
    ///
    /// # Errors
    ///
    /// The capacity is 0 or does not fit in memory, a core does not exist or none is chosen, a position is of a core
    /// that is not chosen or belongs to another epoch, or a durable subscription finds no log.
    pub fn try_subscribe(self) -> Result<Subscription<E>, SubscribeError> {
        check::<E>(self.capacity)?;
        self.check_cores()?;
        self.check_epochs()?;
        if self.durable && self.bus.log().is_none() {
            return Err(SubscribeError::NoLog);
        }
        // From here on the bus keeps the log and the epoch that it has.
        self.bus.is_in_use();
        let sources = 0..self.bus.sources();
        let mut inlets: Vec<_> = sources.clone().map(|source| self.inlet(source)).collect();
        let begins: Vec<_> = sources.map(|source| self.begin(source)).collect();
        let Self { bus, filter, capacity, policy, retain, durable, .. } = self;
        let channel = Channel::new(filter, (capacity, durable), policy, begins.into_iter());
        bus.subscribe(&channel, retain);
        for inlet in &mut inlets {
            inlet.begin(&bus, &channel);
        }
        Ok(Subscription::new(bus, channel, inlets))
    }

    fn check_cores(&self) -> Result<(), SubscribeError> {
        let positions: &[_] =
            if let Start::At(cursor) = &self.start { cursor.positions() } else { &[] };
        let named = positions.iter().map(|position| position.core);
        let sources = self.bus.sources();
        if let Some(core) =
            named.chain(self.cores.iter().flatten().copied()).find(|core| *core >= sources)
        {
            return Err(SubscribeError::NoSuchCore { core, cores: sources - 1 });
        }
        let Some(cores) = &self.cores else { return Ok(()) };
        if cores.is_empty() {
            return Err(SubscribeError::NoCores);
        }
        match positions.iter().find(|position| !cores.contains(&position.core)) {
            Some(&position) => Err(SubscribeError::NotAmongCores { position }),
            None => Ok(()),
        }
    }

    fn check_epochs(&self) -> Result<(), SubscribeError> {
        let now = self.bus.epoch();
        let Start::At(cursor) = &self.start else { return Ok(()) };
        let logged = self.bus.log().is_some();
        let unknown = |epoch: u64| epoch > now || (epoch < now && !logged);
        match cursor.positions().iter().find(|position| unknown(position.epoch)) {
            Some(position) => Err(SubscribeError::NoSuchEpoch { epoch: position.epoch, now }),
            None => Ok(()),
        }
    }

    fn begin(&self, source: usize) -> Begin {
        let at = if let Start::At(cursor) = &self.start { cursor.of(source) } else { None };
        let of_now = at.filter(|position| position.epoch == self.bus.epoch());
        Begin { state: self.state(source), from: of_now.map_or(0, |position| position.seq) }
    }

    fn state(&self, source: usize) -> u8 {
        match (&self.cores, &self.start) {
            (Some(cores), _) if !cores.contains(&source) => end::NEVER,
            (_, Start::Latest) => end::OPEN,
            _ => end::LATE,
        }
    }

    fn inlet(&self, source: usize) -> Inlet<E> {
        let published = self.bus.stats(source).published.get();
        let epoch = self.bus.epoch();
        let durable = || self.bus.log_status().and_then(|status| status.durable.of(source));
        let durable = || durable().filter(|end| end.epoch == epoch).map_or(0, |end| end.seq);
        let begins_durable = self.durable && self.start != Start::Latest;
        let seq = if begins_durable { durable() } else { published };
        let first = Position::new(source, epoch, seq);
        let past = match &self.start {
            _ if self.state(source) != end::LATE => None,
            Start::At(cursor) => Some(match cursor.of(source) {
                Some(position) if self.durable => Past::from(position, first).durable(first),
                Some(position) => Past::from(position, first),
                None => Past::oldest(first),
            }),
            Start::Latest | Start::Oldest => Some(Past::oldest(first)),
        };
        Inlet::new(first, past)
    }
}

impl<E: 'static> Overflow<E> {
    /// An event that waits gives way to a newer one with the same key, so that the subscriber sees the
    /// newest of each key. With more keys than [`capacity`](Events::capacity), the oldest event gives way.
    ///
    /// `key` runs on the publishing core and on the subscriber's thread. If it panics on the core, the
    /// subscription ends; an event whose key panics on the subscriber's thread is delivered like one that has no
    /// newer one.
    pub fn conflate<K: Hash + Eq + Send + 'static>(
        key: impl Fn(&E) -> K + Send + Sync + 'static,
    ) -> Self {
        Self(Policy::Conflate(index_by(key)))
    }
}

impl<E> fmt::Debug for Overflow<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            Policy::DropNewest => "DropNewest",
            Policy::DropOldest => "DropOldest",
            Policy::Conflate(_) => "Conflate",
        })
    }
}

impl<E> fmt::Debug for Events<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Events")
            .field("filtered", &self.filter.is_some())
            .field("capacity", &self.capacity)
            .field("retain", &self.retain)
            .field("start", &self.start)
            .field("cores", &self.cores)
            .finish_non_exhaustive()
    }
}
