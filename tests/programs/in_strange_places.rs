//! Actors in blocks, closures, methods and nested functions.
#![deny(warnings)]

use tpc_actors::prelude::*;

struct Host;

impl Host {
    fn answer(&self, system: &System) -> u8 {
        fn inner(system: &System) -> u8 {
            #[core_actor]
            struct Inner;

            #[core_actor]
            impl Inner {
                #[init]
                fn new() -> Self {
                    Self
                }

                #[handler]
                fn get(&self) -> u8 {
                    1
                }
            }

            system.spawn::<Inner>(()).wait().unwrap().get().wait().unwrap()
        }
        inner(system)
    }
}

pub fn main() {
    let system = System::builder().cores(1).start().unwrap();
    let in_closure = || {
        #[core_actor]
        impl Inner {
            #[init]
            fn new() -> Self {
                Self(2)
            }

            #[handler]
            fn get(&self) -> u8 {
                self.0
            }
        }

        #[core_actor]
        struct Inner(u8);

        system.spawn::<Inner>(()).wait().unwrap().get().wait().unwrap()
    };
    let in_block = {
        #[core_actor]
        struct Inner(u8);

        #[core_actor]
        impl Inner {
            #[init]
            fn new() -> Self {
                Self(3)
            }

            #[handler]
            fn get(&self) -> u8 {
                self.0
            }
        }

        let client: InnerClient = system.spawn::<Inner>(()).wait().unwrap();
        client.get().wait().unwrap()
    };
    assert_eq!(Host.answer(&system) + in_closure() + in_block, 6);
}
