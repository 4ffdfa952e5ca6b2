//! The type of a key's field borrows.
use tpc_actors::prelude::*;
struct Record {
    name: String,
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
    fn put(&self, #[key(name: &str)] record: Record) {
        drop(record);
    }
}
fn main() {}
