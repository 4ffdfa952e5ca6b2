//! Futures that run on Tokio on behalf of an actor.

use std::fmt;
use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::runtime::{Builder, Handle, Runtime};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

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
    ) -> impl Future<Output = Result<F::Output, String>> + use<F>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        let started = match &self.futures {
            Some(futures) => Ok(Started::Simulated(futures.add(future))),
            None => self.handle().map(|handle| Started::Task(AbortOnDrop(handle.spawn(future)))),
        };
        async move {
            let started = started.map_err(|error| format!("no Tokio runtime: {error}"))?;
            let mut running = match started {
                Started::Simulated(future) => {
                    return future.await.unwrap_or_else(|_| Err(GONE.to_owned()));
                }
                Started::Task(running) => running,
            };
            (&mut running.0).await.map_err(|error| match error.try_into_panic() {
                Ok(payload) => {
                    let message = catch(|| std::panic::resume_unwind(payload));
                    message.err().unwrap_or_default()
                }
                Err(_) => GONE.to_owned(),
            })
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

/// Why there is no output of a future that was not polled to its end.
const GONE: &str = "its runtime was shut down";

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
