//! Two actors of one module may have handlers of the same names.
#![deny(warnings)]

use tpc_actors::prelude::*;

#[core_actor]
struct Left(u8);

#[core_actor]
struct Right(String);

#[core_actor]
impl Left {
    #[init]
    fn new(value: u8) -> Self {
        Self(value)
    }

    #[handler]
    fn get(&self) -> u8 {
        self.0
    }

    #[handler(tell)]
    fn set(&mut self, value: u8) {
        self.0 = value;
    }
}

#[core_actor]
impl Right {
    #[init]
    fn new(value: String) -> Self {
        Self(value)
    }

    #[handler]
    fn get(&self) -> String {
        self.0.clone()
    }

    #[handler(tell)]
    fn set(&mut self, value: String) {
        self.0 = value;
    }
}

pub fn main() {
    let system = System::builder().start().unwrap();
    let left = system.spawn::<Left>(0).wait().unwrap();
    let right = system.spawn::<Right>(String::new()).wait().unwrap();
    left.set(1).wait().unwrap();
    right.set("one".into()).wait().unwrap();
    assert_eq!((left.get().wait().unwrap(), &*right.get().wait().unwrap()), (1, "one"));
}
