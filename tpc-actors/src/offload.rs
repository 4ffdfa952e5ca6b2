//! Futures that run on Tokio on behalf of an actor.

use std::fmt;
use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::runtime::{Builder, Handle, Runtime};
use tokio::sync::oneshot;
use tokio::task::{JoinError, JoinHandle};

use crate::isolate::{catch, drop_quietly};
use crate::placement::CpuSet;
use crate::sim::OffloadedFutures;

/// Where offloaded futures run: the Tokio runtime around the system's start, or one of our own.
pub(crate) struct Offload {
    around: Option<Handle>,
    own: Mutex<Option<Runtime>>,
    /// There if the system is simulated, which polls them itself.
    futures: Option<Arc<OffloadedFutures>>,
    /// CPUs for the threads of our own runtime: a core starts it, and must not pass its one CPU on.
    cpus: CpuSet,
}

impl Offload {
    pub(crate) fn new(around: Option<Handle>, cpus: CpuSet) -> Self {
        Self { around, own: Mutex::new(None), futures: None, cpus }
    }

    /// Has futures polled by a simulation.
    pub(crate) fn simulated(futures: Arc<OffloadedFutures>) -> Self {
        let (own, cpus) = (Mutex::new(None), CpuSet::default());
        Self { around: None, own, futures: Some(futures), cpus }
    }

    /// The runtime that the system was started in.
    pub(crate) fn around(&self) -> Option<&Handle> {
        self.around.as_ref()
    }

    fn handle(&self) -> Result<Handle, std::io::Error> {
        if let Some(around) = &self.around {
            return Ok(around.clone());
        }
        let mut own = self.own.lock().unwrap_or_else(PoisonError::into_inner);
        if own.is_none() {
            let cpus = self.cpus.clone();
            let runtime = Builder::new_multi_thread()
                .worker_threads(1)
                .thread_name("tpc-offload")
                .on_thread_start(move || _ = cpus.bind_current_thread())
                .enable_all()
                .build()?;
            *own = Some(runtime);
        }
        Ok(own.as_ref().map(|runtime| runtime.handle().clone()).expect("just built"))
    }

    /// Starts `future`; the returned future gives its output, or why there is none. Dropping that
    /// aborts it.
    pub(crate) fn spawn<F>(
        &self,
        future: F,
    ) -> impl Future<Output = Result<F::Output, NoOutput>> + use<F>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        let started = match &self.futures {
            Some(futures) => Ok(Started::Simulated(futures.add(future))),
            None => self.handle().map(|handle| Started::Task(AbortOnDrop(handle.spawn(future)))),
        };
        async move {
            match started.map_err(NoOutput::NoRuntime)? {
                Started::Simulated(future) => {
                    future.await.map_err(|_| NoOutput::Gone)?.map_err(NoOutput::Panicked)
                }
                Started::Task(mut running) => (&mut running.0).await.map_err(NoOutput::of),
            }
        }
    }

    /// Ends our own runtime without waiting for it.
    pub(crate) fn shut_down(&self) {
        if let Some(futures) = &self.futures {
            futures.clear();
        }
        let own = self.own.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(runtime) = own {
            // Waiting would panic inside async code and could hang on a blocking call.
            runtime.shutdown_background();
        }
    }
}

impl Drop for Offload {
    fn drop(&mut self) {
        drop_quietly(self.around.take());
        self.shut_down();
    }
}

impl fmt::Debug for Offload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Offload").field("around", &self.around.is_some()).finish_non_exhaustive()
    }
}

/// Why there is no output of an offloaded future.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NoOutput {
    #[error("it panicked: {0}")]
    Panicked(String),
    #[error("its runtime was shut down")]
    Gone,
    #[error("no Tokio runtime: {0}")]
    NoRuntime(std::io::Error),
}

impl NoOutput {
    fn of(error: JoinError) -> Self {
        let Ok(payload) = error.try_into_panic() else { return Self::Gone };
        let message = catch(|| std::panic::resume_unwind(payload));
        Self::Panicked(message.err().unwrap_or_default())
    }
}

/// An offloaded future that runs.
enum Started<T> {
    Task(AbortOnDrop<T>),
    Simulated(oneshot::Receiver<Result<T, String>>),
}

struct AbortOnDrop<T>(JoinHandle<T>);

impl<T> Drop for AbortOnDrop<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}
