//! The simulations of a thread, for whoever waits there for something of one of them.

use std::cell::RefCell;
use std::future::Future;
use std::rc::{Rc, Weak};

use super::run::run;
use super::world::World;

struct Live {
    system: u64,
    world: Weak<RefCell<World>>,
}

thread_local! {
    static LIVE: RefCell<Vec<Live>> = const { RefCell::new(Vec::new()) };
}

/// From here on a wait of this thread for something of this system runs it.
pub(super) fn add(system: u64, world: &Rc<RefCell<World>>) {
    LIVE.with_borrow_mut(|live| {
        live.retain(|live| live.world.strong_count() > 0);
        live.push(Live { system, world: Rc::downgrade(world) });
    });
}

/// Runs `future` to its end if the calling thread has the simulation of this system, or hands it back.
#[track_caller]
pub(crate) fn run_here<F: Future>(system: u64, future: F) -> Result<F::Output, F> {
    let find = |live: &RefCell<Vec<Live>>| {
        live.borrow().iter().find(|live| live.system == system)?.world.upgrade()
    };
    match LIVE.try_with(find).ok().flatten() {
        Some(world) => Ok(run(&world, future)),
        None => Err(future),
    }
}
