//! No probe would ever find out.
use tpc_actors::prelude::*;

#[core_actor(watchdog(probes = 0))]
struct Counter;

#[core_actor]
impl Counter {
    #[init]
    fn new() -> Self {
        Self
    }
}

fn main() {}
