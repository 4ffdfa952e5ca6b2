//! `#[init]` with no, one and several arguments, fallible or not, with and without a context.
#![deny(warnings)]

use std::num::ParseIntError;

use tpc_actors::prelude::*;

macro_rules! actor {
    ($actor:ident: $($init:tt)*) => {
        #[core_actor]
        struct $actor(u64);

        #[core_actor]
        impl $actor {
            #[init]
            $($init)*

            #[handler]
            fn get(&self) -> u64 {
                self.0
            }
        }
    };
}

actor! { Nothing: fn new() -> Self { Self(0) } }
actor! { Context: fn new(cx: &mut Ctx<Self>) -> Context { Self(cx.incarnation()) } }
actor! { One: fn new(mut a: u64) -> Self { a += 1; Self(a) } }
actor! { Two: fn new(_: &mut Ctx<Self>, a: u64, _b: &'static str) -> Self { Self(a) } }
actor! { Three: fn new(_: u8, a: u64, b: (u64, u64)) -> Self { Self(a + b.0 + b.1) } }
actor! { Tuple: fn new(a: (u64, u64)) -> Self { Self(a.0 + a.1) } }
actor! { Parsed: fn new(a: String) -> Result<Self, ParseIntError> { a.parse().map(Self) } }
actor! { Refused: fn new(_cx: &mut Ctx<Self>) -> Result<Self, &'static str> { Err("not today") } }
actor! { Boxed: fn new(a: u64) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> { Ok(Self(a)) } }

pub fn main() {
    let system = System::builder().start().unwrap();
    macro_rules! check {
        ($actor:ty, $args:expr, $value:expr) => {
            let actor = system.spawn::<$actor>($args).wait().unwrap();
            assert_eq!(actor.get().wait().unwrap(), $value);
        };
    }
    check!(Nothing, (), 0);
    check!(Context, (), 0);
    check!(One, 1, 2);
    check!(Two, (2, "b"), 2);
    check!(Three, (0, 1, (2, 3)), 6);
    check!(Tuple, (1, 2), 3);
    check!(Parsed, "17".to_owned(), 17);
    check!(Boxed, 4, 4);
    let unread = system.spawn::<Parsed>("x".to_owned()).wait().unwrap_err();
    assert!(unread.to_string().contains("invalid digit"), "{unread}");
    let refused = system.spawn::<Refused>(()).wait().unwrap_err();
    assert!(refused.to_string().contains("not today"), "{refused}");
}
