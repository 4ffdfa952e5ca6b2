//! Looking for an answer without leaving a waker: on the spot where the ask is alone, in turn where there are others.

use std::task::{Context, Waker};
use std::time::Instant;

use super::super::crowd::Turns;
use super::super::lone::{self, Awakening, Looked, Wait};
use super::super::sending::WakerIdentity;
use super::{Ask, End};
use crate::actor::Actor;
use crate::mailbox::lane::{LaneProducer, Sent};
use crate::mailbox::threads;
use crate::patience::pause;
use crate::reply::Outcome;
use crate::reply::slot::Polled;

impl<A: Actor, T, E> Ask<'_, A, T, E> {
    /// The request is on its way, without a waker.
    pub(super) fn poll_unheard(
        &mut self,
        wait: Wait,
        sent: Sent,
        context: &mut Context<'_>,
        end: &mut End<A>,
    ) {
        let alone = wait == Wait::Here;
        let looks_later = if alone {
            sent.rang() && self.awaken()
        } else {
            // A core that has to wake takes longer than that.
            self.turns = if sent.rang() { Turns::default() } else { Turns::begin() };
            !self.turns.is_over()
        };
        if looks_later {
            // What the task has to do besides goes before its next look, for which it is polled again.
            return context.waker().wake_by_ref();
        }
        if alone && !sent.rang() {
            if self.wait_here(end) {
                return lone::answered(WakerIdentity::of(context.waker()), true);
            }
            lone::missed();
        }
        self.poll_answer(context, end);
    }

    /// Looks for an answer that was not there, if it has begun to.
    #[inline]
    pub(super) fn look_on(&mut self, end: &mut End<A>) -> Looked<()> {
        if !self.turns.is_over() {
            return self.look_in_turn(end);
        }
        match self.awakens.and_then(Awakening::looks_until) {
            Some(until) => self.wait_for_sleeper(until, end),
            None => Looked::InVain,
        }
    }

    /// One look in one of the task's turns.
    fn look_in_turn(&mut self, end: &mut End<A>) -> Looked<()> {
        // Also over the lane of another thread, where the task may have been.
        if self.look_here(end) {
            return Looked::Found(());
        }
        if self.turns.pass() { Looked::LooksOn } else { Looked::InVain }
    }

    /// Looks for the answer of a core that is awake, if it comes at once; whether it has.
    fn wait_here(&mut self, end: &mut End<A>) -> bool {
        // Each look takes the slot's line away from the core, which is about to write there.
        pause(lone::PAUSES_AT_FIRST);
        (0..lone::LOOKS).any(|_| {
            pause(lone::PAUSES);
            self.look_here(end)
        })
    }

    /// The core had to be woken: whether its answer is looked for from the next poll on.
    #[cold]
    fn awaken(&mut self) -> bool {
        self.awakens = self.leaves_room().then(lone::awakens);
        self.awakens.and_then(Awakening::looks_until).is_some()
    }

    /// The answer is there, and was not waited for in the poll that asked: its thread learns who was answered, and what
    /// it took if the core had to be woken.
    #[inline]
    pub(super) fn learns_from_answer(&mut self, asker: WakerIdentity) {
        if let Some(awakening) = self.awakens.take() {
            lone::awoke(awakening);
        }
        self.turns.end();
        lone::answered(asker, false);
    }

    /// Whether the core can run while this thread looks.
    pub(in crate::client) fn leaves_room(&self) -> bool {
        self.sending.mailbox().core.home.has_room_beside_caller()
    }

    /// Looks for the answer of a core that had to be woken.
    #[cold]
    fn wait_for_sleeper(&mut self, until: Instant, end: &mut End<A>) -> Looked<()> {
        let looked = lone::look_for_a_slice(until, || self.look_here(end).then_some(()));
        if let (Looked::InVain, Some(awakening)) = (&looked, &mut self.awakens) {
            awakening.gives_up();
        }
        looked
    }

    /// One look, which leaves no waker; whether the answer was there.
    pub(super) fn look_here(&mut self, end: &mut End<A>) -> bool {
        if self.take_answer(end) {
            return true;
        }
        if let Polled::Ready(outcome) = self.poll_slot(None) {
            *end = Some(Ok(outcome));
        }
        end.is_some()
    }

    /// Takes the answer, if it is there and came over the lane of this thread; whether it did. The task may have moved
    /// to another worker meanwhile, whose lane is another one.
    pub(super) fn take_answer(&mut self, end: &mut End<A>) -> bool {
        let Some(sent) = self.sent else { return false };
        let mailbox = self.sending.mailbox();
        let take = |own: &mut LaneProducer<A>| {
            *end = Some(Ok(own.take_answer(sent.lane(), sent.ticket())?));
            // Asked here, where the lane is at hand: nearly always nobody waits.
            Some(own.fixed().credit.waiters.any())
        };
        let Some(slot_wanted) = threads::with_own_lane(mailbox, take).flatten() else {
            return false;
        };
        if slot_wanted {
            mailbox.lane(sent.lane()).credit.freed(1);
        }
        self.sent = None;
        true
    }

    /// Looks for the answer where any thread may; otherwise leaves `fresh`, if there is one.
    pub(super) fn poll_slot(&mut self, fresh: Option<Waker>) -> Polled<Outcome<A::Response>> {
        let Some(sent) = self.sent else { unreachable!("an answer is awaited") };
        let credit = &self.sending.mailbox().lane(sent.lane()).credit;
        let polled = credit.poll(sent.ticket(), fresh);
        if let Polled::Ready(_) = polled {
            self.sent = None;
        }
        polled
    }
}
