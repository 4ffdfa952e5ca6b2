//! A mistake inside of a method is there and nowhere else.
use tpc_actors::prelude::*;
#[core_actor]
struct Counter(u64);
#[core_actor]
impl Counter {
    #[init]
    fn new() -> Self {
        Self(0)
    }
    #[handler]
    fn get(&self, by: u64) -> u64 {
        self.0 + by.missing()
    }
}

fn main() {
    let counter = System::builder().start().unwrap().spawn::<Counter>(()).wait().unwrap();
    let _: u64 = counter.get(1).wait().unwrap();
}
