//! Supervision groups as their owners hold them.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::{Inner, Spawn, Spawner};
use crate::actor::Actor;
use crate::core_loop::incidents::GroupId;
use crate::supervision::Group;

/// A supervision group: actors of one core that restart together; made by
/// [`System::group`](crate::System::group).
///
/// Members join in the order in which they are spawned, which is what
/// [`RestForOne`](crate::supervision::Strategy::RestForOne) goes by. Dropping the handle changes nothing.
///
/// ```
/// # use std::time::Duration;
/// # use tpc_actors::prelude::*;
/// # #[core_actor]
/// # pub struct Index;
/// # #[core_actor]
/// # impl Index { #[init] fn new() -> Self { Self } #[handler] fn size(&self) -> u64 { 0 } }
/// # #[core_actor]
/// # pub struct Query(IndexClient);
/// # #[core_actor]
/// # impl Query { #[init] fn new(index: IndexClient) -> Self { Self(index) } #[handler(tell)] fn run(&self) {} }
/// use tpc_actors::supervision::{Group, Strategy};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let system = System::builder().start()?;
/// let group = system.group(Group::new().strategy(Strategy::RestForOne));
/// let index = group.spawn::<Index>(()).wait()?;
/// // Restarts with the index, on whose state it builds; not the other way round.
/// let query = group.spawn::<Query>(index).wait()?;
/// # system.shutdown_wait(Duration::from_secs(5));
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct ActorGroup {
    inner: Arc<Inner>,
    id: GroupId,
    options: Group,
    core: usize,
}

impl ActorGroup {
    pub(super) fn new(inner: Arc<Inner>, options: Group) -> Self {
        static NEXT_ID: AtomicU64 = AtomicU64::new(1);
        let core = inner.next_core();
        Self { inner, id: NEXT_ID.fetch_add(1, Ordering::Relaxed), options, core }
    }

    /// The core that the group's actors live on, counted from 0.
    pub fn core(&self) -> usize {
        self.core
    }

    /// As [`System::spawn`](crate::System::spawn), for a member of the group.
    pub fn spawn<A: Actor>(&self, args: A::Args) -> Spawn<A>
    where
        A::Args: Clone,
    {
        self.spawner().spawn(args)
    }

    /// Options for the next member.
    pub fn spawner(&self) -> Spawner<'_> {
        Spawner::new(&self.inner).in_group(self.id, self.options, self.core)
    }
}

impl fmt::Debug for ActorGroup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ActorGroup")
            .field("options", &self.options)
            .field("core", &self.core)
            .finish_non_exhaustive()
    }
}
