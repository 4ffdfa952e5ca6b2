//! The end of a system, and the report about it.
//!
//! A thread of its own carries it out, so that it works the same from async code, from a plain thread,
//! from a handler and from `Drop`, and so that nobody joins himself.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, mpsc};
use std::task::{Context, Poll, Waker};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::status::Watched;
use super::{CoreThread, Inner, lock};
use crate::clock::later;
use crate::core_loop::shared::CoreShared;
use crate::isolate::{catch, drop_quietly, wake_quietly};
use crate::join::join_until;
use crate::mailbox::Life;

/// How a system ended.
///
/// # What is clean
///
/// Nothing panicked, everything accepted was finished, and every thread was joined. A request is finished when its handler
/// has run: whoever keeps its [`Reply`](crate::Reply) does not keep the system from ending, unless it is kept by something
/// that the end waits for. Askers of such replies are told [`Stopping`](crate::AskError::Stopping), with `started: true`; an
/// actor that can answer them then does so in `#[on_stop]`.
#[derive(Debug, Clone, Default)]
pub struct ShutdownReport {
    finished: u64,
    rejected: u64,
    abandoned: u64,
    panics: u64,
    restarts: u64,
    stuck: Vec<String>,
    lost: Vec<String>,
}

impl ShutdownReport {
    /// Whether everything accepted was finished, without a panic, by threads that all ended.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        let Self { finished: _, restarts: _, rejected, abandoned, panics, stuck, lost } = self;
        (*rejected, *abandoned, *panics) == (0, 0, 0) && stuck.is_empty() && lost.is_empty()
    }

    /// Requests whose handlers were run, over the whole life of the system.
    pub fn finished(&self) -> u64 {
        self.finished
    }

    /// Accepted requests that were answered without having run, because their actor or the system ended, or the actor was
    /// not served and its policy keeps no queue meanwhile.
    pub fn rejected(&self) -> u64 {
        self.rejected
    }

    /// Continuations of `cx.ask` and `cx.offload` that had not run when the drain time was over.
    pub fn abandoned(&self) -> u64 {
        self.abandoned
    }

    /// Panics that were caught, over the whole life of the system.
    pub fn panics(&self) -> u64 {
        self.panics
    }

    /// Restarts of actors, over the whole life of the system.
    pub fn restarts(&self) -> u64 {
        self.restarts
    }

    /// Threads that did not end in time, by name; they are left behind.
    pub fn stuck_threads(&self) -> &[String] {
        &self.stuck
    }

    /// Threads that ended by a panic outside every actor, by name.
    pub fn lost_threads(&self) -> &[String] {
        &self.lost
    }
}

impl fmt::Display for ShutdownReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { finished, rejected, abandoned, panics, restarts, stuck, lost } = self;
        write!(
            f,
            "{finished} finished, {rejected} rejected, {abandoned} abandoned, {panics} panics, \
             {restarts} restarts"
        )?;
        for (what, threads) in [("stuck", stuck), ("lost", lost)] {
            if !threads.is_empty() {
                write!(f, ", {what}: {}", threads.join(", "))?;
            }
        }
        Ok(())
    }
}

/// Waits for the end of a system; made by [`System::shutdown`](crate::System::shutdown).
///
/// # Cancel safety
///
/// The end goes on whether or not anybody waits for it.
#[must_use = "the report says whether everything was finished"]
pub struct Shutdown {
    ending: Arc<Ending>,
}

impl Future for Shutdown {
    type Output = ShutdownReport;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<ShutdownReport> {
        // Cloned outside the lock: a waker is foreign code.
        let waker = context.waker().clone();
        let mut progress = lock(&self.ending.progress);
        if let Some(report) = &progress.report {
            return Poll::Ready(report.clone());
        }
        if !progress.waiting.iter().any(|other| other.will_wake(&waker)) {
            progress.waiting.push(waker);
        }
        Poll::Pending
    }
}

impl fmt::Debug for Shutdown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let over = lock(&self.ending.progress).report.is_some();
        f.debug_struct("Shutdown").field("over", &over).finish()
    }
}

#[derive(Default)]
struct Progress {
    report: Option<ShutdownReport>,
    waiting: Vec<Waker>,
}

/// An end that has begun.
#[derive(Default)]
pub(super) struct Ending {
    progress: Mutex<Progress>,
}

impl Ending {
    fn over(&self, report: ShutdownReport) {
        let waiting = {
            let mut progress = lock(&self.progress);
            progress.report = Some(report);
            std::mem::take(&mut progress.waiting)
        };
        for waker in waiting {
            wake_quietly(waker);
        }
    }
}

/// Beyond the drain time, how long the cores may take for their hooks and last answers.
const GRACE: Duration = Duration::from_millis(100);
/// Beyond the drain time, how long the event logs may take to make durable what was published.
const LOG_GRACE: Duration = Duration::from_secs(2);

/// Joins a thread that calls foreign code: wakers, or who hears of stalls. Its name, if it has not come back `until` then.
fn join_helper(thread: &Mutex<Option<JoinHandle<()>>>, until: Instant) -> Option<String> {
    match join_until(lock(thread).take()?, until) {
        Ok(ended) => {
            drop_quietly(ended);
            None
        }
        Err(thread) => Some(thread.thread().name().unwrap_or_default().to_owned()),
    }
}

