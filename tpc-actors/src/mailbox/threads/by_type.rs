//! The lanes of a thread to actors whose type has no place of its own in it: generic ones, of which nobody knows all
//! types, and those of a simulation, whose cores take turns on one thread.

use std::any::{Any, TypeId};
use std::cell::RefCell;

use super::lanes::{AnyLanes, Lanes, TakenOut, drop_in_order};
use crate::actor::Actor;

thread_local! {
    static BY_TYPE: RefCell<ByType> = RefCell::default();
}

/// Looked through in a row, because threads have few of them.
#[derive(Default)]
struct ByType(Vec<(TypeId, Box<dyn AnyLanes>)>);

impl ByType {
    fn of<A: Actor>(&mut self) -> Option<&mut Lanes<A>> {
        let (_, lanes) = self.0.iter_mut().find(|(of, _)| *of == TypeId::of::<A>())?;
        let lanes: &mut dyn Any = &mut **lanes;
        lanes.downcast_mut()
    }
}

impl Drop for ByType {
    fn drop(&mut self) {
        // The thread ends, or a simulated core.
        let mut all = Vec::new();
        self.0.iter_mut().for_each(|(_, lanes)| lanes.take_all(&mut all));
        drop_in_order(all);
    }
}

/// Runs `work` with the lanes to actors of this type; `None` when there are none, while they are in use, and
/// while the thread ends.
pub(super) fn with<A: Actor, R>(work: impl FnOnce(&mut Lanes<A>) -> R) -> Option<R> {
    BY_TYPE.try_with(|all| all.try_borrow_mut().ok()?.of::<A>().map(work)).ok().flatten()
}

/// Makes room for lanes to actors of this type.
pub(super) fn provide<A: Actor>() {
    let _: Result<(), _> = BY_TYPE.try_with(|all| {
        if let Ok(mut all) = all.try_borrow_mut()
            && all.of::<A>().is_none()
        {
            all.0.push((TypeId::of::<A>(), Box::new(Lanes::<A>::new())));
        }
    });
}

/// Lets go of lanes to actors that have ended.
pub(super) fn take_over(over: &mut Vec<TakenOut>) {
    let _: Result<(), _> = BY_TYPE.try_with(|all| {
        if let Ok(mut all) = all.try_borrow_mut() {
            all.0.iter_mut().for_each(|(_, lanes)| lanes.take_over(over));
        }
    });
}

/// The lanes of a simulated core while it has no turn.
#[derive(Default)]
pub(crate) struct LanesAside(ByType);

/// For as long as it lives, the calling thread sends through these lanes and not through its own.
pub(crate) struct UsesLanes<'a>(&'a mut LanesAside);

impl LanesAside {
    pub(crate) fn enter(&mut self) -> UsesLanes<'_> {
        self.swap();
        UsesLanes(self)
    }

    fn swap(&mut self) {
        // A thread that ends has dropped its lanes.
        let _ = BY_TYPE.try_with(|all| std::mem::swap(&mut *all.borrow_mut(), &mut self.0));
    }
}

impl Drop for UsesLanes<'_> {
    fn drop(&mut self) {
        self.0.swap();
    }
}
