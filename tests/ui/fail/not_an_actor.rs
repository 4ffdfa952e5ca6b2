//! A type that has nothing to do with actors.
use tpc_actors::prelude::*;

struct Plain;

fn main() {
    let system = System::builder().start().unwrap();
    system.spawn::<Plain>(());
}
