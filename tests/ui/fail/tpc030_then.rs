//! A policy that does not exist.
use tpc_actors::prelude::*;

#[core_actor(supervise(then = stopp))]
struct Counter;

#[core_actor]
impl Counter {
    #[init]
    fn new() -> Self {
        Self
    }
}

fn main() {}
