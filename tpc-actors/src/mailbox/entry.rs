//! Who may send: one look when nothing is the matter, and the reasons when something is.

use super::Mailbox;
use super::life::{Gate, Life, Refusal, flag};
use crate::actor::Actor;
use crate::core_loop::on_core_of;

impl<A: Actor> Mailbox<A> {
    /// Why a request would be refused now, if it would.
    #[inline]
    pub(crate) fn refusal(&self) -> Option<Refusal> {
        if self.life.is_plain() { None } else { self.refusal_in_life() }
    }

    #[cold]
    fn refusal_in_life(&self) -> Option<Refusal> {
        match self.life() {
            Life::Open => self.guards().find_map(|gate| (!gate.is_ajar()).then(|| self.shut(gate))),
            Life::Draining => (!on_core_of(self.core.system)).then_some(Refusal::Stopping),
            Life::Closing => Some(Refusal::Stopping),
            Life::Stopped => Some(Refusal::Stopped),
            Life::Lost => Some(Refusal::CoreLost),
        }
    }

    /// As [`Self::refusal`], for a request that is sent next: takes its place among the probes.
    #[inline]
    pub(crate) fn admit(&self) -> Result<(), Refusal> {
        if self.life.is_plain() { Ok(()) } else { self.admit_in_life() }
    }

    #[cold]
    fn admit_in_life(&self) -> Result<(), Refusal> {
        match self.refusal_in_life() {
            Some(refusal) => Err(refusal),
            None if self.life() > Life::Open => Ok(()),
            // One that is turned away at the second gate has used up a permit of the first; the core
            // renews them.
            None => match self.guards().find(|gate| !gate.take_permit()) {
                Some(gate) => Err(self.shut(gate)),
                None => Ok(()),
            },
        }
    }

    fn guards(&self) -> impl Iterator<Item = &Gate> {
        let gates = [(flag::GUARDED, &self.gate), (flag::CORE_GUARDED, &self.core.gate)];
        gates.into_iter().filter(|(flag, _)| self.has_flag(*flag)).map(|(_, gate)| gate)
    }

    fn shut(&self, gate: &Gate) -> Refusal {
        let clock = self.clock();
        Refusal::Degraded(gate.retry_after(crate::clock::nanos(clock, clock.now())))
    }
}
