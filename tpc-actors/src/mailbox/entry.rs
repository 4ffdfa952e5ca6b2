//! Who may send: one look when nothing is the matter, and the reasons when something is.

use super::Mailbox;
use super::life::{Gate, Life, Refusal, Shortage, flag};
use crate::actor::Actor;
use crate::core_loop::on_core_of;
use crate::sim::Script;

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
        if let Some(refusal) = self.refusal_in_life() {
            return Err(refusal);
        }
        let script = self.core.script.as_deref();
        if let Some(script) = script.filter(|script| script.fills_lane()) {
            script.note(None, format_args!("{}[{}] seems to be full", A::NAME, self.shard));
            return Err(Refusal::Full(Shortage::Place));
        }
        // One that is turned away at the second gate has used up a permit of the first; the core
        // renews them.
        let guards = (self.life() == Life::Open).then(|| self.guards());
        if let Some(gate) = guards.into_iter().flatten().find(|gate| !gate.take_permit()) {
            return Err(self.shut(gate));
        }
        script.map(Script::accepts);
        Ok(())
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
