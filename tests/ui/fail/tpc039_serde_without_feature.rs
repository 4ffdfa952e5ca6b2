//! The derives are not there.
use tpc_actors::prelude::*;

#[core_actor(serde)]
struct Counter;

#[core_actor]
impl Counter {
    #[init]
    fn new() -> Self {
        Self
    }
}

fn main() {}
