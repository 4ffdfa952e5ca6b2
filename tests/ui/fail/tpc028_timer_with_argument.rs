//! A timer with an argument that nobody passes.
use tpc_actors::prelude::*;

#[core_actor]
struct Counter;

#[core_actor]
impl Counter {
    #[init]
    fn new() -> Self {
        Self
    }

    #[every("1s")]
    fn tick(&mut self, by: u64) {
        let _ = by;
    }
}

fn main() {}
