//! A method with two roles.
use tpc_actors::prelude::*;

#[core_actor]
struct Counter;

#[core_actor]
impl Counter {
    #[init]
    fn new() -> Self {
        Self
    }

    #[handler(tell)]
    #[every("1s")]
    fn tick(&mut self) {}
}

fn main() {}
