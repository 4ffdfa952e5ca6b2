//! Two arguments that callers cannot tell apart.
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
    fn add(&mut self, by: u8, _by: u8) {
        let _ = by;
    }
}

fn main() {}
