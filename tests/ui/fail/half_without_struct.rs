//! The struct half is missing.
use tpc_actors::prelude::*;

struct Counter;

#[core_actor]
impl Counter {
    #[init]
    fn new() -> Self {
        Self
    }

    #[handler]
    fn get(&self) -> i64 {
        0
    }
}

fn main() {}
