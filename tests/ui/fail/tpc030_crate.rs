//! A crate is a path.
use tpc_actors::prelude::*;

#[core_actor(crate = "tpc_actors")]
struct Counter;

#[core_actor]
impl Counter {
    #[init]
    fn new() -> Self {
        Self
    }
}

fn main() {}
