//! Words of the language as names of actors, handlers and arguments.
#![deny(warnings)]
#![allow(non_camel_case_types, reason = "an actor that is called like a keyword")]

use tpc_actors::prelude::*;

#[core_actor]
struct r#type {
    r#fn: u8,
}

#[core_actor]
impl r#type {
    #[init]
    fn r#new(r#fn: u8) -> Self {
        Self { r#fn }
    }

    #[handler]
    fn r#match(&self, r#in: u8, _type: u8, _gen: u8) -> u8 {
        self.r#fn + r#in
    }

    #[handler(tell)]
    fn r#move(&mut self, r#gen: u8) {
        self.r#fn = r#gen;
    }

    #[every("1h")]
    fn r#loop(&mut self) {}

    #[on_stop]
    fn r#break(&mut self) {}
}

pub fn main() {
    let system = System::builder().start().unwrap();
    let client: typeClient = system.spawn::<r#type>(1).wait().unwrap();
    client.r#move(2).wait().unwrap();
    assert_eq!(client.r#match(3, 0, 0).wait().unwrap(), 5);
    let refused = typeRequest::Match { r#in: 1, r#type: 2, r#gen: 3 };
    assert_eq!(format!("{refused:?}"), "Match");
}
