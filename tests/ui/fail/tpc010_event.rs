//! An event is kept, so it owns what it holds.
use tpc_actors::prelude::*;

#[core_actor(event = &'a str)]
struct Counter;

#[core_actor]
impl Counter {
    #[init]
    fn new() -> Self {
        Self
    }
}

fn main() {}
