//! Where benchmarks run: callers on a Tokio worker of one CPU, what they call on another one.

use std::future::Future;
use std::sync::OnceLock;
use std::thread;
use std::time::Duration;

use tokio::runtime::{Builder, Runtime};
use tpc_actors::placement::Placement;
use tpc_actors::{System, SystemBuilder};

use crate::pin;

/// A runtime with one worker, and a CPU that it leaves free.
#[derive(Debug)]
pub struct Stage {
    pub runtime: Runtime,
    pub cpu: usize,
    placement: Placement,
}

impl Stage {
    pub fn new() -> Self {
        let placement = Placement::plan(1);
        let cpu = placement.data_plane().first().copied().unwrap_or(0);
        let control = placement.control_plane();
        let runtime = Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .on_thread_start(move || _ = control.bind_current_thread())
            .build()
            .expect("a runtime");
        Self { runtime, cpu, placement }
    }

    /// A system with one core on the free CPU, which looks for so long before it sleeps. Benchmarks take turns
    /// on that CPU, and only the one that is measured may spin.
    pub fn system(&self, spin: Duration) -> System {
        self.builder(spin).start().expect("a system")
    }

    /// As [`Self::system`], for one with more options.
    pub fn builder(&self, spin: Duration) -> SystemBuilder {
        System::builder().placement(self.placement.clone()).spin(spin)
    }

    /// Runs `work` as a task, where a user's code would run.
    pub fn in_task<T: Send + 'static>(&self, work: impl Future<Output = T> + Send + 'static) -> T {
        self.runtime.block_on(async { tokio::spawn(work).await.expect("no panic") })
    }
}

impl Default for Stage {
    fn default() -> Self {
        Self::new()
    }
}

/// Runs `serve` on a thread of that CPU.
pub fn on_cpu(cpu: usize, serve: impl FnOnce() + Send + 'static) {
    thread::spawn(move || {
        pin(cpu);
        serve();
    });
}

/// Runs what `start` begins on a current-thread runtime of that CPU, for good.
pub fn on_runtime<P: Send + 'static, F: Future<Output = P>>(
    cpu: usize,
    start: impl FnOnce() -> F + Send + 'static,
) -> P {
    let (started, waits) = std::sync::mpsc::channel();
    on_cpu(cpu, move || {
        let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
        let local = tokio::task::LocalSet::new();
        runtime.block_on(local.run_until(async {
            let _ = started.send(start().await);
            std::future::pending::<()>().await;
        }));
    });
    waits.recv().expect("it starts")
}

/// A current-thread runtime on the CPU that the core leaves free; the calling thread is bound there.
#[derive(Debug)]
pub struct Outside {
    pub cpu: usize,
    pub runtime: Runtime,
}

/// A system with one core, the CPU of that core, and what is beside it.
pub fn beside_core() -> (System, usize, Outside) {
    beside_core_of(System::builder())
}

/// The same with options.
pub fn beside_core_of(builder: SystemBuilder) -> (System, usize, Outside) {
    // Once, because a plan is made of the CPUs that this thread has before it is bound below.
    static PLACEMENT: OnceLock<Placement> = OnceLock::new();
    let placement = PLACEMENT.get_or_init(|| Placement::plan(1)).clone();
    let core = placement.data_plane().first().copied().unwrap_or(0);
    let cpu = placement.control_plane().iter().next().unwrap_or(core);
    pin(cpu);
    let system = builder.placement(placement).start().expect("it starts");
    let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
    (system, core, Outside { cpu, runtime })
}
