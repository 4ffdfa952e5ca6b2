//! An option that handlers do not have.
use tpc_actors::prelude::*;

#[core_actor]
struct Counter;

#[core_actor]
impl Counter {
    #[init]
    fn new() -> Self {
        Self
    }

    #[handler(ask)]
    fn get(&self) {}
}

fn main() {}
