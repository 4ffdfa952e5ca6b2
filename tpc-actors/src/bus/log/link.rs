//! What the sources, the subscriptions and the log's thread share.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Instant;

use super::super::fetch::Answer;
use super::super::lock;
use super::super::registry::Bus;
use super::feed::{Fed, Feed, FeedReader, feed};
use super::reads::FoundInLog;
use super::writer::Writer;
use super::{DecodeError, EventLog, LogError, LogEvent, LogOptions, LogStatus, guarded};
use crate::bridge::bell::{CoreBell, LaneBell};
use crate::bridge::doorbell::platform_doorbell;
use crate::bridge::inbox::Inbox;
use crate::bridge::ring::check_capacity;
use crate::isolate::drop_quietly;
use crate::join::join_until;
use crate::placement::CpuSet;

/// Something for the log's thread to do between two groups.
pub(super) type Command<E> = Box<dyn FnOnce(&mut Writer<E>) + Send>;

/// What the log's thread is told.
struct LogNews<E> {
    commands: Vec<Command<E>>,
    /// Who waits for what is found in the log, by number: here, so that a log that hangs keeps nobody.
    asking: BTreeMap<u64, Answer<E, FoundInLog<E>>>,
    asked: u64,
    /// Feeds of sources that have come up, by source.
    feeds: Vec<(usize, FeedReader<E>)>,
    stop: bool,
    /// The thread has ended.
    closed: bool,
}

/// The link between a bus and its log.
pub(in crate::bus) struct LogLink<E> {
    pub(super) encode: fn(&E, &mut Vec<u8>),
    pub(super) decode: fn(&[u8]) -> Result<E, DecodeError>,
    pub(super) options: LogOptions,
    pub(super) bell: Arc<CoreBell>,
    inbox: Inbox<LogNews<E>>,
    pub(super) status: Mutex<LogStatus>,
    thread: Mutex<Option<JoinHandle<()>>>,
    pub(in crate::bus) epoch: u64,
}

/// What the log's thread finds there.
pub(super) struct News<E> {
    pub(super) commands: Vec<Command<E>>,
    pub(super) feeds: Vec<(usize, FeedReader<E>)>,
    pub(super) stop: bool,
}

impl<E> Default for News<E> {
    fn default() -> Self {
        Self { commands: Vec::new(), feeds: Vec::new(), stop: false }
    }
}

