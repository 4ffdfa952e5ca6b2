//! Asks that go out with one publish.

use std::sync::Arc;
use std::task::Waker;

use super::Ask;
use crate::actor::Actor;
use crate::mailbox::threads;
use crate::reply::slot::Ticket;

impl<A: Actor, T, E> Ask<'_, A, T, E> {
    /// Sends as many asks from the first on as can go together, with one publish and without wakers; says
    /// how many. None when the first one has to go on its own.
    ///
    /// `wakers` are those of the slots' last uses: foreign, and dropped by the caller, when the lane is free again.
    pub(in crate::client) fn send_together(asks: &mut [Self], wakers: &mut Vec<Waker>) -> usize {
        if asks.first().is_none_or(|first| first.sending.unordered().is_none()) {
            return 0;
        }
        let mailbox = Arc::clone(asks[0].sending.mailbox());
        if !mailbox.is_plain() {
            return 0;
        }
        let sent = threads::with_own_lane(&mailbox, |lane| {
            if lane.fixed().waiters.any() || lane.fixed().credit.waiters.any() {
                return 0;
            }
            let mut together = 0;
            for ask in &mut *asks {
                let same = ask.sent.is_none()
                    && ask.sending.unordered().is_some()
                    && ask.sending.is_plain()
                    && Arc::ptr_eq(ask.sending.mailbox(), &mailbox);
                if !same || lane.shortage(&mailbox, true).is_some() {
                    break;
                }
                let (sent, waker) = lane.write_ask(ask.sending.take_request());
                wakers.extend(waker);
                ask.sent = Some(sent);
                together += 1;
            }
            if together > 0 && lane.publish().is_err() {
                // What the core has not read any more comes back, newest asks first.
                for envelope in lane.take_back() {
                    let returned = asks[..together].iter_mut().find(|ask| ask.has(envelope.ticket));
                    if let Some(ask) = returned {
                        ask.sent = None;
                        ask.sending.request = Some(envelope.request);
                    }
                }
                together = asks[..together].iter().take_while(|ask| ask.is_sent()).count();
            }
            together
        });
        mailbox.answer_if_lost();
        sent.unwrap_or(0)
    }

    fn has(&self, ticket: Option<Ticket>) -> bool {
        self.sent.is_some_and(|sent| Some(sent.ticket()) == ticket)
    }
}
