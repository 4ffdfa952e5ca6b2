//! `tell` is there or not.
use tpc_actors::prelude::*;

#[core_actor]
struct Counter;

#[core_actor]
impl Counter {
    #[init]
    fn new() -> Self {
        Self
    }

    #[handler(tell = true)]
    fn add(&self) {}
}

fn main() {}
