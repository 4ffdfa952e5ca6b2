//! Arguments that are called like what the expansion uses.
#![deny(warnings)]

use tpc_actors::prelude::*;

#[core_actor]
struct Sum;

#[core_actor]
impl Sum {
    #[init]
    fn new(cx: u8, args: u8, returned: u8) -> Self {
        assert_eq!(cx + args + returned, 6);
        Self
    }

    #[handler]
    fn all(&self, cx: u8, reply: u8, request: u8, response: u8, shard: u8) -> u8 {
        cx + reply + request + response + shard
    }

    #[handler(boxed)]
    fn boxed(&self, arguments: u8, inner: u8, answer: u8, this: u8) -> u8 {
        arguments + inner + answer + this
    }

    #[handler]
    fn later(&self, context: &mut Ctx<Self>, cx: u8, answer: Reply<u8>, reply: u8) {
        let _ = context.core();
        answer.send(cx + reply);
    }
}

pub fn main() {
    let system = System::builder().cores(1).start().unwrap();
    let sum = system.spawn::<Sum>((1, 2, 3)).wait().unwrap();
    assert_eq!(sum.all(1, 2, 3, 4, 5).wait().unwrap(), 15);
    assert_eq!(sum.boxed(1, 2, 3, 4).wait().unwrap(), 10);
    assert_eq!(sum.later(1, 2).wait().unwrap(), 3);
}
