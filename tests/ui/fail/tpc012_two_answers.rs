//! Two ways to answer.
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
    fn get(&self, reply: Reply<i64>) -> i64 {
        drop(reply);
        0
    }
}

fn main() {}
