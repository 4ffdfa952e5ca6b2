//! The data of one shard: a map, an order to scan it in, and an order in which its keys expire.
//!
//! Pure: the time comes in with every call. Keys stand in `order` under a hash that never changes, so
//! a scan that continues behind the last hash it saw meets every key that was there all the time,
//! whatever was added or removed meanwhile, and meets it once.

mod answer;
#[cfg(test)]
mod tests;

pub(crate) use answer::{Figures, Lifetime, Only, ScanPage, SetOutcome, StoreError, Ttl};

use crate::glob;
use crate::number::{parse_i64, push_i64};
use crate::resp::{BIG_BYTES, COMMAND_MAX_BYTES};
use bytes::{Bytes, BytesMut};
use std::collections::{BTreeSet, HashMap};
use std::hash::{BuildHasher, RandomState};
use std::mem;
use std::time::{Duration, Instant};

/// The most keys that one scan step looks at, however many were asked for.
const SCAN_MAX_KEYS: usize = 4096;
/// Positions use the high bits of the hash; the low ones are left for the shard in a cursor.
pub(crate) const POSITION_BITS: u32 = 48;

/// What a flush took out; dropping it is the slow part, and any thread can do that.
#[derive(Debug, Default)]
pub(crate) struct Contents {
    entries: HashMap<Bytes, Entry>,
    order: BTreeSet<(u64, Bytes)>,
    deadlines: BTreeSet<(Instant, Bytes)>,
}

#[derive(Debug)]
struct Entry {
    value: Bytes,
    expires: Option<Instant>,
}

#[derive(Debug, Default)]
pub(crate) struct Store {
    contents: Contents,
    hasher: RandomState,
    hits: u64,
    misses: u64,
    expired: u64,
}

impl Store {
    pub(crate) fn get(&mut self, key: &Bytes, now: Instant) -> Option<Bytes> {
        let value = self.live(key, now).map(|entry| entry.value.clone());
        self.count(value.is_some());
        value
    }

    pub(crate) fn strlen(&mut self, key: &Bytes, now: Instant) -> usize {
        let len = self.live(key, now).map(|entry| entry.value.len());
        self.count(len.is_some());
        len.unwrap_or(0)
    }

    pub(crate) fn contains(&mut self, key: &Bytes, now: Instant) -> bool {
        let found = self.live(key, now).is_some();
        self.count(found);
        found
    }

    pub(crate) fn set(
        &mut self,
        key: Bytes,
        value: Bytes,
        only: Only,
        lifetime: Lifetime,
        now: Instant,
    ) -> SetOutcome {
        let Some(entry) = self.live(&key, now) else {
            let stored = only != Only::IfPresent;
            if stored {
                let expires = deadline(lifetime, None, now);
                self.insert(key, Entry { value: own(value), expires });
            }
            return SetOutcome { stored, previous: None };
        };
        if only == Only::IfMissing {
            return SetOutcome { stored: false, previous: Some(entry.value.clone()) };
        }
        let previous = mem::replace(&mut entry.value, own(value));
        let expires = deadline(lifetime, entry.expires, now);
        self.set_deadline(&key, expires);
        SetOutcome { stored: true, previous: Some(previous) }
    }

    pub(crate) fn remove(&mut self, key: &Bytes, now: Instant) -> bool {
        self.live(key, now).is_some() && self.forget(key)
    }

    pub(crate) fn incr_by(&mut self, key: Bytes, by: i64, now: Instant) -> Result<i64, StoreError> {
        let old = match self.live(&key, now) {
            Some(entry) => parse_i64(&entry.value).ok_or(StoreError::NotAnInteger)?,
            None => 0,
        };
        let sum = old.checked_add(by).ok_or(StoreError::Overflow)?;
        let mut digits = Vec::with_capacity(20);
        push_i64(&mut digits, sum);
        self.overwrite(key, Bytes::from(digits));
        Ok(sum)
    }

    /// Grows the value in place unless a reply still shares it.
    pub(crate) fn append(
        &mut self,
        key: Bytes,
        tail: Bytes,
        now: Instant,
    ) -> Result<usize, StoreError> {
        let Some(entry) = self.live(&key, now) else {
            let len = tail.len();
            self.overwrite(key, own(tail));
            return Ok(len);
        };
        let len = entry.value.len() + tail.len();
        if len > COMMAND_MAX_BYTES {
            return Err(StoreError::TooLong);
        }
        let mut grown = mem::take(&mut entry.value)
            .try_into_mut()
            .unwrap_or_else(|shared| BytesMut::from(&shared[..]));
        grown.extend_from_slice(&tail);
        entry.value = grown.freeze();
        Ok(len)
    }

    /// Lets the key die `after` from now; at once if that is no time at all.
    pub(crate) fn expire(&mut self, key: &Bytes, after: Duration, now: Instant) -> bool {
        if self.live(key, now).is_none() {
            return false;
        }
        if after.is_zero() {
            return self.forget(key);
        }
        self.set_deadline(key, now.checked_add(after));
        true
    }

    pub(crate) fn persist(&mut self, key: &Bytes, now: Instant) -> bool {
        let had = self.live(key, now).is_some_and(|entry| entry.expires.is_some());
        self.set_deadline(key, None);
        had
    }

