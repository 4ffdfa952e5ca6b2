//! Events from actors to whoever subscribes.
//!
//! Every core numbers the events of a type: a [`Position`] is contiguous per core and epoch. One lane
//! leads from each core to each subscriber, so a publisher never waits and never takes a lock, and a
//! slow subscriber costs nobody else anything. The filter runs on the publishing core, before the event
//! is copied. What did not fit is counted, and the subscriber is told of it in order, as a [`Gap`]:
//! *delivered + reported missing = wanted by the filter*, also when the last events were lost.
//! [`Subscription::replay`] fetches what a gap lost, as long as the bus [retains](Events::retain) it.

// A model (`--cfg tpc_loom`) builds these alone.
mod lane;
mod presence;
mod stage;

#[cfg(not(tpc_loom))]
mod channel;
#[cfg(not(tpc_loom))]
mod end_reason;
#[cfg(not(tpc_loom))]
mod enrich;
#[cfg(not(tpc_loom))]
mod events;
#[cfg(not(tpc_loom))]
mod fetch;
#[cfg(not(tpc_loom))]
mod inlet;
#[cfg(not(tpc_loom))]
pub mod log;
#[cfg(not(tpc_loom))]
mod outlet;
#[cfg(not(tpc_loom))]
mod outside;
#[cfg(not(tpc_loom))]
mod past;
#[cfg(not(tpc_loom))]
mod position;
#[cfg(not(tpc_loom))]
pub(crate) mod publisher;
#[cfg(not(tpc_loom))]
mod registry;
#[cfg(not(tpc_loom))]
mod replay;
#[cfg(not(tpc_loom))]
mod resting;
#[cfg(not(tpc_loom))]
mod retained;
#[cfg(not(tpc_loom))]
mod source;
#[cfg(not(tpc_loom))]
mod start;
#[cfg(not(tpc_loom))]
mod stats;
#[cfg(not(tpc_loom))]
mod subscribers;
#[cfg(not(tpc_loom))]
mod subscription;
#[cfg(not(tpc_loom))]
mod turns;
#[cfg(not(tpc_loom))]
mod usage;

#[cfg(not(tpc_loom))]
pub use {
    end_reason::EndReason,
    enrich::{Enrich, Routing},
    events::{Events, Overflow, SubscribeError},
    outside::{PublishError, Publisher},
    position::{Delivery, Gap, ParsePositionError, Position},
    replay::ReplayError,
    start::{Cursor, Start},
    stats::{LaneStatus, SourceStatus},
    subscription::{Next, Subscription},
};

#[cfg(not(tpc_loom))]
pub(crate) use registry::{Bus, BusRegistry};

#[cfg(not(tpc_loom))]
fn lock<T>(mutex: &std::sync::Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}
