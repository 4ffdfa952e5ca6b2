//! The raw bridge between a control plane and a thread that runs its own loop.
//!
//! Two bounded rings, one for requests and one for responses, created once and split into a
//! [`ControlHandle`] (`Send`, for Tokio or any thread) and a [`DataHandle`], which travels to its thread
//! once and is [pinned](DataHandle::pin) there. People who bring their own loop use this and nothing
//! else of the library; actors have lanes and reply slots on top of the same ring.
//!
//! Each end may be awaited, blocked on, or tried, one item at a time; batches are tried, and received ones awaited
//! as well. On Linux, each end also has descriptors for the reactor of somebody else ([`ReadyFd`]). Dropping an end
//! wakes the other, however it waits; that first gets what is still in its ring and then [`Closed`].
//!
//! Two threads share nothing but the ring while both are at work: an item costs no lock and no contended
//! word, and a batch wakes once. Going to sleep costs a system call.
//!
//! ```
//! use tpc_actors::bridge::{self, BridgeConfig};
//!
//! let (mut control, data) = bridge::channel::<u32, u32>(BridgeConfig::new(64, 64))?;
//! let core = std::thread::spawn(move || {
//!     let mut data = data.pin();
//!     while let Ok(request) = data.recv_blocking() {
//!         if data.send_blocking(request * 2).is_err() {
//!             break;
//!         }
//!     }
//! });
//! control.send_blocking(21)?;
//! assert_eq!(control.recv_blocking()?, 42);
//! drop(control);
//! core.join().unwrap();
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub(crate) mod bell;
#[cfg(not(tpc_loom))]
pub(crate) mod doorbell;
#[cfg(tpc_loom)]
pub(crate) mod doorbell {
    //! In a model, sleeping is the test's business.
    pub(crate) trait Doorbell: Send + Sync + std::fmt::Debug {
        fn ring(&self);
        fn wait(&self, timeout: Option<std::time::Duration>) -> bool;
    }
}
#[cfg(not(tpc_loom))]
mod ends;
pub(crate) mod inbox;
mod pipe;
#[cfg(not(tpc_loom))]
pub(crate) mod pressure;
#[cfg(all(not(tpc_loom), target_os = "linux"))]
mod ready_fd;
pub(crate) mod ring;
mod waiting;

#[cfg(not(tpc_loom))]
pub use ends::{
    ControlHandle, DataHandle, PinnedDataHandle, RequestSender, ResponseReceiver, channel,
};
pub use pipe::{Closed, SendError, TryRecvError, TrySendError};
#[cfg(not(tpc_loom))]
pub use pressure::{BridgeConfig, BridgeError, Pressure, Thresholds};
#[cfg(all(not(tpc_loom), target_os = "linux"))]
pub use ready_fd::ReadyFd;
pub use ring::{CapacityError, Consumer, Producer, Reserved, ring};
