//! An actor between two threads of its core.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::life::{Life, flag};
use super::{Ended, Mailbox};
use crate::actor::Actor;
use crate::core_loop::Core;
use crate::core_loop::cell::{ActorCell, MakeArgs};
use crate::core_loop::incidents::GroupId;
use crate::core_loop::shared::Orphan;
use crate::isolate::drop_quietly;
use crate::supervision::Group;
use crate::system::OnProgress;

/// What an actor needs to be built again.
pub(crate) struct Kept<A: Actor> {
    pub(crate) make_args: MakeArgs<A>,
    pub(crate) on_progress: Option<OnProgress>,
}

impl<A: Actor> Mailbox<A> {
    /// The core's thread unwinds and leaves the actor behind.
    pub(crate) fn orphan(self: &Arc<Self>, kept: Kept<A>) {
        *self.kept.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = Some(kept);
        self.core.leave_orphan(Arc::clone(self) as _);
    }

    /// The group that it belongs to.
    pub(crate) fn set_group(&self, group: Option<(GroupId, Group)>) {
        if let Some(group) = group {
            let _ = self.group.set(group);
        }
    }

    /// Takes senders again.
    fn reopen(&self) {
        self.registry().closed = false;
        // Its consumer is gone; the next visitor opens another one.
        let visitor = self.visitor.lock().unwrap_or_else(std::sync::PoisonError::into_inner).take();
        drop_quietly(visitor);
        self.life.reopen();
        self.life.set_flag(flag::SIMULATED, self.core.script.is_some());
    }
}

impl<A: Actor> Orphan for Mailbox<A> {
    fn cell(&self) -> u32 {
        self.cell.get().copied().unwrap_or(u32::MAX)
    }

    fn revive(self: Arc<Self>, core: &mut Core) {
        let kept = self.kept.lock().unwrap_or_else(std::sync::PoisonError::into_inner).take();
        let (Some(kept), Some(&cell)) = (kept, self.cell.get()) else { return self.abandon() };
        self.reopen();
        if self.to_stop.load(Ordering::Relaxed) {
            drop_quietly(kept);
            return self.stopped_meanwhile();
        }
        self.stats.restarts.add(1);
        core.local.shared.stats.restarts.add(1);
        let local = std::rc::Rc::clone(&core.local);
        core.put_back(cell, ActorCell::revive(cell, &local, Arc::clone(&self), kept));
        if let Some((id, group)) = self.group.get() {
            core.join_group(*id, *group, cell);
        }
        tracing::warn!(actor = A::NAME, core = self.core.index, "restarted with its core");
    }

    fn abandon(&self) {
        self.advance(Life::Lost);
        self.ending.set(Ended::CoreLost);
    }
}

impl<A: Actor> Mailbox<A> {
    /// The stop was lost with the core's thread.
    fn stopped_meanwhile(&self) {
        self.advance(Life::Stopped);
        self.close();
        self.ending.set(Ended::Stopped);
    }
}
