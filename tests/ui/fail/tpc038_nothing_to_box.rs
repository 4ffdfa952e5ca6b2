//! There is nothing to put into a box.
use tpc_actors::prelude::*;

#[core_actor]
struct Counter;

#[core_actor]
impl Counter {
    #[init]
    fn new() -> Self {
        Self
    }

    #[handler(boxed)]
    fn get(&self) -> u64 {
        0
    }
}

fn main() {}
