//! An event is a type.
use tpc_actors::prelude::*;

#[core_actor(event = 5)]
struct Counter;

#[core_actor]
impl Counter {
    #[init]
    fn new() -> Self {
        Self
    }
}

fn main() {}
