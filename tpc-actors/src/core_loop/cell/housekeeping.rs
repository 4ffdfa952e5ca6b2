//! Calls into an actor that no message asks for: `#[maintenance]` and `#[checkpoint]`.

use super::super::barrier::Taken;
use super::super::called::Called;
use super::super::chores::Chore;
use super::super::timers::{Due, next_tick};
use super::{ActorCell, State};
use crate::actor::{Actor, Work};
use crate::clock::later;
use crate::isolate::{catch, drop_quietly};

impl<A: Actor> ActorCell<A> {
    /// Calls a `#[maintenance]` method until it is done or its budget is used up; true when there is more.
    pub(super) fn housekeeping(&mut self, chore: &Chore) -> bool {
        if !self.runs(chore.incarnation) {
            return false;
        }
        let Some(maintenance) = A::MAINTENANCE.get(chore.index) else { return false };
        let local = std::rc::Rc::clone(&self.cx.me.local);
        let end = later(local.clock.now(), maintenance.budget);
        loop {
            // After a panic that the policy goes on from, the next one is that of the next interval.
            let mut left = Work::Done;
            self.call(Called::Maintenance(chore.index), |actor, cx| {
                left = (maintenance.run)(actor, cx);
            });
            self.stop_if_asked();
            if !self.runs(chore.incarnation) {
                return false;
            }
            if left == Work::Done {
                let next = next_tick(chore.due, maintenance.every, local.clock.now());
                let Chore { cell, incarnation, index, .. } = *chore;
                let due = Due::Maintain { cell, incarnation, index };
                local.timers.borrow_mut().set(next, due);
                return false;
            }
            // In a simulation time stands still within a turn.
            let over = local.shared.script.is_some() || local.clock.now() >= end;
            if over || local.shared.bell.has_command() {
                return true;
            }
        }
    }

    /// Runs the `#[checkpoint]` method.
    pub(super) fn write_down(&mut self) -> Option<Taken> {
        if !A::CHECKPOINT || matches!(self.state, State::Stopped) {
            return None;
        }
        let mut failure = Some("it is being restarted".to_owned());
        if matches!(self.state, State::Running(_)) {
            let mut outcome = None;
            self.call(Called::Checkpoint, |actor, cx| outcome = Some(actor.checkpoint(cx)));
            self.stop_if_asked();
            failure = match outcome {
                None => Some("the hook panicked".to_owned()),
                Some(Ok(())) => None,
                Some(Err(error)) => {
                    // `Display` of a user's error is foreign code.
                    let text = catch(|| error.to_string()).unwrap_or_else(|panic| panic);
                    drop_quietly(error);
                    Some(text)
                }
            };
        }
        Some(Taken { actor: A::NAME, shard: self.mailbox.shard, failure })
    }
}
