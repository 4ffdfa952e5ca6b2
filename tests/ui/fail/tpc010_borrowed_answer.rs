//! An answer that borrows from the actor.
use tpc_actors::prelude::*;

#[core_actor]
struct Counter;

#[core_actor]
impl Counter {
    #[init]
    fn new() -> Self {
        Self
    }

    #[handler]
    fn name(&self) -> &str {
        ""
    }
}

fn main() {}
