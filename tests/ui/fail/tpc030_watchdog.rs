//! A watchdog is a list.
use tpc_actors::prelude::*;

#[core_actor(watchdog = 5)]
struct Counter;

#[core_actor]
impl Counter {
    #[init]
    fn new() -> Self {
        Self
    }
}

fn main() {}
