//! All mistakes of an actor show at once, in the order of the source.
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
    async fn get(&self) -> i64 {
        0
    }
    #[handler(tell)]
    fn add(&mut self, _by: &i64) {}
    #[every("soon")]
    fn tick(&mut self) {}
}
fn main() {}
