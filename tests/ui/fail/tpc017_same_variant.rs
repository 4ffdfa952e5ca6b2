//! Two names that make one variant.
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
    fn get_it(&self) {}

    #[handler]
    fn get__it(&self) {}
}

fn main() {}
