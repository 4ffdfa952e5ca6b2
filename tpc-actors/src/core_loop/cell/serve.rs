//! How the loop drives an actor: lanes, local queue, timers, restart and end.

use std::rc::Rc;
use std::sync::Arc;
use std::time::Instant;

use super::super::barrier::Taken;
use super::super::called::Called;
use super::super::chores::Chore;
use super::super::timers::{Due, next_tick};
use super::{ActorCell, Cell, Intake, State};
use crate::actor::Actor;
use crate::bridge::bell::LaneBell;
use crate::error::{Fate, PanicReport, SpawnError};
use crate::isolate::{catch, drop_quietly};
use crate::mailbox::lane::Envelope;
use crate::mailbox::{Ended, Life};
use crate::pinned::LocalWork;
use crate::reply::slot::NO_DEADLINE;
use crate::reply::{Credit, ReplySlot, answer_unwound};
use crate::sync::planted;

/// Requests after which the places that they left are free again, within one look into a lane: often
/// enough for a small lane with slow handlers, rarely enough to be shared by many quick ones.
const PUBLISH_EVERY: usize = 16;

/// Requests between the one that is handled and the one whose reply slot is fetched.
const SLOTS_AHEAD: usize = 6;

impl<A: Actor> Cell for ActorCell<A> {
    fn adopt(&mut self, found: &mut dyn FnMut(u32, u32)) {
        for lane in self.mailbox.take_arrivals() {
            let index = lane.lane as usize;
            if self.lanes.len() <= index {
                self.lanes.resize_with(index + 1, || None);
            }
            found(lane.bell.lane(), lane.lane);
            self.lanes[index] = Some(lane);
        }
    }

    fn intake(&mut self, lane: u32, max: usize, until: Instant) -> (usize, Intake) {
        // Taken out for the time of the loop, which needs the rest of the cell.
        let Some(mut consumer) = self.lanes.get_mut(lane as usize).and_then(Option::take) else {
            return (0, Intake::Ended);
        };
        // Asked before the ring is read: what was written before the close is then seen.
        let closed = consumer.ring().is_closed();
        let mut served = 0;
        let mut unpublished = 0;
        let mut running = self.is_served();
        let handled = self.mailbox.stats.handled.get();
        let before = self.local().wakes.borrow().len();
        while running && served < max {
            let (ring, credit) = consumer.ring_and_credit();
            let Some(envelope) = ring.read_unpublished() else { break };
            // The slot of a later request is on its way here while this one is handled.
            if let Some(Envelope { ticket: Some(ticket), .. }) = ring.peek(SLOTS_AHEAD) {
                credit.line(*ticket).fetch();
            }
            served += 1;
            unpublished += 1;
            running = self.serve(credit, envelope);
            if self.is_over(served, until) {
                break;
            }
            if unpublished == PUBLISH_EVERY {
                consumer.publish(unpublished);
                unpublished = 0;
            }
        }
        if unpublished > 0 {
            consumer.publish(unpublished);
        }
        if let Some(relay) = &consumer.relay {
            // Out of its cell for the time, because a waker of the relay's own is woken.
            let mut wakers = self.local().wakes.take();
            relay.take(&mut wakers, before);
            self.local().wakes.replace(wakers);
        }
        if self.health.probing {
            let panicked = u64::from(!running);
            let served = self.mailbox.stats.handled.get().wrapping_sub(handled);
            self.probed(served.saturating_sub(panicked));
        }
        self.stop_if_asked();
        if !self.is_served() && !self.is_held() {
            let refused = consumer.refuse_all(&self.unserved_fate());
            self.mailbox.count_rejected(refused);
        }
        let left = match (self.is_held(), consumer.ring().is_empty()) {
            (true, false) => Intake::Held,
            (_, true) if closed => Intake::Ended,
            (_, true) => Intake::Empty,
            (_, false) => Intake::More,
        };
        self.lanes[lane as usize] = Some(consumer);
        (served, left)
    }

