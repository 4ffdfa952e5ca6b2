//! The turn that a thread is in, for what leads back to its core from anywhere: a token that answers, a waker of a task.

use std::cell::RefCell;
use std::rc::Rc;

use super::local::CoreLocal;

thread_local! {
    /// The core whose turn this thread is in.
    static CORE: RefCell<Option<Rc<CoreLocal>>> = const { RefCell::new(None) };
}

/// The core whose turn the calling thread is in. A thread that goes down is in none.
pub(crate) fn core() -> Option<Rc<CoreLocal>> {
    CORE.try_with(|core| core.borrow().clone()).ok().flatten()
}

/// For as long as it lives, the calling thread is in a turn of one core.
pub(super) struct InTurn(());

impl InTurn {
    pub(super) fn begin(local: Rc<CoreLocal>) -> Self {
        CORE.set(Some(local));
        Self(())
    }
}

impl Drop for InTurn {
    fn drop(&mut self) {
        // However the turn ends, nobody that it has answered is forgotten.
        if let Some(local) = CORE.take() {
            local.wake_askers();
        }
    }
}
