//! Modules that are called like crates, and macros like those of the standard library.
#![deny(warnings)]
#![allow(dead_code, unused_macros, reason = "they are only in the way")]

use ::tpc_actors::prelude::*;

mod core {}
mod std {}
mod tpc_actors {}

macro_rules! unreachable {
    () => {
        compile_error!("not this one")
    };
}
macro_rules! option_env {
    ($($any:tt)*) => {
        compile_error!("not this one")
    };
}

#[core_actor]
struct Plain(u8);

#[core_actor]
impl Plain {
    #[init]
    fn new(value: u8) -> Self {
        Self(value)
    }

    #[handler]
    fn get(&self) -> Result<u8, u8> {
        Ok(self.0)
    }
}

pub fn main() {
    let system = System::builder().cores(1).start().unwrap();
    assert_eq!(system.spawn::<Plain>(3).wait().unwrap().get().wait().unwrap(), 3);
}
