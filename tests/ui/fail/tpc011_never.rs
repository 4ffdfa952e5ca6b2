//! No type can hold what is never answered.
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
    fn get(&self) -> ! {
        loop {}
    }
}

fn main() {}
