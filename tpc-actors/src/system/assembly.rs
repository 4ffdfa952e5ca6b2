//! Putting a system together: everything but its threads.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use super::cores::CorePlan;
use super::{Handle, Inner, System, SystemBuilder};
use crate::bridge::doorbell::Doorbell;
use crate::bus::BusRegistry;
use crate::clock::Clock;
use crate::core_loop::idle::Idle;
use crate::core_loop::shared::CoreShared;
use crate::keeper::Keeper;
use crate::offload::Offload;
use crate::placement::{Home, Placement};
use crate::sim::Script;

/// What a system stands on, which is another thing in a simulation.
pub(super) struct Ground {
    /// For each core, where it lives and what it sleeps on.
    pub(super) cores: Vec<(Home, Arc<dyn Doorbell>)>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) keeper: Arc<Keeper>,
    pub(super) idle: Idle,
    pub(super) offload: Offload,
    /// The CPUs that the cores are bound to.
    pub(super) bound: Vec<Option<usize>>,
    pub(super) placement: Placement,
    pub(super) script: Option<Arc<Script>>,
}

impl SystemBuilder {
    /// A system whose cores are not driven yet.
    pub(super) fn assemble(&self, ground: Ground) -> System {
        static NEXT_ID: AtomicU64 = AtomicU64::new(1);
        let Ground { cores, clock, keeper, idle, offload, bound, placement, script } = ground;
        let id = NEXT_ID.fetch_add(1, Ordering::Relaxed);
        let core =
            |(index, (home, doorbell))| CoreShared::new(id, index, home, doorbell, script.clone());
        let shared: Vec<_> = cores.into_iter().enumerate().map(core).collect();
        let bus = Arc::new(BusRegistry::new(&shared));
        let inner = Inner {
            cores: shared,
            threads: Mutex::default(),
            keeper,
            keeper_thread: Mutex::default(),
            bus,
            offload: Arc::new(offload),
            placement,
            bound,
            next_core: AtomicUsize::new(0),
            actors: Mutex::default(),
            names: Mutex::default(),
            checkpoints: super::checkpoint::Turns::default(),
            ending: Mutex::default(),
            drop_drain_time: self.drop_drain_time,
            thread_name: self.thread_name.clone(),
            plan: CorePlan { clock, idle, tasks_max: self.tasks_max, policy: self.core_policy },
            lost_cores: Mutex::default(),
            nap: Arc::default(),
            warden_thread: Mutex::default(),
        };
        System { handle: Arc::new(Handle { inner: Arc::new(inner) }) }
    }
}
