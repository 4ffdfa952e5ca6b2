//! Time for the tasks of a core, which have no `Ctx`.

use std::cell::RefCell;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use super::local::CoreLocal;
use super::timers::Due;
use crate::clock::later;
use crate::isolate::wake_quietly;

/// The time of a core, for tasks that run there; made by [`Ctx::clock`](crate::Ctx::clock). Never `Send`.
///
/// ```
/// use std::time::Duration;
/// use tpc_actors::prelude::*;
///
/// #[core_actor]
/// pub struct Beacon;
///
/// #[core_actor]
/// impl Beacon {
///     #[init]
///     fn new() -> Self {
///         Self
///     }
///
///     /// Answers after so many pauses.
///     #[handler]
///     fn blink(&mut self, cx: &mut Ctx<Self>, times: u32, reply: Reply<Duration>) {
///         let clock = cx.clock();
///         cx.spawn(async move {
///             let began = clock.now();
///             for _ in 0..times {
///                 clock.sleep(Duration::from_millis(2)).await;
///             }
///             reply.send(clock.now() - began);
///         });
///     }
/// }
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let system = System::builder().cores(1).start()?;
/// let beacon = system.spawn::<Beacon>(()).wait()?;
/// assert!(beacon.blink(3).wait()? >= Duration::from_millis(6));
/// # system.shutdown_wait(Duration::from_secs(5));
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct CoreClock {
    local: Rc<CoreLocal>,
}

impl CoreClock {
    pub(super) fn new(local: Rc<CoreLocal>) -> Self {
        Self { local }
    }

    /// When the core's turn began, as [`Ctx::now`](crate::Ctx::now) says it.
    pub fn now(&self) -> Instant {
        self.local.now.get()
    }

    /// Ready at the first turn of the loop after `time` has passed from now on.
    pub fn sleep(&self, time: Duration) -> Sleep {
        // Not when the turn began: its task may have been at work for a while.
        let until = later(self.local.clock.now(), time);
        Sleep { until, alarm: None, local: Rc::clone(&self.local) }
    }
}

impl fmt::Debug for CoreClock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CoreClock").field("now", &self.now()).finish_non_exhaustive()
    }
}

/// A pause of a task; made by [`Ctx::sleep`](crate::Ctx::sleep) and [`CoreClock::sleep`].
#[must_use = "a sleep does nothing until it is awaited"]
pub struct Sleep {
    until: Instant,
    /// Set with the first poll.
    alarm: Option<Rc<Alarm>>,
    local: Rc<CoreLocal>,
}

/// The part of a sleep that its timer holds.
#[derive(Debug, Default)]
pub(crate) struct Alarm(RefCell<Option<Waker>>);

impl Alarm {
    pub(crate) fn ring(&self) {
        let waker = self.0.borrow_mut().take();
        if let Some(waker) = waker {
            wake_quietly(waker);
        }
    }
}

/// Timers of dropped sleeps that may stay in the heap before it is looked through.
const DEAD_ALARMS_MAX: usize = 64;

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        // Not within the turn that it began in, also when it is over already: who sleeps lets others have theirs.
        if self.alarm.is_some() && self.local.now.get() >= self.until {
            return Poll::Ready(());
        }
        let waker = Some(context.waker().clone());
        if let Some(alarm) = &self.alarm {
            alarm.0.replace(waker);
        } else {
            let alarm = Rc::new(Alarm(RefCell::new(waker)));
            self.alarm = Some(Rc::clone(&alarm));
            self.local.timers.borrow_mut().set(self.until, Due::Wake(alarm));
        }
        Poll::Pending
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        let Some(alarm) = self.alarm.take() else { return };
        alarm.0.replace(None);
        let dead = self.local.dead_alarms.get() + usize::from(Rc::strong_count(&alarm) > 1);
        self.local.dead_alarms.set(dead);
        let mut timers = self.local.timers.borrow_mut();
        if dead > DEAD_ALARMS_MAX && dead > timers.len() / 2 {
            timers.retain(|due| !matches!(due, Due::Wake(alarm) if alarm.0.borrow().is_none()));
            self.local.dead_alarms.set(0);
        }
    }
}

impl fmt::Debug for Sleep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sleep").field("until", &self.until).finish_non_exhaustive()
    }
}
