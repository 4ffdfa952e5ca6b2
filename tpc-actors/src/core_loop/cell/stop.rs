//! How an actor stops, and what becomes of what waits for it.

use super::super::called::Called;
use super::{ActorCell, Incident, State, drop_each};
use crate::actor::Actor;
use crate::error::Fate;
use crate::mailbox::lane::refuse_each;
use crate::mailbox::{Ended, Life};

impl<A: Actor> ActorCell<A> {
    /// No more service: senders are refused from here on, and what waits is answered.
    pub(super) fn stop(&mut self, how: Ended) {
        self.state = State::Stopped;
        self.mailbox.advance(Life::Stopped);
        self.refuse_everything();
        tracing::info!(actor = A::NAME, core = self.cx.core(), shard = self.mailbox.shard, "{how}");
        self.mailbox.ending.set(how);
        self.local().report(Incident::Stopped { cell: self.cx.cell });
    }

    /// As [`Self::stop`], after `#[on_stop]`.
    pub(super) fn stop_in_order(&mut self, how: Ended) {
        self.cx.stopping = false;
        if matches!(self.state, State::Stopped) {
            return;
        }
        // Refused from here on, so that the hook cannot add to its own queue.
        self.mailbox.advance(Life::Stopped);
        self.call_on_stop();
        self.end_incarnation(&Fate::Dropped);
        self.stop(how);
    }

    /// The last call into the actor, if it is served.
    pub(super) fn call_on_stop(&mut self) {
        if matches!(self.state, State::Running(_)) {
            // It may wait for whoever was answered.
            self.local().wake_askers();
            self.call(Called::OnStop, A::on_stop);
        }
    }

    /// Sees to a stop that a handler has asked for.
    pub(super) fn stop_if_asked(&mut self) {
        if self.cx.stopping {
            self.stop_in_order(Ended::Normal);
        }
    }

    pub(super) fn refuse_everything(&mut self) {
        let fate = self.unserved_fate();
        for lane in self.lanes.iter_mut().flatten() {
            let refused = lane.refuse_all(&fate);
            self.mailbox.count_unserved(refused);
        }
        self.refuse_local();
    }

    pub(super) fn refuse_local(&mut self) {
        let fate = self.unserved_fate();
        let refused = refuse_each(self.cx.me.credit(), self.cx.me.take_requests(), &fate);
        self.mailbox.count_unserved(refused);
    }

    /// Drops what tasks and siblings have left for an actor that has stopped.
    pub(super) fn drop_local_work(&mut self) {
        drop_each(self.cx.me.take_continuations());
        self.refuse_local();
    }
}
