//! A batch of no messages.
use tpc_actors::prelude::*;

#[core_actor]
struct Log;

#[core_actor]
impl Log {
    #[init]
    fn new() -> Self {
        Self
    }
    #[handler(tell, batch = 0)]
    fn append(&mut self, _records: Batch<String>) {}
}

fn main() {}
