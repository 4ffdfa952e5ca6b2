//! Many requests over a lane with one publish.

use std::task::Waker;

use super::{LaneProducer, Sent};
use crate::actor::Actor;
use crate::bridge::bell::LaneClosed;
use crate::client::Staged;
use crate::mailbox::closing::take_back;
use crate::mailbox::lane::Envelope;

impl<A: Actor> LaneProducer<A> {
    /// Writes an ask that [`Self::shortage`] has just found room for, without a waker and without showing
    /// it; also the waker of the slot's last use, which is foreign.
    pub(crate) fn write_ask(
        &mut self,
        request: A::Request,
        deadline: u64,
    ) -> (Sent, Option<Waker>) {
        let mut waker = None;
        let ticket = self.fixed.credit.acquire(&mut self.free, &mut waker, deadline);
        if self.ring.push_unpublished(Envelope { request, ticket }).is_err() {
            unreachable!("room was looked for");
        }
        (Sent::new(self.lane, ticket, false), waker)
    }

    /// Shows what was written to the core, and wakes it if it sleeps.
    ///
    /// # Errors
    ///
    /// The core has left: [`Self::take_back`] what it has not read.
    pub(crate) fn publish(&mut self) -> Result<(), LaneClosed> {
        self.ring.publish();
        self.bell.published().map(drop)
    }

    /// Sends tells from the first one on while there is room, with one publish; says how many.
    ///
    /// # Errors
    ///
    /// The core has left. What it has not read is back among the messages.
    pub(crate) fn send_batch(
        &mut self,
        messages: &mut Staged<Envelope<A>>,
    ) -> Result<usize, LaneClosed> {
        let mut reserved = self.ring.reserve(messages.len());
        messages.move_into(&mut reserved);
        let sent = reserved.commit();
        if sent > 0 && self.bell.published().is_err() {
            let returned = self.take_back();
            for envelope in returned.into_iter().rev() {
                messages.put_back(envelope);
            }
            return Err(LaneClosed);
        }
        Ok(sent)
    }

    /// What a core that has left has not read, oldest first.
    #[cold]
    pub(crate) fn take_back(&mut self) -> Vec<Envelope<A>> {
        let returned: Vec<_> = std::iter::from_fn(|| take_back(&mut self.ring)).collect();
        for ticket in returned.iter().filter_map(|envelope| envelope.ticket) {
            self.fixed.credit.cancel_unsent(ticket);
        }
        returned
    }
}
