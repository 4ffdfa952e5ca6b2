//! The `impl` block in another module than the struct, generic and not.
#![deny(warnings)]

use tpc_actors::prelude::*;

pub mod data {
    use tpc_actors::prelude::*;

    #[core_actor]
    pub struct Plain {
        pub(super) value: u8,
    }

    #[core_actor]
    pub struct Pair<A, B> {
        pub(super) both: (A, B),
    }
}

#[core_actor]
impl data::Plain {
    #[init]
    fn new(value: u8) -> Self {
        Self { value }
    }

    #[handler]
    fn get(&self) -> u8 {
        self.value
    }
}

#[core_actor]
impl<A: Clone + Send, B: Clone + Send> data::Pair<A, B> {
    #[init]
    fn new(a: A, b: B) -> Self {
        Self { both: (a, b) }
    }

    #[handler]
    fn get(&self, _other: Option<Self>) -> (A, B) {
        self.both.clone()
    }
}

pub fn main() {
    let system = System::builder().cores(1).start().unwrap();
    let plain: PlainClient = system.spawn::<data::Plain>(1).wait().unwrap();
    assert_eq!(plain.get().wait().unwrap(), 1);
    let pair: PairClient<u8, char> = system.spawn::<data::Pair<u8, char>>((2, 'x')).wait().unwrap();
    assert_eq!(pair.get(None).wait().unwrap(), (2, 'x'));
}
