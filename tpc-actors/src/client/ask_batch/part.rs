//! The asks of a batch that go to one shard.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use super::super::crowd::Turns;
use super::super::lone::{Looked, Wait};
use super::super::sending::WakerIdentity;
use super::super::{Ask, lone};
use crate::actor::Actor;
use crate::error::AskError;
use crate::isolate::drop_quietly;

/// How long the answers of a lone batch are looked for: what the first takes, what each of the others may add to
/// that, and no longer than waking a sleeper would take.
const LOOKS_AT_LEAST: Duration = Duration::from_micros(3);
const LOOKS_FOR_EACH: Duration = Duration::from_nanos(250);
const LOOKS_AT_MOST: Duration = Duration::from_micros(50);

/// Asks that are sent over one lane.
pub(super) struct Part<'a, A: Actor, T, E> {
    pub(super) asks: Vec<Ask<'a, A, T, E>>,
    /// One for each ask, also when all have come and the asks are gone.
    outcomes: Vec<Option<Result<T, AskError<E>>>>,
    /// Outcomes that have been taken.
    taken: usize,
    /// Wakers that slots held; empty between two sendings.
    unwanted: Vec<Waker>,
    /// Asks that have been sent, or refused.
    sent: usize,
    /// Asks at the front whose outcomes are known.
    known: usize,
    begun: bool,
    /// The time of all of them runs, and not of each as its turn comes.
    clocks_run: bool,
    /// Those of its task in which it still looks for answers.
    turns: Turns,
    /// Until when the answers are looked for, if that is worth it.
    looks_until: Option<Instant>,
    /// They were looked for, and came in time.
    here: bool,
}

impl<A: Actor, T, E> Default for Part<'_, A, T, E> {
    fn default() -> Self {
        Self {
            asks: Vec::new(),
            outcomes: Vec::new(),
            taken: 0,
            unwanted: Vec::new(),
            sent: 0,
            known: 0,
            begun: false,
            clocks_run: false,
            turns: Turns::default(),
            looks_until: None,
            here: false,
        }
    }
}

impl<'a, A: Actor, T, E> Part<'a, A, T, E> {
    /// An empty one with room for so many asks.
    pub(super) fn with_room(asks: usize) -> Self {
        let (asks, outcomes) = (Vec::with_capacity(asks), Vec::with_capacity(asks));
        Self { asks, outcomes, ..Self::default() }
    }

    /// Adds an ask, for the same lane as the others.
    pub(super) fn push(&mut self, ask: Ask<'a, A, T, E>) {
        self.asks.push(ask);
        self.outcomes.push(None);
        self.clocks_run = false;
    }

    pub(super) fn len(&self) -> usize {
        self.outcomes.len()
    }

    /// Whether it may be of another lane from here on.
    pub(super) fn is_free(&self) -> bool {
        self.outcomes.is_empty()
    }

    /// The next outcome, when all are there.
    pub(super) fn next_outcome(&mut self) -> Option<Result<T, AskError<E>>> {
        self.taken += 1;
        self.outcomes[self.taken - 1].take()
    }

    /// Drops the outcomes that nobody has taken; for a part whose asks are over.
    pub(super) fn clear(&mut self) {
        self.taken = 0;
        self.outcomes.clear();
    }

    /// Gives each ask its time.
    pub(super) fn limit(&mut self, limit: Duration) {
        let asks = std::mem::take(&mut self.asks);
        self.asks = asks.into_iter().map(|ask| ask.deadline(limit)).collect();
        self.clocks_run = false;
    }

    /// Sends what there is room for; true when everything is sent.
    fn send(&mut self, context: &mut Context<'_>) -> bool {
        while self.sent < self.asks.len() {
            let sent = Ask::send_together(&mut self.asks[self.sent..], &mut self.unwanted);
            self.unwanted.drain(..).for_each(drop_quietly);
            self.sent += sent;
            if sent > 0 {
                continue;
            }
            // Something is in the way: on its own.
            let ask = &mut self.asks[self.sent];
            if ask.is_overdue() {
                // Those before it have waited for room in its time; whoever is behind it in line goes on.
                ask.leave_line();
                self.outcomes[self.sent] = Some(Err(AskError::Deadline { started: false }));
                self.sent += 1;
                continue;
            }
            match Pin::new(&mut *ask).poll(context) {
                Poll::Pending if !ask.is_sent() => return false,
                Poll::Pending => {}
                Poll::Ready(outcome) => self.outcomes[self.sent] = Some(outcome),
            }
            self.sent += 1;
        }
        true
    }

