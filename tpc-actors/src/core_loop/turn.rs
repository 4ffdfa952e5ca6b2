//! One turn of the loop, phase by phase.

use std::cell::RefMut;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Instant;

use super::cell::{Cell, Intake};
use super::chores::Chore;
use super::in_turn::InTurn;
use super::tasks::Polled;
use super::timers::Due;
use super::{ActiveLane, Budget, Core, HELD, LONE_MAX, PATIENCE_MAX, Turn};
use crate::mailbox::VISITOR;
use crate::reply::answer_lost;

/// Rounds of local work, as a power of two, between two looks at the clock.
const ROUNDS_PER_CLOCK: u32 = 4;

impl Core {
    /// One pass over everything that is runnable.
    pub(crate) fn turn(&mut self, now: Instant, budget: &Budget) -> Turn {
        let _in_turn = InTurn::begin(Rc::clone(&self.local));
        self.local.now.set(now);
        self.take_news();
        if self.still {
            let more = self.shared().bell.has_news();
            return Turn { ran: 0, more, patient: false, next_deadline: None };
        }
        let (served, mut more) = self.intake(now, budget);
        let timers = self.run_timers(now, budget);
        let mut ran = served + timers + self.run_here(now, budget);
        answer_lost();
        if self.local.attention.get() {
            ran += self.attend(ran > 0);
        }
        self.local.publish();
        self.local.shared.stats.turns.add(1);
        self.local.wakes.overtake_late(now);
        // Asked last, because wakers may have made something runnable.
        let own = self.local.has_own_work() || timers == budget.timers;
        let next_deadline = self.local.timers.borrow().next();
        // A task that was woken, or a lane that rang, while this turn ran.
        more |= own || self.shared().bell.has_news();
        let (answered, crowded) = (self.local.answered.take(), self.local.crowded.take());
        let little = (1..PATIENCE_MAX).contains(&served) && (!answered || served >= LONE_MAX);
        Turn { ran, more, patient: little && !crowded && !own, next_deadline }
    }

