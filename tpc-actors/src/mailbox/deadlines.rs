//! Deadlines of what waits in the lanes: told to the keeper, and looked up for it.

use std::sync::{Arc, Weak};

use super::Mailbox;
use crate::actor::Actor;
use crate::keeper::Expire;
use crate::reply::slot::NO_DEADLINE;

impl<A: Actor> Mailbox<A> {
    /// Has `place` put a deadline where the keeper looks for it, which is told of it if that is earlier than what it knows.
    pub(crate) fn with_deadline<R>(
        self: &Arc<Self>,
        deadline: u64,
        place: impl FnOnce() -> R,
    ) -> R {
        if deadline == NO_DEADLINE {
            return place();
        }
        self.earliest_deadline.note(deadline, place, || {
            let who: Weak<Self> = Arc::downgrade(self);
            self.keeper.note(deadline, self.id, who);
        })
    }
}

impl<A: Actor> Expire for Mailbox<A> {
    fn id(&self) -> u64 {
        self.id
    }

    fn expire(&self, now: u64) -> u64 {
        self.earliest_deadline.look(|| {
            let mut earliest = NO_DEADLINE;
            self.for_each_lane(|lane| {
                earliest = earliest.min(lane.credit.wake_expired(now));
                earliest = earliest.min(lane.waiters.wake_expired(now));
            });
            earliest
        })
    }
}
