//! A handler that needs care to call.
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
    unsafe fn get(&self) -> i64 {
        0
    }
}

fn main() {}
