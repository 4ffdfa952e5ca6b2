//! The ring against a `VecDeque`, at the edges of its numbers, and with items that panic in `Drop`.

use std::cell::Cell;
use std::collections::VecDeque;
use std::fmt::Debug;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;

use proptest::prelude::*;

use super::*;

#[derive(Debug, Clone)]
enum Step {
    Push,
    PushBatch(usize),
    Reserve { wanted: usize, filled: usize, commit: bool },
    FillWith(usize),
    Pop,
    PopBatch(usize),
    Drain(usize),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        4 => Just(Step::Push),
        1 => (0..20usize).prop_map(Step::PushBatch),
        1 => (0..20usize, 0..20usize, any::<bool>())
            .prop_map(|(wanted, filled, commit)| Step::Reserve { wanted, filled, commit }),
        1 => (0..20usize).prop_map(Step::FillWith),
        4 => Just(Step::Pop),
        1 => (0..20usize).prop_map(Step::PopBatch),
        1 => (0..20usize).prop_map(Step::Drain),
    ];
    prop::collection::vec(step, 0..200)
}

/// Runs the same steps on a ring and on a queue that is limited by hand.
fn compare<T: Clone + PartialEq + Debug>(
    capacity: usize,
    start: usize,
    steps: &[Step],
    make: impl Fn(usize) -> T,
) {
    let (mut producer, mut consumer) = ring_from::<T>(capacity, start).expect("a sound capacity");
    let mut queue = VecDeque::new();
    let mut made_so_far = 0;
    for step in steps {
        match step {
            Step::Push => {
                let value = make(made_so_far);
                made_so_far += 1;
                let pushed = producer.push(value.clone());
                if queue.len() < capacity {
                    assert_eq!(pushed, Ok(()));
                    queue.push_back(value);
                } else {
                    assert_eq!(pushed, Err(value));
                }
            }
            Step::PushBatch(count) => {
                let values: Vec<T> = (made_so_far..made_so_far + count).map(&make).collect();
                made_so_far += count;
                let mut source = values.iter().cloned();
                let pushed = producer.push_batch(&mut source);
                assert_eq!(pushed, (*count).min(capacity - queue.len()));
                assert_eq!(source.len(), count - pushed, "what does not fit stays in the source");
                queue.extend(values.into_iter().take(pushed));
            }
            Step::Reserve { wanted, filled, commit } => {
                let mut reserved = producer.reserve(*wanted);
                let room = (*wanted).min(capacity - queue.len());
                assert_eq!(reserved.free(), room);
                let values: Vec<T> = (made_so_far..made_so_far + filled).map(&make).collect();
                made_so_far += filled;
                for (n, value) in values.iter().enumerate() {
                    let pushed = reserved.push(value.clone());
                    assert_eq!(pushed.is_ok(), n < room);
                }
                let filled = room.min(*filled);
                assert_eq!((reserved.len(), reserved.free()), (filled, room - filled));
                assert!(consumer.available() <= queue.len(), "nothing shows before the commit");
                if *commit {
                    assert_eq!(reserved.commit(), filled);
                    queue.extend(values.into_iter().take(filled));
                } else {
                    drop(reserved);
                }
            }
            Step::FillWith(wanted) => {
                let mut reserved = producer.reserve(*wanted);
                let before = made_so_far;
                let filled = reserved.fill_with(|| {
                    made_so_far += 1;
                    make(made_so_far - 1)
                });
                assert_eq!(reserved.commit(), filled);
                assert_eq!(filled, (*wanted).min(capacity - queue.len()));
                queue.extend((before..made_so_far).map(&make));
            }
            Step::Pop => assert_eq!(consumer.pop(), queue.pop_front()),
            Step::PopBatch(max) => {
                let mut popped = Vec::new();
                let available = consumer.available();
                assert_eq!(consumer.pop_batch(&mut popped, *max), available.min(*max));
                let expected: Vec<T> = queue.drain(..popped.len()).collect();
                assert_eq!(popped, expected);
            }
            Step::Drain(max) => {
                let mut drained = Vec::new();
                let available = consumer.available();
                let count = consumer.drain(*max, |value| drained.push(value));
                assert_eq!(count, available.min(*max));
                let expected: Vec<T> = queue.drain(..count).collect();
                assert_eq!(drained, expected);
            }
        }
        assert_eq!(producer.len(), queue.len());
        assert_eq!(producer.gauge().len(), queue.len());
    }
}

