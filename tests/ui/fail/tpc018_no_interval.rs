//! A timer without a time.
use tpc_actors::prelude::*;

#[core_actor]
struct Counter;

#[core_actor]
impl Counter {
    #[init]
    fn new() -> Self {
        Self
    }

    #[every]
    fn tick(&self) {}
}

fn main() {}
