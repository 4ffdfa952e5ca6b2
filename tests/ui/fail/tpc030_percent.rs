//! No lane is fuller than full.
use tpc_actors::prelude::*;

#[core_actor(pressure(suspend_enter_percent = 101))]
struct Counter;

#[core_actor]
impl Counter {
    #[init]
    fn new() -> Self {
        Self
    }
}

fn main() {}
