//! An actor over a number.
#![deny(warnings)]

use tpc_actors::prelude::*;

#[core_actor]
struct Window<const N: usize> {
    last: [u64; N],
    next: usize,
}

#[core_actor]
impl<const N: usize> Window<N> {
    #[init]
    fn new(start: [u64; N]) -> Self {
        Self { last: start, next: 0 }
    }

    #[handler(tell)]
    fn add(&mut self, value: u64) {
        self.last[self.next] = value;
        self.next = (self.next + 1) % N;
    }

    #[handler]
    fn all(&self) -> [u64; N] {
        self.last
    }
}

pub fn main() {
    let system = System::builder().cores(1).start().unwrap();
    let window: WindowClient<2> = system.spawn::<Window<2>>([0; 2]).wait().unwrap();
    for value in 1..=3 {
        window.add(value).wait().unwrap();
    }
    assert_eq!(window.all().wait().unwrap(), [3, 2]);
    assert!(matches!(WindowResponse::All([1, 2]), WindowResponse::All([1, ..])));
}
