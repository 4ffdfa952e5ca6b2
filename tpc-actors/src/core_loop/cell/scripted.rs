//! Serving messages in a simulation, which may have the first one fail and tells of each.

use std::rc::Rc;
use std::time::Instant;

use super::super::called::{Called, code_of, name};
use super::super::run::Run;
use super::{ActorCell, State};
use crate::actor::Actor;
use crate::isolate::{catch, drop_quietly};
use crate::reply::ReplySlot;
use crate::sim::Script;

impl<A: Actor> ActorCell<A> {
    /// As [`Self::serve`].
    #[cold]
    #[inline(never)]
    pub(super) fn serve_by_script(
        &mut self,
        script: &Script,
        run: &mut Run<A>,
        max: usize,
        until: Instant,
    ) -> bool {
        let before = run.handled();
        let running = matches!(self.state, State::Running(_));
        let failed = if running && script.fails_handler() {
            self.fail_first(run, max)
        } else {
            self.serve(run, max, until)
        };
        // A panic has been told of, with its handler.
        if !failed && run.handled() > before {
            let core = &self.local().shared;
            let (shard, called) = (self.mailbox.shard, code_of(core.stats.calling.get()));
            core.note(|| format!("{}[{shard}] {}", A::NAME, name::<A>(called)));
        }
        failed
    }

    /// Takes the next message, whose handler panics before its first line; true when there was one.
    fn fail_first(&mut self, run: &mut Run<A>, max: usize) -> bool {
        run.limit(max.min(1));
        if !run.goes_on() {
            return false;
        }
        let Some(request) = run.next().and_then(|envelope| run.start(envelope)) else {
            return false;
        };
        let core = &Rc::clone(&run.local).shared.stats;
        let calling = Called::Handler(A::handler_number(&request)).word(self.cx.cell);
        core.calls(&self.mailbox.stats, calling);
        let called = catch(|| {
            let _unanswered = ReplySlot::new(run);
            // Without the panic hook: the simulation's trace tells of it.
            std::panic::resume_unwind(Box::new("a fault of the simulation"))
        });
        let Err(message) = called;
        drop_quietly(request);
        self.failed(name::<A>(code_of(core.calling.get())), message);
        true
    }
}
