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
        if self.is_empty() {
            self.fresh = Vec::from(std::mem::take(&mut self.older));
        }
    }
}
