//! Generated types are as visible as the actor, whatever that is.
#![deny(warnings, private_interfaces, private_bounds)]

mod outer {
    pub(in crate::programs::visibilities) mod inner {
        use tpc_actors::prelude::*;

        struct Secret(u8);

        #[core_actor]
        pub(super) struct Super;

        #[core_actor]
        impl Super {
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
        pub(self) struct Own;

        #[core_actor]
        impl Own {
            #[init]
            fn new() -> Self {
                Self
            }

            #[handler]
            fn get(&self, secret: Secret) -> Secret {
                Secret(secret.0 + 1)
            }
        }

        pub(in crate::programs::visibilities) fn own(system: &System) -> u8 {
            let own: OwnClient = system.spawn::<Own>(()).wait().unwrap();
            own.get(Secret(1)).wait().unwrap().0
        }
    }

    pub(super) fn both(system: &tpc_actors::System) -> u8 {
        let of_super: inner::SuperClient = system.spawn::<inner::Super>(()).wait().unwrap();
        of_super.get().wait().unwrap() + inner::own(system)
    }
}

pub fn main() {
    let system = tpc_actors::System::builder().cores(1).start().unwrap();
    assert_eq!(outer::both(&system), 3);
}
