//! All of them, and one of them again.
use tpc_actors::prelude::*;

#[core_actor]
struct Blocks;

#[core_actor]
impl Blocks {
    #[init]
    fn new() -> Self {
        Self
    }

    #[handler(tell, boxed)]
    fn write(&mut self, _at: u64, #[boxed] _block: [u8; 128]) {}
}

fn main() {}
