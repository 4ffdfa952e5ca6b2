//! Maintenance that does not say whether it has more to do.
use tpc_actors::prelude::*;

#[core_actor]
struct Counter;

#[core_actor]
impl Counter {
    #[init]
    fn new() -> Self {
        Self
    }

    #[maintenance(every = "10s")]
    fn compact(&mut self) {}
}

fn main() {}
