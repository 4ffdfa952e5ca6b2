//! An actor whose core is gone: nobody serves its lanes, and nobody must wait for that.

use super::lane::Lane;
use super::{Ended, Mailbox};
use crate::actor::Actor;
use crate::error::Fate;

impl<A: Actor> Mailbox<A> {
    /// The core is gone or does not move any more: refuses senders and answers what has not begun.
    pub(crate) fn give_up(&self) {
        self.life.lose(|| {
            self.ending.set(Ended::CoreLost);
            self.refuse_queued();
        });
        self.for_each_lane(Lane::wake_all);
    }

    /// Runs `send`, after which no lane is borrowed: should the core be lost by then, what it has not begun is answered here,
    /// and foreign wakers are woken.
    #[inline]
    pub(crate) fn sending<R>(&self, send: impl FnOnce() -> R) -> R {
        self.life.send(send, || self.refuse_queued())
    }

    /// Answers what waits in the lanes of a core that is gone or does not move.
    fn refuse_queued(&self) {
        let mut refused = 0;
        self.for_each_lane(|lane| {
            refused += lane.credit.refuse_queued(|| Err(Fate::CoreLost { started: false }));
        });
        self.count_rejected(refused);
    }
}