    fn end_lane(&mut self, lane: u32) {
        let lane = self.lanes.get_mut(lane as usize).and_then(Option::take);
        drop(lane);
    }

    fn bell(&self, lane: u32) -> Option<&LaneBell> {
        self.lanes.get(lane as usize)?.as_ref().map(|lane| &*lane.bell)
    }

    fn has_request(&mut self, lane: u32) -> bool {
        // What is held is not runnable; its restart has a timer.
        if self.is_held() {
            return false;
        }
        let lane = self.lanes.get_mut(lane as usize).and_then(Option::as_mut);
        lane.is_some_and(|lane| !lane.ring().is_empty() || lane.ring().is_closed())
    }

    fn each_lane(&self, each: &mut dyn FnMut(u32, u32)) {
        for lane in self.lanes.iter().flatten() {
            each(lane.bell.lane(), lane.lane);
        }
    }

    fn run_local(&mut self, max: usize) -> (usize, Intake) {
        let me = Rc::clone(&self.cx.me);
        me.taken_off_the_list();
        let mut served = 0;
        let (handled, panics) = (self.mailbox.stats.handled.get(), self.mailbox.stats.panics.get());
        while served < max && matches!(self.state, State::Running(_)) && !self.cx.stopping {
            let Some(work) = me.take() else { break };
            served += 1;
            match work {
                LocalWork::Continue(continuation) => {
                    self.call(Called::Continuation, continuation);
                }
                LocalWork::Request(envelope) => {
                    self.serve(me.credit(), envelope);
                }
            }
        }
        if self.health.probing && self.mailbox.stats.panics.get() == panics {
            self.probed(self.mailbox.stats.handled.get().wrapping_sub(handled));
        }
        self.stop_if_asked();
        if self.health.refusing.is_some() {
            self.refuse_local();
        }
        match self.state {
            State::Running(_) if me.announce_rest() => (served, Intake::More),
            State::Running(_) => (served, Intake::Empty),
            State::Held => (served, Intake::Held),
            State::Stopped => {
                self.drop_local_work();
                (served, Intake::Empty)
            }
        }
    }

    fn tick(&mut self, incarnation: u64, index: usize, due: Instant) {
        if incarnation != self.cx.incarnation || !matches!(self.state, State::Running(_)) {
            return;
        }
        let Some(timer) = A::TIMERS.get(index) else { return };
        if self.call(Called::Timer(index), timer.run) {
            let next = next_tick(due, timer.every, self.cx.now());
            let due = Due::Every { cell: self.cx.cell, incarnation, index };
            self.local().timers.borrow_mut().set(next, due);
        }
        self.stop_if_asked();
    }

    fn maintain(&mut self, chore: &Chore) -> bool {
        self.housekeeping(chore)
    }

    fn checkpoint(&mut self) -> Option<Taken> {
        self.write_down()
    }

    fn restart(&mut self, incarnation: u64) -> bool {
        if incarnation != self.cx.incarnation || !matches!(self.state, State::Held) {
            return false;
        }
        self.mailbox.stats.restarts.add(1);
        self.local().shared.stats.restarts.add(1);
        match self.init() {
            Ok(()) => {
                tracing::warn!(actor = A::NAME, core = self.cx.core(), incarnation, "restarted");
                self.accept_again();
                self.cx.me.announce_rest();
                self.stop_if_asked();
            }
            Err((error, fate)) => {
                // `Display` of a user's error is foreign code.
                let text = catch(|| error.to_string()).unwrap_or_else(|panic| panic);
                let report = match &error {
                    SpawnError::Panicked(report) => report.clone(),
                    _ => PanicReport::new(A::NAME, "init", self.cx.core(), text),
                };
                drop_quietly(error);
                self.local().tell_of_panic(&report, self.mailbox.shard);
                self.end_incarnation(&fate);
                self.decide(report);
            }
        }
        !matches!(self.state, State::Held)
    }

