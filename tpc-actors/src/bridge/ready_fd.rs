//! A descriptor that a reactor can look at in place of an end of a bridge.

use std::fmt;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, RawFd};
use std::sync::Arc;

use super::doorbell::Event;
use super::waiting::Waiting;

/// A descriptor that becomes readable when an end of a bridge that was *armed* has something to do.
///
/// It is an eventfd; put it into Tokio's `AsyncFd`, into an `epoll` or `io_uring` instance, or into any
/// other reactor, level- or edge-triggered; once into each, because clones share the one descriptor. Only look at
/// it: never read from it, never write to it. It closes when this handle, all its clones and the bridge are gone.
///
/// # Protocol
///
/// Nothing is written to the descriptor unless its end was armed, and then once. So, in this order:
///
/// 1. Do all there is: receive until [`Empty`](super::TryRecvError::Empty), or send until
///    [`Full`](super::TrySendError::Full).
/// 2. Arm, with the method that has the name of the descriptor. Unless something is there already, this makes the
///    descriptor unreadable, says to the other end that it must write, and looks at the ring once more.
/// 3. `false`: something came meanwhile, of which the descriptor says nothing, readable or not; go to 1 and do not
///    sleep. `true`: sleep until the descriptor is readable, then go to 1.
///
/// A descriptor stays readable until its end is armed again, as a socket stays writable that nobody writes to. An end
/// that has nothing to send, or takes nothing for a while, takes it out of a level-triggered reactor meanwhile
/// (`EPOLL_CTL_MOD`, or no poll of it), and goes on with 1.
///
/// No wake is lost between 1 and 3, because the second look comes after the arming. The descriptor also
/// becomes readable when the other end goes away: step 1 then gets what is left in the ring, and
/// `Closed`. It may be readable with nothing to do, at most once for each arming.
///
/// # Costs
///
/// The descriptor is made by the first call that asks for it. Arming reads from it, and at most one
/// `write` follows from the other end; an end that is not armed costs the other end nothing.
///
/// # Examples
///
/// ```
/// use std::thread;
/// use tokio::io::{Interest, unix::AsyncFd};
/// use tpc_actors::bridge::{self, BridgeConfig, TryRecvError};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let (mut control, data) = bridge::channel::<u64, u64>(BridgeConfig::new(8, 8))?;
/// let core = thread::spawn(move || {
///     let mut data = data.pin();
///     for answer in 0..1000 {
///         data.send_blocking(answer).unwrap();
///     }
/// });
///
/// // SAFETY: a `ReadyFd` owns its descriptor, and neither replaces nor closes it.
/// let ready =
///     unsafe { AsyncFd::register_with_interest(control.response_fd()?, Interest::READABLE)? };
/// let mut sum = 0;
/// loop {
///     match control.try_recv() {
///         Ok(answer) => sum += answer,
///         Err(TryRecvError::Closed) => break,
///         Err(TryRecvError::Empty) if control.arm_response_fd() => {
///             ready.readable().await?.clear_ready();
///         }
///         Err(TryRecvError::Empty) => {}
///     }
/// }
/// assert_eq!(sum, 999 * 1000 / 2);
/// core.join().unwrap();
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct ReadyFd(Arc<Event>);

impl ReadyFd {
    /// The descriptor of who waits there, made now if there is none.
    pub(super) fn of(waiting: &Waiting, made: &mut Option<Self>) -> io::Result<Self> {
        if let Some(made) = made {
            return Ok(made.clone());
        }
        let event = Arc::new(Event::new()?);
        waiting.connect(Arc::clone(&event) as _);
        Ok(made.insert(Self(event)).clone())
    }
}

impl AsFd for ReadyFd {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

impl AsRawFd for ReadyFd {
    fn as_raw_fd(&self) -> RawFd {
        self.as_fd().as_raw_fd()
    }
}

impl fmt::Debug for ReadyFd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ReadyFd").field(&self.as_raw_fd()).finish()
    }
}
