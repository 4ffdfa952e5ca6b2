//! The actors of a core, by number.

use super::SharedCell;

/// Living actors only: a core may start and stop any number of them.
pub(crate) struct Cells<C = SharedCell> {
    /// By number, which is from the oldest to the youngest. Most cores have a few, and look for one several times a turn:
    /// a list is searched faster than a map.
    living: Vec<(u32, C)>,
    /// The number that the next actor has, unless somebody lives who has it.
    next: u32,
}

impl<C> Default for Cells<C> {
    fn default() -> Self {
        Self { living: Vec::new(), next: 0 }
    }
}

impl<C> Cells<C> {
    /// A number for a new actor. Timers, tasks and lanes of actors that are gone still name them for a while, so it is
    /// not given out again before all others were.
    pub(crate) fn number(&mut self) -> u32 {
        while self.place(self.next).is_ok() {
            self.next = self.next.wrapping_add(1);
        }
        let number = self.next;
        self.next = number.wrapping_add(1);
        number
    }

    /// Adds an actor, which may have had its number on the core's last thread.
    pub(super) fn insert(&mut self, number: u32, actor: C) {
        if number >= self.next {
            self.next = number.wrapping_add(1);
        }
        match self.place(number) {
            Ok(at) => self.living[at].1 = actor,
            Err(at) => self.living.insert(at, (number, actor)),
        }
    }

    /// Where this one is, or would be.
    #[inline]
    fn place(&self, number: u32) -> Result<usize, usize> {
        self.living.binary_search_by_key(&number, |(number, _)| *number)
    }

    #[inline]
    pub(super) fn get(&self, number: u32) -> Option<&C> {
        self.place(number).ok().map(|at| &self.living[at].1)
    }

    pub(super) fn remove(&mut self, number: u32) -> Option<C> {
        self.place(number).ok().map(|at| self.living.remove(at).1)
    }

    /// The oldest first.
    pub(super) fn iter(&self) -> impl DoubleEndedIterator<Item = &C> {
        self.living.iter().map(|(_, actor)| actor)
    }

    pub(super) fn numbers(&self) -> Vec<u32> {
        self.living.iter().map(|(number, _)| *number).collect()
    }

    pub(super) fn len(&self) -> usize {
        self.living.len()
    }

    /// All of them, out of the core.
    pub(super) fn take_all(&mut self) -> impl Iterator<Item = C> + use<C> {
        std::mem::take(&mut self.living).into_iter().map(|(_, actor)| actor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_go_round_past_those_who_live() {
        let mut cells = Cells::default();
        assert_eq!((cells.number(), cells.number()), (0, 1));
        cells.insert(1, 'b');
        // On the core's last thread, from which nobody else is left.
        cells.insert(u32::MAX - 1, 'y');
        cells.insert(0, 'a');
        let numbers: Vec<_> = (0..3).map(|_| cells.number()).collect();
        assert_eq!(numbers, [u32::MAX, 2, 3]);
        assert_eq!(cells.remove(1), Some('b'));
        assert_eq!(cells.get(1), None);
        assert_eq!(cells.number(), 4, "not given out again at once");
        assert_eq!(cells.iter().collect::<String>(), "ay");
    }

    #[test]
    fn the_dead_take_no_room() {
        let mut cells = Cells::default();
        for _ in 0..1_000 {
            let number = cells.number();
            cells.insert(number, ());
            cells.remove(number);
        }
        assert_eq!((cells.len(), cells.numbers(), cells.number()), (0, vec![], 1_000));
    }
}
