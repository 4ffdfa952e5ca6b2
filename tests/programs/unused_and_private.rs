//! Nothing of an actor has to be used.
#![deny(warnings, unused, dead_code)]

use tpc_actors::prelude::*;

#[core_actor]
struct Used {
    value: u8,
}

#[core_actor]
impl Used {
    #[init]
    fn new() -> Self {
        Self { value: 1 }
    }

    #[handler]
    fn never_called(&self, _a: u8, _b: String) -> Option<u8> {
        Some(self.value)
    }

    #[handler(tell)]
    fn neither(&mut self) {
        self.value += 1;
    }

    #[every("1h")]
    fn rarely(&mut self, _cx: &mut Ctx<Self>) {}
}

pub fn main() {
    let system = System::builder().cores(1).start().unwrap();
    drop(system.spawn::<Used>(()).wait().unwrap());
}
