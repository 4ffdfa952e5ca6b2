//! A lane without a place.
use tpc_actors::prelude::*;

#[core_actor(capacity = 0)]
struct Counter;

#[core_actor]
impl Counter {
    #[init]
    fn new() -> Self {
        Self
    }
}

fn main() {}
