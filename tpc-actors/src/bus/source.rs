//! One numbered stream of events of one type, whoever holds it at the moment: a core, a publisher
//! outside, or nobody.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;

use super::channel::{Channel, end};
use super::end_reason::EndReason;
use super::enrich::{Router, Routing};
use super::fetch::Fetch;
use super::log::feed::Feed;
use super::outlet::Outlet;
use super::registry::Bus;
use super::retained::{Found, LOOK_TIME_MAX, Reach, Retained};
use super::stats::SourceStats;
use crate::isolate::{catch, drop_quietly};

/// It does not hold its bus, which holds it while no core does.
pub(super) struct Source<E> {
    pub(super) index: usize,
    /// The version of the bus that the rest reflects.
    pub(super) version: u64,
    outlets: Vec<Outlet<E>>,
    retained: Retained<E>,
    /// Published and not passed on to everyone yet, from the number `staged_from` on.
    staged: Vec<E>,
    staged_from: u64,
    /// As many of them have been offered to the subscribers.
    offered: usize,
    /// How often the core has shown events since the last flush.
    shown: u32,
    /// It did so more than once in the last turn: what one answer puts off would be in the way of the next one.
    is_busy: bool,
    /// There if the events learn their routes.
    router: Option<Box<dyn Router<E>>>,
    /// A route could not be learned or told, which has been reported.
    router_panicked: bool,
    /// There if the bus has a log.
    feed: Option<Feed<E>>,
}

/// Events after which a long handler passes on what it has published so far; a bit of a word each.
const STAGED_MAX: usize = 64;