    /// The system that its asks are for.
    pub(super) fn system(&self) -> Option<u64> {
        self.asks.first().map(Ask::system)
    }

    /// Leaves a waker with every ask that has no answer; false when one of them has got it meanwhile.
    fn register_all(&mut self, context: &mut Context<'_>) -> bool {
        for at in self.known..self.sent {
            if self.outcomes[at].is_none()
                && let Poll::Ready(outcome) = Pin::new(&mut self.asks[at]).poll(context)
            {
                self.outcomes[at] = Some(outcome);
                return false;
            }
        }
        true
    }

    /// The first poll: whether the answers are looked for, and for how long.
    fn begin(&mut self, one_of_several: bool, asker: WakerIdentity) {
        self.begun = true;
        let leaves_room = self.asks.first().is_some_and(Ask::leaves_room);
        match lone::begins(asker) {
            Wait::Here if leaves_room && !one_of_several => {
                let asks = u32::try_from(self.asks.len()).unwrap_or(u32::MAX);
                let limit = LOOKS_AT_MOST.min(LOOKS_FOR_EACH.saturating_mul(asks) + LOOKS_AT_LEAST);
                self.looks_until = Some(Instant::now() + limit);
            }
            Wait::InTurn if leaves_room => self.turns = Turns::begin(),
            _ => {}
        }
    }

    /// Looks for the last answer until `end`, or until it is time for others to have their turn, without leaving a
    /// waker. True when there is time left.
    fn wait_here(&mut self, end: Instant, context: &mut Context<'_>) -> bool {
        // The others have been answered before it, as a rule.
        let last = self.asks.len() - 1;
        let looked = lone::look_for_a_slice(end, || {
            if self.outcomes[last].is_none() {
                self.outcomes[last] = self.asks[last].look(context);
            }
            self.outcomes[last].is_some().then_some(())
        });
        match looked {
            Looked::Found(()) => self.here = true,
            Looked::LooksOn => return true,
            Looked::InVain => lone::missed(),
        }
        false
    }

    /// Looks for answers to what has been sent: whether there were any, and whether one is missing.
    fn look(&mut self, context: &mut Context<'_>) -> (bool, bool) {
        let (mut found, mut missing) = (false, false);
        // All on their way here at once, and not one after the other as they are looked at.
        self.asks[self.known..self.sent].iter().for_each(Ask::fetch_answer);
        for at in self.known..self.sent {
            if self.outcomes[at].is_none() {
                self.outcomes[at] = self.asks[at].look(context);
                if self.outcomes[at].is_some() { found = true } else { missing = true }
            }
            if !missing {
                self.known = at + 1;
            }
        }
        (found, missing)
    }

    /// Ready when every ask has its outcome. `one_of_several` parts does not wait while the others are to be sent and
    /// looked at.
    pub(super) fn poll(&mut self, one_of_several: bool, context: &mut Context<'_>) -> Poll<()> {
        if self.asks.is_empty() {
            return Poll::Ready(());
        }
        let asker = WakerIdentity::of(context.waker());
        if !std::mem::replace(&mut self.clocks_run, true) {
            self.asks.iter_mut().for_each(Ask::start_clock);
        }
        if !self.begun {
            self.begin(one_of_several, asker);
        }
        loop {
            let all_sent = self.send(context);
            let (found, mut missing) = self.look(context);
            if all_sent
                && missing
                && let Some(end) = self.looks_until.take()
            {
                if self.wait_here(end, context) {
                    self.looks_until = Some(end);
                    context.waker().wake_by_ref();
                    return Poll::Pending;
                }
                missing = self.look(context).1;
            }
            if all_sent && !missing {
                break;
            }
            // Each answer that was taken left a slot, which the next ask may be waiting for.
            if found && !all_sent {
                continue;
            }
            if all_sent && self.turns.pass() {
                context.waker().wake_by_ref();
                return Poll::Pending;
            }
            // So does each that comes: an answer that nobody takes would keep out the ask that it, or the last
            // one, waits for, and whoever else asks over this lane.
            if self.register_all(context) {
                return Poll::Pending;
            }
        }
        self.turns.end();
        lone::answered(asker, self.here);
        // With what they may have left in their lane.
        self.asks.clear();
        (self.sent, self.known, self.begun, self.here) = (0, 0, false, false);
        self.looks_until = None;
        Poll::Ready(())
    }
}
