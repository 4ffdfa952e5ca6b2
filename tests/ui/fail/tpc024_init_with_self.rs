//! There is no state before it is built.
use tpc_actors::prelude::*;

#[core_actor]
struct Counter;

#[core_actor]
impl Counter {
    #[init]
    fn new(&self) -> Self {
        Self
    }
}

fn main() {}
