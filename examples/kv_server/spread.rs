//! Commands that touch several shards.
//!
//! Each shard gets its share in few asks, whatever the number of keys. Shards answer independently:
//! another client may see one half of an `MSET` before the other.

use crate::ask::{settle, unavailable};
use crate::command::{Scan, Spread};
use crate::in_order::InOrder;
use crate::info;
use crate::resp::Reply;
use crate::server::Server;
use crate::store::POSITION_BITS;
use bytes::Bytes;
use std::fmt;
use tokio::task;

/// The most keys in one ask: more would keep the core from everybody else for too long.
const GROUP_MAX_KEYS: usize = 512;
/// The most asks that one command has under way.
const GROUPS_MAX: usize = 64;
/// The keys that `KEYS` looks at in one ask.
const KEYS_STEP: usize = 1024;
/// A cursor is a shard in its low bits and a position in that shard above them.
const SHARD_BITS: u32 = u64::BITS - POSITION_BITS;

/// As many shards as a cursor can name.
pub(crate) const SHARDS_MAX: usize = 1 << SHARD_BITS;

pub(crate) async fn answer(server: &Server, command: Spread) -> Reply {
    let shards = &server.shards;
    match command {
        Spread::Mget { keys } => mget(server, keys).await,
        Spread::Mset { pairs } => mset(server, pairs).await,
        Spread::Del { keys } => {
            let groups = group(keys, |key| shards.shard_of(key));
            let ask = |(first, others)| async { shards.del_all(first, others).await };
            total(each(server, groups, ask).await)
        }
        Spread::Exists { keys } => {
            let groups = group(keys, |key| shards.shard_of(key));
            let ask = |(first, others)| async { shards.exist_all(first, others).await };
            total(each(server, groups, ask).await)
        }
        Spread::DbSize => {
            settle(shards.size().await, |sizes| Reply::count(sizes.into_iter().sum()))
        }
        Spread::FlushAll => settle(shards.flush().await, |contents| {
            // Freeing millions of keys takes a while, and nobody needs to wait for it.
            task::spawn_blocking(move || drop(contents));
            Reply::OK
        }),
        Spread::Keys { pattern } => keys(server, &pattern).await,
        Spread::Scan(command) => scan(server, command).await,
        Spread::Info { sections } => {
            let figures = shards.figures().await.map_err(|error| error.to_string());
            Reply::text(info::render(&server.facts(figures), &sections))
        }
    }
}

/// Items for one shard, and where they stood in the command.
struct Group<T> {
    first: T,
    others: Vec<T>,
    places: Vec<usize>,
}

/// Sorts items by shard without changing the order of those that share one.
fn group<T>(items: Vec<T>, shard_of: impl Fn(&T) -> usize) -> Vec<Group<T>> {
    let mut groups: Vec<Group<T>> = Vec::new();
    let mut open: Vec<Option<usize>> = Vec::new();
    for (place, item) in items.into_iter().enumerate() {
        let shard = shard_of(&item);
        if open.len() <= shard {
            open.resize(shard + 1, None);
        }
        match open[shard].map(|index| &mut groups[index]) {
            Some(group) if group.places.len() < GROUP_MAX_KEYS => {
                group.others.push(item);
                group.places.push(place);
            }
            _ => {
                open[shard] = Some(groups.len());
                groups.push(Group { first: item, others: Vec::new(), places: vec![place] });
            }
        }
    }
    groups
}

/// Sends every group to its shard and gives each answer with the places that it is for.
async fn each<T, R, E, F>(
    server: &Server,
    groups: Vec<Group<T>>,
    ask: impl Fn((T, Vec<T>)) -> F,
) -> Result<Vec<(Vec<usize>, R)>, E>
where
    F: Future<Output = Result<R, E>>,
{
    let mut run = InOrder::new(server.looks, ask);
    let mut answers = Vec::with_capacity(groups.len());
    let mut groups = groups.into_iter().peekable();
    let (mut places, mut outcomes) = (Vec::new(), Vec::new());
    while groups.peek().is_some() {
        for group in groups.by_ref().take(GROUPS_MAX) {
            places.push(group.places);
            run.push((group.first, group.others));
        }
        let room = server.room_for(run.len()).await;
        run.join_into(&mut outcomes).await;
        drop(room);
        for (places, outcome) in places.drain(..).zip(outcomes.drain(..)) {
            answers.push((places, outcome?));
        }
    }
    Ok(answers)
}

