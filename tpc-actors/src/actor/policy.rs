//! Options of an actor, as data.

use std::time::Duration;

use crate::bridge::Thresholds;
use crate::supervision::{Supervise, Watchdog};

/// Options of an actor, as data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Policy {
    capacity: usize,
    max_request_bytes: usize,
    deadline: Option<Duration>,
    pressure: Thresholds,
    supervise: Supervise,
    watchdog: Option<Watchdog>,
}

impl Default for Policy {
    fn default() -> Self {
        Self::new()
    }
}

impl Policy {
    /// Places in each lane when the actor does not say.
    pub const DEFAULT_CAPACITY: usize = 256;

    /// The defaults.
    pub const fn new() -> Self {
        Self {
            capacity: Self::DEFAULT_CAPACITY,
            max_request_bytes: usize::MAX,
            deadline: None,
            pressure: Thresholds::DEFAULT,
            supervise: Supervise::new(),
            watchdog: None,
        }
    }

    /// Messages that each lane to the actor holds; one keeps its place while its handler runs, and quick ones for some
    /// messages more. Twice as many asks may be under way over it: sent, and their answers
    /// not taken yet.
    #[must_use]
    pub const fn capacity(mut self, messages: usize) -> Self {
        self.capacity = messages;
        self
    }

    /// Bytes that a request may take; an actor with larger ones does not compile.
    ///
    /// Requests lie in the lanes, so the largest one decides how much memory a lane takes and moves.
    /// `#[boxed]` on an argument, or `#[handler(boxed)]`, trades room in the request for an allocation.
    /// The requests of a generic actor are looked at where it is spawned:
    ///
    /// ```
    /// use tpc_actors::prelude::*;
    ///
    /// #[core_actor(max_request_bytes = 16)]
    /// struct Last<T>(Option<T>);
    ///
    /// #[core_actor]
    /// impl<T: Send> Last<T> {
    ///     #[init]
    ///     fn new() -> Self {
    ///         Self(None)
    ///     }
    ///
    ///     #[handler]
    ///     fn put(&mut self, value: T) -> Option<T> {
    ///         self.0.replace(value)
    ///     }
    /// }
    ///
    /// let system = System::builder().cores(1).start()?;
    /// let last = system.spawn::<Last<u64>>(()).wait()?;
    /// assert_eq!(last.put(1).wait()?, None);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// ```compile_fail,E0080
    /// # use tpc_actors::prelude::*;
    /// # #[core_actor(max_request_bytes = 16)]
    /// # struct Last<T>(Option<T>);
    /// # #[core_actor]
    /// # impl<T: Send> Last<T> {
    /// #     #[init]
    /// #     fn new() -> Self { Self(None) }
    /// #     #[handler]
    /// #     fn put(&mut self, value: T) -> Option<T> { self.0.replace(value) }
    /// # }
    /// # let system = System::builder().cores(1).start()?;
    /// let large = system.spawn::<Last<[u64; 8]>>(()).wait()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub const fn max_request_bytes(mut self, bytes: usize) -> Self {
        self.max_request_bytes = bytes;
        self
    }

    /// How long asks wait for an answer when neither the handler nor the caller says so: without room for the
    /// request, or without an answer, they end with [`AskError::Deadline`](crate::AskError::Deadline) then.
    ///
    /// `#[handler(deadline = "..")]` says so for one handler, and [`Ask::deadline`](crate::client::Ask::deadline)
    /// for one ask. Asks through the pinned handle have none: they wait for their own core.
    ///
    /// ```
    /// use std::time::Duration;
    /// use tpc_actors::prelude::*;
    ///
    /// #[core_actor(deadline = "20ms")]
    /// struct Slow(Vec<Reply<u32>>);
    ///
    /// #[core_actor]
    /// impl Slow {
    ///     #[init]
    ///     fn new() -> Self {
    ///         Self(Vec::new())
    ///     }
    ///
    ///     /// Answers some other time.
    ///     #[handler]
    ///     fn later(&mut self, reply: Reply<u32>) {
    ///         self.0.push(reply);
    ///     }
    /// }
    ///
    /// let system = System::builder().cores(1).start()?;
    /// let slow = system.spawn::<Slow>(()).wait()?;
    /// assert!(matches!(slow.later().wait(), Err(AskError::Deadline { started: true })));
    /// # system.shutdown_wait(Duration::from_secs(5));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub const fn deadline(mut self, limit: Duration) -> Self {
        self.deadline = Some(limit);
        self
    }

    /// The fills at which [`ActorClient::pressure`](crate::ActorClient::pressure) changes: `#[core_actor(pressure(throttle_enter_percent = 50,
    /// throttle_leave_percent = 25))]`; what is not said stays at its default.
    ///
    /// # Panics
    ///
    /// The levels contradict each other; while compiling, where this makes a constant.
    #[must_use]
    pub const fn pressure(mut self, levels: Thresholds) -> Self {
        assert!(
            levels.is_sound(),
            "a level of pressure is entered at 1 to 100 percent and left below that, and throttled comes before \
             suspended"
        );
        self.pressure = levels;
        self
    }

    /// The restart policy.
    #[must_use]
    pub const fn supervise(mut self, supervise: Supervise) -> Self {
        self.supervise = supervise;
        self
    }

    /// The watchdog; without this there is none.
    #[must_use]
    pub const fn watchdog(mut self, watchdog: Watchdog) -> Self {
        self.watchdog = Some(watchdog);
        self
    }

    /// Messages that each lane to the actor holds.
    pub const fn lane_capacity(&self) -> usize {
        self.capacity
    }

    /// Bytes that a request may take; `usize::MAX` without a limit.
    pub const fn request_limit(&self) -> usize {
        self.max_request_bytes
    }

    /// How long asks wait for an answer, if the actor says so.
    pub const fn default_deadline(&self) -> Option<Duration> {
        self.deadline
    }

    /// The fills at which the pressure in a lane changes.
    pub const fn pressure_levels(&self) -> Thresholds {
        self.pressure
    }

    /// The restart policy.
    pub const fn supervision(&self) -> Supervise {
        self.supervise
    }

    /// The watchdog, if there is one.
    pub const fn guard(&self) -> Option<Watchdog> {
        self.watchdog
    }
}
