//! One actor on its core: incarnations, the calls into its code, and what follows a panic there.

mod health;
mod here;
mod housekeeping;
mod scripted;
mod serve;
mod start;
mod stop;
mod tells;

use std::collections::VecDeque;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Instant;

use super::barrier::Taken;
use super::called::Called;
use super::chores::Chore;
use super::ctx::Ctx;
use super::incidents::Incident;
use super::local::CoreLocal;
use super::pace::Pace;
use super::tasks::Owner;
use super::timers::Due;
use crate::actor::{Actor, Settings};
use crate::bridge::bell::LaneBell;
use crate::clock::later;
use crate::error::{Fate, PanicReport, SpawnError};
use crate::isolate::{catch, drop_quietly};
use crate::mailbox::lane::LaneConsumer;
use crate::mailbox::orphan::Kept;
use crate::mailbox::{Ended, Life, Mailbox, flag};
use crate::reply::{answer_unwound, while_ending};
use crate::supervision::{Decision, History, OnPanic, Then};
use crate::sync::planted;
use health::Health;

/// What one look into a lane or a local queue came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Intake {
    /// The queue is empty.
    Empty,
    /// The budget was used up; there is more.
    More,
    /// A command waits that may come before what was seen; nothing has been served.
    Commanded {
        /// Requests that no later command comes before.
        seen: usize,
    },
    /// The actor takes nothing until its restart.
    Held,
    /// The producer has gone and everything is read.
    Ended,
}

/// An actor as the loop sees it, whatever its type.
pub(crate) trait Cell {
    /// Takes over new lanes; `found` gets core-wide id and table index of each.
    fn adopt(&mut self, found: &mut dyn FnMut(u32, u32));
    /// Serves up to `max` requests of a lane, and none after `until` has been seen to pass; says how
    /// many and what is left. `heeds` says whether commands that wait are to be taken before.
    fn intake(&mut self, lane: u32, max: usize, until: Instant, heeds: bool) -> (usize, Intake);
    /// The producer of this lane has gone and everything is read.
    fn end_lane(&mut self, lane: u32);
    /// The lane's share of the wake protocol.
    fn bell(&self, lane: u32) -> Option<&LaneBell>;
    /// Whether a lane holds something that may be served now.
    fn has_request(&mut self, lane: u32) -> bool;
    /// Whether there are lanes beside that of the visitors.
    fn has_more_lanes(&self) -> bool;
    /// Up to where a lane has been read, and written.
    fn progress(&mut self, lane: u32) -> Option<(usize, usize)>;
    /// Every lane: core-wide id and table index.
    fn each_lane(&self, each: &mut dyn FnMut(u32, u32));
    /// Serves up to `max` items of the local queue, and no message after `until` has been seen to pass.
    fn run_local(&mut self, max: usize, until: Instant) -> (usize, Intake);
    /// Runs an `#[every]` method.
    fn tick(&mut self, incarnation: u64, index: usize, due: Instant);
    /// Runs a slice of a `#[maintenance]` method; true when it has more to do.
    fn maintain(&mut self, chore: &Chore) -> bool;
    /// Runs the `#[checkpoint]` method, if there is one.
    fn checkpoint(&mut self) -> Option<Taken>;
    /// Builds the state anew; true when the actor is served again.
    fn restart(&mut self, incarnation: u64) -> bool;
    /// Drops the state, to be built anew at `at` with that of others; not if the actor has stopped.
    fn hold(&mut self, at: Instant);
    /// The incarnation that waits to be built, if one does.
    fn held(&mut self) -> Option<u64>;
    /// Forgets earlier failures.
    fn forgive(&mut self);
    /// The actor's cool-down may be over.
    fn cooled(&mut self);
    /// The core's watchdog has the actor guarded, and shut until that time.
    fn guarded_by_core(&mut self, guarded: bool, shut_until: Option<Instant>);
    /// Ends the actor because its group or core has failed too often.
    fn stop_by_policy(&mut self);
    /// Ends the actor in good order while its core goes on.
    fn stop_on_request(&mut self);
    /// A task of this actor panicked.
    fn task_panicked(&mut self, message: String);
    /// Moves the actor's life on, as its senders see it.
    fn advance(&self, life: Life);
    /// Requests that wait in its queues.
    fn waiting(&self) -> usize;
    /// Whether work that was accepted is not finished.
    fn has_work(&mut self) -> bool;
    /// Ends the actor in good order: `#[on_stop]`, then the state; what is left is answered. Says how
    /// many continuations were ready and did not run.
    fn close(&mut self) -> usize;
}

