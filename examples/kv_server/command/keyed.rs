//! Commands about one key.

use super::{Args, Command, CommandError, error::lossy, is, take, take_i64};
use crate::store::{Lifetime, Only};
use bytes::Bytes;
use std::time::Duration;

/// Redis adds a lifetime to the time of day; this leaves as much room for it as Redis needs.
const LIFETIME_MAX_MS: i64 = i64::MAX - (1 << 42);

/// The unit in which a client speaks of lifetimes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unit {
    Seconds,
    Milliseconds,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Keyed {
    Get {
        key: Bytes,
    },
    Set {
        key: Bytes,
        value: Bytes,
        only: Only,
        lifetime: Lifetime,
    },
    /// `SET` with `GET`: the previous value is the answer, whether the write happened or not.
    Swap {
        key: Bytes,
        value: Bytes,
        only: Only,
        lifetime: Lifetime,
    },
    Del {
        key: Bytes,
    },
    Exists {
        key: Bytes,
    },
    IncrBy {
        key: Bytes,
        by: i64,
    },
    Append {
        key: Bytes,
        value: Bytes,
    },
    Strlen {
        key: Bytes,
    },
    Expire {
        key: Bytes,
        after: Duration,
    },
    Ttl {
        key: Bytes,
        unit: Unit,
    },
    Persist {
        key: Bytes,
    },
    Type {
        key: Bytes,
    },
}

type Parsed = Result<Command, CommandError>;

pub(super) fn get(args: &mut Args<'_>) -> Parsed {
    Ok(Command::Keyed(Keyed::Get { key: take(args)? }))
}

pub(super) fn set(args: &mut Args<'_>) -> Parsed {
    let (key, value) = (take(args)?, take(args)?);
    let (mut only, mut lifetime, mut swap) = (Only::Always, None, false);
    while let Some(option) = args.next() {
        if is(&option, "NX") && only != Only::IfPresent {
            only = Only::IfMissing;
        } else if is(&option, "XX") && only != Only::IfMissing {
            only = Only::IfPresent;
        } else if is(&option, "GET") {
            swap = true;
        } else if is(&option, "KEEPTTL") && matches!(lifetime, None | Some(Given::Keep)) {
            lifetime = Some(Given::Keep);
        } else if is(&option, "EX") && lifetime.is_none() {
            lifetime = Some(Given::For(take(args)?, Unit::Seconds));
        } else if is(&option, "PX") && lifetime.is_none() {
            lifetime = Some(Given::For(take(args)?, Unit::Milliseconds));
        } else {
            return Err(CommandError::Syntax);
        }
    }
    // Numbers are read last: a syntax error anywhere is reported before a bad number.
    let lifetime = match lifetime {
        None => Lifetime::Forever,
        Some(Given::Keep) => Lifetime::Keep,
        Some(Given::For(number, unit)) => Lifetime::For(positive(&number, unit)?),
    };
    Ok(Command::Keyed(if swap {
        Keyed::Swap { key, value, only, lifetime }
    } else {
        Keyed::Set { key, value, only, lifetime }
    }))
}

/// A lifetime as `SET` was given it.
enum Given {
    Keep,
    For(Bytes, Unit),
}

fn positive(number: &[u8], unit: Unit) -> Result<Duration, CommandError> {
    let number = crate::number::parse_i64(number).ok_or(CommandError::NotAnInteger)?;
    let time = lifetime(number, unit, "set")?;
    if time.is_zero() { Err(CommandError::InvalidExpire { of: "set" }) } else { Ok(time) }
}

/// Times that have already passed are all the same: zero.
fn lifetime(number: i64, unit: Unit, of: &'static str) -> Result<Duration, CommandError> {
    let milliseconds = match unit {
        Unit::Seconds => number.checked_mul(1000),
        Unit::Milliseconds => Some(number),
    };
    match milliseconds {
        Some(ms) if ms <= LIFETIME_MAX_MS => {
            Ok(Duration::from_millis(u64::try_from(ms).unwrap_or(0)))
        }
        _ => Err(CommandError::InvalidExpire { of }),
    }
}

pub(super) fn incr(args: &mut Args<'_>) -> Parsed {
    Ok(Command::Keyed(Keyed::IncrBy { key: take(args)?, by: 1 }))
}

pub(super) fn decr(args: &mut Args<'_>) -> Parsed {
    Ok(Command::Keyed(Keyed::IncrBy { key: take(args)?, by: -1 }))
}

pub(super) fn incr_by(args: &mut Args<'_>) -> Parsed {
    Ok(Command::Keyed(Keyed::IncrBy { key: take(args)?, by: take_i64(args)? }))
}

pub(super) fn decr_by(args: &mut Args<'_>) -> Parsed {
    let (key, by) = (take(args)?, take_i64(args)?);
    let by = by.checked_neg().ok_or(CommandError::DecrementOverflow)?;
    Ok(Command::Keyed(Keyed::IncrBy { key, by }))
}

pub(super) fn append(args: &mut Args<'_>) -> Parsed {
    Ok(Command::Keyed(Keyed::Append { key: take(args)?, value: take(args)? }))
}

pub(super) fn strlen(args: &mut Args<'_>) -> Parsed {
    Ok(Command::Keyed(Keyed::Strlen { key: take(args)? }))
}

pub(super) fn expire(args: &mut Args<'_>) -> Parsed {
    expire_in(args, Unit::Seconds, "expire")
}

pub(super) fn pexpire(args: &mut Args<'_>) -> Parsed {
    expire_in(args, Unit::Milliseconds, "pexpire")
}

fn expire_in(args: &mut Args<'_>, unit: Unit, of: &'static str) -> Parsed {
    let (key, number) = (take(args)?, take(args)?);
    if let Some(option) = args.next() {
        return Err(CommandError::UnsupportedOption { option: lossy(&option) });
    }
    let number = crate::number::parse_i64(&number).ok_or(CommandError::NotAnInteger)?;
    Ok(Command::Keyed(Keyed::Expire { key, after: lifetime(number, unit, of)? }))
}

pub(super) fn ttl(args: &mut Args<'_>) -> Parsed {
    Ok(Command::Keyed(Keyed::Ttl { key: take(args)?, unit: Unit::Seconds }))
}

pub(super) fn pttl(args: &mut Args<'_>) -> Parsed {
    Ok(Command::Keyed(Keyed::Ttl { key: take(args)?, unit: Unit::Milliseconds }))
}

pub(super) fn persist(args: &mut Args<'_>) -> Parsed {
    Ok(Command::Keyed(Keyed::Persist { key: take(args)? }))
}

pub(super) fn kind(args: &mut Args<'_>) -> Parsed {
    Ok(Command::Keyed(Keyed::Type { key: take(args)? }))
}
