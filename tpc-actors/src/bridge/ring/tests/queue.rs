//! The ring against a `VecDeque`.

use std::cell::Cell;
use std::collections::VecDeque;
use std::fmt::Debug;
use std::rc::Rc;

use proptest::prelude::*;

use super::super::*;

#[derive(Debug, Clone)]
enum Step {
    Push,
    PushBatch(usize),
    Reserve { wanted: usize, filled: usize, commit: bool },
    FillWith(usize),
    TakeAll(usize),
    TakeSome { count: usize, wrapped: usize },
    Pop,
    PopBatch(usize),
    Drain(usize),
    ReadUnpublished(usize),
    ReadWhile { max: usize, wanted: usize, last: usize },
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        4 => Just(Step::Push),
        1 => (0..20usize).prop_map(Step::PushBatch),
        1 => (0..20usize, 0..20usize, any::<bool>())
            .prop_map(|(wanted, filled, commit)| Step::Reserve { wanted, filled, commit }),
        1 => (0..20usize).prop_map(Step::FillWith),
        1 => (0..20usize).prop_map(Step::TakeAll),
        1 => (0..20usize, 0..20usize)
            .prop_map(|(count, wrapped)| Step::TakeSome { count, wrapped }),
        4 => Just(Step::Pop),
        1 => (0..20usize).prop_map(Step::PopBatch),
        1 => (0..20usize).prop_map(Step::Drain),
        2 => (0..20usize).prop_map(Step::ReadUnpublished),
        2 => (0..20usize, 0..40usize, 1..40usize)
            .prop_map(|(max, wanted, last)| Step::ReadWhile { max, wanted, last }),
    ];
    prop::collection::vec(step, 0..200)
}

/// A ring, and a queue that is limited by hand.
struct Both<T> {
    producer: Producer<T>,
    consumer: Consumer<T>,
    queue: VecDeque<T>,
    capacity: usize,
    made: usize,
}

impl<T: Clone + PartialEq + Debug> Both<T> {
    fn new(capacity: usize, start: usize) -> Self {
        let (producer, consumer) = ring_from::<T>(capacity, start).expect("a sound capacity");
        Self { producer, consumer, queue: VecDeque::new(), capacity, made: 0 }
    }

    fn room(&self) -> usize {
        self.capacity - self.queue.len()
    }

    fn values(&mut self, count: usize, make: &impl Fn(usize) -> T) -> Vec<T> {
        let first = self.made;
        self.made += count;
        (first..self.made).map(make).collect()
    }

    fn write(&mut self, step: &Step, make: &impl Fn(usize) -> T) {
        let room = self.room();
        match *step {
            Step::Push => {
                let value = self.values(1, make).remove(0);
                let pushed = self.producer.push(value.clone());
                if room > 0 {
                    assert_eq!(pushed, Ok(()));
                    self.queue.push_back(value);
                } else {
                    assert_eq!(pushed, Err(value));
                }
            }
            Step::PushBatch(count) => {
                let values = self.values(count, make);
                let mut source = values.iter().cloned();
                let pushed = self.producer.push_batch(&mut source);
                assert_eq!(pushed, count.min(room));
                assert_eq!(source.len(), count - pushed, "what does not fit stays in the source");
                self.queue.extend(values.into_iter().take(pushed));
            }
            Step::Reserve { wanted, filled, commit } => {
                let values = self.values(filled, make);
                let mut reserved = self.producer.reserve(wanted);
                let room = wanted.min(room);
                assert_eq!(reserved.free(), room);
                for (n, value) in values.iter().enumerate() {
                    assert_eq!(reserved.push(value.clone()).is_ok(), n < room);
                }
                let filled = room.min(filled);
                assert_eq!((reserved.len(), reserved.free()), (filled, room - filled));
                let shown = self.consumer.available();
                assert!(shown <= self.queue.len(), "nothing shows before the commit");
                if commit {
                    assert_eq!(reserved.commit(), filled);
                    self.queue.extend(values.into_iter().take(filled));
                } else {
                    drop(reserved);
                }
            }
            Step::FillWith(wanted) => {
                let values = self.values(wanted.min(room), make);
                let mut reserved = self.producer.reserve(wanted);
                let mut source = values.iter().cloned();
                assert_eq!(reserved.fill_with(|| source.next().expect("room")), values.len());
                assert_eq!(reserved.commit(), values.len());
                self.queue.extend(values);
            }
            Step::TakeAll(count) => {
                let values = self.values(count, make);
                let mut source = values.clone();
                let mut reserved = self.producer.reserve(count);
                let fits = count <= reserved.free();
                assert_eq!(reserved.take_all(&mut source), fits);
                assert_eq!(source.len(), if fits { 0 } else { count });
                assert_eq!(reserved.commit(), count - source.len());
                self.queue.extend(values.into_iter().take(count - source.len()));
            }
            Step::TakeSome { count, wrapped } => {
                // A source that goes around the end of its own memory.
                let mut source = VecDeque::with_capacity(count.max(wrapped));
                source.extend(self.values(wrapped, make));
                while source.pop_front().is_some() {}
                let values = self.values(count, make);
                source.extend(values.iter().cloned());
                let mut reserved = self.producer.reserve(count);
                let room = reserved.free();
                reserved.take_some(&mut source);
                assert_eq!(
                    (reserved.len(), reserved.free(), source.len()),
                    (room, 0, count - room)
                );
                assert_eq!(reserved.commit(), room);
                self.queue.extend(values.into_iter().take(room));
            }
            Step::Pop
            | Step::PopBatch(_)
            | Step::Drain(_)
            | Step::ReadUnpublished(_)
            | Step::ReadWhile { .. } => {}
        }
    }

    fn read(&mut self, step: &Step) {
        let mut read = Vec::new();
        match *step {
            Step::Pop => return assert_eq!(self.consumer.pop(), self.queue.pop_front()),
            Step::PopBatch(max) => {
                let available = self.consumer.available();
                assert_eq!(self.consumer.pop_batch(&mut read, max), available.min(max));
            }
            Step::Drain(max) => {
                let available = self.consumer.available();
                let count = self.consumer.drain(max, |value| read.push(value));
                assert_eq!(count, available.min(max));
            }
            Step::ReadUnpublished(max) => {
                read.extend(std::iter::from_fn(|| self.consumer.read_unpublished()).take(max));
                self.consumer.publish();
                assert!(read.len() == max || read.len() == self.queue.len());
            }
            Step::ReadWhile { max, wanted, last } => {
                let seen = Cell::new(0);
                let each = |value| {
                    read.push(value);
                    seen.set(seen.get() + 1);
                    seen.get() < last
                };
                self.consumer.read_while(max, |_| seen.get() < wanted, each);
                self.consumer.publish();
                assert_eq!(read.len(), max.min(wanted).min(last).min(self.queue.len()));
            }
            _ => return,
        }
        let expected: Vec<T> = self.queue.drain(..read.len()).collect();
        assert_eq!(read, expected);
    }
}

/// Runs the same steps on a ring and on a queue.
fn compare<T: Clone + PartialEq + Debug>(
    capacity: usize,
    start: usize,
    steps: &[Step],
    make: impl Fn(usize) -> T,
) {
    let mut both = Both::<T>::new(capacity, start);
    for step in steps {
        both.write(step, &make);
        both.read(step);
        assert_eq!(both.producer.len(), both.queue.len());
        assert_eq!(both.producer.gauge().len(), both.queue.len());
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
