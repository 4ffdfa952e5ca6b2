//! An option with a letter too few.
use tpc_actors::prelude::*;

#[core_actor(capcity = 64)]
struct Counter;

#[core_actor]
impl Counter {
    #[init]
    fn new() -> Self {
        Self
    }
}

fn main() {}
