//! The store against a clock that the tests move.

use super::*;
use std::collections::HashSet;

fn key(name: &str) -> Bytes {
    Bytes::copy_from_slice(name.as_bytes())
}

fn put(store: &mut Store, name: &str, value: &str, lifetime: Lifetime, now: Instant) {
    assert!(store.set(key(name), key(value), Only::Always, lifetime, now).stored);
}

const SECOND: Duration = Duration::from_secs(1);

#[test]
fn conditions_of_a_set() {
    let (mut store, now) = (Store::default(), Instant::now());
    let set = |store: &mut Store, value, only| {
        store.set(key("a"), key(value), only, Lifetime::Forever, now)
    };
    let missing = SetOutcome { stored: false, previous: None };
    assert_eq!(set(&mut store, "0", Only::IfPresent), missing);
    assert!(set(&mut store, "1", Only::IfMissing).stored);
    let refused = SetOutcome { stored: false, previous: Some(key("1")) };
    assert_eq!(set(&mut store, "2", Only::IfMissing), refused);
    let stored = SetOutcome { stored: true, previous: Some(key("1")) };
    assert_eq!(set(&mut store, "3", Only::IfPresent), stored);
    assert_eq!(store.get(&key("a"), now), Some(key("3")));
}

#[test]
fn a_key_dies_on_time_when_asked_for() {
    let (mut store, now) = (Store::default(), Instant::now());
    put(&mut store, "a", "1", Lifetime::For(SECOND), now);
    assert_eq!(store.ttl(&key("a"), now), Ttl::Left(SECOND));
    assert_eq!(store.get(&key("a"), now + SECOND / 2), Some(key("1")));
    assert_eq!(store.get(&key("a"), now + SECOND), None);
    assert_eq!(store.ttl(&key("a"), now), Ttl::Missing);
    let figures = store.figures();
    assert_eq!((figures.keys, figures.expiring, figures.expired), (0, 0, 1));
    assert_eq!((figures.hits, figures.misses), (1, 1));
}

#[test]
fn the_sweep_takes_the_dead_and_respects_its_limit() {
    let (mut store, now) = (Store::default(), Instant::now());
    for n in 0..10 {
        put(&mut store, &format!("dead{n}"), "", Lifetime::For(SECOND), now);
    }
    put(&mut store, "later", "", Lifetime::For(SECOND * 9), now);
    put(&mut store, "alive", "", Lifetime::Forever, now);
    assert_eq!(store.sweep(100, now), 0);
    assert_eq!(store.sweep(4, now + SECOND), 4);
    assert_eq!(store.sweep(100, now + SECOND), 6);
    let figures = store.figures();
    assert_eq!((figures.keys, figures.expiring, figures.expired), (2, 1, 10));
}

#[test]
fn deadlines_move_with_their_key() {
    let (mut store, now) = (Store::default(), Instant::now());
    put(&mut store, "a", "1", Lifetime::For(SECOND), now);
    assert!(store.expire(&key("a"), SECOND * 5, now));
    assert_eq!(store.sweep(9, now + SECOND), 0);
    put(&mut store, "a", "2", Lifetime::Keep, now);
    assert_eq!(store.ttl(&key("a"), now), Ttl::Left(SECOND * 5));
    assert!(store.persist(&key("a"), now) && !store.persist(&key("a"), now));
    assert_eq!(store.ttl(&key("a"), now), Ttl::Forever);
    assert!(store.expire(&key("a"), SECOND, now));
    put(&mut store, "a", "3", Lifetime::Forever, now);
    assert_eq!(store.figures().expiring, 0);
    assert!(store.expire(&key("a"), Duration::ZERO, now) && !store.contains(&key("a"), now));
    assert!(!store.expire(&key("a"), SECOND, now) && !store.remove(&key("a"), now));
}