enum State<A> {
    Running(A),
    /// Between a panic and the restart.
    Held,
    Stopped,
}

/// Builds the arguments of `#[init]`, at the start and for every restart.
pub(crate) type MakeArgs<A> = Box<dyn FnMut() -> <A as Actor>::Args + Send>;

pub(crate) struct ActorCell<A: Actor> {
    mailbox: Arc<Mailbox<A>>,
    make_args: MakeArgs<A>,
    state: State<A>,
    cx: Ctx<A>,
    history: History,
    health: Health,
    pace: Pace,
    /// By table index.
    lanes: Vec<Option<LaneConsumer<A>>>,
}

impl<A: Actor> ActorCell<A> {
    fn local(&self) -> &CoreLocal {
        &self.cx.me.local
    }

    /// Builds the state, or says why not, and what tokens answer that went down with the attempt.
    fn init(&mut self) -> Result<(), (SpawnError, Fate)> {
        let Self { make_args, cx, .. } = self;
        cx.me.local.shared.stats.calling.set(Called::Init.word(cx.cell));
        let shard = self.mailbox.shard;
        cx.me.local.shared.note(|| format!("{}[{shard}] init", A::NAME));
        match catch(|| A::init(cx, make_args())) {
            Ok(Ok(state)) => {
                self.state = State::Running(state);
                self.mailbox.set_flag(flag::RESTARTING, false);
                self.set_timers();
                Ok(())
            }
            Ok(Err(cause)) => Err((SpawnError::Init { actor: A::NAME, cause }, Fate::Dropped)),
            Err(message) => {
                let report = self.report("init", message);
                let fate = Fate::Panicked(report.clone());
                answer_unwound(&fate);
                Err((SpawnError::Panicked(report), fate))
            }
        }
    }

    /// Whether this incarnation lives and takes calls.
    fn runs(&self, incarnation: u64) -> bool {
        incarnation == self.cx.incarnation && matches!(self.state, State::Running(_))
    }

    fn set_timers(&self) {
        // Not when the turn began: the start may have taken a while.
        let now = self.local().clock.now();
        let mut timers = self.local().timers.borrow_mut();
        for (index, timer) in A::TIMERS.iter().enumerate() {
            let due = Due::Every { cell: self.cx.cell, incarnation: self.cx.incarnation, index };
            timers.set(later(now, timer.every), due);
        }
        for (index, maintenance) in A::MAINTENANCE.iter().enumerate() {
            let due = Due::Maintain { cell: self.cx.cell, incarnation: self.cx.incarnation, index };
            timers.set(later(now, maintenance.every), due);
        }
    }

    fn report(&self, handler: &'static str, message: String) -> PanicReport {
        self.local().count_panic(&self.mailbox, handler, message)
    }

    /// A call into the actor's code panicked: answer who waits for it, drop the state, decide.
    fn failed(&mut self, handler: &'static str, message: String) {
        let report = self.report(handler, message);
        self.local().tell_of_panic(&report, self.mailbox.shard);
        let fate = Fate::Panicked(report.clone());
        answer_unwound(&fate);
        if self.mailbox.life() >= Life::Closing {
            // In `#[on_stop]`, and so the last call anyway.
            return;
        }
        match <A as Settings>::POLICY.supervision().panic_action() {
            _ if planted!("keep-broken-state", 1 in 10) => {}
            OnPanic::Resume => self.note_failure(),
            OnPanic::Restart => {
                self.end_incarnation(&fate);
                self.decide(report);
            }
            OnPanic::Stop => {
                self.end_incarnation(&fate);
                self.note_failure();
                self.stop(Ended::Panicked(report));
            }
        }
    }

