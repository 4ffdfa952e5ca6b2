//! A queue of two stacks: what comes in is piled up, and the pile turned over when everything older is out.
//!
//! Burton's functional queue (1982), in two vectors. A place is found without a division, a mask or a wrap, and a
//! queue that is emptied often stays in the same few lines. Turning over costs a move for each item, once.

/// First in, first out.
#[derive(Debug)]
pub(super) struct TwoStacks<T> {
    /// The newest on top.
    incoming: Vec<T>,
    /// The oldest on top, all older than those that come in.
    outgoing: Vec<T>,
}

impl<T> Default for TwoStacks<T> {
    fn default() -> Self {
        Self { incoming: Vec::new(), outgoing: Vec::new() }
    }
}

impl<T> TwoStacks<T> {
    #[inline]
    pub(super) fn push(&mut self, item: T) {
        self.incoming.push(item);
    }

    /// Takes the oldest item.
    #[inline]
    pub(super) fn pop(&mut self) -> Option<T> {
        if self.outgoing.is_empty() {
            self.turn_over();
        }
        self.outgoing.pop()
    }

    /// The oldest item.
    pub(super) fn peek(&self) -> Option<&T> {
        self.outgoing.last().or(self.incoming.first())
    }

    #[inline]
    pub(super) fn len(&self) -> usize {
        self.incoming.len() + self.outgoing.len()
    }

    #[inline(never)]
    fn turn_over(&mut self) {
        std::mem::swap(&mut self.incoming, &mut self.outgoing);
        self.outgoing.reverse();
    }

    /// Everything, oldest first.
    pub(super) fn into_items(mut self) -> impl Iterator<Item = T> {
        std::iter::from_fn(move || self.pop())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// Pushes (true) and pops (false) find what they find in a queue of the standard library.
        #[test]
        fn behaves_as_a_queue(steps in proptest::collection::vec(any::<bool>(), 0..200)) {
            let mut ours = TwoStacks::default();
            let mut queue = VecDeque::new();
            for (number, push) in steps.into_iter().enumerate() {
                if push {
                    ours.push(number);
                    queue.push_back(number);
                } else {
                    prop_assert_eq!(ours.pop(), queue.pop_front());
                }
                prop_assert_eq!(ours.peek(), queue.front());
                prop_assert_eq!(ours.len(), queue.len());
            }
            prop_assert!(ours.into_items().eq(queue));
        }
    }
}
