//! Commands about several keys, or about the whole data.

#![allow(clippy::unnecessary_wraps, reason = "all parsers share one signature")]

use super::{Args, Command, CommandError, Keyed, is, take, take_i64};
use crate::number::parse_u64;
use bytes::Bytes;

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Spread {
    Mget {
        keys: Vec<Bytes>,
    },
    Mset {
        pairs: Vec<(Bytes, Bytes)>,
    },
    Del {
        keys: Vec<Bytes>,
    },
    Exists {
        keys: Vec<Bytes>,
    },
    DbSize,
    FlushAll,
    Keys {
        pattern: Bytes,
    },
    Scan(Scan),
    /// The names of the sections that are wanted; none means all.
    Info {
        sections: Vec<Bytes>,
    },
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Scan {
    pub(crate) cursor: u64,
    pub(crate) count: usize,
    pub(crate) pattern: Option<Bytes>,
    /// `TYPE` named something other than strings, which nothing here is.
    pub(crate) other_type: bool,
}

/// What `SCAN` looks at in one step unless told otherwise.
const SCAN_COUNT: usize = 10;

type Parsed = Result<Command, CommandError>;

/// A single key needs no fan-out, so it takes the way of the other one-key commands.
pub(super) fn del(args: &mut Args<'_>) -> Parsed {
    if args.len() == 1 {
        return Ok(Command::Keyed(Keyed::Del { key: take(args)? }));
    }
    Ok(Command::Spread(Spread::Del { keys: args.collect() }))
}

pub(super) fn exists(args: &mut Args<'_>) -> Parsed {
    if args.len() == 1 {
        return Ok(Command::Keyed(Keyed::Exists { key: take(args)? }));
    }
    Ok(Command::Spread(Spread::Exists { keys: args.collect() }))
}

pub(super) fn mget(args: &mut Args<'_>) -> Parsed {
    Ok(Command::Spread(Spread::Mget { keys: args.collect() }))
}

pub(super) fn mset(args: &mut Args<'_>) -> Parsed {
    let mut pairs = Vec::with_capacity(args.len() / 2);
    while let Some(key) = args.next() {
        let value = args.next().ok_or_else(|| CommandError::arity(b"mset"))?;
        pairs.push((key, value));
    }
    Ok(Command::Spread(Spread::Mset { pairs }))
}

pub(super) fn db_size(_: &mut Args<'_>) -> Parsed {
    Ok(Command::Spread(Spread::DbSize))
}

pub(super) fn flush_all(args: &mut Args<'_>) -> Parsed {
    match (args.next(), args.next()) {
        (None, _) => {}
        (Some(mode), None) if is(&mode, "ASYNC") || is(&mode, "SYNC") => {}
        _ => return Err(CommandError::Syntax),
    }
    Ok(Command::Spread(Spread::FlushAll))
}

pub(super) fn keys(args: &mut Args<'_>) -> Parsed {
    Ok(Command::Spread(Spread::Keys { pattern: take(args)? }))
}

pub(super) fn scan(args: &mut Args<'_>) -> Parsed {
    let cursor = parse_u64(&take(args)?).ok_or(CommandError::InvalidCursor)?;
    let mut scan = Scan { cursor, count: SCAN_COUNT, pattern: None, other_type: false };
    while let Some(option) = args.next() {
        if is(&option, "MATCH") {
            scan.pattern = Some(take(args)?);
        } else if is(&option, "COUNT") {
            let count = take_i64(args)?;
            scan.count = match usize::try_from(count) {
                Ok(count @ 1..) => count,
                _ => return Err(CommandError::Syntax),
            };
        } else if is(&option, "TYPE") {
            scan.other_type = !is(&take(args)?, "string");
        } else {
            return Err(CommandError::Syntax);
        }
    }
    Ok(Command::Spread(Spread::Scan(scan)))
}

pub(super) fn info(args: &mut Args<'_>) -> Parsed {
    Ok(Command::Spread(Spread::Info { sections: args.collect() }))
}
