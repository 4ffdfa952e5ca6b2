//! Options of a system, and its start.

use std::fmt;
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};

use super::assembly::Ground;
use super::cores::Placed;
use super::stall_report::{OnStall, StallReport};
use super::warden::{self, WatchOptions};
use super::{System, lock};
use crate::bridge::doorbell::platform_doorbell;
use crate::clock::{Clock, SystemClock};
use crate::core_loop::idle::Idle;
use crate::core_loop::incidents::CorePolicy;
use crate::error::StartError;
use crate::keeper::Keeper;
use crate::offload::Offload;
use crate::placement::{Pin, Placement, PlacementError};
use crate::supervision::{OnPanic, Queue, Supervise, Watchdog};

/// Options of a system; made by [`System::builder`].
///
/// ```
/// use std::time::Duration;
/// use tpc_actors::System;
/// use tpc_actors::placement::Pin;
///
/// let system = System::builder()
///     .cores(2)
///     .pin(Pin::Off)
///     .spin(Duration::ZERO)
///     .tasks_max(1024)
///     .start()?;
/// assert_eq!(system.cores().len(), 2);
/// # system.shutdown_wait(Duration::from_secs(1));
/// # Ok::<(), tpc_actors::StartError>(())
/// ```
#[derive(Debug, Clone)]
#[must_use = "nothing runs before `.start()`"]
pub struct SystemBuilder {
    cores: Option<usize>,
    placement: Option<Placement>,
    pin: Pin,
    spin: Option<Duration>,
    park_backstop: Option<Duration>,
    pub(super) tasks_max: usize,
    pub(super) drop_drain_time: Duration,
    tokio: Option<tokio::runtime::Handle>,
    pub(super) thread_name: String,
    pub(super) core_policy: CorePolicy,
    pub(super) watch: WatchOptions,
}

/// The shortest sleep and the shortest stall that one can ask for.
const SHORTEST: Duration = Duration::from_millis(1);

/// Cores that one system may have.
const CORES_MAX: usize = 1024;

/// How long a core with a CPU of its own looks for work before it sleeps: about one wake-up, the most
/// that can be regretted (Karlin et al., "Competitive randomized algorithms for nonuniform problems").
const DEDICATED_SPIN: Duration = Duration::from_micros(50);

impl SystemBuilder {
    pub(super) fn new() -> Self {
        Self {
            cores: None,
            placement: None,
            pin: Pin::default(),
            spin: None,
            park_backstop: (!cfg!(debug_assertions)).then_some(Duration::from_millis(100)),
            tasks_max: 65_536,
            drop_drain_time: Duration::from_secs(1),
            tokio: None,
            thread_name: "tpc-core".to_owned(),
            core_policy: CorePolicy::default(),
            watch: WatchOptions::default(),
        }
    }

    /// How many cores to run; by default one fewer than the CPUs that the process may use, and at
    /// least one. Beside a [`placement`](Self::placement) it may be left out, and another number than that of
    /// the plan is refused at the start.
    pub fn cores(mut self, cores: usize) -> Self {
        self.cores = Some(cores);
        self
    }

    /// Uses a plan that was made before, and its number of cores. [`cores`](Self::cores) with another number is
    /// refused at the start, because the plan has no CPUs for them.
    pub fn placement(mut self, placement: Placement) -> Self {
        self.placement = Some(placement);
        self
    }

    /// Whether to bind the cores to their CPUs.
    pub fn pin(mut self, pin: Pin) -> Self {
        self.pin = pin;
        self
    }

    /// How long an idle core looks for work before it sleeps. By default 50 µs when cores and Tokio
    /// workers together fit on the allowed CPUs, and zero otherwise.
    pub fn spin(mut self, time: Duration) -> Self {
        self.spin = Some(time);
        self
    }

    /// How long a core sleeps before it looks at all lanes although nobody has rung; `None` trusts the wake protocol
    /// alone. By default 100 ms in release builds and `None` in debug builds. After a look in vain the core sleeps twice
    /// as long as before, up to eight times `time`.
    /// [`CoreStatus::backstop_rescues`](super::CoreStatus::backstop_rescues) counts what it found, which must stay 0.
    pub fn park_backstop(mut self, time: Option<Duration>) -> Self {
        self.park_backstop = time;
        self
    }

