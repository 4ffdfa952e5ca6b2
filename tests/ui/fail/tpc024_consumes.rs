//! A handler that uses its actor up.
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
    fn get(self) -> i64 {
        0
    }
}

fn main() {}
