//! A request that takes more than its limit.
use tpc_actors::prelude::*;

#[core_actor(max_request_bytes = 64)]
struct Blocks;

#[core_actor]
impl Blocks {
    #[init]
    fn new() -> Self {
        Self
    }
    #[handler(tell)]
    fn write(&mut self, _at: u64, _block: [u8; 128]) {}
    #[handler(tell)]
    fn erase(&mut self, _at: u64) {}
}

fn main() {}
