//! The watchdog of one actor: when nobody is served, when a few are let in, when all are again.

use std::time::Instant;

use super::super::timers::Due;
use super::{ActorCell, Incident, State};
use crate::actor::{Actor, Settings};
use crate::clock::{later, nanos};
use crate::error::Fate;
use crate::mailbox::{Life, flag};
use crate::supervision::{Breaker, Queue, Watchdog};

/// What is known of an actor's failures, and what follows for its service.
pub(super) struct Health {
    breaker: Option<Breaker>,
    /// Until when a restart lasts that keeps no queue.
    rejecting: Option<Instant>,
    /// Until when the core serves nobody.
    core_shut: Option<Instant>,
    /// Requests are answered unserved, until that time.
    pub(super) refusing: Option<Instant>,
    /// The next requests decide whether the actor is served again.
    pub(super) probing: bool,
}

impl Health {
    pub(super) fn new(watchdog: Option<Watchdog>) -> Self {
        Self {
            breaker: watchdog.map(Breaker::new),
            rejecting: None,
            core_shut: None,
            refusing: None,
            probing: false,
        }
    }

    fn open_until(&self) -> Option<Instant> {
        self.breaker.as_ref().and_then(Breaker::open_until)
    }
}

impl<A: Actor> ActorCell<A> {
    /// A call into the actor's code has failed.
    pub(super) fn note_failure(&mut self) {
        let local = self.local();
        local.report(Incident::Failed);
        let now = local.clock.now();
        let opened = self.health.breaker.as_mut().and_then(|breaker| breaker.failed(now));
        let Some(until) = opened else { return };
        tracing::error!(actor = A::NAME, core = self.cx.core(), "too many failures: degraded");
        self.set_cooled(until);
        self.update_gate();
    }

    fn set_cooled(&self, at: Instant) {
        self.local().timers.borrow_mut().set(at, Due::Cooled { cell: self.cx.cell });
    }

    /// A restart begins that ends at about `at`.
    pub(super) fn reject_until(&mut self, at: Instant) {
        if <A as Settings>::POLICY.supervision().queue_action() == Queue::Reject {
            self.health.rejecting = Some(at);
            self.update_gate();
        }
    }

    /// The restart is over.
    pub(super) fn accept_again(&mut self) {
        if self.health.rejecting.take().is_some() {
            self.update_gate();
        }
    }

    pub(super) fn core_guards(&mut self, guarded: bool, shut_until: Option<Instant>) {
        self.health.core_shut = shut_until;
        self.mailbox.set_flag(flag::CORE_GUARDED, guarded);
        self.update_gate();
    }

    /// The cool-down is over, or the probes have not come to a decision in all that time.
    pub(super) fn cool(&mut self) {
        let now = self.local().clock.now();
        let Some(breaker) = &mut self.health.breaker else { return };
        if !breaker.cooled(now) && !breaker.is_half_open() {
            return;
        }
        tracing::info!(actor = A::NAME, core = self.cx.core(), "lets probes in");
        let again = later(now, breaker.pause());
        self.set_cooled(again);
        self.update_gate();
    }

    /// Requests were served while the next few decided; `succeeded` of them without a panic.
    pub(super) fn probed(&mut self, succeeded: u64) {
        let succeeded = u32::try_from(succeeded).unwrap_or(u32::MAX);
        if self.health.breaker.as_mut().is_some_and(|breaker| breaker.succeeded(succeeded)) {
            tracing::info!(actor = A::NAME, core = self.cx.core(), "served again");
            self.update_gate();
        }
    }

    /// Makes senders see what the health is now, and answers what waits if nobody is served.
    fn update_gate(&mut self) {
        let health = &mut self.health;
        let own = health.open_until().max(health.rejecting);
        let probing = health.breaker.as_ref().filter(|breaker| breaker.is_half_open());
        health.probing = probing.is_some();
        health.refusing = own.max(health.core_shut);
        let clock = &*self.cx.me.local.clock;
        match (own, probing) {
            (Some(until), _) => self.mailbox.gate.shut(nanos(clock, until)),
            (None, Some(breaker)) => {
                let again = later(clock.now(), breaker.pause());
                self.mailbox.gate.open_for(breaker.probes(), nanos(clock, again));
            }
            (None, None) => {}
        }
        self.mailbox.set_flag(flag::GUARDED, own.is_some() || self.health.probing);
        if self.health.refusing.is_some() {
            self.refuse_everything();
        }
    }

    /// What is answered to requests that are not served.
    pub(super) fn unserved_fate(&self) -> Fate {
        match self.health.refusing {
            Some(until) if self.mailbox.life() <= Life::Draining => {
                let now = self.local().clock.now();
                Fate::Degraded { retry_after: until.saturating_duration_since(now) }
            }
            _ => self.mailbox.closing_fate(),
        }
    }

    /// Whether what waits is to be served now.
    pub(super) fn is_served(&self) -> bool {
        matches!(self.state, State::Running(_)) && self.health.refusing.is_none()
    }

    /// Whether what waits is to wait on.
    pub(super) fn is_held(&self) -> bool {
        matches!(self.state, State::Held) && self.health.refusing.is_none()
    }
}
