//! The simulations of a thread, for whoever would block it: they go on meanwhile.

use std::cell::RefCell;
use std::rc::{Rc, Weak};

use super::world::World;

thread_local! {
    static LIVE: RefCell<Vec<Weak<RefCell<World>>>> = const { RefCell::new(Vec::new()) };
}

/// From here on the thread drives this one when it waits for something.
pub(super) fn add(world: &Rc<RefCell<World>>) {
    LIVE.with_borrow_mut(|live| {
        live.retain(|world| world.strong_count() > 0);
        live.push(Rc::downgrade(world));
    });
}

/// Whether the calling thread has one.
pub(crate) fn is_here() -> bool {
    let is_live = |world: &Weak<_>| world.strong_count() > 0;
    LIVE.try_with(|live| live.borrow().iter().any(is_live)).unwrap_or(false)
}

/// One step of a simulation on this thread; false when there is none that can go on by itself.
pub(crate) fn go_on() -> bool {
    let live = LIVE.try_with(|live| live.try_borrow().map(|live| live.clone()).unwrap_or_default());
    live.unwrap_or_default().iter().filter_map(Weak::upgrade).any(|world| {
        // Not from within one of its own steps.
        world.try_borrow_mut().is_ok_and(|mut world| world.step(false).is_some())
    })
}
