//! The two ends of a raw bridge.

use std::sync::Arc;

mod control;
mod data;
mod split;

use super::pipe::pipe;
use super::pressure::{BridgeConfig, BridgeError, Level, Levels, Pressure};
use super::ring::Gauge;
pub use control::ControlHandle;
pub use data::{DataHandle, PinnedDataHandle};
pub use split::{RequestSender, ResponseReceiver};

/// Both ends of a bridge.
type Ends<Q, R> = (ControlHandle<Q, R>, DataHandle<Q, R>);

/// Builds a bridge and splits it into its two ends.
///
/// # Errors
///
/// A capacity is 0 or does not fit in memory, or the thresholds contradict themselves.
pub fn channel<Q: Send, R: Send>(config: BridgeConfig) -> Result<Ends<Q, R>, BridgeError> {
    let levels = Levels::new(config.thresholds, config.request_capacity)?;
    let (requests, incoming, gauge) = pipe(config.request_capacity)?;
    let (responses, answers, _) = pipe(config.response_capacity)?;
    let pressure = Arc::new(Watch { gauge, levels, level: Level::default() });
    let control = ControlHandle::new(requests, answers, Arc::clone(&pressure));
    Ok((control, DataHandle::new(incoming, responses, pressure)))
}

/// Whatever blocks begins with this.
#[track_caller]
fn may_block() {
    assert!(
        !crate::core_loop::on_core_thread(),
        "a core's thread must not block; use the awaited form"
    );
}

/// The level of the request ring, as both ends see it.
struct Watch<Q> {
    gauge: Gauge<Q>,
    levels: Levels,
    level: Level,
}

impl<Q> Watch<Q> {
    fn level(&self) -> Pressure {
        self.level.at(|| self.gauge.len(), &self.levels)
    }
}
