//! The log's thread: whatever has come is one group, appended, synced, and then shown.

mod outlets;
mod trim;

use std::sync::Arc;
use std::time::Instant;

use super::super::position::Position;
use super::super::registry::Bus;
use super::super::{Cursor, lock};
use super::feed::{Fed, FeedReader};
use super::link::LogLink;
use super::reads::Looking;
use super::{EventLog, LogError, Records, guarded};
use crate::bridge::bell::{LaneBell, Polled};
use crate::isolate::{catch, drop_quietly};
use outlets::DurableOutlet;

/// What the log's thread has of one source.
struct Intake<E> {
    feed: Option<FeedReader<E>>,
    /// Where the events of earlier runs end.
    before: Option<Position>,
    outlets: Vec<DurableOutlet<E>>,
    /// The events that were handed to the log end here.
    appended: u64,
    /// The durable ones end here.
    durable: u64,
    /// Those that have been shown, and those that could not be written among them, end here.
    shown: u64,
    /// What the subscriptions have been told of the losses behind those.
    lost: (u64, u64),
    /// Events of this group, to be shown when it is durable.
    group: Vec<Fed<E>>,
    /// The numbers of those among them that could not be written.
    unwritten: Vec<u64>,
}

pub(super) struct Writer<E> {
    pub(super) link: Arc<LogLink<E>>,
    bus: Arc<Bus<E>>,
    pub(super) log: Box<dyn EventLog>,
    /// By source.
    intakes: Vec<Intake<E>>,
    records: Records,
    /// The version of the bus that the outlets reflect.
    version: u64,
    /// How often the sources had been told of them by then.
    learned: u64,
    failed: bool,
    /// Events that could not be written.
    unwritten: u64,
    /// Who waits for what is on its way here.
    pub(super) looking: Vec<Looking<E>>,
}

/// Events of one source in one group.
const GROUP_MAX: usize = 16_384;

