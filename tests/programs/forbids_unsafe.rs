//! Nothing generated is unsafe, and nothing generated needs an exception.
#![forbid(unsafe_code, missing_debug_implementations, unused_qualifications)]
#![deny(warnings)]

use tpc_actors::prelude::*;

/// Strict.
#[derive(Debug)]
#[core_actor(event = u8)]
pub struct Strict<T>(T);

#[core_actor]
impl<T: Clone + Send> Strict<T> {
    #[init]
    fn new(value: T) -> Self {
        Self(value)
    }

    #[handler]
    fn get(&self, cx: &mut Ctx<Self>) -> Result<T, ()> {
        let _position = cx.publish(1);
        Ok(self.0.clone())
    }
}

pub fn main() {
    let system = System::builder().cores(1).start().unwrap();
    let strict = system.spawn::<Strict<u8>>(1).wait().unwrap();
    assert_eq!(strict.get().wait().unwrap(), 1);
    assert!(format!("{strict:?}").contains("Strict"));
}
