//! Options on the wrong half.
use tpc_actors::prelude::*;

#[core_actor]
struct Counter;

#[core_actor(capacity = 64)]
impl Counter {
    #[init]
    fn new() -> Self {
        Self
    }
}

fn main() {}
