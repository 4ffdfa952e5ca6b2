//! Which lane the calling thread sends through.
//!
//! A thread that sends a lot has a lane of its own to every actor that it talks to: Tokio's workers,
//! the cores, and threads that [`register_thread`] says so of. It is opened by the first send and closed
//! when the thread ends. All other threads share the actor's visitor lane, so that short-lived threads
//! cost no memory.

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::sync::{Arc, Weak};

use super::lane::LaneProducer;
use super::{Mailbox, VISITOR};
use crate::actor::Actor;
use crate::isolate::drop_quietly;
use crate::relay::Relay;

thread_local! {
    static REGISTERED: Cell<bool> = const { Cell::new(false) };
    static LANES: RefCell<Lanes> = RefCell::default();
}

/// By the places of their mailboxes.
#[derive(Default)]
struct Lanes(Vec<Option<Entry>>);

struct Entry {
    /// The mailbox's id: its place may have been another one's before.
    mailbox: u64,
    lane: Box<dyn OwnLane>,
}

/// A thread's lane to some actor.
trait OwnLane: Any {
    /// Whether the actor is gone, so that the lane only holds memory.
    fn is_over(&self) -> bool;
}

impl<A: Actor> OwnLane for LaneProducer<A> {
    fn is_over(&self) -> bool {
        self.is_closed()
    }
}

/// Remembers that a thread has used the visitors' lane: it stays there, because two lanes to one actor
/// would not keep the thread's order.
struct Visitor<A: Actor>(Weak<Mailbox<A>>);

impl<A: Actor> OwnLane for Visitor<A> {
    fn is_over(&self) -> bool {
        self.0.strong_count() == 0
    }
}

impl Lanes {
    #[inline]
    fn find<A: Actor>(&mut self, mailbox: &Mailbox<A>) -> Option<&mut Entry> {
        let entry = self.0.get_mut(mailbox.place.index())?.as_mut()?;
        (entry.mailbox == mailbox.id).then_some(entry)
    }

    /// The thread's own lane, if it is open.
    #[inline]
    fn own<A: Actor>(&mut self, mailbox: &Mailbox<A>) -> Option<&mut LaneProducer<A>> {
        let lane: &mut dyn Any = &mut *self.find(mailbox)?.lane;
        lane.downcast_mut()
    }

    fn forget<A: Actor>(&mut self, mailbox: &Mailbox<A>) -> Option<Entry> {
        self.find(mailbox)?;
        self.0[mailbox.place.index()].take()
    }

    /// Opens a lane, unless that has been done. Lanes that are over come out in `over`, because dropping
    /// one may run foreign code that sends.
    fn open<A: Actor>(&mut self, mailbox: &Arc<Mailbox<A>>, over: &mut Vec<Box<dyn OwnLane>>) {
        if self.find(mailbox).is_some() {
            return;
        }
        // Opening is rare; it is the moment to let go of lanes to actors that have ended.
        let ended = |place: &mut Option<Entry>| place.take_if(|entry| entry.lane.is_over());
        over.extend(in_order(self.0.iter_mut().filter_map(ended).collect()));
        let relay = || mailbox.core.script.is_none().then(Relay::of_this_worker).flatten();
        let own = deserves_own_lane(mailbox).then(|| mailbox.open_lane(relay())).flatten();
        let lane: Box<dyn OwnLane> = match own {
            Some(own) => Box::new(own),
            None => Box::new(Visitor(Arc::downgrade(mailbox))),
        };
        let place = mailbox.place.index();
        if self.0.len() <= place {
            self.0.resize_with(place + 1, || None);
        }
        let before = self.0[place].replace(Entry { mailbox: mailbox.id, lane });
        over.extend(before.map(|entry| entry.lane));
    }
}

/// By the age of the actors: their places depend on who had them before, and a simulation must not.
fn in_order(mut entries: Vec<Entry>) -> impl Iterator<Item = Box<dyn OwnLane>> {
    entries.sort_by_key(|entry| entry.mailbox);
    entries.into_iter().map(|entry| entry.lane)
}

