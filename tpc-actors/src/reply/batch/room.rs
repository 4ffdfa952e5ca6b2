//! The memory of batches that are over, for the next ones of their core.

use std::any::Any;
use std::cell::RefCell;
use std::collections::VecDeque;

thread_local! {
    /// One for each kind of members that this thread's actors are handed.
    static ROOMS: RefCell<Vec<Box<dyn Any>>> = const { RefCell::new(Vec::new()) };
}

/// Room for members: what the last batch of this kind has left, or an empty one.
pub(super) fn take<M: 'static>() -> VecDeque<M> {
    ROOMS
        .with_borrow_mut(|rooms| {
            rooms.iter_mut().find_map(|room| room.downcast_mut().map(std::mem::take))
        })
        .unwrap_or_default()
}

/// Keeps what a batch has left, where the next one will come from.
pub(super) fn keep<M: 'static>(mut members: VecDeque<M>) {
    // Dropped here, because what they do then may lead back here.
    members.clear();
    if members.capacity() == 0 || !crate::core_loop::on_core_thread() {
        return;
    }
    // A thread that is going down has no room any more. Of two batches at a time, the larger one's is kept.
    let _ = ROOMS.try_with(|rooms| {
        let rooms = &mut *rooms.borrow_mut();
        let known = rooms.iter_mut().find_map(|room| room.downcast_mut::<VecDeque<M>>());
        match known {
            Some(room) if room.capacity() >= members.capacity() => {}
            Some(room) => *room = members,
            None => rooms.push(Box::new(members)),
        }
    });
}
