//! How an actor starts: for the first time, and on the next thread of its core.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;

use super::health::Health;
use super::{ActorCell, State};
use crate::actor::{Actor, Settings};
use crate::core_loop::ctx::Ctx;
use crate::core_loop::local::CoreLocal;
use crate::core_loop::pace::Pace;
use crate::error::{Fate, PanicReport, SpawnError};
use crate::isolate::{catch, drop_quietly};
use crate::mailbox::orphan::Kept;
use crate::mailbox::{Ended, Life, Mailbox};
use crate::pinned::LocalMailbox;
use crate::supervision::History;

impl<A: Actor> ActorCell<A> {
    /// Builds the actor on its core; `cell` will be its index there.
    pub(crate) fn start(
        cell: u32,
        local: &Rc<CoreLocal>,
        mailbox: Arc<Mailbox<A>>,
        kept: Kept<A>,
    ) -> Result<Rc<RefCell<Self>>, SpawnError> {
        let mut this = Self::unbuilt(cell, local, mailbox, kept);
        if let Err((error, fate)) = this.init() {
            // What `#[init]` left behind: tasks, continuations, messages to itself.
            this.mailbox.advance(Life::Stopped);
            this.end_incarnation(&fate);
            this.stop(Ended::Stopped);
            // With the arguments, which are foreign as well.
            drop_quietly(this);
            return Err(error);
        }
        this.stop_if_asked();
        Ok(this.shared())
    }

    /// Builds it on the next thread of its core, as a restart does: should that fail, its policy decides.
    pub(crate) fn revive(
        cell: u32,
        local: &Rc<CoreLocal>,
        mailbox: Arc<Mailbox<A>>,
        kept: Kept<A>,
    ) -> Rc<RefCell<Self>> {
        let mut this = Self::unbuilt(cell, local, mailbox, kept);
        match this.init() {
            Ok(()) => this.stop_if_asked(),
            Err((error, fate)) => this.not_built(error, &fate),
        }
        this.shared()
    }

    fn unbuilt(cell: u32, local: &Rc<CoreLocal>, mailbox: Arc<Mailbox<A>>, kept: Kept<A>) -> Self {
        let Kept { make_args, on_progress } = kept;
        let events = local.publisher::<A::Event>();
        if let Some(routing) = A::ROUTING {
            events.route_by(routing);
        }
        let me = LocalMailbox::new(cell, Rc::clone(local), Arc::clone(&mailbox));
        let mut cx = Ctx::new(me, events, cell, on_progress);
        // Not 0 when the core has lost its thread and has a new one.
        cx.incarnation = mailbox.stats.incarnation.get();
        Self {
            mailbox,
            make_args,
            state: State::Held,
            cx,
            history: History::new(<A as Settings>::POLICY.supervision()),
            health: Health::new(<A as Settings>::POLICY.guard()),
            pace: Pace::default(),
            lanes: Vec::new(),
        }
    }

    /// For the core, and for tasks there that call it.
    fn shared(self) -> Rc<RefCell<Self>> {
        let me = Rc::clone(&self.cx.me);
        let this = Rc::new(RefCell::new(self));
        me.served_by(Rc::downgrade(&this));
        this
    }

    /// `#[init]` has failed where the actor had been started before: a failure like any other.
    pub(super) fn not_built(&mut self, error: SpawnError, fate: &Fate) {
        // `Display` of a user's error is foreign code.
        let text = catch(|| error.to_string()).unwrap_or_else(|panic| panic);
        let report = match &error {
            SpawnError::Panicked(report) => report.clone(),
            _ => PanicReport::new(A::NAME, "init", self.cx.core(), text),
        };
        drop_quietly(error);
        self.local().tell_of_panic(&report, self.mailbox.shard);
        self.end_incarnation(fate);
        self.decide(report);
    }
}
