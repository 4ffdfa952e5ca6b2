//! A duration is a text.
use tpc_actors::prelude::*;

#[core_actor(supervise(within = 10))]
struct Counter;

#[core_actor]
impl Counter {
    #[init]
    fn new() -> Self {
        Self
    }
}

fn main() {}
