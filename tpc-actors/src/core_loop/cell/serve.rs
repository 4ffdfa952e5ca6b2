//! How the loop drives an actor: lanes, local queue, timers, restart and end.

use std::rc::Rc;
use std::time::Instant;

use super::super::TURN_MESSAGES;
use super::super::barrier::Taken;
use super::super::called::{Called, code_of, name};
use super::super::chores::Chore;
use super::super::run::{Queue, Run};
use super::super::timers::{Due, next_tick};
use super::tells::serve_tells;
use super::{ActorCell, Cell, Intake, State};
use crate::actor::Actor;
use crate::bridge::bell::LaneBell;
use crate::error::Fate;
use crate::isolate::catch;
use crate::mailbox::lane::LaneConsumer;
use crate::mailbox::{Ended, Life, VISITOR};
use crate::reply::{ReplySlot, answer_unwound};
use crate::stats::CoreStats;

impl<A: Actor> Cell for ActorCell<A> {
    fn adopt(&mut self, found: &mut dyn FnMut(u32, u32)) {
        for lane in self.mailbox.take_arrivals() {
            let index = lane.index() as usize;
            if self.lanes.len() <= index {
                self.lanes.resize_with(index + 1, || None);
            }
            found(lane.bell().lane(), lane.index());
            if let Some(relay) = lane.relay() {
                self.local().wakes.know(relay);
            }
            self.lanes[index] = Some(lane);
        }
    }