#[test]
fn counters_check_their_value_and_keep_their_deadline() {
    let (mut store, now) = (Store::default(), Instant::now());
    assert_eq!(store.incr_by(key("n"), 5, now), Ok(5));
    store.expire(&key("n"), SECOND, now);
    assert_eq!(store.incr_by(key("n"), -7, now), Ok(-2));
    assert_eq!(store.get(&key("n"), now), Some(key("-2")));
    assert_eq!(store.ttl(&key("n"), now), Ttl::Left(SECOND));
    put(&mut store, "n", &i64::MAX.to_string(), Lifetime::Forever, now);
    assert_eq!(store.incr_by(key("n"), 1, now), Err(StoreError::Overflow));
    put(&mut store, "n", "abc", Lifetime::Forever, now);
    assert_eq!(store.incr_by(key("n"), 1, now), Err(StoreError::NotAnInteger));
}

#[test]
fn append_leaves_values_already_handed_out_alone() {
    let (mut store, now) = (Store::default(), Instant::now());
    assert_eq!(store.append(key("s"), key("ab"), now), Ok(2));
    let shared = store.get(&key("s"), now);
    assert_eq!(store.append(key("s"), key("cd"), now), Ok(4));
    assert_eq!(store.append(key("s"), key("ef"), now), Ok(6));
    assert_eq!((shared, store.get(&key("s"), now)), (Some(key("ab")), Some(key("abcdef"))));
    let half = Bytes::from(vec![0; COMMAND_MAX_BYTES / 2]);
    assert!(store.append(key("h"), half.clone(), now).is_ok());
    assert!(store.append(key("s"), half.clone(), now).is_ok());
    assert_eq!(store.append(key("s"), half, now), Err(StoreError::TooLong));
}

#[test]
fn a_scan_meets_every_steady_key_once_while_others_come_and_go() {
    let (mut store, now) = (Store::default(), Instant::now());
    for n in 0..500 {
        put(&mut store, &format!("steady{n}"), "", Lifetime::Forever, now);
        put(&mut store, &format!("leaving{n}"), "", Lifetime::Forever, now);
    }
    let (mut seen, mut from, mut steps) = (HashSet::new(), 0, 0);
    loop {
        let page = store.scan(from, 10, Some(b"steady*"), now);
        assert!(page.keys.len() <= 10);
        for name in page.keys {
            assert!(seen.insert(name), "a position belongs to one key");
        }
        for n in 0..20 {
            store.remove(&key(&format!("leaving{}", steps * 20 + n)), now);
            put(&mut store, &format!("coming{steps}:{n}"), "", Lifetime::Forever, now);
        }
        steps += 1;
        match page.next {
            Some(next) => from = next,
            None => break,
        }
    }
    assert_eq!(seen.len(), 500);
    assert!(steps > 50);
}

#[test]
fn a_scan_looks_at_a_bounded_number_of_keys() {
    let (mut store, now) = (Store::default(), Instant::now());
    for n in 0..2 * SCAN_MAX_KEYS {
        put(&mut store, &n.to_string(), "", Lifetime::For(SECOND), now);
    }
    let page = store.scan(0, usize::MAX, None, now);
    assert_eq!((page.keys.len(), page.next.is_some()), (SCAN_MAX_KEYS, true));
    assert_eq!(store.scan(0, 10, None, now + SECOND).keys, Vec::<Bytes>::new());
}

#[test]
fn a_flush_leaves_nothing_behind() {
    let (mut store, now) = (Store::default(), Instant::now());
    put(&mut store, "a", "1", Lifetime::For(SECOND), now);
    drop(store.flush());
    assert_eq!((store.figures().keys, store.figures().expiring), (0, 0));
    assert_eq!(store.scan(0, 10, None, now).keys.len() + store.sweep(9, now + SECOND), 0);
}

#[test]
fn small_values_do_not_keep_the_buffer_they_came_in() {
    let (mut store, now) = (Store::default(), Instant::now());
    let buffer = Bytes::from(vec![b'x'; 1000]);
    store.set(buffer.slice(0..3), buffer.slice(3..6), Only::Always, Lifetime::Forever, now);
    assert!(buffer.is_unique());
    let big = Bytes::from(vec![0; BIG_BYTES]);
    let place = big.as_ptr();
    store.set(key("big"), big, Only::Always, Lifetime::Forever, now);
    assert_eq!(store.get(&key("big"), now).expect("stored").as_ptr(), place);
}
