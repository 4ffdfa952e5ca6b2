//! What is in a box together has no conditions.
use tpc_actors::prelude::*;

#[core_actor]
struct Counter;

#[core_actor]
impl Counter {
    #[init]
    fn new() -> Self {
        Self
    }

    #[handler(boxed)]
    fn add(&self, #[cfg(unix)] _by: u64, _times: u64) {}
}

fn main() {}
