//! Nothing travels to where the state is built but its arguments, once.
use tpc_actors::prelude::*;

#[core_actor]
struct Blocks;

#[core_actor]
impl Blocks {
    #[init]
    fn new(#[boxed] _blocks: [u8; 128]) -> Self {
        Self
    }
}

fn main() {}
