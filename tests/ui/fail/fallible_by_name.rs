//! A type that is only named `Result`.
use tpc_actors::prelude::*;

struct Result;
#[core_actor]
struct Counter;

#[core_actor]
impl Counter {
    #[init]
    fn new() -> Self {
        Self
    }
    #[handler]
    fn get(&self) -> Result {
        Result
    }
}

fn main() {}