    /// After a failure: a restart later, or no more.
    fn decide(&mut self, report: PanicReport) {
        self.note_failure();
        let local = Rc::clone(&self.cx.me.local);
        let now = local.clock.now();
        match self.history.failed(now, local.random.next()) {
            Decision::Restart { after } => {
                let at = later(now, after);
                self.reject_until(at);
                local.report(Incident::Restarts { cell: self.cx.cell, at });
            }
            Decision::GiveUp(Then::Escalate) => {
                tracing::error!(
                    actor = A::NAME,
                    core = self.cx.core(),
                    "too many failures: escalated"
                );
                local.report(Incident::Escalates { cell: self.cx.cell });
            }
            Decision::GiveUp(then) => {
                tracing::error!(
                    actor = A::NAME,
                    core = self.cx.core(),
                    "too many failures: stopped"
                );
                self.stop(Ended::Panicked(report));
                if then == Then::AbortSystem {
                    local.report(Incident::AbortSystem);
                }
            }
        }
    }

    /// Drops state, tasks and continuations of this incarnation; tokens among them answer `fate`.
    fn end_incarnation(&mut self, fate: &Fate) {
        // The state may wait for whoever was answered, a thread that it joins for example.
        self.local().wake_askers();
        let state = std::mem::replace(&mut self.state, State::Held);
        let (cell, incarnation) = (self.cx.cell, self.cx.incarnation);
        self.cx.incarnation += 1;
        self.mailbox.stats.incarnation.add(1);
        self.mailbox.set_flag(flag::RESTARTING, true);
        while_ending(fate, || {
            if let Err(message) = catch(|| drop(state)) {
                // Counted and told of; what follows has been decided.
                drop(self.report("drop", message));
            }
            self.local().tasks.end_owned(Owner { cell, incarnation });
            drop_each(self.cx.me.take_continuations());
        });
        // Its intervals are void; left in the heap, those of many restarts would add up.
        let mut timers = self.local().timers.borrow_mut();
        timers.retain(|due| {
            !matches!(due, Due::Every { cell: other, .. } | Due::Maintain { cell: other, .. } if *other == cell)
        });
    }

    /// Runs one call into the actor's code. Whether more may follow, [`Self::runs`] says.
    fn call(&mut self, what: Called, call: impl FnOnce(&mut A, &mut Ctx<A>)) {
        let State::Running(actor) = &mut self.state else { return };
        let cx = &mut self.cx;
        cx.me.local.shared.stats.calling.set(what.word(cx.cell));
        let shard = self.mailbox.shard;
        cx.me.local.shared.note(|| format!("{}[{shard}] {}", A::NAME, what.name::<A>()));
        if let Err(message) = catch(|| call(actor, cx)) {
            self.failed(what.name::<A>(), message);
        }
    }
}

impl<A: Actor> Drop for ActorCell<A> {
    fn drop(&mut self) {
        let ended = self.mailbox.life() >= Life::Closing && matches!(self.state, State::Stopped);
        if !ended {
            // Without `close`, the core's thread is unwinding.
            self.mailbox.advance(Life::Lost);
            self.end_incarnation(&Fate::CoreLost { started: true });
            self.state = State::Stopped;
            self.refuse_everything();
        }
        self.lanes.clear();
        self.mailbox.close();
        if !ended {
            // Last, because the core's next thread takes it from here.
            let make_args: MakeArgs<A> = Box::new(|| unreachable!("taken by the orphan"));
            let make_args = std::mem::replace(&mut self.make_args, make_args);
            let on_progress = self.cx.on_progress.take();
            self.mailbox.orphan(Kept { make_args, on_progress });
        }
    }
}

fn drop_each<T>(values: VecDeque<T>) {
    for value in values {
        drop_quietly(value);
    }
}