impl<E: Send + Clone + 'static> Writer<E> {
    pub(super) fn new(link: Arc<LogLink<E>>, bus: Arc<Bus<E>>, log: Box<dyn EventLog>) -> Self {
        let mut log = log;
        let mut intake = |source| Intake {
            feed: None,
            // What cannot be read is told of when somebody reads it.
            before: guarded(|| log.bounds(source)).ok().flatten().map(|bounds| bounds.next),
            outlets: Vec::new(),
            appended: 0,
            durable: 0,
            shown: 0,
            lost: (0, 0),
            group: Vec::new(),
            unwritten: Vec::new(),
        };
        let intakes = (0..bus.sources()).map(&mut intake).collect();
        Self {
            link,
            bus,
            log,
            intakes,
            records: Records::default(),
            version: 0,
            learned: 0,
            failed: false,
            unwritten: 0,
            looking: Vec::new(),
        }
    }

    /// Whatever happens, nobody waits for what does not come.
    pub(super) fn run_to_its_end(&mut self) {
        let ended = catch(|| self.run());
        let failed = ended.err().map(|message| catch(|| self.fail(&LogError::failed(message))));
        self.link.close();
        if let Some(Ok(())) = failed {
            // Those that it has not come to have nobody to wait for either.
            drop(catch(|| self.end_all()));
        }
        self.release_all();
    }

    fn run(&mut self) {
        // A core that was left behind may publish for ever, and only what came before the end is waited for.
        let mut last_groups = self.link.options.feed_capacity / GROUP_MAX + 2;
        let mut stop = false;
        loop {
            let began = Instant::now();
            let news = self.link.take_news().unwrap_or_default();
            stop |= news.stop;
            for (source, feed) in news.feeds {
                self.intakes[source].feed = Some(feed);
            }
            let wrote = self.write_group();
            self.look_again();
            for command in news.commands {
                command(self);
            }
            if wrote {
                if !stop {
                    self.pause(began);
                }
                last_groups -= usize::from(stop);
                if last_groups > 0 {
                    continue;
                }
            }
            for source in 0..self.intakes.len() {
                self.flush(source);
            }
            self.update_status(false);
            if stop {
                break;
            }
            self.sleep();
        }
    }

    /// Lets events come together for the next group. The cores need not wake this thread meanwhile: it comes back
    /// by itself, and sooner when a feed is half full or somebody wants something else of it.
    fn pause(&self, began: Instant) {
        let left = self.link.options.commit_interval.saturating_sub(began.elapsed());
        if !left.is_zero() && self.link.bell.announce_sleep() {
            self.link.bell.sleep(Some(left));
        }
    }

    /// Sleeps until something comes, by the protocol of the cores.
    fn sleep(&mut self) {
        let link = Arc::clone(&self.link);
        if link.bell.park(self) {
            link.bell.sleep(None);
            self.each_bell(LaneBell::disarm);
        }
    }

    fn position(&self, core: usize, seq: u64) -> Position {
        Position { core, epoch: self.link.epoch, seq }
    }

    /// Appends what has come, makes it durable, and shows it; false when nothing had come.
    fn write_group(&mut self) -> bool {
        let mut any = false;
        let mut outcome = Ok(());
        for source in 0..self.intakes.len() {
            any |= self.take_group(source);
        }
        // After the events were taken: who subscribed before one of them was published gets it.
        self.refresh();
        if !any {
            return false;
        }
        for source in 0..self.intakes.len() {
            if outcome.is_ok() && !self.failed {
                outcome = self.append(source);
            }
        }
        self.update_status(false);
        let durable = match outcome {
            _ if self.failed => Err(LogError::Poisoned),
            Ok(()) => guarded(|| self.log.sync()),
            Err(error) => Err(error),
        };
        match durable {
            Ok(_) => {
                for intake in &mut self.intakes {
                    intake.durable = intake.appended;
                }
                self.update_status(true);
                self.show();
            }
            Err(error) => self.fail(&error),
        }
        true
    }

    /// Takes a group out of a feed; false when there is nothing in it.
    fn take_group(&mut self, source: usize) -> bool {
        let Intake { feed, group, .. } = &mut self.intakes[source];
        let Some(feed) = feed else { return false };
        feed.ring.drain(GROUP_MAX, |fed| group.push(fed)) > 0
    }

    /// Appends a source's group, in runs without a hole.
    fn append(&mut self, source: usize) -> Result<(), LogError> {
        let group = std::mem::take(&mut self.intakes[source].group);
        let mut run = None;
        let mut outcome = Ok(());
        for Fed { seq, event } in &group {
            let len = self.records.len();
            if run.is_some_and(|first| first + len as u64 != *seq) {
                outcome = outcome.and_then(|()| self.append_run(source, run.take()));
            }
            let (len, encode) = (self.records.len(), self.link.encode);
            // An event that cannot be written is missing in the log like one that came too fast.
            let records = &mut self.records;
            if catch(|| records.push_with(|bytes| encode(event, bytes))).is_ok() {
                run = run.or(Some(*seq));
            } else {
                self.records.truncate(len);
                outcome = outcome.and_then(|()| self.append_run(source, run.take()));
                self.unwritten += 1;
                self.intakes[source].unwritten.push(*seq);
            }
        }
        outcome = outcome.and_then(|()| self.append_run(source, run));
        self.intakes[source].group = group;
        outcome
    }

    fn append_run(&mut self, source: usize, first: Option<u64>) -> Result<(), LogError> {
        let Some(first) = first else { return Ok(()) };
        let at = self.position(source, first);
        let outcome = guarded(|| self.log.append(at, &self.records));
        self.intakes[source].appended = first + self.records.len() as u64;
        self.records.clear();
        outcome
    }

    /// A group has become durable: shows it to the subscriptions that waited for that.
    fn show(&mut self) {
        for source in 0..self.intakes.len() {
            let mut group = std::mem::take(&mut self.intakes[source].group);
            let written = group.len();
            if let Some(last) = group.last() {
                self.intakes[source].shown = last.seq + 1;
            }
            // In the same order as the group.
            let unwritten = std::mem::take(&mut self.intakes[source].unwritten);
            let mut unwritten = unwritten.into_iter().peekable();
            for Fed { seq, event } in group.drain(..) {
                self.offer(source, seq, &event, unwritten.next_if_eq(&seq).is_none());
                if std::mem::needs_drop::<E>() {
                    drop_quietly(event);
                }
            }
            self.intakes[source].group = group;
            self.flush(source);
            self.trim(source, written);
        }
    }

    pub(super) fn update_status(&self, synced: bool) {
        let cursor = |end: fn(&Intake<E>) -> u64| -> Cursor {
            let end = |(core, intake): (usize, &Intake<E>)| match (end(intake), intake.before) {
                (0, Some(before)) => Some(before),
                (0, None) if intake.feed.is_none() => None,
                (end, _) => Some(self.position(core, end)),
            };
            self.intakes.iter().enumerate().filter_map(end).collect()
        };
        let (appended, durable) =
            (cursor(|intake| intake.appended), cursor(|intake| intake.durable));
        let feeds = self.intakes.iter().filter_map(|intake| intake.feed.as_ref());
        let missing = feeds.map(|feed| feed.shared.missing.get()).sum::<u64>() + self.unwritten;
        let mut status = lock(&self.link.status);
        status.appended = appended;
        status.durable = durable;
        status.missing = missing;
        status.syncs += u64::from(synced);
    }

    /// From here on nothing is acknowledged; subscriptions that wait for that end.
    pub(super) fn fail(&mut self, error: &LogError) {
        if !self.failed {
            self.failed = true;
            tracing::error!(%error, "the event log failed; nothing more is durable");
            lock(&self.link.status).failed = Some(error.to_string());
        }
        for intake in &mut self.intakes {
            // Some of them have been counted before.
            self.unwritten += intake.group.len().saturating_sub(intake.unwritten.len()) as u64;
            intake.unwritten.clear();
            intake.group.drain(..).for_each(drop_quietly);
        }
        // Also those that a source has yet to learn of.
        self.end_all();
        self.release_all();
    }

    /// Where the source's durable events end. As below, a source that this system does not have may be asked for: gaps
    /// come from systems with more cores.
    pub(super) fn durable(&self, source: usize) -> Position {
        self.position(source, self.intakes.get(source).map_or(0, |intake| intake.durable))
    }

    /// Where those end that are durable, or could not be written.
    pub(super) fn shown(&self, source: usize) -> Position {
        let shown = |intake: &Intake<E>| intake.durable.max(intake.shown);
        self.position(source, self.intakes.get(source).map_or(0, shown))
    }

    /// Whether nothing of the source is on its way to the log.
    pub(super) fn is_idle(&mut self, source: usize) -> bool {
        let feed = self.intakes.get_mut(source).and_then(|intake| intake.feed.as_mut());
        feed.is_none_or(|feed| feed.ring.is_empty())
    }

    pub(super) fn count_panicked_filter(&self, source: usize) {
        self.bus.log_stats(source).filters_panicked.add(1);
    }

    pub(super) fn has_failed(&self) -> bool {
        self.failed
    }
}

impl<E> Writer<E> {
    /// How often the sources have been told of their subscriptions.
    fn learned_now(&self) -> u64 {
        let feeds = self.intakes.iter().filter_map(|intake| intake.feed.as_ref());
        feeds.map(|feed| feed.shared.learned.get()).sum()
    }
}

/// The feeds.
impl<E> Polled for Writer<E> {
    fn each_bell(&self, each: impl Fn(&LaneBell)) {
        let feeds = self.intakes.iter().filter_map(|intake| intake.feed.as_ref());
        feeds.for_each(|feed| each(&feed.shared.bell));
    }

    /// A loss rings like an event, and is not in the ring; who waits for it may be known to its source since just then.
    fn has_request(&mut self) -> bool {
        let has_news = self.intakes.iter_mut().any(|Intake { feed, lost, .. }| {
            feed.as_mut().is_some_and(|feed| !feed.ring.is_empty() || feed.lost() != *lost)
        });
        has_news || self.learned_now() != self.learned
    }
}
