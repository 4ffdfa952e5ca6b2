//! The members of a batch are answered one by one.
use tpc_actors::prelude::*;

#[core_actor]
struct Log;

#[core_actor]
impl Log {
    #[init]
    fn new() -> Self {
        Self
    }

    #[handler(batch = 8)]
    fn append(&mut self, records: Batch<u64, Reply<u64>>) -> u64 {
        records.len() as u64
    }
}

fn main() {}