    /// How many tasks (`cx.spawn`, `cx.ask`, `cx.offload`) each core may hold at a time.
    pub fn tasks_max(mut self, tasks: usize) -> Self {
        self.tasks_max = tasks;
        self
    }

    /// How long the system may drain when its last handle is dropped without a shutdown; 1 s by default.
    pub fn drop_drain_time(mut self, time: Duration) -> Self {
        self.drop_drain_time = time;
        self
    }

    /// The Tokio runtime for `cx.offload`; by default the one around [`Self::start`], or else one that
    /// the system starts when it is first needed.
    pub fn tokio(mut self, handle: tokio::runtime::Handle) -> Self {
        self.tokio = Some(handle);
        self
    }

    /// What the cores' threads are called, before their number; `tpc-core` by default. Without zero bytes.
    pub fn thread_name(mut self, name: impl Into<String>) -> Self {
        self.thread_name = name.into();
        self
    }

    /// What becomes of failures that actors and groups escalate: all actors of the core restart, as often
    /// as `policy` allows, and then its `then` follows, where escalating means the end of the system. By
    /// default three times in a minute and then the end.
    pub fn core_supervision(mut self, policy: Supervise) -> Self {
        self.core_policy.supervise = policy;
        self
    }

    /// A watchdog around each core, which counts the failures of all of its actors; none by default.
    pub fn core_watchdog(mut self, watchdog: Watchdog) -> Self {
        self.core_policy.watchdog = Some(watchdog);
        self
    }

    /// How long a core may be in one call before it is reported as stalled; 25 ms by default, and `None`
    /// for no reports. Looked at from outside four times in that span, so reports come up to a quarter
    /// late. At most five a minute are made for a core; [`CoreStatus::stalls`](super::CoreStatus) is exact.
    ///
    /// Whom a core has answered before a call is woken from outside when two of these looks find it there: by default after
    /// 6 to 13 ms, and with `None` after 25 to 50.
    pub fn stall_after(mut self, time: Option<Duration>) -> Self {
        self.watch.stall_after = time;
        self
    }

    /// Has `hear` called with each report of a stall, on the thread that looks after the cores: while it takes its
    /// time, other stalls are not noticed. A panic in it is swallowed. If it has not come back at the end of the system,
    /// it is left behind as `tpc-warden`. Together with `stall_after(None)`, by which there is nothing to hear, it is
    /// refused at the start.
    pub fn on_stall(mut self, hear: impl Fn(&StallReport) + Send + Sync + 'static) -> Self {
        self.watch.on_stall = Some(OnStall(Arc::new(hear)));
        self
    }

    /// What follows when the thread of a core is lost to a panic outside of every actor: it is started
    /// again with all of its actors, as often as `policy` allows, and then the system ends, whatever its `then` is.
    /// By default three times in a minute.
    pub fn core_restarts(mut self, policy: Supervise) -> Self {
        self.watch.restarts = policy;
        self
    }

    pub(super) fn check(&self, cores: usize) -> Result<(), StartError> {
        if cores == 0 {
            return Err(StartError::NoCores);
        }
        if cores > CORES_MAX {
            return refuse("cores", &cores, "use at most 1024");
        }
        // Only a plan can make it another number than the one that was asked for.
        if let Some(asked) = self.cores.filter(|asked| *asked != cores) {
            let given = format_args!("{asked}, and `placement` is a plan for {cores}");
            let instead = "leave out `cores`, or plan for as many";
            return refuse("cores", &given, instead);
        }
        if self.tasks_max == 0 || u32::try_from(self.tasks_max).is_err() {
            return refuse("tasks_max", &self.tasks_max, "use 1 to 4294967295");
        }
        if let Some(time) = self.watch.stall_after.filter(|time| *time < SHORTEST) {
            return refuse("stall_after", &time, "use at least 1 ms, or `None` for no reports");
        }
        if let (Some(_), None) = (&self.watch.on_stall, self.watch.stall_after) {
            let instead = "leave out `on_stall`, which nobody would call, or say when to call it";
            return refuse("stall_after", &self.watch.stall_after, instead);
        }
        if let Some(time) = self.park_backstop.filter(|time| *time < SHORTEST) {
            let instead = "use at least 1 ms, or `None` to sleep without a limit";
            return refuse("park_backstop", &time, instead);
        }
        if self.thread_name.contains('\0') {
            let instead = "leave out the zero byte, which no thread can have in its name";
            return refuse("thread_name", &self.thread_name, instead);
        }
        check_policy("core_supervision", &self.core_policy.supervise)?;
        check_policy("core_restarts", &self.watch.restarts)
    }

