//! Tells that come one after the other.
//!
//! Nobody waits for one, so what lies between two of them is little: a loop of its own, in a function of its own, has all
//! of that in registers.

use super::super::called::Called;
use super::super::ctx::Ctx;
use super::super::local::CoreLocal;
use super::super::run::Run;
use crate::actor::Actor;
use crate::reply::ReplySlot;
use crate::stats::ActorStats;

/// Handles the tells that come next, up to the next stop of the run; says whether it goes on after them.
#[inline(never)]
pub(super) fn serve_tells<A: Actor>(
    run: &mut Run<A>,
    actor: &mut A,
    cx: &mut Ctx<A>,
    local: &CoreLocal,
    stats: &ActorStats,
) -> bool {
    let (core, bell) = (&*local.shared.stats, &*local.shared.bell);
    let handlers = Called::Handler(0).word(cx.cell);
    let mut with_those_behind = None;
    run.tells(|request| {
        core.calls(stats, handlers + u64::from(A::handler_number(&request)));
        if let Some(request) = actor.handle_tell(cx, request) {
            with_those_behind = Some(request);
            return false;
        }
        // A handler that stops its actor is its last one.
        !cx.stopping && !bell.has_command()
    });
    if let Some(request) = with_those_behind {
        actor.handle(cx, request, ReplySlot::new(run));
    }
    !cx.stopping && !bell.has_command()
}
