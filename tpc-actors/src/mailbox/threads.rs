//! Which lane the calling thread sends through.
//!
//! A thread that sends a lot has a lane of its own to every actor that it talks to: Tokio's workers,
//! the cores, and threads that [`register_thread`] says so of. It is opened by the first send and closed
//! when the thread ends. All other threads share the actor's visitor lane, so that short-lived threads
//! cost no memory.

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::{Arc, Weak};

use super::Mailbox;
use super::lane::LaneProducer;
use crate::actor::Actor;
use crate::isolate::drop_quietly;

thread_local! {
    static REGISTERED: Cell<bool> = const { Cell::new(false) };
    static LANES: RefCell<Lanes> = RefCell::default();
}

#[derive(Default)]
struct Lanes(HashMap<u64, Box<dyn OwnLane>, BuildHasherDefault<IdHasher>>);

/// A thread's lane to some actor.
trait OwnLane: Any {
    fn as_any(&mut self) -> &mut dyn Any;
    /// Whether the actor is gone, so that the lane only holds memory.
    fn is_over(&self) -> bool;
}

impl<A: Actor> OwnLane for LaneProducer<A> {
    fn as_any(&mut self) -> &mut dyn Any {
        self
    }

    fn is_over(&self) -> bool {
        self.is_closed()
    }
}

/// Mailbox ids are counted up, which is as good as hashed already.
#[derive(Default)]
struct IdHasher(u64);

impl Hasher for IdHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.write_u64(self.0 << 8 | u64::from(byte));
        }
    }

    fn write_u64(&mut self, id: u64) {
        // The table takes its bucket from the low and its tag from the high bits; spread to both.
        self.0 = id.wrapping_mul(0x9E37_79B9_7F4A_7C15);
    }
}

/// Remembers that a thread has used the visitors' lane: it stays there, because two lanes to one actor
/// would not keep the thread's order.
struct Visitor<A: Actor>(Weak<Mailbox<A>>);

impl<A: Actor> OwnLane for Visitor<A> {
    fn as_any(&mut self) -> &mut dyn Any {
        self
    }

    fn is_over(&self) -> bool {
        self.0.strong_count() == 0
    }
}

impl Lanes {
    /// The thread's own lane, or `None` when it goes with the visitors. Lanes that are over come out in
    /// `over`, because dropping one may run foreign code that sends.
    fn to<A: Actor>(
        &mut self,
        mailbox: &Arc<Mailbox<A>>,
        over: &mut Vec<Box<dyn OwnLane>>,
    ) -> Option<&mut LaneProducer<A>> {
        if !self.0.contains_key(&mailbox.id) {
            self.open(mailbox, over);
        }
        self.0.get_mut(&mailbox.id)?.as_any().downcast_mut()
    }

    #[cold]
    fn open<A: Actor>(&mut self, mailbox: &Arc<Mailbox<A>>, over: &mut Vec<Box<dyn OwnLane>>) {
        // Opening is rare; it is the moment to let go of lanes to actors that have ended.
        over.extend(self.0.extract_if(|_, lane| lane.is_over()).map(|(_, lane)| lane));
        let own = if deserves_own_lane() { mailbox.open_lane() } else { None };
        let lane: Box<dyn OwnLane> = match own {
            Some(own) => Box::new(own),
            None => Box::new(Visitor(Arc::downgrade(mailbox))),
        };
        self.0.insert(mailbox.id, lane);
    }
}

impl Drop for Lanes {
    fn drop(&mut self) {
        // The thread ends: a panic in what a lane's slots hold would end the process.
        self.0.drain().for_each(|(_, lane)| drop_quietly(lane));
    }
}

fn deserves_own_lane() -> bool {
    REGISTERED.get()
        || crate::core_loop::on_core_thread()
        || tokio::runtime::worker_index().is_some()
}

/// Gives the calling thread lanes of its own, as Tokio's workers have.
///
/// For a plain thread that sends a lot: its sends then share no lock with other threads. Call it before
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
    let lane = LANES.try_with(|lanes| lanes.try_borrow_mut().ok()?.0.remove(&mailbox.id));
    // What its slots hold is foreign.
    drop_quietly(lane);
}

/// Runs `send` with the lane of the calling thread to `mailbox`; `None` when there is none to be had.
pub(crate) fn with_lane<A: Actor, R>(
    mailbox: &Arc<Mailbox<A>>,
    send: impl FnOnce(&mut LaneProducer<A>) -> R,
) -> Option<R> {
    let mut send = Some(send);
    let mut over = Vec::new();
    // The table is out of reach while the thread ends and while a waker's own code sends from within
    // a send; the visitor lane is always there.
    let through_own = LANES.try_with(|lanes| {
        let mut lanes = lanes.try_borrow_mut().ok()?;
        let lane = lanes.to(mailbox, &mut over)?;
        Some(send.take()?(lane))
    });
    over.into_iter().for_each(drop_quietly);
    if let Ok(Some(sent)) = through_own {
        return Some(sent);
    }
    mailbox.with_visitor(send.take()?)
}
