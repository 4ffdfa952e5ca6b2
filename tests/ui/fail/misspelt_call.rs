//! A client's methods are real ones, so rustc knows a better name.
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
    fn current(&self) -> u64 {
        self.0
    }
}

fn main() {
    let counter = System::builder().start().unwrap().spawn::<Counter>(()).wait().unwrap();
    let _ = counter.curent().wait();
}
