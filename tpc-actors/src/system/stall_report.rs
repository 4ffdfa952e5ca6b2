//! What is told of a core that does not get on, and who hears it.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// A core that has been in one call for too long.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct StallReport {
    /// The core, counted from 0.
    pub core: usize,
    /// The type name of the actor that is being called.
    pub actor: &'static str,
    /// Its shard, counted from 0.
    pub shard: usize,
    /// The method that is being called.
    pub handler: &'static str,
    /// For how long at least.
    pub stalled_for: Duration,
    /// Stalls of this core that were not reported since the last report.
    pub unreported: u64,
}

impl fmt::Display for StallReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { core, actor, shard, handler, stalled_for, unreported } = self;
        write!(
            f,
            "core {core} has been in `{actor}::{handler}` (shard {shard}) for {stalled_for:?}"
        )?;
        if *unreported > 0 {
            write!(f, "; {unreported} stalls before were not reported")?;
        }
        Ok(())
    }
}

/// Who hears of stalls.
#[derive(Clone)]
pub(super) struct OnStall(pub(super) Arc<dyn Fn(&StallReport) + Send + Sync>);

impl fmt::Debug for OnStall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OnStall")
    }
}
