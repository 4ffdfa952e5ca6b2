//! Two types of keys.
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
    #[handler(tell)]
    fn remove(&self, #[key] key: String) {
        drop(key)
    }
}
fn main() {}
