//! No prelude at all.
#![deny(warnings)]
#![no_implicit_prelude]

use ::tpc_actors::{core_actor, every, handler, init, on_stop};

#[core_actor(event = (), supervise(max = 0))]
struct Actor {
    value: u8,
}

#[core_actor]
impl Actor {
    #[init]
    fn new(value: u8) -> Self {
        Self { value }
    }

    #[handler]
    fn get(&self, #[key] key: u8) -> ::std::result::Result<u8, u8> {
        ::std::result::Result::Ok(self.value + key)
    }

    #[handler]
    fn later(&self, #[key] _key: u8, reply: ::tpc_actors::Reply<u8>) {
        reply.send(self.value);
    }

    #[handler(all, tell)]
    fn set(&mut self, value: u8) {
        self.value = value;
    }

    #[every("1h")]
    fn tick(&mut self) {}

    #[on_stop]
    fn stop(&mut self) {}
}

fn main() {
    let system = ::tpc_actors::System::builder().start().unwrap();
    let actor = system.spawn_sharded::<Actor>(2, |_| 1).wait().unwrap();
    actor.set(2).wait().unwrap();
    ::std::assert_eq!(actor.get(3).wait().unwrap(), 5);
    ::std::assert_eq!(actor.later(3).wait().unwrap(), 2);
}
