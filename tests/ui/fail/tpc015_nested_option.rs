//! An option of an option, misspelt.
use tpc_actors::prelude::*;

#[core_actor(supervise(maximum = 5))]
struct Counter;

#[core_actor]
impl Counter {
    #[init]
    fn new() -> Self {
        Self
    }
}

fn main() {}
