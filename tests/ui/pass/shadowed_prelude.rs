//! The prelude's names may mean something else.
#![deny(warnings)]
#![allow(dead_code, reason = "the names only have to be in the way")]

use tpc_actors::{System, core_actor, every, handler, init, on_stop};

struct Option;
struct Vec;
struct Box;
struct Some;
struct None;
struct Ok;
struct Err;
struct String;
struct Into;
struct From;
struct Send;
struct Sized;
struct Clone;
struct Debug;
struct Infallible;
struct Duration;
mod core {}
mod std {}
mod tpc {}
trait Iterator {}
trait Drop {}
trait Fn {}
type Result = u8;
#[allow(unused_macros, reason = "it is in the way")]
macro_rules! matches {
    () => {};
}
#[allow(unused_macros, reason = "it is in the way")]
macro_rules! unimplemented {
    () => {};
}

#[allow(non_camel_case_types, reason = "a primitive's name")]
struct usize;
#[allow(non_camel_case_types, reason = "a primitive's name")]
struct str;

#[core_actor(capacity = 16, supervise(max = 1, within = "1s", backoff = "1ms..2ms", then = stop))]
struct Actor {
    value: u8,
}

#[core_actor]
impl Actor {
    #[init]
    fn new(value: u8, _more: u8) -> Self {
        Self { value }
    }

    #[handler]
    fn get(&self, #[key] key: u8) -> u8 {
        self.value + key
    }

    #[handler]
    fn later(&self, #[key] key: u8, reply: tpc_actors::Reply<::core::result::Result<u8, u8>>) {
        reply.send(::core::result::Result::Err(key));
    }

    #[handler(all)]
    fn everywhere(&self, add: u8) -> u8 {
        self.value + add
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
    let system = System::builder().start().unwrap();
    let actor = system.spawn_sharded::<Actor>(2, |_| (1, 2)).wait().unwrap();
    actor.set(4).wait().unwrap();
    assert_eq!(actor.get(3).wait().unwrap(), 7);
    assert_eq!(actor.everywhere(1).wait().unwrap(), [5, 5]);
    assert!(actor.later(3).wait().is_err());
}
