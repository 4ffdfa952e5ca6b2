//! Checkpoints: all cores stand still, every actor writes its state down, all cores go on.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Condvar, Mutex, PoisonError, mpsc};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use tokio::sync::oneshot;

use super::{Inner, lock};
use crate::client::block::block_on;
use crate::clock::later;
use crate::core_loop::barrier::Taken;
use crate::core_loop::{Core, on_core_thread};
use crate::isolate::drop_quietly;

/// What a checkpoint came to.
#[derive(Debug, Clone, Default)]
pub struct CheckpointReport {
    taken: usize,
    failures: Vec<CheckpointFailure>,
}

impl CheckpointReport {
    /// Actors, counted by shards, that have written their state down.
    pub fn taken(&self) -> usize {
        self.taken
    }

    /// Those that have not, and why.
    pub fn failures(&self) -> &[CheckpointFailure] {
        &self.failures
    }

    /// Whether every actor with a `#[checkpoint]` has written its state down.
    pub fn is_complete(&self) -> bool {
        self.failures.is_empty()
    }

    /// From what became of the actors of each core.
    pub(crate) fn of(cores: impl IntoIterator<Item = (usize, Vec<Taken>)>) -> Self {
        let mut report = Self::default();
        for (core, taken) in cores {
            for taken in taken {
                report.add(core, taken);
            }
        }
        report
    }

    fn add(&mut self, core: usize, taken: Taken) {
        let Taken { actor, shard, failure } = taken;
        match failure {
            None => self.taken += 1,
            Some(cause) => self.failures.push(CheckpointFailure { actor, shard, core, cause }),
        }
    }
}

/// An actor that has not written its state down.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct CheckpointFailure {
    /// The actor's type name.
    pub actor: &'static str,
    /// Its shard, counted from 0.
    pub shard: usize,
    /// Its core, counted from 0.
    pub core: usize,
    /// What the hook answered, or what kept it from answering.
    pub cause: String,
}

/// Why there is no checkpoint.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CheckpointError {
    /// Not every core stood still in time; hooks may have run on some of them.
    #[error("not every core stood still in time")]
    TimedOut,
    /// The system is shutting down, or has lost a core just now.
    #[error("the system is shutting down, or has lost a core")]
    Stopping,
    /// The operating system refused a thread.
    #[error("the operating system refused a thread: {0}")]
    Os(#[from] std::io::Error),
    /// `.wait()` was called on a core's own thread.
    #[error("`.wait()` would block the core that it was called on")]
    WouldBlockCore,
}

/// Waits for a checkpoint; made by [`System::checkpoint`](crate::System::checkpoint).
///
/// # Cancel safety
///
/// The checkpoint goes on whether or not anybody waits for it.
#[must_use = "the report says whether every state was written down"]
pub struct Checkpoint(
    Pin<Box<dyn Future<Output = Result<CheckpointReport, CheckpointError>> + Send>>,
);

impl Checkpoint {
    /// Waits on this thread.
    ///
    /// # Errors
    ///
    /// As for `.await`, and [`CheckpointError::WouldBlockCore`] on a core's own thread.
    pub fn wait(self) -> Result<CheckpointReport, CheckpointError> {
        if on_core_thread() {
            return Err(CheckpointError::WouldBlockCore);
        }
        block_on(self)
    }
}

impl Future for Checkpoint {
    type Output = Result<CheckpointReport, CheckpointError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        self.0.as_mut().poll(context)
    }
}

impl fmt::Debug for Checkpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Checkpoint").finish_non_exhaustive()
    }
}

/// One checkpoint at a time.
#[derive(Debug, Default)]
pub(super) struct Turns {
    taken: Mutex<bool>,
    free: Condvar,
}

/// Whose turn it is.
struct Alone<'a>(&'a Turns);

impl Turns {
    /// `None` when the one before has not ended by then.
    fn begin(&self, deadline: Instant) -> Option<Alone<'_>> {
        let left = deadline.saturating_duration_since(Instant::now());
        let waited = self.free.wait_timeout_while(lock(&self.taken), left, |taken| *taken);
        let (mut taken, _) = waited.unwrap_or_else(PoisonError::into_inner);
        let is_free = !std::mem::replace(&mut *taken, true);
        drop(taken);
        is_free.then(|| Alone(self))
    }
}

impl Drop for Alone<'_> {
    fn drop(&mut self) {
        *lock(&self.0.taken) = false;
        self.0.free.notify_one();
    }
}

impl Inner {
    pub(super) fn checkpoint(self: &Arc<Self>, within: Duration) -> Checkpoint {
        let (report, done) = oneshot::channel();
        let deadline = later(Instant::now(), within);
        let inner = Arc::clone(self);
        let thread = std::thread::Builder::new().name("tpc-checkpoint".to_owned());
        let started = thread.spawn(move || {
            let outcome = inner.take_checkpoint(deadline);
            // Nobody may wait for it any more.
            drop(report.send(outcome));
        });
        Checkpoint(Box::pin(async move {
            started?;
            done.await.unwrap_or(Err(CheckpointError::Stopping))
        }))
    }

    fn take_checkpoint(&self, deadline: Instant) -> Result<CheckpointReport, CheckpointError> {
        // One after the other: a second one must not have the cores go on under the first.
        let _alone = self.checkpoints.begin(deadline).ok_or(CheckpointError::TimedOut)?;
        // Declared before anything stands still, and dropped on every way out.
        let _go_on = GoOn(self);
        self.on_every_core(deadline, Core::stand_still)?;
        let taken = self.on_every_core(deadline, Core::checkpoint)?;
        Ok(CheckpointReport::of(taken))
    }

    /// Has every core do something; what came of it, by core.
    fn on_every_core<R: Send + 'static>(
        &self,
        deadline: Instant,
        what: fn(&mut Core) -> R,
    ) -> Result<Vec<(usize, R)>, CheckpointError> {
        let (answer, answers) = mpsc::channel();
        for core in &self.cores {
            let (answer, index) = (answer.clone(), core.index);
            let command = move |core: &mut Core| drop_quietly(answer.send((index, what(core))));
            core.command(Box::new(command)).map_err(|_| CheckpointError::Stopping)?;
        }
        drop(answer);
        let mut done = Vec::with_capacity(self.cores.len());
        while done.len() < self.cores.len() {
            let left = deadline.saturating_duration_since(Instant::now());
            done.push(answers.recv_timeout(left).map_err(|error| match error {
                mpsc::RecvTimeoutError::Timeout => CheckpointError::TimedOut,
                mpsc::RecvTimeoutError::Disconnected => CheckpointError::Stopping,
            })?);
        }
        done.sort_by_key(|(core, _)| *core);
        Ok(done)
    }
}

/// Has every core go on when it is dropped. A core that comes late to its standing still finds this behind
/// it.
struct GoOn<'a>(&'a Inner);

impl Drop for GoOn<'_> {
    fn drop(&mut self) {
        for core in &self.0.cores {
            drop(core.command(Box::new(Core::go_on)));
        }
    }
}