    /// Starts the cores.
    ///
    /// # Errors
    ///
    /// An option is out of range or contradicts another one, the CPUs that [`Pin::Require`] asks for are
    /// not there, or the operating system refuses a thread or a descriptor. Nothing is left running then.
    pub fn start(self) -> Result<System, StartError> {
        crate::hook::install();
        let planned = self.placement.as_ref().map(Placement::cores);
        let cores = planned.or(self.cores).unwrap_or_else(Placement::default_cores);
        self.check(cores)?;
        let placement = self.placement.clone().unwrap_or_else(|| Placement::plan(cores));
        let bindings = placement.bindings(self.pin)?;
        let around = self.tokio.clone().or_else(|| tokio::runtime::Handle::try_current().ok());
        let workers = around.as_ref().map_or(1, |handle| handle.metrics().num_workers());
        let spin = self.spin.unwrap_or(if placement.is_dedicated(workers) {
            DEDICATED_SPIN
        } else {
            Duration::ZERO
        });
        let offload = Offload::new(around, placement.control_plane());
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::default());
        let keeper = Keeper::new(Arc::clone(&clock));
        let homes = bindings.iter().map(|cpu| Ok((placement.home(*cpu), platform_doorbell()?)));
        let cores = homes.collect::<std::io::Result<Vec<_>>>()?;
        // Before there is a system, whose end would wait for cores that nobody has started.
        let keeper_thread = keeper.start()?;
        let system = self.assemble(Ground {
            cores,
            clock,
            keeper: Arc::clone(&keeper),
            idle: Idle { spin, backstop: self.park_backstop },
            offload,
            bound: bindings,
            placement,
            script: None,
        });
        // From here on an error ends what has been started, through the handle's drop.
        *lock(&system.inner().keeper_thread) = Some(keeper_thread);
        let (report, reports) = mpsc::channel();
        for index in 0..system.inner().cores.len() {
            system.inner().start_core(index, Some(report.clone()))?;
        }
        drop(report);
        self.await_cores(&reports)?;
        for core in &system.inner().cores {
            core.set_nap(Arc::clone(&system.inner().nap));
        }
        warden::start(system.inner(), self.watch)?;
        Ok(system)
    }

    /// Waits until every core is where it should be.
    fn await_cores(&self, reports: &mpsc::Receiver<Placed>) -> Result<(), StartError> {
        let start = Instant::now();
        for Placed { core, cpu, bound } in reports {
            match cpu {
                Some(cpu) if !bound && self.pin == Pin::Require => {
                    return Err(PlacementError::Refused { core, cpu }.into());
                }
                Some(cpu) if !bound => {
                    tracing::warn!(core, cpu, "the core could not be bound and floats");
                }
                _ => {}
            }
        }
        tracing::debug!(elapsed = ?start.elapsed(), "all cores are running");
        Ok(())
    }
}

/// Refuses what a core's policy cannot decide.
fn check_policy(option: &'static str, policy: &Supervise) -> Result<(), StartError> {
    let actors_own = (policy.panic_action(), policy.queue_action());
    if actors_own == (OnPanic::default(), Queue::default()) {
        return Ok(());
    }
    refuse(
        option,
        &actors_own,
        "leave out `on_panic` and `queue`, which each actor decides for itself",
    )
}

/// The error for an option that was given `given`.
fn refuse(
    option: &'static str,
    given: &dyn fmt::Debug,
    instead: &'static str,
) -> Result<(), StartError> {
    Err(StartError::Option { option, given: format!("{given:?}"), instead })
}
