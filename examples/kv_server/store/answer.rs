//! What a store is told and what it answers.

use bytes::Bytes;
use std::fmt;
use std::time::Duration;

/// A value was not what its command needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum StoreError {
    NotAnInteger,
    Overflow,
    TooLong,
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotAnInteger => "value is not an integer or out of range",
            Self::Overflow => "increment or decrement would overflow",
            Self::TooLong => "string exceeds maximum allowed size (proto-max-bulk-len)",
        })
    }
}

impl std::error::Error for StoreError {}

/// When a write may happen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Only {
    #[default]
    Always,
    IfMissing,
    IfPresent,
}

/// How long a written value lives.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Lifetime {
    #[default]
    Forever,
    Keep,
    For(Duration),
}

/// What happened to a `set`, and the value that was there before it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SetOutcome {
    pub(crate) stored: bool,
    pub(crate) previous: Option<Bytes>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ttl {
    Missing,
    Forever,
    Left(Duration),
}

/// One step of a scan; without `next` it was the last one of this shard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ScanPage {
    pub(crate) keys: Vec<Bytes>,
    pub(crate) next: Option<u64>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Figures {
    pub(crate) keys: usize,
    pub(crate) expiring: usize,
    pub(crate) hits: u64,
    pub(crate) misses: u64,
    pub(crate) expired: u64,
}
