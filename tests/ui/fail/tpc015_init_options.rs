//! There is nothing to choose.
use tpc_actors::prelude::*;

#[core_actor]
struct Counter;

#[core_actor]
impl Counter {
    #[init(fast)]
    fn new() -> Self {
        Self
    }
}

fn main() {}
