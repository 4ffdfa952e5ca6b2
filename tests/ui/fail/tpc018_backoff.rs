//! A range that ends before it starts.
use tpc_actors::prelude::*;

#[core_actor(supervise(backoff = "1s..1ms"))]
struct Counter;

#[core_actor]
impl Counter {
    #[init]
    fn new() -> Self {
        Self
    }
}

fn main() {}
