//! Two ways to build an actor.
use tpc_actors::prelude::*;

#[core_actor]
struct Counter;

#[core_actor]
impl Counter {
    #[init]
    fn new() -> Self {
        Self
    }

    #[init]
    fn other() -> Self {
        Self
    }
}

fn main() {}
