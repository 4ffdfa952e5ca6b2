//! Several messages at once, but not as a batch.
use tpc_actors::prelude::*;

#[core_actor]
struct Log;

#[core_actor]
impl Log {
    #[init]
    fn new() -> Self {
        Self
    }
    #[handler(batch = 64)]
    fn insert(&mut self, rows: Vec<String>) {
        drop(rows);
    }
}

fn main() {}
