//! Structs of all shapes, with attributes of their own.
#![deny(warnings)]

use tpc_actors::prelude::*;

#[derive(Debug, Clone, Copy, PartialEq, Default)]
#[core_actor]
#[non_exhaustive]
pub struct Unit;

#[core_actor]
#[derive(Debug)]
#[repr(transparent)]
pub struct Tuple(u8);

#[must_use]
#[core_actor]
pub struct Empty {}

#[core_actor]
impl Unit {
    #[init]
    fn new() -> Self {
        Self
    }

    #[handler]
    fn get(&self) -> Self {
        *self
    }
}

#[core_actor]
impl Tuple {
    #[init]
    fn new(value: u8) -> Self {
        Self(value)
    }

    #[handler]
    fn get(&self) -> u8 {
        self.0
    }
}

#[core_actor]
impl Empty {
    #[init]
    fn new() -> Self {
        Self {}
    }
}

pub fn main() {
    let system = System::builder().cores(1).start().unwrap();
    assert_eq!(system.spawn::<Unit>(()).wait().unwrap().get().wait().unwrap(), Unit);
    assert_eq!(system.spawn::<Tuple>(1).wait().unwrap().get().wait().unwrap(), 1);
    let _empty: EmptyClient = system.spawn::<Empty>(()).wait().unwrap();
}
