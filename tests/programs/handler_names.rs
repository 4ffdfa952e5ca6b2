//! Handlers that are called like methods and words from everywhere.
#![deny(warnings)]
#![allow(
    non_upper_case_globals,
    reason = "constants that are called like what an expansion might bind"
)]

use tpc_actors::Actor;
use tpc_actors::prelude::*;

const other: u8 = 11;

/// A trait whose method might be one of `Actor`'s, which is in scope as well.
trait Tells {
    fn tell(&mut self, n: u8) -> u8;
}

impl Tells for Names {
    fn tell(&mut self, n: u8) -> u8 {
        n
    }
}

fn name<A: Actor>() -> &'static str {
    A::NAME
}

#[core_actor]
struct Names;

#[core_actor]
impl Names {
    #[init]
    fn start() -> Self {
        Self
    }

    #[handler]
    fn new(&self) -> u8 {
        1
    }

    #[handler]
    fn drop(&self) -> u8 {
        2
    }

    #[handler]
    fn from(&self, from: u8) -> u8 {
        from
    }

    #[handler]
    fn default(&self) -> u8 {
        4
    }

    #[handler]
    fn ask(&self, tell: u8) -> u8 {
        tell
    }

    #[handler]
    fn send(&self) -> u8 {
        6
    }

    #[handler]
    fn handle(&self) -> u8 {
        7
    }

    #[handler]
    fn init(&self) -> u8 {
        8
    }

    #[handler]
    fn fmt(&self) -> u8 {
        9
    }

    #[handler]
    fn other(&mut self) -> u8 {
        self.tell(other)
    }

    #[handler(tell)]
    fn request(&self) {}

    #[handler]
    fn some(&self) -> Option<u8> {
        None
    }

    #[handler]
    fn ok(&self) -> Result<(), u8> {
        Ok(())
    }
}

pub fn main() {
    let system = System::builder().cores(1).start().unwrap();
    let names = system.spawn::<Names>(()).wait().unwrap();
    assert_eq!(names.new().wait().unwrap(), 1);
    assert_eq!(names.drop().wait().unwrap(), 2);
    assert_eq!(names.from(3).wait().unwrap(), 3);
    assert_eq!(names.default().wait().unwrap(), 4);
    assert_eq!(names.ask(5).wait().unwrap(), 5);
    assert_eq!(names.send().wait().unwrap(), 6);
    assert_eq!(names.handle().wait().unwrap(), 7);
    assert_eq!(names.init().wait().unwrap(), 8);
    assert_eq!(names.fmt().wait().unwrap(), 9);
    assert_eq!(names.other().wait().unwrap(), 11);
    names.request().wait().unwrap();
    assert_eq!(name::<Names>(), "Names");
    assert_eq!(names.some().wait().unwrap(), None);
    names.ok().wait().unwrap();
    assert_eq!(format!("{:?}", NamesRequest::Ok), "Ok");
}
