//! Calling a handler in the poll of the task that waits for its answer.
//!
//! A task of the core is polled while no handler runs, so the actor that it asks may as well answer right there:
//! no message is queued, no waker travels, and no round of the loop lies between question and answer.

use std::rc::Rc;

use super::super::called::{Called, code_of, name};
use super::{ActorCell, State};
use crate::actor::Actor;
use crate::isolate::catch;
use crate::reply::{OnTheSpot, ReplySlot, Spot};

impl<A: Actor> ActorCell<A> {
    /// Whether a handler can be called now.
    pub(crate) fn is_ready(&self) -> bool {
        matches!(self.state, State::Running(_)) && !self.cx.stopping
    }

    /// Calls the handler of `request`. The second value is false when it was the last call of its incarnation: what
    /// follows may concern the very task that waits for it.
    pub(crate) fn call_here(&mut self, request: A::Request) -> (OnTheSpot<A>, bool) {
        let State::Running(actor) = &mut self.state else { return (OnTheSpot::Nothing, false) };
        let (cx, stats) = (&mut self.cx, &self.mailbox.stats);
        let local = Rc::clone(&cx.me.local);
        let mut spot = Spot { me: Rc::clone(&cx.me), answer: OnTheSpot::Nothing };
        let core = &local.shared.stats;
        let task = core.calling.get();
        let handlers = Called::Handler(0).word(cx.cell);
        core.calls(stats, handlers + u64::from(A::handler_number(&request)));
        let reply = ReplySlot::on_the_spot(&mut spot);
        let called = catch(|| actor.handle(cx, request, reply));
        if let Err(message) = called {
            self.failed(name::<A>(code_of(core.calling.get())), message);
            core.calling.set(task);
            return (spot.answer, false);
        }
        let goes_on = !self.cx.stopping;
        self.stop_if_asked();
        core.calling.set(task);
        (spot.answer, goes_on)
    }
}