    fn hold(&mut self, at: Instant) {
        match self.state {
            State::Running(_) => self.end_incarnation(&Fate::Dropped),
            State::Held => {}
            State::Stopped => return,
        }
        self.reject_until(at);
    }

    fn held(&mut self) -> Option<u64> {
        matches!(self.state, State::Held).then_some(self.cx.incarnation)
    }

    fn forgive(&mut self) {
        self.history.forgive();
    }

    fn cooled(&mut self) {
        self.cool();
    }

    fn guarded_by_core(&mut self, guarded: bool, shut_until: Option<Instant>) {
        self.core_guards(guarded, shut_until);
    }

    fn stop_by_policy(&mut self) {
        self.stop_in_order(Ended::Stopped);
    }

    fn stop_on_request(&mut self) {
        self.stop_in_order(Ended::Stopped);
    }

    fn task_panicked(&mut self, message: String) {
        let report = self.report("task", message);
        self.local().tell_of_panic(&report, self.mailbox.shard);
        answer_unwound(&Fate::Panicked(report));
    }

    fn advance(&self, life: Life) {
        self.mailbox.advance(life);
    }

    fn has_work(&mut self) -> bool {
        if self.cx.me.has_work() {
            return true;
        }
        self.lanes.iter_mut().flatten().any(|lane| !lane.ring().is_empty())
    }

    fn close(&mut self) -> usize {
        self.mailbox.advance(Life::Closing);
        if matches!(self.state, State::Running(_)) {
            self.call(Called::OnStop, A::on_stop);
        }
        let unfinished = self.cx.me.continuations();
        self.end_incarnation(&Fate::Stopping { started: true });
        self.state = State::Stopped;
        self.refuse_everything();
        self.mailbox.ending.set(Ended::Shutdown);
        // Dropping the lanes answers what comes in at this very moment.
        self.lanes.clear();
        self.mailbox.close();
        unfinished
    }
}

impl<A: Actor> ActorCell<A> {
    /// Whether this look into a lane should end early: a command waits, or time is up. The clock is read
    /// for every sixteenth request only, because reading it takes as long as a short handler.
    fn is_over(&self, served: usize, until: Instant) -> bool {
        let local = self.local();
        local.shared.bell.has_command() || (served.is_multiple_of(16) && local.clock.now() >= until)
    }

    /// Serves one request; false when the actor is not running any more.
    fn serve(&mut self, credit: &Arc<Credit<A>>, envelope: Envelope<A>) -> bool {
        if planted!("lost-request", 1 in 10_000) {
            return true;
        }
        let Envelope { request, ticket } = envelope;
        let local = Rc::clone(&self.cx.me.local);
        let mut deadline = NO_DEADLINE;
        let started = match ticket {
            None => None,
            Some(ticket) => {
                let Some(started) = credit.start(ticket) else {
                    // Its asker has left; it must not run.
                    local.shared.stats.cancelled.add(1);
                    if planted!("run-cancelled", 1 in 100) {
                        local.shared.stats.handled.add(1);
                        let called = Called::Handler(A::handler_number(&request));
                        let reply = ReplySlot::<A>::new(credit, None, &local);
                        return self.call(called, |actor, cx| actor.handle(cx, request, reply));
                    }
                    drop_quietly(request);
                    return true;
                };
                deadline = started.deadline;
                Some(started)
            }
        };
        let reply = ReplySlot::<A>::new(credit, started, &local);
        if deadline <= local.now_nanos.get() {
            local.shared.stats.expired.add(1);
            reply.fail(Fate::Deadline { started: false });
            drop_quietly(request);
            return true;
        }
        let called = Called::Handler(A::handler_number(&request));
        self.mailbox.stats.handled.add(1);
        local.shared.stats.handled.add(1);
        self.call(called, |actor, cx| actor.handle(cx, request, reply))
    }
}
