//! What other threads have a core do: start actors, drain, finish.

use std::rc::Rc;

use super::in_turn::InTurn;
use super::{Core, Probe, SharedCell};
use crate::isolate::drop_quietly;
use crate::mailbox::Life;

impl Core {
    /// Adds an actor that has started.
    pub(crate) fn add(&mut self, cell: u32, actor: SharedCell) {
        actor.borrow().advance(self.life);
        self.put_back(cell, actor);
    }

    /// Adds an actor of the core's last thread, where it was.
    pub(crate) fn put_back(&mut self, cell: u32, actor: SharedCell) {
        self.guard_new(&mut *actor.borrow_mut());
        self.cells.insert(cell, actor);
    }

    /// Starts the actors that the core's last thread has left, if there was one.
    pub(crate) fn revive_orphans(&mut self) {
        // Whoever they answer finds what they have published.
        let _in_turn = InTurn::begin(Rc::clone(&self.local));
        for orphan in self.shared().take_orphans() {
            orphan.revive(self);
        }
    }

    /// Ends one actor whose siblings did not start.
    pub(crate) fn stop_cell(&mut self, cell: Option<u32>) {
        if let Some(actor) = cell.and_then(|cell| self.cells.remove(cell)) {
            actor.borrow_mut().stop_by_policy();
            drop_quietly(actor);
        }
    }

    /// Stops one actor in good order, at somebody's request.
    pub(crate) fn stop_actor(&mut self, cell: Option<u32>) {
        if let Some(mut actor) = cell.and_then(|cell| self.cell(cell)) {
            actor.stop_on_request();
        }
    }

    /// Refuses outside senders from here on, and goes on with what was accepted.
    pub(crate) fn drain(&mut self) {
        self.life = Life::Draining;
        for actor in self.cells.iter() {
            actor.borrow().advance(Life::Draining);
        }
    }

    /// Whether anything accepted is unfinished, and how much has been done so far.
    pub(crate) fn probe(&mut self) -> Probe {
        let busy = self.local.tasks.awaited() > 0
            || self.cells.iter().any(|actor| actor.borrow_mut().has_work());
        let has_ready = self.local.tasks.has_ready();
        let stats = &self.local.shared.stats;
        let work_done = stats.handled.get() + stats.cancelled.get() + stats.expired.get();
        Probe { work_done, busy, has_ready }
    }

    /// Ends every actor, the youngest first, and then the loop; says how many continuations are lost.
    pub(crate) fn finish(&mut self) -> usize {
        let mut abandoned = self.local.tasks.awaited();
        // Everyone is refused before the first actor ends: none may be fed by another that is ending.
        for actor in self.cells.iter() {
            actor.borrow().advance(Life::Closing);
        }
        for actor in self.cells.iter().rev() {
            abandoned += actor.borrow_mut().close();
        }
        self.finished = true;
        abandoned
    }

    /// Requests that wait in the queues of all actors.
    pub(crate) fn waiting(&self) -> usize {
        self.cells.iter().map(|actor| actor.borrow().waiting()).sum()
    }

    pub(crate) fn is_finished(&self) -> bool {
        self.finished
    }
}
