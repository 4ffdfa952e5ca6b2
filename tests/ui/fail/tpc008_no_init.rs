//! An actor that nobody can build.
use tpc_actors::prelude::*;

#[core_actor]
struct Counter;

#[core_actor]
impl Counter {
    #[handler]
    fn get(&self) -> i64 {
        0
    }
}

fn main() {}
