//! Actors in modules, behind paths, of every visibility, and in functions.
#![deny(warnings)]

use tpc_actors::{System, handler, init};

mod store {
    use tpc_actors::prelude::*;

    #[core_actor]
    pub(crate) struct Shelf(pub(super) u8);

    pub mod inner {
        #[tpc_actors::core_actor]
        pub struct Deep;

        pub(in crate::programs::places::store) mod below {
            #[tpc_actors::core_actor]
            pub(in crate::programs::places::store) struct Deeper(
                pub(in crate::programs::places::store) u8,
            );
        }
    }

    #[core_actor]
    impl inner::Deep {
        #[tpc_actors::init]
        fn new() -> Self {
            Self
        }

        #[tpc_actors::handler]
        fn get(&self) -> u8 {
            2
        }
    }

    #[core_actor]
    impl inner::below::Deeper {
        #[init]
        fn new(value: u8) -> Self {
            Self(value)
        }

        #[handler]
        fn get(&self) -> u8 {
            self.0
        }
    }

    pub(crate) fn deeper(system: &System) -> u8 {
        let deeper: DeeperClient = system.spawn::<inner::below::Deeper>(3).wait().unwrap();
        deeper.get().wait().unwrap()
    }
}

#[tpc_actors::core_actor]
impl store::Shelf {
    #[init]
    fn new(value: u8) -> Self {
        Self(value)
    }

    #[handler]
    fn get(&self) -> u8 {
        self.0
    }
}

pub fn main() {
    let system = System::builder().start().unwrap();
    let shelf: ShelfClient = system.spawn::<store::Shelf>(1).wait().unwrap();
    assert_eq!(shelf.get().wait().unwrap(), 1);
    let deep: store::DeepClient = system.spawn::<store::inner::Deep>(()).wait().unwrap();
    assert_eq!(deep.get().wait().unwrap(), 2);
    assert_eq!(store::deeper(&system), 3);
    assert_eq!(local(&system), 4);
}

fn local(system: &System) -> u8 {
    #[tpc_actors::core_actor]
    struct Local;

    #[tpc_actors::core_actor]
    impl Local {
        #[init]
        fn new() -> Self {
            Self
        }

        #[handler]
        fn get(&self) -> u8 {
            4
        }
    }

    system.spawn::<Local>(()).wait().unwrap().get().wait().unwrap()
}
