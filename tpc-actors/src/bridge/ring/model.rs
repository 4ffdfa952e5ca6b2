//! Every interleaving of a small ring, and the orderings without which it breaks.

use loom::thread;

use super::*;
use crate::sync::mutants::mutant;

/// Three items through two places, with refused pushes and an early end of the reader.
fn three_items_through_two_places() {
    loom::model(|| {
        let (mut producer, mut consumer) = ring_from::<Box<u32>>(2, usize::MAX).unwrap();
        let sender = thread::spawn(move || {
            let mut sent = 0;
            for n in 0..3 {
                if producer.push(Box::new(n)).is_err() {
                    break;
                }
                sent += 1;
            }
            sent
        });
        let mut expected = 0;
        for _ in 0..3 {
            if let Some(item) = consumer.pop() {
                assert_eq!(*item, expected);
                expected += 1;
            }
        }
        let sent = sender.join().unwrap();
        assert!(expected <= sent);
        while let Some(item) = consumer.pop() {
            assert_eq!(*item, expected);
            expected += 1;
        }
        assert_eq!(expected, sent, "what was accepted is delivered");
    });
}

/// A sender that finds the reader gone takes back exactly what the reader has not read.
fn reclaim_after_close() {
    loom::model(|| {
        let (mut producer, mut consumer) = ring::<Box<u32>>(2).unwrap();
        let reader = thread::spawn(move || {
            let mut read = 0;
            read += u32::from(consumer.pop().is_some());
            read
        });
        let mut sent = 0;
        for n in 0..2 {
            sent += u32::from(producer.push(Box::new(n)).is_ok());
        }
        let mut back = 0;
        while producer.reclaim().is_some() {
            back += 1;
        }
        // Before that it has none back, and everything that is left.
        let read = reader.join().unwrap();
        while producer.reclaim().is_some() {
            back += 1;
        }
        assert_eq!(read + back, sent);
    });
}

/// A reader that finds the sender gone has everything before it, and says so by its positions.
fn rest_after_close() {
    loom::model(|| {
        let (mut producer, mut consumer) = ring::<Box<u32>>(2).unwrap();
        let sender = thread::spawn(move || {
            for n in 0..2 {
                producer.push(Box::new(n)).unwrap();
            }
        });
        // What the positions say is there can be read.
        let (read, written) = consumer.progress();
        for expected in read..written {
            assert!(consumer.read_unpublished().is_some_and(|item| *item as usize == expected));
        }
        if consumer.is_closed() {
            let rest = std::iter::from_fn(|| consumer.pop()).count();
            assert_eq!(written - read + rest, 2, "the rest comes first");
        }
        sender.join().unwrap();
    });
}

#[test]
fn model_ring_rest_after_close() {
    rest_after_close();
}

#[test]
fn model_ring_delivers_in_order() {
    three_items_through_two_places();
}

#[test]
fn model_ring_reclaim() {
    reclaim_after_close();
}

mutant!(mutant_progress: "ring.progress" breaks rest_after_close);
mutant!(mutant_producer_gone: "ring.producer-gone" breaks rest_after_close);
mutant!(mutant_see_producer_gone: "ring.see-producer-gone" breaks rest_after_close);
mutant!(mutant_consumer_gone: "ring.consumer-gone" breaks reclaim_after_close);
mutant!(mutant_see_consumer_gone: "ring.see-consumer-gone" breaks reclaim_after_close);
mutant!(mutant_publish_tail: "ring.publish-tail" breaks three_items_through_two_places);
mutant!(mutant_refresh_tail: "ring.refresh-tail" breaks three_items_through_two_places);
mutant!(mutant_publish_head: "ring.publish-head" breaks three_items_through_two_places);
mutant!(mutant_refresh_head: "ring.refresh-head" breaks three_items_through_two_places);
