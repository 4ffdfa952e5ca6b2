//! More arguments than tuples have traits.
#![deny(warnings)]

use tpc_actors::prelude::*;

#[core_actor]
struct Wide;

#[core_actor]
impl Wide {
    #[init]
    fn new(a: u8, b: u8, c: u8, d: u8, e: u8, f: u8, g: u8, h: u8) -> Self {
        assert_eq!(a + b + c + d + e + f + g + h, 8);
        Self
    }

    #[handler]
    fn sum(
        &self,
        a: u8,
        b: u8,
        c: u8,
        d: u8,
        e: u8,
        f: u8,
        g: u8,
        h: u8,
        i: u8,
        j: u8,
        k: u8,
        l: u8,
        m: u8,
        n: u8,
    ) -> u8 {
        [a, b, c, d, e, f, g, h, i, j, k, l, m, n].into_iter().sum()
    }
}

pub fn main() {
    let system = System::builder().cores(1).start().unwrap();
    let wide = system.spawn_with::<Wide>(|| (1, 1, 1, 1, 1, 1, 1, 1)).wait().unwrap();
    let sum = wide.sum(1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1).wait().unwrap();
    assert_eq!(sum, 14);
}
