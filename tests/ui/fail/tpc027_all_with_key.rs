//! Every shard, and yet one of them.
use tpc_actors::prelude::*;

#[core_actor]
struct Counter;

#[core_actor]
impl Counter {
    #[init]
    fn new() -> Self {
        Self
    }

    #[handler(all)]
    fn get(&self, #[key] key: u64) -> u64 {
        key
    }
}

fn main() {}
