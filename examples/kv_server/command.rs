//! From argument lists to typed commands, with Redis' own words for what is wrong with them.
//!
//! The three kinds differ in who answers: one shard, several of them, or the connection itself.

mod error;
mod keyed;
mod session;
mod spread;
#[cfg(test)]
mod tests;

pub(crate) use error::CommandError;
pub(crate) use keyed::{Keyed, Unit};
pub(crate) use session::{ClientCommand, Hello, Session};
pub(crate) use spread::{Scan, Spread};

use crate::number::parse_i64;
use bytes::Bytes;
use std::ops::RangeInclusive;
use std::vec;

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Command {
    /// One key, so one shard.
    Keyed(Keyed),
    /// Several keys, or all of them.
    Spread(Spread),
    /// Answered where the connection lives.
    Session(Session),
}

type Args<'a> = vec::Drain<'a, Bytes>;
type Parser = fn(&mut Args<'_>) -> Result<Command, CommandError>;

/// Room for the longest name; anything longer is unknown.
const NAME_MAX_BYTES: usize = 16;

impl Command {
    /// Takes the arguments out of `args`, whose first one is the name and which is not empty.
    pub(crate) fn parse(args: &mut Vec<Bytes>) -> Result<Self, CommandError> {
        let Some((name, rest)) = args.split_first() else { return Err(CommandError::Syntax) };
        let Some((arity, parser)) = lookup(name) else {
            return Err(CommandError::unknown(name, rest));
        };
        if !arity.contains(&rest.len()) {
            return Err(CommandError::arity(name));
        }
        parser(&mut args.drain(1..))
    }
}

/// How many arguments a command takes behind its name, and what reads them.
fn lookup(name: &[u8]) -> Option<(RangeInclusive<usize>, Parser)> {
    const MANY: usize = usize::MAX;
    let mut upper = [0; NAME_MAX_BYTES];
    let upper = upper.get_mut(..name.len())?;
    upper.copy_from_slice(name);
    upper.make_ascii_uppercase();
    let (arity, parser): (_, Parser) = match &*upper {
        b"GET" => (1..=1, keyed::get),
        b"SET" => (2..=MANY, keyed::set),
        b"INCR" => (1..=1, keyed::incr),
        b"DECR" => (1..=1, keyed::decr),
        b"INCRBY" => (2..=2, keyed::incr_by),
        b"DECRBY" => (2..=2, keyed::decr_by),
        b"APPEND" => (2..=2, keyed::append),
        b"STRLEN" => (1..=1, keyed::strlen),
        b"EXPIRE" => (2..=MANY, keyed::expire),
        b"PEXPIRE" => (2..=MANY, keyed::pexpire),
        b"TTL" => (1..=1, keyed::ttl),
        b"PTTL" => (1..=1, keyed::pttl),
        b"PERSIST" => (1..=1, keyed::persist),
        b"TYPE" => (1..=1, keyed::kind),
        b"DEL" => (1..=MANY, spread::del),
        b"EXISTS" => (1..=MANY, spread::exists),
        b"MGET" => (1..=MANY, spread::mget),
        b"MSET" => (2..=MANY, spread::mset),
        b"DBSIZE" => (0..=0, spread::db_size),
        b"FLUSHALL" => (0..=MANY, spread::flush_all),
        b"KEYS" => (1..=1, spread::keys),
        b"SCAN" => (1..=MANY, spread::scan),
        b"INFO" => (0..=MANY, spread::info),
        b"PING" => (0..=1, session::ping),
        b"ECHO" => (1..=1, session::echo),
        b"SELECT" => (1..=1, session::select),
        b"HELLO" => (0..=MANY, session::hello),
        b"CLIENT" => (1..=MANY, session::client),
        b"CONFIG" => (1..=MANY, session::config),
        b"COMMAND" => (0..=MANY, session::command),
        b"QUIT" => (0..=MANY, session::quit),
        _ => return None,
    };
    Some((arity, parser))
}

/// The arity was checked, so what is missing here is missing behind an option.
fn take(args: &mut Args<'_>) -> Result<Bytes, CommandError> {
    args.next().ok_or(CommandError::Syntax)
}

fn take_i64(args: &mut Args<'_>) -> Result<i64, CommandError> {
    parse_i64(&take(args)?).ok_or(CommandError::NotAnInteger)
}

fn is(arg: &[u8], word: &str) -> bool {
    arg.eq_ignore_ascii_case(word.as_bytes())
}
