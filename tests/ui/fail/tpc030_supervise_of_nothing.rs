//! A policy that says nothing.
use tpc_actors::prelude::*;

#[core_actor(supervise())]
struct Counter;

#[core_actor]
impl Counter {
    #[init]
    fn new() -> Self {
        Self
    }
}

fn main() {}
