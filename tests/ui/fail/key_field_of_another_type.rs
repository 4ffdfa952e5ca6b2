//! The field has another type than the key says.
use tpc_actors::prelude::*;
struct Record {
    id: u32,
}
#[core_actor]
struct Store;
#[core_actor]
impl Store {
    #[init]
    fn new() -> Self {
        Self
    }
    #[handler(tell)]
    fn put(&self, #[key(id: u64)] record: Record) {
        drop(record);
    }
}
fn main() {}