#[derive(Debug, Clone, PartialEq)]
#[repr(align(128))]
struct Aligned(usize);

/// An item that counts how many of its kind are alive.
#[derive(Debug, PartialEq)]
struct Counted {
    number: usize,
    alive: Rc<Cell<usize>>,
}

impl Counted {
    fn new(number: usize, alive: &Rc<Cell<usize>>) -> Self {
        alive.set(alive.get() + 1);
        Self { number, alive: Rc::clone(alive) }
    }
}

impl Clone for Counted {
    fn clone(&self) -> Self {
        Self::new(self.number, &self.alive)
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.alive.set(self.alive.get() - 1);
    }
}

#[test]
fn touching_the_pages_leaves_the_items_alone() {
    let (mut producer, mut consumer) = ring_from::<[u64; 3]>(1000, usize::MAX - 3).unwrap();
    for n in 0..10 {
        producer.push([n; 3]).unwrap();
    }
    producer.touch_pages();
    for n in 0..10 {
        assert_eq!(consumer.pop(), Some([n; 3]));
    }
    assert_eq!(consumer.pop(), None);
    let (mut producer, mut consumer) = ring::<()>(3).unwrap();
    producer.touch_pages();
    producer.push(()).unwrap();
    assert_eq!(consumer.pop(), Some(()));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, ..ProptestConfig::default() })]

    #[test]
    fn behaves_like_a_bounded_queue(
        steps in steps(),
        capacity in prop_oneof![Just(1usize), Just(2), Just(3), Just(7), Just(8), Just(64)],
        near_wrap in any::<bool>(),
    ) {
        let start = if near_wrap { usize::MAX - 3 } else { 0 };
        compare(capacity, start, &steps, |n| u8::try_from(n % 256).unwrap());
        compare(capacity, start, &steps, |_| ());
        compare(capacity, start, &steps, |n| format!("item {n}"));
        compare(capacity, start, &steps, |n| [u8::try_from(n % 256).unwrap(); 129]);
        compare(capacity, start, &steps, Aligned);
        let alive = Rc::new(Cell::new(0));
        compare(capacity, start, &steps, |n| Counted::new(n, &alive));
        assert_eq!(alive.get(), 0, "every item is dropped, and once");
    }
}

#[test]
fn capacities_that_cannot_be_are_refused() {
    assert_eq!(ring::<u8>(0).err(), Some(CapacityError::Zero));
    for capacity in [usize::MAX, usize::MAX / 2 + 2, isize::MAX.unsigned_abs()] {
        let error = ring::<u64>(capacity).err();
        assert_eq!(error, Some(CapacityError::TooLarge { capacity, item_bytes: 8 }));
    }
    // Without a size they would fit in memory, but not in the numbers.
    assert!(ring::<()>(usize::MAX).is_err());
    assert!(ring::<()>(1 << 20).is_ok());
    assert!(ring::<u8>(1).is_ok());
}

/// Counts its drops, and panics in the one that it is told to.
struct Bomb {
    dropped: Rc<Cell<usize>>,
    panics: bool,
}

impl Drop for Bomb {
    fn drop(&mut self) {
        self.dropped.set(self.dropped.get() + 1);
        assert!(!self.panics, "a bomb");
    }
}

#[test]
fn an_item_that_panics_in_drop_is_dropped_once_and_so_are_the_others() {
    for (wrapped, bomb) in (0..8).flat_map(|bomb| [(0, bomb), (5, bomb)]) {
        let dropped = Rc::new(Cell::new(0));
        let (mut producer, mut consumer) = ring(8).unwrap();
        for _ in 0..wrapped {
            assert!(producer.push(Bomb { dropped: Rc::default(), panics: false }).is_ok());
            drop(consumer.pop());
        }
        for n in 0..8 {
            let item = Bomb { dropped: Rc::clone(&dropped), panics: n == bomb };
            assert!(producer.push(item).is_ok());
        }
        drop(consumer);
        let outcome = catch_unwind(AssertUnwindSafe(|| drop(producer)));
        assert!(outcome.is_err(), "the panic is not swallowed");
        assert_eq!(dropped.get(), 8, "bomb at {bomb}");
    }
}