impl Drop for Lanes {
    fn drop(&mut self) {
        // The thread ends: a panic in what a lane's slots hold would end the process.
        let lanes = in_order(self.0.drain(..).flatten().collect());
        lanes.for_each(drop_quietly);
    }
}

fn deserves_own_lane<A: Actor>(mailbox: &Mailbox<A>) -> bool {
    let on_core = crate::core_loop::on_core_thread();
    // A simulation is the same on every thread.
    let elsewhere = || REGISTERED.get() || tokio::runtime::worker_index().is_some();
    on_core || (mailbox.core.script.is_none() && elsewhere())
}

/// The lanes of a simulated core while it has no turn.
#[derive(Default)]
pub(crate) struct LanesAside(Lanes);

/// For as long as it lives, the calling thread sends through these lanes and not through its own.
pub(crate) struct UsesLanes<'a>(&'a mut LanesAside);

impl LanesAside {
    pub(crate) fn enter(&mut self) -> UsesLanes<'_> {
        self.swap();
        UsesLanes(self)
    }

    fn swap(&mut self) {
        // A thread that ends has dropped its lanes.
        let _ = LANES.try_with(|lanes| std::mem::swap(&mut *lanes.borrow_mut(), &mut self.0));
    }
}

impl Drop for UsesLanes<'_> {
    fn drop(&mut self) {
        self.0.swap();
    }
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

/// Closes the lane of the calling thread, whose other end is gone; the next send opens another one.
#[cold]
pub(crate) fn forget_lane<A: Actor>(mailbox: &Arc<Mailbox<A>>) {
    let lane = LANES.try_with(|lanes| lanes.try_borrow_mut().ok()?.forget(mailbox));
    // What its slots hold is foreign.
    drop_quietly(lane);
}

/// Runs `work` with the lane that the calling thread has opened to `mailbox` before.
///
/// `None` when there is none, or when it is out of reach: while the thread ends, and while a waker's own
/// code sends from within a send.
#[inline]
pub(crate) fn with_own_lane<A: Actor, R>(
    mailbox: &Mailbox<A>,
    work: impl FnOnce(&mut LaneProducer<A>) -> R,
) -> Option<R> {
    let done = LANES.try_with(|lanes| lanes.try_borrow_mut().ok()?.own(mailbox).map(work));
    done.ok().flatten()
}

/// The table index of the lane that the calling thread sends through; `None` if it will open one of its own.
pub(crate) fn lane_of<A: Actor>(mailbox: &Mailbox<A>) -> Option<u32> {
    let own = with_own_lane(mailbox, |lane| lane.lane);
    let known = LANES.try_with(|lanes| lanes.try_borrow_mut().ok()?.find(mailbox).map(|_| ()));
    let opens_one = !matches!(known, Ok(Some(()))) && deserves_own_lane(mailbox);
    own.or_else(|| (!opens_one).then_some(VISITOR))
}

/// Runs `send` with the lane of the calling thread to `mailbox`; `None` when there is none to be had.
pub(crate) fn with_lane<A: Actor, R>(
    mailbox: &Arc<Mailbox<A>>,
    send: impl FnOnce(&mut LaneProducer<A>) -> R,
) -> Option<R> {
    let mut send = Some(send);
    let mut over_own =
        || with_own_lane(mailbox, |lane| send.take().map(|send| send(lane))).flatten();
    let done = over_own().or_else(|| {
        open_lane(mailbox);
        over_own()
    });
    // The visitor lane is always there.
    done.or_else(|| mailbox.with_visitor(send.take()?))
}

/// Opens the lane of the calling thread, if that has not been done.
#[cold]
fn open_lane<A: Actor>(mailbox: &Arc<Mailbox<A>>) {
    let mut over = Vec::new();
    let _: Result<(), _> = LANES.try_with(|lanes| {
        if let Ok(mut lanes) = lanes.try_borrow_mut() {
            lanes.open(mailbox, &mut over);
        }
    });
    over.into_iter().for_each(drop_quietly);
}
