//! Two ways to write the state down.
use tpc_actors::prelude::*;

#[core_actor]
struct Counter;

#[core_actor]
impl Counter {
    #[init]
    fn new() -> Self {
        Self
    }

    #[checkpoint]
    fn one(&self) {}
    #[checkpoint]
    fn two(&self) {}
}

fn main() {}
