//! A request that does not know where to go.
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
    fn get(&self, #[key] key: u64) -> u64 {
        key
    }
    #[handler]
    fn len(&self) -> usize {
        0
    }
}
fn main() {}
