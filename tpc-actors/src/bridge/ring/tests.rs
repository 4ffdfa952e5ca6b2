//! The ring at the edges of its numbers, with items that panic in `Drop`, and against a queue.

mod queue;

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;

use super::*;

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

#[test]
fn capacities_that_cannot_be_are_refused() {
    assert_eq!(ring::<u8>(0).err(), Some(CapacityError::Zero));
    for capacity in [usize::MAX, usize::MAX / 2 + 2, isize::MAX.unsigned_abs()] {
        let error = ring::<u64>(capacity).err();
        assert_eq!(error, Some(CapacityError::TooLarge { capacity, item_bytes: 8 }));
    }
    // Without a size they would fit in memory, but not in the numbers.
    assert!(ring::<()>(usize::MAX).is_err());
    assert!(ring::<()>(1 << 62).is_ok(), "nothing takes no memory, and no time");
    assert!(ring::<u8>(1).is_ok());
}

/// Each half looks at the other's position only when what it has seen is used up: a look takes a line from another CPU.
#[test]
fn positions_are_looked_at_only_when_nothing_seems_left() {
    let (mut producer, mut consumer) = ring(4).unwrap();
    producer.push(0).unwrap();
    producer.push(1).unwrap();
    assert_eq!(consumer.available(), 2);
    producer.push(2).unwrap();
    assert_eq!(consumer.available(), 2, "there are three, which nobody has looked at");
    assert_eq!((consumer.pop(), consumer.pop()), (Some(0), Some(1)));
    assert_eq!(producer.free(), 1, "three are free, which nobody has looked at");
    assert_eq!(consumer.available(), 1);
    producer.push(3).unwrap();
    assert_eq!(producer.free(), 2, "looked at when none seemed left");
    // More than seem to be free are asked for.
    assert_eq!((consumer.pop(), producer.room(2), producer.room(3)), (Some(2), 2, 3));
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

/// At every position, in either half, with numbers that wrap around and places that do.
#[test]
fn an_item_that_panics_in_drop_is_dropped_once_and_so_are_the_others() {
    for (first, producer_last, bomb) in [0, 5, usize::MAX - 3]
        .into_iter()
        .flat_map(|first| [(first, false), (first, true)])
        .flat_map(|(first, last)| (0..8).map(move |bomb| (first, last, bomb)))
    {
        let dropped = Rc::new(Cell::new(0));
        let (mut producer, consumer) = ring_from(8, first).unwrap();
        for n in 0..8 {
            let item = Bomb { dropped: Rc::clone(&dropped), panics: n == bomb };
            assert!(producer.push(item).is_ok());
        }
        let outcome = catch_unwind(AssertUnwindSafe(|| {
            if producer_last {
                drop(consumer);
                drop(producer);
            } else {
                drop(producer);
                drop(consumer);
            }
        }));
        assert!(outcome.is_err(), "the panic is not swallowed");
        assert_eq!(dropped.get(), 8, "bomb at {bomb}");
    }
}

#[test]
fn a_panic_in_the_middle_of_many_loses_no_item_twice() {
    type Read = fn(&mut Consumer<Bomb>, &mut dyn FnMut(Bomb));
    let drain: Read = |consumer, each| _ = consumer.drain(4, each);
    let read_while: Read = |consumer, each| {
        let every = |item| {
            each(item);
            true
        };
        consumer.read_while(4, |_| true, every);
    };
    // Around the end of the slots as well.
    for (read, first, stop) in [drain, read_while]
        .into_iter()
        .flat_map(|read| [0, 2].map(|first| (read, first)))
        .flat_map(|(read, first)| (0..4).map(move |stop| (read, first, stop)))
    {
        let dropped = Rc::new(Cell::new(0));
        let (mut producer, mut consumer) = ring_from(4, first).unwrap();
        for _ in 0..4 {
            assert!(producer.push(Bomb { dropped: Rc::clone(&dropped), panics: false }).is_ok());
        }
        let mut seen = 0;
        let outcome = catch_unwind(AssertUnwindSafe(|| {
            read(&mut consumer, &mut |_item| {
                seen += 1;
                assert!(seen <= stop, "stop here");
            });
        }));
        assert!(outcome.is_err());
        assert_eq!(dropped.get(), stop + 1);
        consumer.publish();
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
fn what_a_forgotten_reservation_held_goes_with_what_comes_next() {
    let dropped = Rc::new(Cell::new(0));
    let item = || Bomb { dropped: Rc::clone(&dropped), panics: false };
    let forget_one = |producer: &mut Producer<Bomb>| {
        let mut reserved = producer.reserve(1);
        assert!(reserved.push(item()).is_ok());
        #[expect(clippy::mem_forget, reason = "what comes of it is asked here")]
        std::mem::forget(reserved);
    };
    let (mut producer, mut consumer) = ring(4).unwrap();
    forget_one(&mut producer);
    assert!(consumer.pop().is_none());
    assert!(producer.push(item()).is_ok());
    assert!(consumer.pop().is_some() && consumer.pop().is_some() && consumer.pop().is_none());
    assert_eq!(dropped.take(), 2);
    // A ring that is full of them shows them to who pushes for nothing.
    (0..4).for_each(|_| forget_one(&mut producer));
    assert!(consumer.pop().is_none() && producer.push(item()).is_err());
    (0..4).for_each(|_| assert!(consumer.pop().is_some()));
    assert!(consumer.pop().is_none() && producer.push(item()).is_ok());
    assert!(consumer.pop().is_some());
    assert_eq!(dropped.take(), 6);
    // The consumer goes before anything is shown to it.
    forget_one(&mut producer);
    drop(consumer);
    assert!(producer.reclaim().is_some() && producer.reclaim().is_none());
    drop(producer);
    assert_eq!(dropped.get(), 1, "once, and the ring has nothing left");
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
