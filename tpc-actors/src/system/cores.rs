//! The threads of the cores: how one starts, for the first time and after it was lost.

use std::sync::{Arc, mpsc};
use std::time::Duration;

use super::{CoreThread, Inner, lock};
use crate::clock::Clock;
use crate::core_loop::idle::{Idle, drive};
use crate::core_loop::incidents::CorePolicy;
use crate::core_loop::local::CoreLocal;
use crate::core_loop::shared::CoreShared;
use crate::core_loop::{Budget, Core, OnCore};
use crate::placement;

/// What every core of a system is started with.
pub(super) struct CorePlan {
    pub(super) clock: Arc<dyn Clock>,
    pub(super) idle: Idle,
    pub(super) tasks_max: usize,
    pub(super) policy: CorePolicy,
}

impl Inner {
    /// Starts the thread of one core, which says on `report` where it is, and takes care of the actors that
    /// the core's last thread has left.
    pub(super) fn start_core(
        self: &Arc<Self>,
        index: usize,
        report: Option<mpsc::Sender<Placed>>,
    ) -> std::io::Result<()> {
        let inner = Arc::clone(self);
        let cpu = self.bound[index];
        let name = self.thread_name(index);
        // Held by the thread, so that it can end the system; weak, so that it does not keep it.
        let weak = Arc::downgrade(self);
        let thread = std::thread::Builder::new().name(name.clone()).spawn(move || {
            let bound = cpu.is_none_or(placement::pin_current_thread);
            if let Some(report) = report {
                let _ = report.send(Placed { core: index, cpu, bound });
                // Dropped here: the starter waits until the last sender is gone.
            }
            #[cfg(feature = "jemalloc")]
            placement::arena::bind(index);
            let shared = Arc::clone(&inner.cores[index]);
            // Declared before the core, so that it outlives the core also when the thread unwinds.
            let _on_core = OnCore::enter(shared.system);
            let _closing = CloseInbox(Arc::clone(&shared));
            let _entered = inner.offload.around().map(tokio::runtime::Handle::enter);
            let seed = u64::from(std::process::id()) << 32 | index as u64;
            let (mut core, idle) = (inner.make_core(index, seed), inner.plan.idle);
            drop(inner);
            core.revive_orphans();
            drive(&mut core, &Budget::default(), idle, &|| {
                if let Some(inner) = weak.upgrade() {
                    drop(inner.shut_down(Duration::ZERO));
                }
            });
        })?;
        lock(&self.threads).push(CoreThread { index, name, thread });
        Ok(())
    }

    /// One of the cores, for whoever drives it; to be made where it is driven.
    pub(super) fn make_core(&self, index: usize, seed: u64) -> Core {
        let CorePlan { clock, tasks_max, policy, .. } = &self.plan;
        let (offload, bus) = (Arc::clone(&self.offload), Arc::clone(&self.bus));
        let (shared, clock) = (Arc::clone(&self.cores[index]), Arc::clone(clock));
        Core::new(CoreLocal::new(shared, clock, seed, *tasks_max, offload, bus), policy)
    }
}

/// What a core's thread says when it runs.
pub(super) struct Placed {
    pub(super) core: usize,
    pub(super) cpu: Option<usize>,
    pub(super) bound: bool,
}

/// Refuses commands once the core's loop is over, also when it ends by a panic.
struct CloseInbox(Arc<CoreShared>);

impl Drop for CloseInbox {
    fn drop(&mut self) {
        self.0.close_inbox();
        // Perhaps the end is one that nobody wanted.
        self.0.goes_to_work();
    }
}
