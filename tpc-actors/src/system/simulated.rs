//! A system whose cores are driven by a simulation, on the thread that has it.

use std::sync::Arc;
use std::time::Duration;

use super::assembly::Ground;
use super::shutdown::Ending;
use super::{Inner, ShutdownReport, System, SystemBuilder, lock};
use crate::bridge::doorbell::Doorbell;
use crate::clock::Clock;
use crate::core_loop::Core;
use crate::core_loop::idle::Idle;
use crate::core_loop::shared::CoreShared;
use crate::error::StartError;
use crate::keeper::Keeper;
use crate::offload::Offload;
use crate::placement::{Home, Placement};
use crate::sim::{OffloadedFutures, Script};
use crate::supervision::Supervise;

impl SystemBuilder {
    /// What follows when a core is lost.
    pub(crate) fn core_restart_policy(&self) -> Supervise {
        self.watch.restarts
    }

    /// A system without threads that stands on what a simulation brings; a core for each doorbell.
    pub(crate) fn simulate(
        &self,
        doorbells: Vec<Arc<dyn Doorbell>>,
        clock: Arc<dyn Clock>,
        script: Arc<Script>,
        futures: Arc<OffloadedFutures>,
    ) -> Result<System, StartError> {
        let count = doorbells.len();
        self.check(count)?;
        let ground = Ground {
            // Nobody looks for an answer where the thread that looks is the one that would give it.
            cores: doorbells.into_iter().map(|doorbell| (Home::Scarce, doorbell)).collect(),
            keeper: Keeper::new(Arc::clone(&clock)),
            clock,
            idle: Idle { spin: Duration::ZERO, backstop: None },
            offload: Offload::simulated(futures),
            bound: vec![None; count],
            placement: Placement::plan(count),
            script: Some(script),
        };
        Ok(self.assemble(ground))
    }
}

impl System {
    pub(crate) fn id(&self) -> u64 {
        self.inner().cores[0].system
    }

    pub(crate) fn shared_cores(&self) -> &[Arc<CoreShared>] {
        &self.inner().cores
    }

    pub(crate) fn keeper(&self) -> &Arc<Keeper> {
        &self.inner().keeper
    }

    pub(crate) fn core_name(&self, index: usize) -> String {
        self.inner().thread_name(index)
    }

    /// One of its cores, to be made where it is driven.
    pub(crate) fn make_core(&self, index: usize, seed: u64) -> Core {
        self.inner().make_core(index, seed)
    }

    /// Begins its end, unless it has begun.
    pub(crate) fn begin_end(&self) {
        let begins = {
            let mut ending = lock(&self.inner().ending);
            let begins = ending.is_none();
            ending.get_or_insert_with(|| Arc::new(Ending::default()));
            begins
        };
        if begins {
            self.inner().begin_drain();
        }
    }

    /// What is left to do once its cores have finished, and the report.
    pub(crate) fn finish_end(&self, abandoned: u64, lost: Vec<String>) -> ShutdownReport {
        let inner: &Inner = self.inner();
        for core in &inner.cores {
            core.abandon_orphans();
        }
        inner.bus.close(std::time::Instant::now());
        inner.offload.shut_down();
        inner.report(abandoned, Vec::new(), lost)
    }
}
