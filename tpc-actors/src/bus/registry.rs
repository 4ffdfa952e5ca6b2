//! The buses of a system, one per event type.

use std::any::{Any, TypeId};
use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::{Duration, Instant};

use super::channel::{Channel, end};
use super::end_reason::EndReason;
use super::enrich::Routing;
use super::lock;
use super::log::link::LogLink;
use super::log::{EventLog, LogError, LogEvent, LogOptions, LogStatus};
use super::resting::Resting;
use super::stats::{SourceStats, SourceStatus};
use super::subscribers::Subscribers;
use super::usage::Usage;
use crossbeam_utils::CachePadded;

use crate::core_loop::shared::CoreShared;
use crate::isolate::drop_quietly;
use crate::placement::CpuSet;

/// The bus of one event type.
pub(crate) struct Bus<E> {
    /// Changes with every subscription that comes or goes; 0 until the first one.
    pub(super) version: AtomicU64,
    subscribers: Mutex<Subscribers<E>>,
    /// Events that each source keeps for replay.
    pub(super) retain: AtomicUsize,
    pub(super) cores: Arc<[Arc<CoreShared>]>,
    /// By source: one for each core, and one for all publishers outside of them.
    resting: Box<[Resting<E>]>,
    stats: Box<[CachePadded<SourceStats>]>,
    /// The same of what the log passes on.
    log_stats: Box<[CachePadded<SourceStats>]>,
    log: OnceLock<Arc<LogLink<E>>>,
    /// How the events learn their routes, if they do.
    routing: OnceLock<Routing<E>>,
    usage: Mutex<Usage>,
    /// Nothing will be published any more.
    closed: AtomicBool,
}

impl<E: Send + Clone + 'static> Bus<E> {
    fn new(cores: Arc<[Arc<CoreShared>]>) -> Self {
        Self {
            version: AtomicU64::new(0),
            subscribers: Mutex::new(Subscribers::new(cores.len() + 1)),
            retain: AtomicUsize::new(0),
            resting: (0..=cores.len()).map(|_| Resting::default()).collect(),
            stats: (0..=cores.len()).map(|_| CachePadded::default()).collect(),
            log_stats: (0..=cores.len()).map(|_| CachePadded::default()).collect(),
            cores,
            log: OnceLock::new(),
            routing: OnceLock::new(),
            usage: Mutex::new(Usage::None),
            closed: AtomicBool::new(false),
        }
    }

    /// The system that it belongs to.
    pub(super) fn system(&self) -> u64 {
        self.cores[0].system
    }

    pub(super) fn is_simulated(&self) -> bool {
        self.cores[0].script.is_some()
    }

    /// How many sources there are.
    pub(super) fn sources(&self) -> usize {
        self.resting.len()
    }

    pub(super) fn epoch(&self) -> u64 {
        self.log.get().map_or(0, |log| log.epoch)
    }

    /// Has the events learn their routes from here on.
    pub(crate) fn route_by(&self, routing: Routing<E>) {
        if self.routing.set(routing).is_ok() {
            self.changed();
        }
    }

    pub(super) fn routing(&self) -> Option<Routing<E>> {
        self.routing.get().copied()
    }

    pub(super) fn log(&self) -> Option<&Arc<LogLink<E>>> {
        self.log.get()
    }

    /// Notes that somebody publishes or subscribes.
    pub(super) fn is_in_use(&self) {
        let mut usage = lock(&self.usage);
        if *usage == Usage::None {
            *usage = Usage::Begun;
        }
    }

    /// Gives the bus its log and starts the log's thread.
    pub(crate) fn log_to(
        self: &Arc<Self>,
        mut log: Box<dyn EventLog>,
        options: LogOptions,
        cpus: CpuSet,
    ) -> Result<(), LogError>
    where
        E: LogEvent,
    {
        if self.log.get().is_some() {
            return Err(LogError::Exists);
        }
        lock(&self.usage).may_have_log()?;
        let link = LogLink::new(&mut *log, options)?;
        {
            // An epoch takes a while to begin. Who came meanwhile has no way to the log; who comes after this has.
            let usage = lock(&self.usage);
            usage.may_have_log()?;
            self.log.set(Arc::clone(&link)).map_err(|_| LogError::Exists)?;
        }
        link.start(self, log, cpus)
    }

    /// How far the log has come; `None` without one.
    pub(crate) fn log_status(&self) -> Option<LogStatus> {
        self.log.get().map(|log| log.status())
    }

    pub(super) fn channels(&self) -> Vec<Arc<Channel<E>>> {
        lock(&self.subscribers).open()
    }

    fn changed(&self) {
        self.version.fetch_add(1, Ordering::Release);
    }

    pub(super) fn subscribe(&self, channel: &Arc<Channel<E>>, retain: usize) {
        self.retain.fetch_max(retain, Ordering::Relaxed);
        lock(&self.subscribers).join(Arc::clone(channel));
        self.changed();
        if let Some(log) = self.log.get()
            && channel.durable
        {
            log.look_at_subscriptions();
            // After it has joined the others: either the log's thread has ended it with them, or we do.
            if let Some(why) = log.why_over() {
                self.end(channel, EndReason::LogFailed(why));
            }
        }
    }

    /// What each source has published, by index.
    pub(crate) fn status(&self) -> Vec<SourceStatus> {
        let subscribers = lock(&self.subscribers);
        let status = |source| {
            let stats = (self.stats(source), self.log_stats(source));
            SourceStatus::of(source, stats, subscribers.consumption(source))
        };
        (0..self.sources()).map(status).collect()
    }

    /// Ends a subscription and tells it so; the sources let go of it when they next look.
    pub(super) fn end(&self, channel: &Arc<Channel<E>>, reason: EndReason) {
        channel.ends_because(reason);
        self.close_channel(channel);
    }

    fn close_channel(&self, channel: &Arc<Channel<E>>) {
        if channel.presence.end() {
            self.changed();
        }
        channel.wake();
    }

    /// Ends a subscription and has its sources let go of it, also those that publish nothing more.
    pub(super) fn unsubscribe(self: &Arc<Self>, channel: &Arc<Channel<E>>) {
        self.close_channel(channel);
        lock(&self.subscribers).leave(channel);
        if let Some(log) = self.log.get()
            && channel.durable
        {
            log.look_at_subscriptions();
        }
        let attached = |index: &usize| channel.state(*index) == end::ATTACHED;
        let learned = |index: &usize| channel.holes(*index).learned_at().is_some();
        let known = |index: &usize| if channel.durable { learned(index) } else { attached(index) };
        let sources: Vec<_> =
            channel.presence.find_sources(|| (0..self.sources()).filter(known).collect());
        for index in sources {
            let bus = Arc::clone(self);
            let reap = move |core: &mut crate::core_loop::Core| {
                core.local.publisher_of(&bus).reap();
            };
            let core = self.cores.get(index);
            if core.is_none_or(|core| core.command(Box::new(reap)).is_err()) {
                self.refresh_resting(index);
            }
        }
    }

    /// Where the source `index` is when no core holds it.
    pub(super) fn resting(&self, index: usize) -> &Resting<E> {
        &self.resting[index]
    }

    pub(super) fn stats(&self, index: usize) -> &SourceStats {
        &self.stats[index]
    }

    pub(super) fn log_stats(&self, index: usize) -> &SourceStats {
        &self.log_stats[index]
    }

    pub(super) fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Acquire)
    }
}