    fn intake(&mut self, lane: u32, max: usize, until: Instant, heeds: bool) -> (usize, Intake) {
        // Taken out for the time of the loop, which needs the rest of the cell.
        let Some(mut consumer) = self.lanes.get_mut(lane as usize).and_then(Option::take) else {
            return (0, Intake::Ended);
        };
        // Asked before the ring is read: what was written before the close is then seen.
        let closed = consumer.ring().is_closed();
        // What comes meanwhile has time until the next turn: a look for each message would take the line with
        // the sender's position away from it as often.
        let waiting = consumer.ring().available();
        if waiting > max.min(TURN_MESSAGES)
            || 2 * waiting >= consumer.capacity()
            || consumer.is_waited_for()
        {
            self.local().crowded.set(true);
        }
        if heeds && self.local().shared.bell.has_command() {
            // Looked for after the ring: what a sender had the core do before it sent one of these comes before them.
            self.lanes[lane as usize] = Some(consumer);
            return (0, Intake::Commanded { seen: waiting });
        }
        let max = max.min(waiting);
        let local = Rc::clone(&self.cx.me.local);
        let mut run = Run::new(Queue::Lane(consumer), local, self.pace);
        run.is_strict = lane == VISITOR && self.has_more_lanes();
        let failed = self.is_served() && self.serve_or_fail(&mut run, max, until);
        let served = run.taken();
        let handled = run.handled();
        self.pace = run.pace();
        let Some(mut consumer) = run.into_lane() else { unreachable!("it was a lane's") };
        if let Some(relay) = consumer.relay() {
            self.local().wakes.hand_over(relay, self.local().now.get());
        }
        if self.health.probing {
            self.probed(handled.saturating_sub(u64::from(failed)));
        }
        self.stop_if_asked();
        if !self.is_served() && !self.is_held() {
            let refused = consumer.refuse_all(&self.unserved_fate());
            self.mailbox.count_unserved(refused);
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
        self.lanes.get(lane as usize)?.as_ref().map(LaneConsumer::bell)
    }

    fn has_request(&mut self, lane: u32) -> bool {
        // What is held is not runnable; its restart has a timer.
        if self.is_held() {
            return false;
        }
        let lane = self.lanes.get_mut(lane as usize).and_then(Option::as_mut);
        lane.is_some_and(|lane| !lane.ring().is_empty() || lane.ring().is_closed())
    }

    fn has_more_lanes(&self) -> bool {
        self.lanes.len() > VISITOR as usize + 1
    }

    fn progress(&mut self, lane: u32) -> Option<(usize, usize)> {
        let lane = self.lanes.get_mut(lane as usize).and_then(Option::as_mut)?;
        Some(lane.ring().progress())
    }

    fn each_lane(&self, each: &mut dyn FnMut(u32, u32)) {
        for lane in self.lanes.iter().flatten() {
            each(lane.bell().lane(), lane.index());
        }
    }

    fn run_local(&mut self, max: usize, until: Instant) -> (usize, Intake) {
        let me = Rc::clone(&self.cx.me);
        me.taken_off_the_list();
        let queue = Queue::Local(Rc::clone(&me));
        let mut run = Run::new(queue, Rc::clone(&me.local), self.pace);
        let (mut continued, panics) = (0, self.mailbox.stats.panics.get());
        while matches!(self.state, State::Running(_)) && !self.cx.stopping {
            let before = run.taken() + continued;
            if before >= max {
                break;
            }
            if let Some(continuation) = me.take_continuation() {
                continued += 1;
                self.call(Called::Continuation, continuation);
                continue;
            }
            self.serve_or_fail(&mut run, max - continued, until);
            // Nothing was there, or the rest has to wait: the time is over, or a command has come.
            let rest = me.requests() > 0 && me.continuations() == 0;
            if rest || run.taken() + continued == before {
                break;
            }
        }
        self.pace = run.pace();
        let served = run.taken() + continued;
        if self.health.probing && self.mailbox.stats.panics.get() == panics {
            self.probed(run.handled());
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
        if !self.runs(incarnation) {
            return;
        }
        let Some(timer) = A::TIMERS.get(index) else { return };
        self.call(Called::Timer(index), timer.run);
        // Also after a panic that the policy goes on from.
        if self.runs(incarnation) {
            let next = next_tick(due, timer.every, self.local().clock.now());
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
            Err((error, fate)) => self.not_built(error, &fate),
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

    fn waiting(&self) -> usize {
        self.mailbox.depth() + self.cx.me.requests()
    }

    fn has_work(&mut self) -> bool {
        if self.cx.me.has_work() {
            return true;
        }
        self.lanes.iter_mut().flatten().any(|lane| !lane.ring().is_empty())
    }

    fn close(&mut self) -> usize {
        self.mailbox.advance(Life::Closing);
        self.call_on_stop();
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
    /// As [`Self::serve`], unless a simulation wants otherwise.
    fn serve_or_fail(&mut self, run: &mut Run<A>, max: usize, until: Instant) -> bool {
        match run.local.shared.script.clone() {
            None => self.serve(run, max, until),
            Some(script) => self.serve_by_script(&script, run, max, until),
        }
    }

    /// Serves messages until `max` have been taken, or `until` has been seen to pass; true when the last
    /// one has panicked. One catch for all of them.
    pub(super) fn serve(&mut self, run: &mut Run<A>, max: usize, until: Instant) -> bool {
        let State::Running(actor) = &mut self.state else { return false };
        let cx = &mut self.cx;
        let local = Rc::clone(&run.local);
        let (core, bell): (&CoreStats, _) = (&local.shared.stats, &*local.shared.bell);
        let stats = &self.mailbox.stats;
        let handlers = Called::Handler(0).word(cx.cell);
        run.limit(max);
        let ended = catch(|| {
            loop {
                while run.goes_on() {
                    if run.is_tell_next() {
                        if !serve_tells(run, actor, cx, &local, stats) {
                            return;
                        }
                        continue;
                    }
                    let Some(envelope) = run.next() else { return };
                    if let Some(request) = run.start(envelope) {
                        core.calls(stats, handlers + u64::from(A::handler_number(&request)));
                        actor.handle(cx, request, ReplySlot::new(run));
                        // A handler that stops its actor is its last one.
                        if cx.stopping {
                            return;
                        }
                    }
                    if bell.has_command() {
                        return;
                    }
                }
                if run.pause(until) {
                    return;
                }
            }
        });
        let Err(message) = ended else { return false };
        self.failed(name::<A>(code_of(core.calling.get())), message);
        true
    }
}
