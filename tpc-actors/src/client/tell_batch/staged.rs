//! Messages that wait to be sent together, in a form that a lane takes as a whole.

use std::collections::VecDeque;

use crate::bridge::ring::Reserved;

/// Messages, oldest first.
pub(crate) struct Staged<T> {
    /// What found no room; older than the others.
    older: VecDeque<T>,
    /// A pile, because that is the quickest to add to and to move.
    fresh: Vec<T>,
}

impl<T> Staged<T> {
    pub(super) fn new() -> Self {
        Self { older: VecDeque::new(), fresh: Vec::new() }
    }

    #[inline]
    pub(super) fn push(&mut self, message: T) {
        self.fresh.push(message);
    }

    #[inline]
    pub(super) fn extend(&mut self, messages: impl Iterator<Item = T>) {
        self.fresh.extend(messages);
    }

    pub(crate) fn len(&self) -> usize {
        self.older.len() + self.fresh.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.older.is_empty() && self.fresh.is_empty()
    }

    pub(super) fn clear(&mut self) {
        self.older.clear();
        self.fresh.clear();
    }

    pub(super) fn pop_oldest(&mut self) -> Option<T> {
        self.age();
        let oldest = self.older.pop_front();
        self.reuse();
        oldest
    }

    /// Puts the oldest one back.
    pub(crate) fn put_back(&mut self, message: T) {
        self.older.push_front(message);
    }

    /// Moves messages into `places`, oldest first, while there are some; what is left waits for the next time.
    pub(crate) fn move_into(&mut self, places: &mut Reserved<'_, T>) {
        if self.older.is_empty() && places.take_all(&mut self.fresh) {
            return;
        }
        self.age();
        places.take_some(&mut self.older);
        self.reuse();
    }

    /// Has the fresh ones be the older ones if there are none of these; moves nothing.
    fn age(&mut self) {
        if self.older.is_empty() {
            self.older = VecDeque::from(std::mem::take(&mut self.fresh));
        }
    }

    /// Has the next ones use the memory of those that are gone.
    fn reuse(&mut self) {
        if self.is_empty() && self.older.capacity() > self.fresh.capacity() {
            self.fresh = Vec::from(std::mem::take(&mut self.older));
        }
    }
}

#[cfg(all(test, not(tpc_loom)))]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::bridge::ring::ring;

    #[derive(Debug, Clone)]
    enum Step {
        Push,
        PopAndPutBack,
        Pop,
        /// Moves messages while the ring has room, and empties it by so many then.
        Move(usize),
    }

    proptest! {
        /// What is staged comes out in the order in which it was pushed, whatever finds room when.
        #[test]
        fn behaves_as_a_queue(
            steps in proptest::collection::vec(prop_oneof![
                6 => Just(Step::Push),
                1 => Just(Step::PopAndPutBack),
                1 => Just(Step::Pop),
                3 => (0..9usize).prop_map(Step::Move),
            ], 0..200)
        ) {
            let (mut producer, mut consumer) = ring(8).expect("a sound capacity");
            let (mut staged, mut queue) = (Staged::new(), VecDeque::new());
            let mut in_ring = VecDeque::new();
            for (number, step) in steps.into_iter().enumerate() {
                match step {
                    Step::Push => {
                        staged.push(number.to_string());
                        queue.push_back(number.to_string());
                    }
                    Step::PopAndPutBack => {
                        if let Some(oldest) = staged.pop_oldest() {
                            staged.put_back(oldest);
                        }
                    }
                    Step::Pop => prop_assert_eq!(staged.pop_oldest(), queue.pop_front()),
                    Step::Move(taken) => {
                        let mut places = producer.reserve(staged.len());
                        staged.move_into(&mut places);
                        let moved = places.commit();
                        in_ring.extend(queue.drain(..moved));
                        prop_assert!(staged.is_empty() || in_ring.len() == 8 || moved > 0);
                        for _ in 0..taken {
                            prop_assert_eq!(consumer.pop(), in_ring.pop_front());
                        }
                    }
                }
                prop_assert_eq!(staged.len(), queue.len());
            }
        }

        /// The next messages have the memory of those that were sent.
        #[test]
        fn memory_is_used_again(room in 1..9usize) {
            let (mut producer, mut consumer) = ring(room).expect("a sound capacity");
            let mut staged = Staged::new();
            (0..8).for_each(|number| staged.push(number));
            let capacity = staged.fresh.capacity();
            let first = staged.pop_oldest().expect("eight of them");
            staged.put_back(first);
            while !staged.is_empty() {
                let mut places = producer.reserve(staged.len());
                staged.move_into(&mut places);
                places.commit();
                consumer.drain(room, drop);
            }
            prop_assert_eq!(staged.fresh.capacity(), capacity);
        }
    }
}
