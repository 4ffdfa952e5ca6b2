//! A batch that no lane of the actor could hold.
use tpc_actors::prelude::*;

#[core_actor(capacity = 32)]
struct Log;

#[core_actor]
impl Log {
    #[init]
    fn new() -> Self {
        Self
    }
    #[handler(tell, batch = 64)]
    fn append(&mut self, _records: Batch<String>) {}
}

fn main() {}
