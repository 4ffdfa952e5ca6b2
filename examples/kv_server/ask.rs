//! One-key commands as asks to the shard that owns the key.

use crate::command::{Keyed, Unit};
use crate::resp::Reply;
use crate::shard::ShardClient;
use crate::store::Ttl;
use std::fmt;
use std::time::Duration;
use tpc_actors::prelude::AskError;

/// One place in a run of pipelined commands.
pub(crate) enum Work {
    Ask(Keyed),
    /// The answer is known already and only waits for its turn.
    Answered(Reply),
}

pub(crate) async fn answer(shards: &ShardClient, work: Work) -> Reply {
    let command = match work {
        Work::Answered(reply) => return reply,
        Work::Ask(command) => command,
    };
    match command {
        Keyed::Get { key } => settle(shards.get(key).await, Reply::bulk_or_null),
        Keyed::Set { key, value, only, lifetime } => {
            settle(shards.set(key, value, only, lifetime).await, |stored| {
                if stored { Reply::OK } else { Reply::Null }
            })
        }
        Keyed::Swap { key, value, only, lifetime } => {
            settle(shards.swap(key, value, only, lifetime).await, |outcome| {
                Reply::bulk_or_null(outcome.previous)
            })
        }
        Keyed::Del { key } => settle(shards.del(key).await, Reply::flag),
        Keyed::Exists { key } => settle(shards.exists(key).await, Reply::flag),
        Keyed::IncrBy { key, by } => match shards.incr_by(key, by).await {
            Err(AskError::Handler(error)) => refused(error),
            outcome => settle(outcome, Reply::Integer),
        },
        Keyed::Append { key, value } => match shards.append(key, value).await {
            Err(AskError::Handler(error)) => refused(error),
            outcome => settle(outcome, Reply::count),
        },
        Keyed::Strlen { key } => settle(shards.strlen(key).await, Reply::count),
        Keyed::Expire { key, after } => settle(shards.expire(key, after).await, Reply::flag),
        Keyed::Persist { key } => settle(shards.persist(key).await, Reply::flag),
        Keyed::Ttl { key, unit } => settle(shards.ttl(key).await, |ttl| time_left(ttl, unit)),
        Keyed::Type { key } => settle(shards.exists(key).await, |found| {
            Reply::Status(if found { "string" } else { "none" })
        }),
    }
}

/// The answer of an ask, or why there is none.
pub(crate) fn settle<T, E: fmt::Display>(
    outcome: Result<T, E>,
    reply: impl FnOnce(T) -> Reply,
) -> Reply {
    outcome.map_or_else(unavailable, reply)
}

pub(crate) fn unavailable(error: impl fmt::Display) -> Reply {
    Reply::Error(format!("ERR shard unavailable: {error}"))
}

fn refused(error: impl fmt::Display) -> Reply {
    Reply::Error(format!("ERR {error}"))
}

/// Seconds are rounded to the nearest, as Redis does.
fn time_left(ttl: Ttl, unit: Unit) -> Reply {
    let left = match ttl {
        Ttl::Missing => return Reply::Integer(-2),
        Ttl::Forever => return Reply::Integer(-1),
        Ttl::Left(left) => left,
    };
    let number = match unit {
        Unit::Milliseconds => left.as_millis(),
        Unit::Seconds => left.saturating_add(Duration::from_millis(500)).as_secs().into(),
    };
    Reply::Integer(i64::try_from(number).unwrap_or(i64::MAX))
}
