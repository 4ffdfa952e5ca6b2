//! The impl half is missing.
use tpc_actors::prelude::*;

#[core_actor]
struct Counter;

fn main() {
    let system = System::builder().start().unwrap();
    system.spawn::<Counter>(());
}
