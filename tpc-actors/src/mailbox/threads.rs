//! Which lane the calling thread sends through.
//!
//! A thread that sends a lot has a lane of its own to every actor that it talks to: Tokio's workers,
//! the cores, and threads that [`register_thread`] says so of. It is opened by the first send and closed
//! when the thread ends. All other threads share the actor's visitor lane, so that short-lived threads
//! cost no memory.
//!
//! Each type of actors that is not generic has its own table in each thread, which its expansion declares: one that held
//! lanes of all types would have to ask each lane for its type, through a pointer, with every message. Where
//! processors do not predict that, it takes as long as the rest of a tell.

mod by_type;
mod lanes;

use std::cell::{Cell, RefCell};
use std::sync::Arc;

use super::lane::LaneProducer;
use super::{Mailbox, VISITOR};
use crate::actor::Actor;
use crate::isolate::drop_quietly;
use crate::relay::Relay;

pub(crate) use by_type::LanesAside;
use lanes::{AnyLanes as _, Lanes, TakenOut, drop_in_order};
pub use lanes::{LanesKey, ThreadLanes};

/// Takes out lanes to actors of one type that have ended.
type Sweep = fn(&mut Vec<TakenOut>);

thread_local! {
    static REGISTERED: Cell<bool> = const { Cell::new(false) };
    /// One for each type that this thread has lanes to.
    static SWEEPS: RefCell<Vec<Sweep>> = const { RefCell::new(Vec::new()) };
}

/// Gives the calling thread lanes of its own, as Tokio's workers have.
///
/// For a plain thread that sends a lot: its sends then share no lock with other threads, and neither the room nor the
/// number of asks under way with all other threads that are neither registered nor Tokio's workers. Call it before
/// the first send, because a thread stays with the lane that it began with. The lanes close when the
/// thread ends.
///
/// ```
/// std::thread::spawn(|| {
///     tpc_actors::register_thread();
///     // Asks and tells of this thread travel on lanes of its own from here on.
/// })
/// .join()
/// .unwrap();
/// ```
pub fn register_thread() {
    REGISTERED.set(true);
}

fn deserves_own_lane<A: Actor>(mailbox: &Mailbox<A>) -> bool {
    let on_core = crate::core_loop::on_core_thread();
    // A simulation is the same on every thread.
    let elsewhere = || REGISTERED.get() || tokio::runtime::worker_index().is_some();
    on_core || (mailbox.core.script.is_none() && elsewhere())
}

/// Whether the type's own table has the lanes to this actor.
fn has_own_table<A: Actor>(mailbox: &Mailbox<A>) -> bool {
    A::LANES.is_some() && mailbox.core.script.is_none()
}

/// Runs `work` with the type's own table, if there is one, and within reach.
#[inline]
fn with_own_table<A: Actor, R>(work: impl FnOnce(&mut Lanes<A>) -> R) -> Option<R> {
    A::LANES?.try_with(|lanes| lanes.with(work)).ok().flatten()
}

/// Runs `work` with the table that has the calling thread's lanes to this actor.
fn with_table<A: Actor, R>(
    mailbox: &Mailbox<A>,
    work: impl FnOnce(&mut Lanes<A>) -> R,
) -> Option<R> {
    if has_own_table(mailbox) { with_own_table(work) } else { by_type::with(work) }
}

/// Runs `work` with the lane that the calling thread has opened to `mailbox` before.
///
/// `None` when there is none, or when it is out of reach: while the thread ends, and while a waker's own code sends from
/// within a send. A simulated actor whose type has its own table has no lane there either, and is sent to and asked
/// by other ways.
#[inline]
pub(crate) fn with_own_lane<A: Actor, R>(
    mailbox: &Mailbox<A>,
    work: impl FnOnce(&mut LaneProducer<A>) -> R,
) -> Option<R> {
    let over_own = |lanes: &mut Lanes<A>| lanes.own(mailbox).map(work);
    // Known when this is compiled, so that only one of the two is.
    if A::LANES.is_some() { with_own_table(over_own) } else { by_type::with(over_own) }.flatten()
}

