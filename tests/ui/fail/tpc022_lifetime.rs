//! An actor that borrows.
use tpc_actors::prelude::*;

#[core_actor]
struct Words<'a> {
    text: &'a str,
}

#[core_actor]
impl<'a> Words<'a> {
    #[init]
    fn new() -> Self {
        Self { text: "" }
    }
}

fn main() {
    let _ = System::builder().start().unwrap().spawn::<Words<'static>>(());
}
