//! Asks that go out with one publish.

use std::task::Waker;

use super::Ask;
use crate::actor::Actor;
use crate::mailbox::lane::LaneProducer;
use crate::reply::slot::Ticket;

impl<A: Actor, T, E> Ask<'_, A, T, E> {
    /// Sends as many asks from the first on as can go together, with one publish and without wakers; says
    /// how many. None when the first one has to go on its own.
    ///
    /// `wakers` are those of the slots' last uses: foreign, and dropped by the caller, when the lane is free again.
    pub(in crate::client) fn send_together(asks: &mut [Self], wakers: &mut Vec<Waker>) -> usize {
        let Some(first) = asks.first() else { return 0 };
        let (client, shard) = (first.sending.client().clone(), first.sending.shard());
        let mailbox = client.get().mailbox(shard);
        if !mailbox.is_plain() {
            return 0;
        }
        let send = |lane: &mut LaneProducer<A>| {
            if lane.fixed().waiters.any() || lane.fixed().credit.waiters.any() {
                return 0;
            }
            let mut together = 0;
            for ask in &mut *asks {
                let goes = ask.sent.is_none()
                    && ask.sending.is_new()
                    && ask.sending.goes_over(client.get(), shard)
                    && !ask.is_overdue();
                if !goes || lane.shortage(mailbox, true).is_some() {
                    break;
                }
                let deadline = ask.sending.start_clock();
                let request = ask.sending.take_request();
                let write = || lane.write_ask(request, deadline);
                let (sent, waker) = mailbox.with_deadline(deadline, write);
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
        };
        mailbox.sending(|| client.get().with_lane(shard, send)).unwrap_or(0)
    }

    fn has(&self, ticket: Option<Ticket>) -> bool {
        self.sent.is_some_and(|sent| Some(sent.ticket()) == ticket)
    }
}
