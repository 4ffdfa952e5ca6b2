//! Options of a handler without a comma.
use tpc_actors::prelude::*;

#[core_actor]
struct Counter;

#[core_actor]
impl Counter {
    #[init]
    fn new() -> Self {
        Self
    }

    #[handler(tell all)]
    fn add(&self) {}
}

fn main() {}
