//! A message of many types.
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
    fn set<T: Send>(&mut self, value: T) {
        drop(value)
    }
}

fn main() {}
