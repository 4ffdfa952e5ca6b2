//! Looking for the answer to a lone ask on the spot, without leaving a waker.

use std::task::Waker;

use super::super::lone::{self, Looked};
use super::{Ask, InFlight};
use crate::actor::Actor;
use crate::mailbox::threads;
use crate::patience::pause;
use crate::reply::Outcome;
use crate::reply::slot::Polled;

impl<A: Actor, T, E> Ask<'_, A, T, E> {
    /// Has the answer of a core that is awake, if it comes at once.
    pub(super) fn wait_here(&mut self) -> Option<Outcome<A::Response>> {
        // Each look takes the slot's line away from the core, which is about to write there.
        pause(lone::PAUSES_AT_FIRST);
        (0..lone::LOOKS).find_map(|_| {
            pause(lone::PAUSES);
            self.look_here()
        })
    }

    /// The core had to be woken: whether its answer is looked for from the next poll on.
    #[cold]
    pub(super) fn awaken(&mut self) -> bool {
        let until = if self.leaves_room() { lone::awakens() } else { None };
        self.sent.iter_mut().for_each(|sent| sent.awakens = until);
        until.is_some()
    }

    /// Whether the core can run while this thread looks.
    pub(in crate::client) fn leaves_room(&self) -> bool {
        self.sending.mailbox().core.home.has_room_beside_caller()
    }

    /// Looks for the answer of a core that had to be woken.
    #[cold]
    pub(super) fn wait_for_sleeper(&mut self) -> Looked<Outcome<A::Response>> {
        let Some(until) = self.sent.and_then(|sent| sent.awakens) else { return Looked::InVain };
        let looked = lone::look_for_a_slice(until, || self.look_here());
        match looked {
            Looked::Found(_) => lone::awoke(true),
            Looked::LooksOn => {}
            Looked::InVain => {
                lone::awoke(false);
                self.sent.iter_mut().for_each(|sent| sent.awakens = None);
            }
        }
        looked
    }

    /// One look, which leaves no waker.
    pub(super) fn look_here(&mut self) -> Option<Outcome<A::Response>> {
        let sent = self.sent?;
        match self.poll_slot(&sent, Waker::noop(), true) {
            Polled::Ready(outcome) => {
                self.sent = None;
                Some(outcome)
            }
            Polled::Registered | Polled::Busy => None,
        }
    }

    /// Looks for the answer; otherwise leaves `waker`, unless it is `registered` already.
    #[expect(clippy::inline_always, reason = "see `Slab::poll`")]
    #[inline(always)]
    pub(super) fn poll_slot(
        &self,
        sent: &InFlight,
        waker: &Waker,
        registered: bool,
    ) -> Polled<Outcome<A::Response>> {
        let mailbox = self.sending.mailbox();
        let credit = &mailbox.lane(sent.lane).credit;
        credit.poll(sent.ticket, waker, registered, |index| {
            // The task may have moved to another worker meanwhile, whose lane is another one.
            let kept = threads::with_own_lane(mailbox, |own| own.keep_slot(sent.lane, index));
            kept == Some(true)
        })
    }
}
