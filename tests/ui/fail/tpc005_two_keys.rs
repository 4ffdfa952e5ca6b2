//! Two keys in one handler.
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
    fn get(&self, #[key] a: u64, #[key] b: u64) -> u64 {
        a + b
    }
}

fn main() {}
