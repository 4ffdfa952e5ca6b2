//! A handler without an actor.
use tpc_actors::prelude::*;

#[core_actor]
struct Counter;

#[core_actor]
impl Counter {
    #[init]
    fn new() -> Self {
        Self
    }

    #[handler]
    fn get() -> i64 {
        0
    }
}

fn main() {}
