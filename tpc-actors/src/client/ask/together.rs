//! Asks that go out with one publish.

use std::task::Waker;

use super::Ask;
use crate::actor::Actor;
use crate::mailbox::lane::LaneProducer;
use crate::reply::slot::{NO_DEADLINE, Ticket};

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
        let mut earliest = NO_DEADLINE;
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
                let (sent, waker) = lane.write_ask(ask.sending.take_request(), deadline);
                wakers.extend(waker);
                ask.sent = Some(sent);
                earliest = earliest.min(deadline);
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
        let together = mailbox.sending(|| client.get().with_lane(shard, send));
        // All of them are in their places, and one look at what the keeper knows is enough.
        mailbox.with_deadline(earliest, || ());
        together.unwrap_or(0)
    }

    fn has(&self, ticket: Option<Ticket>) -> bool {
        self.sent.is_some_and(|sent| Some(sent.ticket()) == ticket)
    }
}
