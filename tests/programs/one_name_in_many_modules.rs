//! Actors of one name in modules that see each other, but not through a glob.
#![deny(warnings)]

use tpc_actors::prelude::*;

#[core_actor]
pub struct Counter(u8);

#[core_actor]
impl Counter {
    #[init]
    fn new() -> Self {
        Self(1)
    }

    #[handler]
    fn get(&self) -> u8 {
        self.0
    }
}

mod below {
    pub mod further {
        use tpc_actors::prelude::*;

        #[core_actor]
        pub struct Counter(u16);

        #[core_actor]
        impl Counter {
            #[init]
            fn new() -> Self {
                Self(2)
            }

            #[handler]
            fn get(&self) -> u16 {
                self.0
            }
        }
    }
}

mod beside {
    use super::below::further::CounterClient;
    use tpc_actors::prelude::*;

    #[core_actor]
    pub struct Reader(CounterClient);

    #[core_actor]
    impl Reader {
        #[init]
        fn new(counter: CounterClient) -> Self {
            Self(counter)
        }

        #[handler]
        fn read(&self, cx: &mut Ctx<Self>, reply: Reply<u16>) {
            cx.ask(self.0.get(), |_, _, value| reply.send(value.unwrap_or_default()));
        }
    }
}

pub fn main() {
    let system = System::builder().cores(1).start().unwrap();
    let here = system.spawn::<Counter>(()).wait().unwrap();
    let there = system.spawn::<below::further::Counter>(()).wait().unwrap();
    let reader = system.spawn::<beside::Reader>(there).wait().unwrap();
    assert_eq!((here.get().wait().unwrap(), reader.read().wait().unwrap()), (1, 2));
}