impl Inner {
    /// Begins the end, unless it has begun.
    pub(super) fn shut_down(self: &Arc<Self>, drain_time: Duration) -> Shutdown {
        let mut slot = lock(&self.ending);
        if let Some(ending) = &*slot {
            return Shutdown { ending: Arc::clone(ending) };
        }
        let ending = Arc::new(Ending::default());
        *slot = Some(Arc::clone(&ending));
        drop(slot);
        // Here, so that nothing is accepted that this thread sends from now on.
        drop(catch(|| self.begin_drain()));
        let (inner, theirs) = (Arc::clone(self), Arc::clone(&ending));
        // Whatever happens, whoever waits for the report gets one.
        let end = move || {
            let report = catch(|| inner.end(drain_time)).unwrap_or_else(|message| {
                tracing::error!(message, "the shutdown was not orderly");
                inner.report(0, Vec::new(), vec!["tpc-shutdown".to_owned()])
            });
            theirs.over(report);
        };
        let thread = std::thread::Builder::new().name("tpc-shutdown".to_owned());
        if let Err(error) = thread.spawn(end) {
            // Without a thread the cores can still be told to end; nobody joins them.
            tracing::error!(%error, "no thread for an orderly shutdown");
            self.finish_cores(&mpsc::channel().0);
            ending.over(self.report(0, Vec::new(), Vec::new()));
        }
        Shutdown { ending }
    }

    fn end(&self, drain_time: Duration) -> ShutdownReport {
        let deadline = later(Instant::now(), drain_time);
        self.drain(deadline);
        let (abandoned, counts) = mpsc::channel();
        self.finish_cores(&abandoned);
        drop(abandoned);
        let (mut stuck, mut lost) = self.join(deadline.max(Instant::now()) + GRACE);
        // Not before: until then it wakes whom a core has answered that sticks.
        self.nap.end();
        #[cfg(tpc_planted)]
        if crate::sync::planted!("leak-descriptor", 1 in 2) {
            Box::leak(Box::new(Arc::clone(&self.cores[0])));
        }
        lost.extend(lock(&self.lost_cores).drain(..));
        for core in &self.cores {
            core.abandon_orphans();
        }
        let logs = self.bus.close(deadline.max(Instant::now()) + LOG_GRACE);
        for core in self.cores.iter().filter(|core| stuck.contains(&self.thread_name(core.index))) {
            self.give_up(core);
        }
        self.keeper.stop();
        let until = deadline.max(Instant::now()) + GRACE;
        // Left behind with those that still wait for a time: a leaked reply, or a stuck handler.
        if self.keeper.is_idle() {
            stuck.extend(join_helper(&self.keeper_thread, until));
        }
        // It may have been replacing a core, and has told its callers.
        stuck.extend(join_helper(&self.warden_thread, until));
        self.offload.shut_down();
        stuck.extend(std::iter::repeat_n("tpc-log".to_owned(), logs));
        self.report(counts.try_iter().sum(), stuck, lost)
    }

    /// Refuses outside senders from here on, and goes on with what was accepted.
    pub(super) fn begin_drain(&self) {
        for core in &self.cores {
            drop(core.command(Box::new(crate::core_loop::Core::drain)));
        }
        // A core that is stuck would not get round to refusing anybody.
        let actors: Vec<_> = lock(&self.actors).iter().filter_map(Watched::upgrade).collect();
        for actor in actors {
            actor.advance(Life::Draining);
            drop_quietly(actor);
        }
    }

    fn finish_cores(&self, abandoned: &mpsc::Sender<u64>) {
        for core in &self.cores {
            let abandoned = abandoned.clone();
            core.finish(Box::new(move |core| {
                let _ = abandoned.send(core.finish() as u64);
            }));
        }
    }

    /// Answers what a core that does not move any more will not answer.
    fn give_up(&self, core: &CoreShared) {
        core.refuse_starts();
        // Acted on outside the lock: wakers and what slots hold are foreign.
        let actors: Vec<_> = lock(&self.actors).iter().filter_map(|actor| actor.on(core)).collect();
        for actor in actors {
            actor.give_up();
            drop_quietly(actor);
        }
        core.answered.wake_all();
    }

    /// Joins the cores' threads; names of those that are stuck, and of those that panicked.
    fn join(&self, deadline: Instant) -> (Vec<String>, Vec<String>) {
        let mut stuck = Vec::new();
        let mut lost = Vec::new();
        // Not locked over the loop: the warden looks at them, too.
        let threads = std::mem::take(&mut *lock(&self.threads));
        for CoreThread { index: _, name, thread } in threads {
            match join_until(thread, deadline) {
                Ok(Ok(())) => {}
                Ok(Err(payload)) => {
                    drop_quietly(payload);
                    lost.push(name);
                }
                Err(_) => stuck.push(name),
            }
        }
        (stuck, lost)
    }

    pub(super) fn report(
        &self,
        abandoned: u64,
        stuck: Vec<String>,
        lost: Vec<String>,
    ) -> ShutdownReport {
        let mut report = ShutdownReport { abandoned, stuck, lost, ..ShutdownReport::default() };
        for core in &self.cores {
            let stats = &core.stats;
            report.finished += stats.handled.get();
            report.rejected += core.rejected.load(Ordering::Relaxed);
            report.panics += stats.panics.get();
            report.restarts += stats.restarts.get();
        }
        report
    }
}
