//! An argument without a name.
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
    fn add(&mut self, (a, b): (u8, u8)) {
        let _ = a + b;
    }
}

fn main() {}
