//! The halves come in any order.
#![deny(warnings)]

use tpc_actors::prelude::*;

#[core_actor]
impl Late {
    #[init]
    fn new() -> Self {
        Self
    }

    #[handler]
    fn get(&self) -> u8 {
        1
    }
}

#[core_actor]
pub struct Late;

pub fn main() {
    let system = System::builder().start().unwrap();
    let late = system.spawn::<Late>(()).wait().unwrap();
    assert_eq!(late.get().wait().unwrap(), 1);
}
