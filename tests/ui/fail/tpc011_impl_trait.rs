//! An argument of many types.
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
    fn greet(&self, name: impl Into<String>) {
        let _ = name.into();
    }
}

fn main() {}
