//! An option with two values.
use tpc_actors::prelude::*;

#[core_actor(capacity = 64, capacity = 128)]
struct Counter;

#[core_actor]
impl Counter {
    #[init]
    fn new() -> Self {
        Self
    }
}

fn main() {}
