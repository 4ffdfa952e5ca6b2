//! An interval without a unit.
use tpc_actors::prelude::*;

#[core_actor]
struct Counter;

#[core_actor]
impl Counter {
    #[init]
    fn new() -> Self {
        Self
    }

    #[every("20")]
    fn tick(&mut self) {}
}

fn main() {}