#[test]
fn a_panic_in_the_middle_of_a_drain_loses_no_item_twice() {
    for stop in 0..4 {
        let dropped = Rc::new(Cell::new(0));
        let (mut producer, mut consumer) = ring(4).unwrap();
        for _ in 0..4 {
            assert!(producer.push(Bomb { dropped: Rc::clone(&dropped), panics: false }).is_ok());
        }
        let mut seen = 0;
        let outcome = catch_unwind(AssertUnwindSafe(|| {
            consumer.drain(4, |_item| {
                seen += 1;
                assert!(seen <= stop, "stop here");
            })
        }));
        assert!(outcome.is_err());
        assert_eq!(dropped.get(), stop + 1);
        assert_eq!(producer.free(), stop + 1, "the places of seen items are free");
        drop((producer, consumer));
        assert_eq!(dropped.get(), 4);
    }
}

#[test]
fn a_reservation_that_is_not_committed_drops_each_item_once_whatever_their_drops_do() {
    for bomb in 0..4 {
        let dropped = Rc::new(Cell::new(0));
        let (mut producer, mut consumer) = ring(4).unwrap();
        let mut reserved = producer.reserve(4);
        for n in 0..4 {
            let item = Bomb { dropped: Rc::clone(&dropped), panics: n == bomb };
            assert!(reserved.push(item).is_ok());
        }
        let outcome = catch_unwind(AssertUnwindSafe(|| drop(reserved)));
        assert!(outcome.is_err(), "the panic is not swallowed");
        assert_eq!(dropped.get(), 4, "bomb at {bomb}");
        assert_eq!((producer.free(), consumer.available()), (4, 0));
    }
}

#[test]
fn either_half_may_go_first_and_what_is_left_is_dropped_once() {
    for (pushed, producer_first) in (0..=3).flat_map(|n| [(n, true), (n, false)]) {
        let dropped = Rc::new(Cell::new(0));
        let (mut producer, consumer) = ring(3).unwrap();
        for _ in 0..pushed {
            assert!(producer.push(Bomb { dropped: Rc::clone(&dropped), panics: false }).is_ok());
        }
        if producer_first {
            drop(producer);
            assert!(consumer.is_closed());
            drop(consumer);
        } else {
            drop(consumer);
            assert!(producer.is_closed());
            drop(producer);
        }
        assert_eq!(dropped.get(), pushed);
    }
}

#[test]
fn what_was_sent_before_the_close_is_still_read() {
    let (mut producer, mut consumer) = ring(4).unwrap();
    producer.push(1).unwrap();
    producer.push(2).unwrap();
    drop(producer);
    assert!(consumer.is_closed());
    assert_eq!((consumer.pop(), consumer.pop(), consumer.pop()), (Some(1), Some(2), None));
}

#[test]
fn a_producer_takes_back_what_a_gone_consumer_has_not_read() {
    let (mut producer, mut consumer) = ring(4).unwrap();
    for n in 0..4 {
        producer.push(n).unwrap();
    }
    assert_eq!(producer.reclaim(), None, "not while there is a reader");
    assert_eq!(consumer.pop(), Some(0));
    drop(consumer);
    assert_eq!(producer.reclaim(), Some(1));
    producer.push(9).unwrap();
    assert_eq!([producer.reclaim(), producer.reclaim()], [Some(2), Some(3)]);
    assert_eq!((producer.reclaim(), producer.reclaim()), (Some(9), None));
}

#[test]
fn two_threads_lose_nothing_and_reorder_nothing() {
    // Items carry their number, so loss, repetition and reordering all show. `TPC_RING_ITEMS` sets how
    // many; a release build moves 200 million in seconds.
    let most = std::env::var("TPC_RING_ITEMS").map_or(2_000_000, |items| items.parse().unwrap());
    for capacity in [1, 3, 1024] {
        let items = if capacity == 1024 { most } else { most / 100 };
        let (mut producer, mut consumer) = ring::<u64>(capacity).unwrap();
        let sender = std::thread::spawn(move || {
            let mut next = 0;
            while next < items {
                let mut batch = next..(next + next % 37 + 1).min(items);
                while !batch.is_empty() {
                    if producer.push_batch(&mut batch) == 0 {
                        std::thread::yield_now();
                    }
                }
                next = batch.end;
            }
        });
        let mut expected = 0;
        while expected < items {
            let drained = consumer.drain(32, |item| {
                assert_eq!(item, expected);
                expected += 1;
            });
            if drained == 0 {
                std::thread::yield_now();
            }
        }
        sender.join().unwrap();
        assert_eq!(consumer.pop(), None);
    }
}