/// Ends a bus whatever its event type.
trait Close: Any + Send + Sync {
    /// Refuses whoever is not a core.
    fn refuse(&self);
    /// Has what was published made durable, once who publishes at this moment has done so, but not later than `until`.
    fn stop(&self, until: Instant);
    /// Ends the subscriptions; true when the log, if there is one, has come to its end `until` then.
    fn close(&self, until: Instant) -> bool;
    fn into_any(self: Arc<Self>) -> Arc<dyn Any + Send + Sync>;
}

impl<E: Send + Clone + 'static> Close for Bus<E> {
    fn refuse(&self) {
        *lock(&self.usage) = Usage::Over;
        // Whoever is refused knows that his event is not among those that are accounted for.
        self.resting[self.cores.len()].refuse();
    }

    fn stop(&self, until: Instant) {
        self.resting[self.cores.len()].wait_for_holder(until);
        if let Some(log) = self.log.get() {
            log.stop();
        }
    }

    fn close(&self, until: Instant) -> bool {
        // What was published becomes durable first.
        let in_time = self.log.get().is_none_or(|log| log.join(until));
        for channel in self.channels() {
            if channel.durable && !in_time {
                let reason = "it did not come to an end with its system".to_owned();
                self.end(&channel, EndReason::LogFailed(reason));
            }
            drop_quietly(channel);
        }
        self.closed.store(true, Ordering::Release);
        for channel in self.channels() {
            channel.wake();
            // Perhaps the last to hold the filter, which is foreign.
            drop_quietly(channel);
        }
        in_time
    }

    fn into_any(self: Arc<Self>) -> Arc<dyn Any + Send + Sync> {
        self
    }
}

#[derive(Default)]
struct Buses {
    /// In an order, which a simulation repeats.
    by_type: BTreeMap<TypeId, Arc<dyn Close>>,
    closed: bool,
}

/// What a log has for coming to its end at least.
const LOG_GRACE_MIN: Duration = Duration::from_millis(500);

/// The buses of a system, one per event type.
pub(crate) struct BusRegistry {
    buses: Mutex<Buses>,
    cores: Arc<[Arc<CoreShared>]>,
}

impl BusRegistry {
    pub(crate) fn new(cores: &[Arc<CoreShared>]) -> Self {
        Self { buses: Mutex::default(), cores: cores.into() }
    }

    /// The bus of `E`.
    pub(crate) fn of<E: Send + Clone + 'static>(&self) -> Arc<Bus<E>> {
        let mut buses = lock(&self.buses);
        let closed = buses.closed;
        let bus = buses.by_type.entry(TypeId::of::<E>()).or_insert_with(|| {
            let bus = Arc::new(Bus::<E>::new(Arc::clone(&self.cores)));
            if closed {
                bus.refuse();
                bus.close(Instant::now());
            }
            bus
        });
        let bus = Arc::clone(bus).into_any().downcast();
        bus.unwrap_or_else(|_| unreachable!("buses are kept by the type of their events"))
    }

    /// Ends all subscriptions once they have yielded what was published; says how many logs did not come to an end
    /// `until` then.
    pub(crate) fn close(&self, until: Instant) -> usize {
        let buses: Vec<_> = {
            let mut buses = lock(&self.buses);
            buses.closed = true;
            buses.by_type.values().cloned().collect()
        };
        // Step by step for all of them, so that none has to do with what keeps another one.
        for bus in &buses {
            bus.refuse();
        }
        for bus in &buses {
            bus.stop(until);
        }
        // Also after a publisher that was held up, there is time for a log to end.
        let until = until.max(Instant::now() + LOG_GRACE_MIN);
        buses.iter().filter(|bus| !bus.close(until)).count()
    }
}

impl fmt::Debug for BusRegistry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BusRegistry").field("cores", &self.cores.len()).finish_non_exhaustive()
    }
}
