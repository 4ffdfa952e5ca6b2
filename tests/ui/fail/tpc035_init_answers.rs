//! An `#[init]` that builds something else.
use tpc_actors::prelude::*;

#[core_actor]
struct Counter;

#[core_actor]
impl Counter {
    #[init]
    fn new() -> u8 {
        0
    }
}

fn main() {}
