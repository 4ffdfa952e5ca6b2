//! A number of restarts.
use tpc_actors::prelude::*;

#[core_actor(supervise(max = many))]
struct Counter;

#[core_actor]
impl Counter {
    #[init]
    fn new() -> Self {
        Self
    }
}

fn main() {}