/// The table index of the lane that the calling thread sends through; `None` if it will open one of its own.
pub(crate) fn lane_of<A: Actor>(mailbox: &Mailbox<A>) -> Option<u32> {
    let known = |lanes: &mut Lanes<A>| {
        lanes.knows(mailbox).then(|| lanes.own(mailbox).map_or(VISITOR, |own| own.lane))
    };
    let known = with_table(mailbox, known).flatten();
    known.or_else(|| (!deserves_own_lane(mailbox)).then_some(VISITOR))
}

/// Runs `send` with the lane of the calling thread to `mailbox`; `None` when there is none to be had.
pub(crate) fn with_lane<A: Actor, R>(
    mailbox: &Arc<Mailbox<A>>,
    send: impl FnOnce(&mut LaneProducer<A>) -> R,
) -> Option<R> {
    let mut send = Some(send);
    let mut over_own = |lanes: &mut Lanes<A>| {
        let own = lanes.own(mailbox)?;
        send.take().map(|send| send(own))
    };
    let done = with_table(mailbox, &mut over_own).flatten().or_else(|| {
        open_lane(mailbox);
        with_table(mailbox, over_own).flatten()
    });
    // The visitor lane is always there.
    done.or_else(|| mailbox.with_visitor(send.take()?))
}

/// Opens the lane of the calling thread, if that has not been done.
#[cold]
fn open_lane<A: Actor>(mailbox: &Arc<Mailbox<A>>) {
    provide_table(mailbox);
    if with_table(mailbox, |lanes| lanes.knows(mailbox)) != Some(false) {
        return;
    }
    // Opening is rare; it is the moment to let go of lanes to actors that have ended. They are dropped when this one is
    // there: what they hold may send to the same actor, and must not open another one.
    let over = over(mailbox);
    let relay = || mailbox.core.script.is_none().then(Relay::of_this_worker).flatten();
    let own = deserves_own_lane(mailbox).then(|| mailbox.open_lane(relay())).flatten();
    let before = with_table(mailbox, |lanes| lanes.keep(mailbox, own));
    drop_in_order(over);
    drop_quietly(before);
}

/// Makes sure that there is a table, and that the thread knows of it.
fn provide_table<A: Actor>(mailbox: &Mailbox<A>) {
    let Some(own) = A::LANES.filter(|_| has_own_table(mailbox)) else {
        return by_type::provide::<A>();
    };
    let is_new = own.try_with(|lanes| !lanes.known.replace(true)) == Ok(true);
    if is_new {
        let sweep = |over: &mut Vec<TakenOut>| {
            with_own_table::<A, _>(|lanes| lanes.take_over(over));
        };
        let _: Result<(), _> = SWEEPS.try_with(|sweeps| sweeps.borrow_mut().push(sweep));
    }
}

/// Takes the calling thread's lanes to actors that have ended; for a simulated actor those of its simulation, to which
/// it must not matter what else its thread has done.
fn over<A: Actor>(mailbox: &Mailbox<A>) -> Vec<TakenOut> {
    let mut over = Vec::new();
    let sweep = |sweeps: &RefCell<Vec<Sweep>>| {
        sweeps.borrow().iter().for_each(|sweep| sweep(&mut over));
    };
    if mailbox.core.script.is_none() {
        let _: Result<(), _> = SWEEPS.try_with(sweep);
    }
    by_type::take_over(&mut over);
    over
}

/// Closes the lane of the calling thread, whose other end is gone; the next send opens another one.
#[cold]
pub(crate) fn forget_lane<A: Actor>(mailbox: &Arc<Mailbox<A>>) {
    let lane = with_table(mailbox, |lanes| lanes.forget(mailbox));
    // What its slots hold is foreign.
    drop_quietly(lane);
}
