//! Every interleaving of a small lane that overflows, and the orderings without which it lies.

use loom::thread;

use super::*;
use crate::bus::stage::index_by;
use crate::sync::mutants::{explore, mutant};

/// By turns as part of a run, as events that are published come, and alone, as those from a log do.
fn offer_one(writer: &mut LaneWriter<Box<u64>>, seq: u64) {
    let mut event = Some((seq, Box::new(seq)));
    if seq % 2 == 0 && writer.drops_newest() {
        writer.offer_run(1, &mut std::iter::from_fn(|| event.take()));
    } else if let Some((seq, event)) = event.take_if(|_| writer.has_room()) {
        writer.offer(seq, event);
    }
    if event.is_some() {
        writer.refuse(1, seq);
    }
}

/// As a subscription does it.
fn take_one(reader: &mut LaneReader<Box<u64>>) -> Option<Taken<Box<u64>>> {
    let following = reader.take_following();
    following.map(|(seq, event)| Taken::Event { seq, event }).or_else(|| reader.take())
}

/// Takes whatever is there; adds up what was delivered and what was reported, and checks the places.
fn take_all(reader: &mut LaneReader<Box<u64>>, seen: &mut u64, next: &mut u64) {
    while let Some(taken) = take_one(reader) {
        match taken {
            Taken::Event { seq, event } => {
                assert_eq!(*event, seq, "an event stands where its number says");
                assert!(seq >= *next, "in order");
                *next = seq + 1;
                *seen += 1;
            }
            Taken::Missing { from, to, count } => {
                assert_eq!(from, *next, "a gap begins where delivery ended");
                assert!(count > 0 && to > from, "nothing is missing twice");
                // Every event is wanted here, so a gap is exactly as long as it is wide.
                assert_eq!(to - from, count, "a gap knows what it lost");
                *next = to;
                *seen += count;
            }
        }
    }
}

/// `count` events through few places, published one by one, with a reader that looks at any time: what it
/// has seen and been told of is never more than was published, and in the end all of it.
fn overflow(
    capacity: usize,
    count: u64,
    policy: impl Fn() -> Policy<Box<u64>> + Send + Sync + 'static,
) {
    explore(2, move || {
        let (mut writer, mut reader) = lane::<Box<u64>>(capacity, &Arc::new(policy()), 7).unwrap();
        let source = thread::spawn(move || {
            for seq in 7..7 + count {
                offer_one(&mut writer, seq);
                writer.publish();
            }
        });
        let (mut seen, mut next) = (0, 7);
        take_all(&mut reader, &mut seen, &mut next);
        take_all(&mut reader, &mut seen, &mut next);
        source.join().unwrap();
        take_all(&mut reader, &mut seen, &mut next);
        let end = (count, 7 + count);
        assert_eq!((seen, next), end, "delivered and missing make up what was wanted");
    });
}

fn drop_newest() {
    overflow(1, 3, || Policy::DropNewest);
}

/// With more than one event in the reader's hands at a time.
fn several_at_once() {
    overflow(2, 3, || Policy::DropNewest);
}

/// The writer takes back what the reader may be looking for, and returns it.
fn taken_back() {
    overflow(2, 2, || Policy::DropOldest);
}

fn drop_oldest() {
    overflow(1, 2, || Policy::DropOldest);
}

/// The first may be in the reader's hands, in the writer's, or between them, when the third replaces it.
fn conflate() {
    overflow(2, 3, || Policy::Conflate(index_by(|event: &Box<u64>| **event % 2)));
}

#[test]
fn model_lane_drop_newest() {
    drop_newest();
}

#[test]
fn model_lane_several_at_once() {
    several_at_once();
}

#[test]
fn model_lane_drop_oldest() {
    drop_oldest();
}

#[test]
fn model_lane_taken_back() {
    taken_back();
}

#[test]
fn model_lane_conflate() {
    conflate();
}

mutant!(mutant_mark_store: "lane.mark-store" breaks drop_newest);
mutant!(mutant_mark_load: "lane.mark-load" breaks drop_newest);
mutant!(mutant_mark_write_fence: "lane.mark-write-fence" breaks drop_newest);
mutant!(mutant_mark_read_fence: "lane.mark-read-fence" breaks drop_newest);
mutant!(mutant_mark_whole: "lane.mark-whole" breaks drop_newest);
mutant!(mutant_look_again: "lane.look-again" breaks drop_newest);
mutant!(mutant_stage_begin: "lane.stage-begin" breaks taken_back);
mutant!(mutant_stage_recheck: "lane.stage-recheck" breaks taken_back);