impl<E: Send + Clone + 'static> Source<E> {
    pub(super) fn new(bus: &Bus<E>, index: usize) -> Self {
        bus.is_in_use();
        let feed = bus.log().and_then(|log| log.open_feed(index));
        let retained = Retained::default();
        Self {
            index,
            version: 0,
            outlets: Vec::new(),
            retained,
            staged: Vec::new(),
            staged_from: 0,
            offered: 0,
            shown: 0,
            is_busy: false,
            router: None,
            router_panicked: false,
            feed,
        }
    }

    /// Whether subscribers have come or gone.
    pub(super) fn is_stale(&self, bus: &Bus<E>) -> bool {
        bus.version.load(Ordering::Relaxed) != self.version
    }

    /// Whether an event would go anywhere.
    pub(super) fn is_wanted(&self) -> bool {
        !self.outlets.is_empty()
            || self.retained.is_on()
            || self.feed.is_some()
            || self.router.is_some()
    }

    /// Publishes the event with the number `seq`, which follows the one before.
    ///
    /// It waits for a moment: many events at a time keep one filter and one lane at hand, and nobody
    /// reads back what has just been written.
    #[expect(clippy::inline_always, reason = "a copy of the event costs more than the rest")]
    #[inline(always)]
    pub(super) fn publish(&mut self, bus: &Bus<E>, seq: u64, event: E) {
        // Nothing is called where one more event is staged, so that the compiler keeps in registers what it would have
        // to read again behind a call.
        let at = self.staged.len();
        let between = (1..STAGED_MAX - 1).contains(&at) && self.router.is_none();
        if between && at < self.staged.capacity() {
            self.staged.push(event);
        } else {
            self.publish_slowly(bus, seq, event);
        }
    }

    /// The same for the first of the events that are staged together, for the last one, and for those with a route.
    #[inline(never)]
    fn publish_slowly(&mut self, bus: &Bus<E>, seq: u64, event: E) {
        // Not by reference, which would keep the event in memory where there is nothing to learn.
        let event = if self.router.is_some() { self.enriched(event) } else { event };
        if self.staged.is_empty() {
            self.staged_from = seq;
        }
        self.staged.push(event);
        if self.staged.len() >= STAGED_MAX {
            self.dispatch(bus);
        }
    }

    /// Passes the staged events to everyone.
    #[inline(never)]
    fn dispatch(&mut self, bus: &Bus<E>) {
        if self.staged.is_empty() {
            return;
        }
        self.offer_staged(bus);
        if let Some(feed) = &mut self.feed {
            feed.push_all(self.staged_from, &self.staged);
        }
        self.offered = 0;
        self.staged.drain(..).for_each(|event| self.retained.push(event));
    }

    /// Offers the staged events to the subscribers whose filter wants them.
    #[inline]
    fn offer_staged(&mut self, bus: &Bus<E>) {
        let first = self.offered;
        if first == self.staged.len() {
            return;
        }
        self.offered = self.staged.len();
        let mut at = 0;
        while let Some(outlet) = self.outlets.get_mut(at) {
            match outlet.offer_all(self.staged_from + first as u64, &self.staged[first..]) {
                Ok(()) => at += 1,
                Err(message) => self.filter_panicked(bus, at, &message),
            }
        }
    }

    /// The event with its route, before anybody asks for it.
    #[inline(never)]
    fn enriched(&mut self, mut event: E) -> E {
        if let Some(router) = &mut self.router
            && let Err(message) = catch(|| router.enrich(&mut event))
            && !std::mem::replace(&mut self.router_panicked, true)
        {
            let core = self.index;
            tracing::error!(core, message, "the routing of an event panicked; it goes on as it is");
        }
        event
    }

    #[cold]
    fn filter_panicked(&mut self, bus: &Bus<E>, at: usize, message: &str) {
        let core = self.index;
        tracing::error!(core, message, "an event filter or key panicked; its subscription ends");
        let mut outlet = self.outlets.swap_remove(at);
        outlet.flush(bus.stats(self.index));
        bus.stats(self.index).filters_panicked.add(1);
        bus.stats(self.index).set_subscribers(self.outlets.len());
        bus.end(&outlet.channel, EndReason::FilterPanicked);
        drop_quietly(outlet);
    }

    /// Takes over new subscribers, and hands out those that have gone: their events and filters are
    /// foreign, and are dropped where nothing is borrowed or locked.
    #[cold]
    #[must_use]
    pub(super) fn refresh(&mut self, bus: &Bus<E>, next_seq: u64) -> Vec<Outlet<E>> {
        // Who comes now gets what is published from now on.
        self.dispatch(bus);
        self.version = bus.version.load(Ordering::Acquire);
        let channels = bus.channels();
        let gone = |outlet: &mut Outlet<E>| outlet.channel.presence.is_over();
        let mut gone: Vec<_> = self.outlets.extract_if(.., gone).collect();
        // What they were offered is shown and counted; with it they would lose what waited before it.
        for outlet in &mut gone {
            outlet.show(bus.stats(self.index));
        }
        let (durable, channels): (Vec<_>, Vec<_>) =
            channels.into_iter().partition(|channel| channel.durable);
        if let Some(feed) = &mut self.feed {
            let (durable, others): (Vec<_>, Vec<_>) =
                durable.into_iter().partition(|channel| channel.state(self.index) != end::NEVER);
            feed.set_durable(durable, next_seq);
            others.into_iter().for_each(drop_quietly);
        }
        for channel in channels {
            if channel.state(self.index) == end::OPEN {
                self.attach(bus, &channel, next_seq);
            }
            // Perhaps the last to hold the filter, which is foreign.
            drop_quietly(channel);
        }
        if self.router.is_none() {
            self.router = bus.routing().map(Routing::router);
        }
        self.retained.limit(bus.retain.load(Ordering::Relaxed));
        let stats = bus.stats(self.index);
        for _ in &gone {
            stats.leaves::<E>(self.index);
        }
        stats.set_subscribers(self.outlets.len());
        gone
    }

    /// The same if somebody has come or gone.
    #[must_use]
    pub(super) fn refresh_if_stale(&mut self, bus: &Bus<E>, next_seq: u64) -> Vec<Outlet<E>> {
        if self.is_stale(bus) { self.refresh(bus, next_seq) } else { Vec::new() }
    }

    fn attach(&mut self, bus: &Bus<E>, channel: &Arc<Channel<E>>, next_seq: u64) {
        let attach = || Outlet::attach(Arc::clone(channel), self.index, next_seq);
        let (outlet, is_there) = channel.presence.attach(attach);
        match outlet {
            Ok(outlet) => {
                SourceStats::comes::<E>(self.index);
                if is_there {
                    self.outlets.push(outlet);
                } else {
                    bus.stats(self.index).leaves::<E>(self.index);
                    drop_quietly(outlet);
                }
            }
            Err(error) => {
                tracing::error!(core = self.index, %error, "no lane; its subscription ends");
                bus.end(channel, EndReason::NoMemory(error));
            }
        }
    }

    /// Looks into the past; who wants to, and has seen all of it, gets the events from here on.
    pub(super) fn fetch(&mut self, bus: &Bus<E>, next_seq: u64, fetch: &Fetch<E>) -> Found<E> {
        // Who looks into the log next must not find that nothing is on its way there.
        self.pass_on(bus);
        let range = (fetch.from, fetch.to);
        // Real time would make a simulation another one each time.
        let until = (!bus.is_simulated()).then(|| Instant::now() + LOOK_TIME_MAX);
        let found = self.retained.find(next_seq, &fetch.channel, range, fetch.max, until);
        if fetch.attach && found.reach == Reach::FilterPanicked {
            bus.stats(self.index).filters_panicked.add(1);
        }
        if fetch.attach
            && found.reach == Reach::End
            && fetch.channel.state(self.index) == end::LATE
            && !fetch.channel.presence.is_over()
        {
            self.attach(bus, &fetch.channel, next_seq);
            bus.stats(self.index).set_subscribers(self.outlets.len());
        }
        found
    }

    /// Shows what is new to the subscribers, and to the log unless that can wait for [`Self::pass_on`].
    pub(super) fn show(&mut self, bus: &Bus<E>, next_seq: u64, log_waits: bool) {
        self.shown += 1;
        if log_waits && !self.is_busy {
            self.offer_staged(bus);
        } else {
            self.pass_on(bus);
        }
        let stats = self.count(bus, next_seq);
        self.outlets.iter_mut().for_each(|outlet| outlet.show(stats));
    }

    /// Passes what is new on to everyone, and tells the log of it.
    pub(super) fn pass_on(&mut self, bus: &Bus<E>) {
        self.dispatch(bus);
        if let Some(feed) = &mut self.feed {
            feed.flush();
        }
    }

    /// Brings the statistics of the source up to date.
    fn count<'a>(&self, bus: &'a Bus<E>, next_seq: u64) -> &'a SourceStats {
        let stats = bus.stats(self.index);
        stats.published.set(next_seq);
        if let Some(router) = &self.router {
            stats.set_routes(router.counts());
        }
        stats
    }

    /// Shows what is new to the subscribers and wakes them, each once. Wakers are foreign code.
    pub(super) fn flush(&mut self, bus: &Bus<E>, next_seq: u64) {
        self.is_busy = std::mem::take(&mut self.shown) > 1;
        self.pass_on(bus);
        let stats = self.count(bus, next_seq);
        for outlet in &mut self.outlets {
            if outlet.flush(stats) {
                outlet.channel.wake();
            }
        }
    }
}
