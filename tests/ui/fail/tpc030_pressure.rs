//! Levels of pressure that contradict each other: 75, where it is left by default, is not below 50.
use tpc_actors::prelude::*;

#[core_actor(pressure(throttle_enter_percent = 50))]
struct Counter;

#[core_actor]
impl Counter {
    #[init]
    fn new() -> Self {
        Self
    }
}

fn main() {}