impl<E: Send + Clone + 'static> LogLink<E> {
    /// Begins an epoch. The log's thread starts with [`Self::start`].
    pub(in crate::bus) fn new(
        log: &mut dyn EventLog,
        options: LogOptions,
    ) -> Result<Arc<Self>, LogError>
    where
        E: LogEvent,
    {
        check_capacity::<Fed<E>>(options.feed_capacity)?;
        let doorbell = platform_doorbell().map_err(LogError::failed)?;
        let bell = Arc::new(CoreBell::new(doorbell));
        let news = LogNews {
            commands: Vec::new(),
            asking: BTreeMap::new(),
            asked: 0,
            feeds: Vec::new(),
            stop: false,
            closed: false,
        };
        Ok(Arc::new(Self {
            encode: E::encode,
            decode: E::decode,
            options,
            inbox: Inbox::new(Arc::clone(&bell), news),
            bell,
            status: Mutex::default(),
            thread: Mutex::default(),
            epoch: guarded(|| log.begin_epoch())?,
        }))
    }

    /// Starts the log's thread, on the CPUs that the cores leave free.
    pub(in crate::bus) fn start(
        self: &Arc<Self>,
        bus: &Arc<Bus<E>>,
        log: Box<dyn EventLog>,
        cpus: CpuSet,
    ) -> Result<(), LogError> {
        let link = Arc::clone(self);
        let mut writer = Writer::new(link, Arc::clone(bus), log);
        writer.update_status(false);
        let thread = std::thread::Builder::new().name("tpc-log".to_owned());
        let run = move || {
            // A thread inherits the CPU of a core that starts it.
            cpus.bind_current_thread();
            writer.run_to_its_end();
        };
        let started = thread.spawn(run).map_err(LogError::failed);
        if let Err(error) = &started {
            lock(&self.status).failed = Some(error.to_string());
            self.close();
        }
        *lock(&self.thread) = Some(started?);
        Ok(())
    }

    /// A feed for a source that has come up.
    pub(in crate::bus) fn open_feed(&self, source: usize) -> Option<Feed<E>> {
        let lane = u32::try_from(source).ok()?;
        let bell = LaneBell::new(Arc::clone(&self.bell), lane);
        match feed(self.options.feed_capacity, source, bell) {
            Ok((feed, reader)) => {
                self.inbox.tell(|news| news.feeds.push((source, reader)));
                Some(feed)
            }
            Err(error) => {
                // A source that is not logged would be a log that lies.
                self.command(Box::new(move |writer: &mut Writer<E>| {
                    writer.fail(&LogError::Capacity(error));
                }));
                None
            }
        }
    }

    /// Has `command` run on the log's thread; dropped when that has ended.
    pub(super) fn command(&self, command: Command<E>) {
        let refused = self.inbox.command(|news| {
            if news.closed {
                return Some(command);
            }
            news.commands.push(command);
            None
        });
        drop_quietly(refused);
    }

    /// Has the log's thread look for subscriptions that have come or gone.
    pub(in crate::bus) fn look_at_subscriptions(&self) {
        self.bell.ring_news();
    }

    /// For the log's thread: what is new, if anything may be.
    pub(super) fn take_news(&self) -> Option<News<E>> {
        self.inbox.take(drop, |news| News {
            commands: std::mem::take(&mut news.commands),
            feeds: std::mem::take(&mut news.feeds),
            stop: news.stop,
        })
    }

    /// Nothing is taken any more; who waits is told.
    pub(super) fn close(&self) {
        let (left, asking) = {
            let mut news = self.inbox.news();
            news.closed = true;
            (std::mem::take(&mut news.commands), std::mem::take(&mut news.asking))
        };
        left.into_iter().for_each(drop_quietly);
        // Their wakers are foreign.
        asking.into_values().for_each(drop_quietly);
    }

    /// Keeps the place of an answer until it is there; its number. Dropped when nobody answers any more.
    pub(super) fn keep_answer(&self, answer: Answer<E, FoundInLog<E>>) -> u64 {
        let mut news = self.inbox.news();
        news.asked += 1;
        let number = news.asked;
        let refused = if news.closed { Some(answer) } else { news.asking.insert(number, answer) };
        drop(news);
        drop_quietly(refused);
        number
    }

    pub(super) fn take_answer(&self, number: u64) -> Option<Answer<E, FoundInLog<E>>> {
        self.inbox.news().asking.remove(&number)
    }

    /// Why the thread has ended before its time, if it has.
    pub(in crate::bus) fn why_over(&self) -> Option<String> {
        if !self.inbox.news().closed {
            return None;
        }
        lock(&self.status).failed.clone()
    }

    /// Has everything written that was published; the thread ends then.
    pub(in crate::bus) fn stop(&self) {
        self.inbox.command(|news| news.stop = true);
    }

    /// Waits for that; false when the thread is left behind, because it has not ended `until` then.
    pub(in crate::bus) fn join(&self, until: Instant) -> bool {
        let Some(thread) = lock(&self.thread).take() else { return true };
        let Ok(ended) = join_until(thread, until) else {
            tracing::error!("an event log did not come to an end with its system");
            self.close();
            return false;
        };
        drop_quietly(ended);
        true
    }

    pub(in crate::bus) fn status(&self) -> LogStatus {
        lock(&self.status).clone()
    }
}

impl<E: Send + Clone + 'static> Bus<E> {
    /// Whether the log's view of the subscriptions is the newest.
    pub(super) fn version_now(&self) -> u64 {
        self.version.load(Ordering::Acquire)
    }
}
