//! An option without its sign.
use tpc_actors::prelude::*;

#[core_actor(capacity 64)]
struct Counter;

#[core_actor]
impl Counter {
    #[init]
    fn new() -> Self {
        Self
    }
}

fn main() {}
