//! A deadline without a unit.
use tpc_actors::prelude::*;

#[core_actor(deadline = "50")]
struct Counter;

#[core_actor]
impl Counter {
    #[init]
    fn new() -> Self {
        Self
    }
}

fn main() {}
