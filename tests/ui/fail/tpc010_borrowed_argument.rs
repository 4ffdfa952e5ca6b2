//! An argument that borrows from its caller.
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
    fn greet(&self, name: &str) {
        let _ = name;
    }
}

fn main() {}