    pub(crate) fn ttl(&mut self, key: &Bytes, now: Instant) -> Ttl {
        match self.live(key, now).map(|entry| entry.expires) {
            None => Ttl::Missing,
            Some(None) => Ttl::Forever,
            Some(Some(at)) => Ttl::Left(at.saturating_duration_since(now)),
        }
    }

    /// Removes keys whose time has come, oldest first and at most `limit`, so that a core that has
    /// much to forget still answers in between.
    pub(crate) fn sweep(&mut self, limit: usize, now: Instant) -> usize {
        let mut swept = 0;
        while swept < limit {
            let Some((at, key)) = self.contents.deadlines.first() else { break };
            if *at > now {
                break;
            }
            let key = key.clone();
            self.forget(&key);
            swept += 1;
        }
        self.expired += swept as u64;
        swept
    }

    /// Looks at about `count` keys from position `from` on and returns those that match.
    pub(crate) fn scan(
        &self,
        from: u64,
        count: usize,
        pattern: Option<&[u8]>,
        now: Instant,
    ) -> ScanPage {
        let count = count.clamp(1, SCAN_MAX_KEYS);
        let mut keys = Vec::new();
        let mut last = from;
        for (looked, (position, key)) in
            self.contents.order.range((from, Bytes::new())..).enumerate()
        {
            // Keys that share a position leave together, since a cursor cannot point between them.
            if looked >= count && *position != last {
                return ScanPage { keys, next: Some(*position) };
            }
            last = *position;
            let alive = self.contents.entries.get(key).is_some_and(|entry| !entry.is_over(now));
            if alive && pattern.is_none_or(|pattern| glob::matches(pattern, key)) {
                keys.push(key.clone());
            }
        }
        ScanPage { keys, next: None }
    }

    pub(crate) fn flush(&mut self) -> Contents {
        mem::take(&mut self.contents)
    }

    pub(crate) fn figures(&self) -> Figures {
        Figures {
            keys: self.contents.entries.len(),
            expiring: self.contents.deadlines.len(),
            hits: self.hits,
            misses: self.misses,
            expired: self.expired,
        }
    }

    /// The entry of a key, after forgetting it if its time is over.
    fn live(&mut self, key: &Bytes, now: Instant) -> Option<&mut Entry> {
        let may_expire = !self.contents.deadlines.is_empty();
        if may_expire && self.contents.entries.get(key).is_some_and(|entry| entry.is_over(now)) {
            self.forget(key);
            self.expired += 1;
            return None;
        }
        self.contents.entries.get_mut(key)
    }

    /// Changes the value and nothing else, as counters and strings that grow do.
    fn overwrite(&mut self, key: Bytes, value: Bytes) {
        match self.contents.entries.get_mut(&key) {
            Some(entry) => entry.value = value,
            None => self.insert(key, Entry { value, expires: None }),
        }
    }

    fn insert(&mut self, key: Bytes, entry: Entry) {
        let key = own(key);
        self.contents.order.insert((self.position(&key), key.clone()));
        if let Some(at) = entry.expires {
            self.contents.deadlines.insert((at, key.clone()));
        }
        self.contents.entries.insert(key, entry);
    }

    fn forget(&mut self, key: &Bytes) -> bool {
        let Some((key, entry)) = self.contents.entries.remove_entry(key) else { return false };
        let position = self.position(&key);
        if let Some(at) = entry.expires {
            self.contents.deadlines.remove(&(at, key.clone()));
        }
        self.contents.order.remove(&(position, key))
    }

    fn set_deadline(&mut self, key: &Bytes, expires: Option<Instant>) {
        let Some(entry) = self.contents.entries.get_mut(key) else { return };
        let before = mem::replace(&mut entry.expires, expires);
        if before == expires {
            return;
        }
        // The name in the map is used, not the caller's, which may be a slice of a larger buffer.
        let Some((key, _)) = self.contents.entries.get_key_value(key) else { return };
        if let Some(at) = before {
            self.contents.deadlines.remove(&(at, key.clone()));
        }
        if let Some(at) = expires {
            self.contents.deadlines.insert((at, key.clone()));
        }
    }

    fn position(&self, key: &Bytes) -> u64 {
        self.hasher.hash_one(key) >> (u64::BITS - POSITION_BITS)
    }

    fn count(&mut self, hit: bool) {
        if hit {
            self.hits += 1;
        } else {
            self.misses += 1;
        }
    }
}

impl Entry {
    fn is_over(&self, now: Instant) -> bool {
        self.expires.is_some_and(|at| at <= now)
    }
}

/// A deadline beyond what the clock can express is no deadline.
fn deadline(lifetime: Lifetime, before: Option<Instant>, now: Instant) -> Option<Instant> {
    match lifetime {
        Lifetime::Forever => None,
        Lifetime::Keep => before,
        Lifetime::For(time) => now.checked_add(time),
    }
}

/// Small arguments are slices of a connection's buffer, and a three-byte value must not keep all of
/// that alive; big ones own their memory and are moved.
fn own(bytes: Bytes) -> Bytes {
    if bytes.len() < BIG_BYTES { Bytes::copy_from_slice(&bytes) } else { bytes }
}
