//! Sharded, but only on some machines.
use tpc_actors::prelude::*;

#[core_actor]
struct Counter;

#[core_actor]
impl Counter {
    #[init]
    fn new() -> Self {
        Self
    }

    #[handler]
    fn get(&self, #[key] #[cfg(unix)] _key: u64) {}
}

fn main() {}
