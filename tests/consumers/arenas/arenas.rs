//! With jemalloc as the global allocator and the feature `jemalloc`, each core has an arena that no other thread allocates from.

use std::collections::BTreeSet;
use std::time::Duration;

use tpc_actors::prelude::*;

#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

/// The arena of the calling thread.
fn arena() -> u32 {
    // SAFETY: `thread.arena` gives an `unsigned`, and the name ends with a zero byte.
    unsafe { tikv_jemalloc_ctl::raw::read(b"thread.arena\0") }.expect("jemalloc has arenas")
}

/// The number of arenas that jemalloc hands out by itself.
fn automatic_arenas() -> u32 {
    // SAFETY: `opt.narenas` gives an `unsigned`, and the name ends with a zero byte.
    unsafe { tikv_jemalloc_ctl::raw::read(b"opt.narenas\0") }.expect("jemalloc has arenas")
}

#[core_actor]
struct Where;

#[core_actor]
impl Where {
    #[init]
    fn new() -> Self {
        Self
    }

    #[handler]
    fn arena(&self) -> u32 {
        arena()
    }
}

#[test]
fn each_core_has_an_arena_that_was_created_for_it() {
    let system = System::builder().cores(3).start().unwrap();
    let mut arenas = BTreeSet::new();
    for _ in 0..3 {
        let actor = system.spawn::<Where>(()).wait().unwrap();
        arenas.insert(actor.arena().wait().unwrap());
    }
    assert_eq!(arenas.len(), 3, "{arenas:?}");
    assert!(arenas.iter().all(|arena| *arena >= automatic_arenas()), "{arenas:?}");
    assert!(!arenas.contains(&arena()), "this thread has another one");
    assert!(system.shutdown_wait(Duration::from_secs(10)).is_clean());
}
