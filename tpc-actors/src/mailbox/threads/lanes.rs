//! The lanes of one thread to the actors of one type.

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::fmt;
use std::sync::{Arc, Weak};
use std::thread::LocalKey;

use crate::actor::Actor;
use crate::isolate::drop_quietly;
use crate::mailbox::Mailbox;
use crate::mailbox::lane::LaneProducer;

/// A lane that is taken out of its table with the id of its mailbox. The caller drops it where no table is borrowed:
/// that may run foreign code, which may send.
pub(super) type TakenOut = (u64, Box<dyn Any>);

/// The way from a thread to an actor.
enum Way<A: Actor> {
    /// A lane of its own.
    Own(LaneProducer<A>),
    /// The visitors' lane: who began there stays, because two lanes to one actor would not keep the thread's order.
    Visitor(Weak<Mailbox<A>>),
}

impl<A: Actor> Way<A> {
    /// Whether the actor is gone, so that this only holds memory.
    fn is_over(&self) -> bool {
        match self {
            Self::Own(lane) => lane.is_closed(),
            Self::Visitor(mailbox) => mailbox.strong_count() == 0,
        }
    }
}

struct Entry<A: Actor> {
    /// The mailbox's id: its place may have been another one's before.
    mailbox: u64,
    way: Box<Way<A>>,
}

impl<A: Actor> Entry<A> {
    fn take_out(self) -> TakenOut {
        (self.mailbox, self.way)
    }
}

/// By the places of their mailboxes.
pub(super) struct Lanes<A: Actor>(Vec<Option<Entry<A>>>);

impl<A: Actor> Lanes<A> {
    pub(super) const fn new() -> Self {
        Self(Vec::new())
    }

    #[inline]
    fn find(&mut self, mailbox: &Mailbox<A>) -> Option<&mut Entry<A>> {
        let entry = self.0.get_mut(mailbox.place.index())?.as_mut()?;
        (entry.mailbox == mailbox.id).then_some(entry)
    }

    pub(super) fn knows(&mut self, mailbox: &Mailbox<A>) -> bool {
        self.find(mailbox).is_some()
    }

    /// The thread's own lane, if it is open.
    #[inline]
    pub(super) fn own(&mut self, mailbox: &Mailbox<A>) -> Option<&mut LaneProducer<A>> {
        match &mut *self.find(mailbox)?.way {
            Way::Own(lane) => Some(lane),
            Way::Visitor(_) => None,
        }
    }

    pub(super) fn forget(&mut self, mailbox: &Mailbox<A>) -> Option<TakenOut> {
        self.find(mailbox)?;
        self.0[mailbox.place.index()].take().map(Entry::take_out)
    }

    /// Keeps the lane, or that there is none; what stood in its place comes out.
    pub(super) fn keep(
        &mut self,
        mailbox: &Arc<Mailbox<A>>,
        own: Option<LaneProducer<A>>,
    ) -> Option<TakenOut> {
        let way = own.map_or_else(|| Way::Visitor(Arc::downgrade(mailbox)), Way::Own);
        let place = mailbox.place.index();
        if self.0.len() <= place {
            self.0.resize_with(place + 1, || None);
        }
        let entry = Entry { mailbox: mailbox.id, way: Box::new(way) };
        self.0[place].replace(entry).map(Entry::take_out)
    }
}

/// What can be done with lanes without knowing their type.
pub(super) trait AnyLanes: Any {
    /// Takes out lanes to actors that have ended.
    fn take_over(&mut self, over: &mut Vec<TakenOut>);

    /// Takes out everything.
    fn take_all(&mut self, all: &mut Vec<TakenOut>);
}

impl<A: Actor> AnyLanes for Lanes<A> {
    fn take_over(&mut self, over: &mut Vec<TakenOut>) {
        let ended = |place: &mut Option<Entry<A>>| place.take_if(|entry| entry.way.is_over());
        over.extend(self.0.iter_mut().filter_map(ended).map(Entry::take_out));
    }

    fn take_all(&mut self, all: &mut Vec<TakenOut>) {
        all.extend(self.0.drain(..).flatten().map(Entry::take_out));
    }
}

/// The lanes of a thread to the actors of one type, in a place that only they have: the type needs not be found out.
pub struct ThreadLanes<A: Actor> {
    lanes: RefCell<Lanes<A>>,
    /// The thread knows of them.
    pub(super) known: Cell<bool>,
}

/// Where each thread has them, if there is such a place.
pub type LanesKey<A> = Option<&'static LocalKey<ThreadLanes<A>>>;

/// A place for the lanes to actors of this type, which is not generic.
#[doc(hidden)]
#[macro_export]
macro_rules! thread_lanes {
    ($actor:ty) => {{
        $crate::private::thread_local! {
            static LANES: $crate::private::ThreadLanes<$actor> =
                const { $crate::private::ThreadLanes::new() };
        }
        ::core::option::Option::Some(&LANES)
    }};
}

impl<A: Actor> ThreadLanes<A> {
    /// None so far.
    #[expect(clippy::new_without_default, reason = "made by expansions, in constants")]
    pub const fn new() -> Self {
        Self { lanes: RefCell::new(Lanes::new()), known: Cell::new(false) }
    }

    /// `None` while they are in use, when a waker's own code sends from within a send.
    #[inline]
    pub(super) fn with<R>(&self, work: impl FnOnce(&mut Lanes<A>) -> R) -> Option<R> {
        Some(work(&mut *self.lanes.try_borrow_mut().ok()?))
    }
}

impl<A: Actor> Drop for ThreadLanes<A> {
    fn drop(&mut self) {
        // The thread ends: a panic in what a lane's slots hold would end the process.
        let mut all = Vec::new();
        self.lanes.get_mut().take_all(&mut all);
        drop_in_order(all);
    }
}

impl<A: Actor> fmt::Debug for ThreadLanes<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ThreadLanes").finish_non_exhaustive()
    }
}

/// By the age of the actors: their places depend on who had them before, and a simulation must not.
pub(super) fn drop_in_order(mut lanes: Vec<TakenOut>) {
    lanes.sort_by_key(|(mailbox, _)| *mailbox);
    lanes.into_iter().for_each(drop_quietly);
}
