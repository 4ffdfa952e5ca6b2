//! A call with the wrong type leads to the handler's own argument.
use tpc_actors::prelude::*;
#[core_actor]
struct Counter(u64);
#[core_actor]
impl Counter {
    #[init]
    fn new() -> Self {
        Self(0)
    }
    #[handler(tell)]
    fn add(&mut self, by: u64) {
        self.0 += by;
    }
}

fn main() {
    let counter = System::builder().start().unwrap().spawn::<Counter>(()).wait().unwrap();
    drop(counter.add("1").wait());
}
