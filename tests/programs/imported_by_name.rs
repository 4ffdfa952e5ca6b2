//! Each attribute imported by its name, or not imported at all; no import is unused.
#![deny(warnings, unused)]

mod by_name {
    use tpc_actors::{Ctx, core_actor, every, handler, init, on_stop};

    #[core_actor]
    pub struct Named {
        ticks: u32,
    }

    #[core_actor]
    impl Named {
        #[init]
        fn new() -> Self {
            Self { ticks: 0 }
        }

        #[handler]
        fn ticks(&self) -> u32 {
            self.ticks
        }

        #[every("1ms")]
        fn tick(&mut self, _cx: &mut Ctx<Self>) {
            self.ticks += 1;
        }

        #[on_stop]
        fn stop(&mut self) {}
    }
}

mod by_path {
    #[tpc_actors::core_actor]
    pub struct Far;

    #[::tpc_actors::core_actor]
    impl Far {
        #[tpc_actors::init]
        fn new() -> Self {
            Self
        }

        #[::tpc_actors::handler(tell)]
        fn poke(&self, _cx: &mut tpc_actors::Ctx<Self>) {}

        #[tpc_actors::prelude::handler]
        fn answer(&self, reply: tpc_actors::Reply<u8>) {
            reply.send(1);
        }
    }
}

pub fn main() {
    let system = tpc_actors::System::builder().cores(1).start().unwrap();
    let named = system.spawn::<by_name::Named>(()).wait().unwrap();
    assert!(named.ticks().wait().unwrap() < 1_000_000);
    let far = system.spawn::<by_path::Far>(()).wait().unwrap();
    far.poke().wait().unwrap();
    assert_eq!(far.answer().wait().unwrap(), 1);
}
