//! Actors that are called like things of the prelude and of this library.
#![deny(warnings)]

use tpc_actors::{System, core_actor, handler, init};

#[core_actor]
struct Option;

#[core_actor]
impl Option {
    #[init]
    fn new() -> Self {
        Self
    }

    #[handler]
    fn get(&self) -> core::option::Option<u8> {
        Some(1)
    }
}

#[core_actor]
struct Client;

#[core_actor]
impl Client {
    #[init]
    fn new() -> Self {
        Self
    }

    #[handler]
    fn request(&self, response: u8) -> Result<u8, ()> {
        Ok(response)
    }
}

pub fn main() {
    let system = System::builder().cores(1).start().unwrap();
    let option: OptionClient = system.spawn::<Option>(()).wait().unwrap();
    assert_eq!(option.get().wait().unwrap(), Some(1));
    let client: ClientClient = system.spawn::<Client>(()).wait().unwrap();
    assert_eq!(client.request(2).wait().unwrap(), 2);
}
