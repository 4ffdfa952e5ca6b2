//! Shards without a key.
use tpc_actors::prelude::*;

#[core_actor]
struct Counter;

#[core_actor]
impl Counter {
    #[init]
    fn new() -> Self {
        Self
    }
}

fn main() {
    let system = System::builder().start().unwrap();
    drop(system.spawn_sharded::<Counter>(2, |_| ()));
}
