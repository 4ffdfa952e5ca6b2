//! Deadlines of what waits in the lanes: told to the keeper, and looked up for it.

use std::sync::atomic::{Ordering, fence};
use std::sync::{Arc, Weak};

use super::Mailbox;
use crate::actor::Actor;
use crate::keeper::Expire;
use crate::reply::slot::NO_DEADLINE;

impl<A: Actor> Mailbox<A> {
    /// Tells the keeper of a deadline, if it is earlier than what it knows.
    pub(crate) fn note_deadline(self: &Arc<Self>, deadline: u64) {
        // Pairs with the fence in `expire`: the keeper sees the slot or we see that it must be told.
        fence(Ordering::SeqCst);
        if deadline < self.next_deadline.load(Ordering::Relaxed) {
            let before = self.next_deadline.fetch_min(deadline, Ordering::AcqRel);
            if deadline < before {
                let who: Weak<Self> = Arc::downgrade(self);
                self.keeper.note(deadline, self.id, who);
            }
        }
    }
}

impl<A: Actor> Expire for Mailbox<A> {
    fn id(&self) -> u64 {
        self.id
    }

    fn expire(&self, now: u64) -> u64 {
        self.next_deadline.swap(NO_DEADLINE, Ordering::AcqRel);
        // Pairs with the fence in `note_deadline`.
        fence(Ordering::SeqCst);
        let mut earliest = NO_DEADLINE;
        self.for_each_lane(|lane| {
            earliest = earliest.min(lane.credit.wake_expired(now));
            earliest = earliest.min(lane.waiters.wake_expired(now));
        });
        self.next_deadline.fetch_min(earliest, Ordering::AcqRel);
        earliest
    }
}
