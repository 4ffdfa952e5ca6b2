//! A policy is a list.
use tpc_actors::prelude::*;

#[core_actor(supervise = 5)]
struct Counter;

#[core_actor]
impl Counter {
    #[init]
    fn new() -> Self {
        Self
    }
}

fn main() {}