    pub(super) fn cell(&self, cell: u32) -> Option<RefMut<'_, dyn Cell>> {
        Some(self.cells.get(cell)?.borrow_mut())
    }

    fn take_news(&mut self) {
        let shared = Arc::clone(self.shared());
        if !shared.bell.has_news() {
            return;
        }
        // Taken out for the time, and kept, because a core that sleeps a lot comes here a lot.
        let (mut rung, mut news) = (std::mem::take(&mut self.rung), std::mem::take(&mut self.news));
        if shared.take_news(|lane| rung.push(lane), &mut news) {
            self.adopt(&news.lanes);
            news.lanes.clear();
            self.local.tasks.woken(news.wakes.drain(..));
            for command in news.commands.drain(..).chain(news.finish.take()) {
                command(self);
            }
        }
        self.news = news;
        for lane in rung.drain(..) {
            if let Some(&(cell, lane)) = self.lanes.get(&lane) {
                self.activate(cell, lane);
            }
        }
        self.rung = rung;
    }

    fn adopt(&mut self, announced: &[(u32, u32)]) {
        for &(_, cell) in announced {
            let mut found = Vec::new();
            let Some(mut actor) = self.cell(cell) else { continue };
            actor.adopt(&mut |id, lane| found.push((id, lane)));
            drop(actor);
            for (id, lane) in found {
                self.lanes.insert(id, (cell, lane));
                // It may have rung before it was known.
                self.activate(cell, lane);
            }
        }
    }

    pub(super) fn activate(&mut self, cell: u32, lane: u32) {
        if let Some(actor) = self.cell(cell)
            && let Some(bell) = actor.bell(lane)
        {
            bell.disarm();
        }
        if !self.active.iter().any(|active| (active.cell, active.lane) == (cell, lane)) {
            self.active.push(ActiveLane { cell, lane, visit: None, idle_turns: 0 });
        }
    }

    fn intake(&mut self, now: Instant, budget: &Budget) -> (usize, bool) {
        let mut served = 0;
        let mut commanded = false;
        let mut more = false;
        let count = self.active.len();
        let until = now + budget.turn_time;
        // Nobody else waits for its turn.
        let most = if count == 1 { budget.alone_messages } else { budget.lane_messages };
        // No division: the cursor only ever moves by one and wraps.
        self.first = if self.first + 1 < count { self.first + 1 } else { 0 };
        for step in 0..count {
            let at = self.first + step;
            let at = if at < count { at } else { at - count };
            if served >= budget.turn_messages || (served > 0 && self.local.clock.now() >= until) {
                more = true;
                break;
            }
            let ActiveLane { cell, lane, .. } = self.active[at];
            let most = if lane == VISITOR { self.visitors_due(at, most) } else { Some(most) };
            let Some(most) = most else {
                more = true;
                continue;
            };
            let (mut count, mut left) = self
                .cell(cell)
                .map_or((0, Intake::Ended), |mut actor| actor.intake(lane, most, until, true));
            if let Intake::Commanded { seen } = left {
                // Once a turn: commands are not to keep the timers waiting.
                let again = std::mem::replace(&mut commanded, true);
                if !again {
                    self.take_news();
                }
                if again || self.still || self.finished {
                    more = true;
                    break;
                }
                let most = most.min(seen);
                (count, left) = self
                    .cell(cell)
                    .map_or((0, Intake::Ended), |mut actor| actor.intake(lane, most, until, false));
            }
            served += count;
            let active = &mut self.active[at];
            active.idle_turns = if count == 0 { active.idle_turns + 1 } else { 0 };
            match left {
                Intake::More | Intake::Commanded { .. } => more = true,
                Intake::Empty => {}
                // Marked; swept below, so that indices stay valid here.
                Intake::Held | Intake::Ended => active.idle_turns = HELD,
            }
        }
        self.local.shared.stats.messages.add(served as u64);
        more |= self.sweep();
        (served, more)
    }

    fn run_timers(&mut self, now: Instant, budget: &Budget) -> usize {
        let mut ran = 0;
        while ran < budget.timers {
            if self.local.attention.get() {
                // What has just failed may concern whoever would be built anew next.
                self.see_to_restarts();
            }
            let due = self.local.timers.borrow_mut().take_due(now);
            let Some((at, due)) = due else { break };
            ran += 1;
            match due {
                Due::Every { cell, incarnation, index } => {
                    if let Some(mut actor) = self.cell(cell) {
                        actor.tick(incarnation, index, at);
                    }
                }
                Due::Restart { cell, incarnation } => {
                    if self.cell(cell).is_some_and(|mut actor| actor.restart(incarnation)) {
                        self.activate_all(cell);
                    }
                }
                Due::Maintain { cell, incarnation, index } => {
                    let chore = Chore { cell, incarnation, index, due: at, not_before: at };
                    self.local.begin_chore(chore);
                }
                Due::Cooled { cell } => {
                    if let Some(mut actor) = self.cell(cell) {
                        actor.cooled();
                    }
                }
                Due::CoreCooled => self.core_cooled(),
                Due::Wake(alarm) => alarm.ring(),
            }
        }
        ran
    }

    /// Polls every lane of an actor that is served again.
    pub(super) fn activate_all(&mut self, cell: u32) {
        // Lanes that a visit waits for were not polled meanwhile, which it takes for read: it begins anew.
        let own = self.active.iter_mut().filter(|active| active.cell == cell);
        own.for_each(|active| active.visit = None);
        let mut lanes = Vec::new();
        if let Some(actor) = self.cell(cell) {
            actor.each_lane(&mut |_, lane| lanes.push(lane));
        }
        for lane in lanes {
            self.activate(cell, lane);
        }
    }

    /// Tasks and local queues, in rounds, because each gives the other something to do. Ends with the share of a
    /// turn, or two actors that talk would never end it; and when events were published, whose subscribers are
    /// woken at the end of a turn.
    fn run_here(&mut self, now: Instant, budget: &Budget) -> usize {
        let until = now + budget.turn_time;
        let (mut polls, mut messages) = (0, 0);
        let mut looked = self.local.tasks.has_ready().then(|| self.local.clock.now());
        for round in 1_u32.. {
            let most = budget.lane_messages.min(budget.turn_messages - messages);
            let most = most.min(self.here.messages());
            self.local.here.set(most);
            let tasks = self.run_tasks(budget.task_polls - polls);
            let here = most - self.local.here.take();
            let left = budget.turn_messages - messages - here;
            let locals = self.run_locals(budget, left, until);
            polls += tasks;
            messages += here + locals;
            let over = polls >= budget.task_polls || messages >= budget.turn_messages;
            let others_wait = self.local.has_published() || self.shared().bell.has_command();
            if tasks + locals == 0 || over || others_wait {
                break;
            }
            // Tasks of this core go on in the next round; others have waited for one.
            self.local.wake_askers();
            let round_began = looked.take();
            if here > 0 || round & (ROUNDS_PER_CLOCK - 1) == 0 {
                let now = self.local.clock.now();
                if let Some(began) = round_began.filter(|_| here > 0) {
                    self.here.learn(now.saturating_duration_since(began));
                }
                if now >= until {
                    break;
                }
                looked = Some(now);
            }
        }
        polls + messages
    }

    fn run_tasks(&mut self, most: usize) -> usize {
        let mut polls = 0;
        // A task that yields, or wakes another one, has the next round for that.
        let most = most.min(self.local.tasks.ready());
        while polls < most {
            let polled = self.local.tasks.run_one();
            self.local.pass_on_events();
            match polled {
                None => break,
                Some(Polled::Alive | Polled::Ended) => {}
                Some(Polled::Panicked { owner, message }) => {
                    if let Some(mut actor) = self.cell(owner.cell) {
                        actor.task_panicked(message);
                    }
                }
            }
            polls += 1;
        }
        polls
    }

    fn run_locals(&mut self, budget: &Budget, left: usize, until: Instant) -> usize {
        let mut ran = 0;
        // What is added meanwhile waits for the next round.
        let waiting = self.local.runnable.borrow().len();
        // Nobody else waits for its turn.
        let alone = waiting == 1 && !self.local.tasks.has_ready();
        let most = if alone { left } else { budget.lane_messages.min(left) };
        for _ in 0..waiting {
            let cell = self.local.runnable.borrow_mut().pop_front();
            let Some(cell) = cell else { break };
            ran += self.cell(cell).map_or(0, |mut actor| actor.run_local(most, until).0);
        }
        ran
    }
}
