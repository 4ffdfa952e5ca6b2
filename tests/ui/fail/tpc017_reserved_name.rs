//! A name that every client has.
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
    fn ordered(&self) -> bool {
        true
    }
}

fn main() {}