fn total<E: fmt::Display>(answers: Result<Vec<(Vec<usize>, usize)>, E>) -> Reply {
    settle(answers, |answers| Reply::count(answers.iter().map(|(_, count)| count).sum()))
}

async fn mget(server: &Server, keys: Vec<Bytes>) -> Reply {
    let shards = &server.shards;
    let mut values = vec![Reply::Null; keys.len()];
    let groups = group(keys, |key| shards.shard_of(key));
    let ask = |(first, others)| async { shards.get_all(first, others).await };
    settle(each(server, groups, ask).await, |answers| {
        for (places, found) in answers {
            for (place, value) in places.into_iter().zip(found) {
                values[place] = Reply::bulk_or_null(value);
            }
        }
        Reply::Array(values)
    })
}

async fn mset(server: &Server, pairs: Vec<(Bytes, Bytes)>) -> Reply {
    let shards = &server.shards;
    let groups = group(pairs, |(key, _)| shards.shard_of(key));
    let ask = |((first, value), others)| async { shards.set_all(first, value, others).await };
    settle(each(server, groups, ask).await, |_| Reply::OK)
}

/// Walks the shards step by step, so that a large store goes on serving others meanwhile.
async fn keys(server: &Server, pattern: &Bytes) -> Reply {
    let mut found = Vec::new();
    for route in &server.routes {
        let mut from = Some(0);
        while let Some(position) = from {
            let wanted = Some(pattern.clone());
            match server.shards.scan(route.clone(), position, KEYS_STEP, wanted).await {
                Ok(page) => {
                    found.extend(page.keys.into_iter().map(Reply::Bulk));
                    from = page.next;
                }
                Err(error) => return unavailable(error),
            }
        }
    }
    Reply::Array(found)
}

async fn scan(server: &Server, command: Scan) -> Reply {
    let (shard, position) = split_cursor(command.cursor);
    let Some(route) = server.routes.get(shard) else { return scanned(0, Vec::new()) };
    let outcome = server.shards.scan(route.clone(), position, command.count, command.pattern).await;
    settle(outcome, |page| {
        let cursor = next_cursor(shard, page.next, server.routes.len());
        scanned(cursor, if command.other_type { Vec::new() } else { page.keys })
    })
}

fn scanned(cursor: u64, keys: Vec<Bytes>) -> Reply {
    let keys = keys.into_iter().map(Reply::Bulk).collect();
    Reply::Array(vec![Reply::text(cursor.to_string()), Reply::Array(keys)])
}

fn split_cursor(cursor: u64) -> (usize, u64) {
    let shard = cursor & (u64::MAX >> POSITION_BITS);
    (usize::try_from(shard).unwrap_or(usize::MAX), cursor >> SHARD_BITS)
}

/// Zero both starts and ends a scan: nothing but the very beginning has it as its cursor.
fn next_cursor(shard: usize, position: Option<u64>, shards: usize) -> u64 {
    match position {
        Some(position) => position << SHARD_BITS | shard as u64,
        None if shard + 1 < shards => shard as u64 + 1,
        None => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_keep_their_order_and_their_limit() {
        let items: Vec<usize> = (0..3 * GROUP_MAX_KEYS).collect();
        let groups = group(items, |item| item % 2 * 5);
        assert_eq!(groups.len(), 4);
        for group in &groups {
            let items = [&[group.first][..], &group.others].concat();
            assert_eq!(items, group.places);
            assert!(items.is_sorted() && items.len() <= GROUP_MAX_KEYS);
            assert!(items.iter().all(|item| item % 2 == group.first % 2));
        }
        assert_eq!(groups.iter().map(|group| group.places.len()).sum::<usize>(), 3 * 512);
    }

    #[test]
    fn a_cursor_leads_through_every_shard_and_ends() {
        let end = (1 << POSITION_BITS) - 1;
        for (shard, position) in [(0, 1), (1, 0), (SHARDS_MAX - 1, end)] {
            let cursor = next_cursor(shard, Some(position), SHARDS_MAX);
            assert_eq!(split_cursor(cursor), (shard, position));
        }
        assert_eq!(split_cursor(0), (0, 0));
        assert_eq!(split_cursor(next_cursor(0, None, 2)), (1, 0));
        assert_eq!(next_cursor(1, None, 2), 0);
    }
}
