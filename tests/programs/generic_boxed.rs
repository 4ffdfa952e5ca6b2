//! Boxes, limits and conditions in a generic actor.
#![deny(warnings)]
#![allow(clippy::non_minimal_cfg, reason = "conditions that always or never hold")]

use tpc_actors::prelude::*;

#[core_actor(max_request_bytes = 24)]
pub struct Pages<T, const N: usize> {
    pages: Vec<[T; N]>,
}

#[core_actor]
impl<T: Copy + Send, const N: usize> Pages<T, N> {
    #[init]
    fn new(page: [T; N], #[cfg(all())] count: usize, #[cfg(any())] gone: Gone<T>) -> Self {
        Self { pages: vec![page; count] }
    }

    #[handler]
    fn write(&mut self, at: usize, #[boxed] page: [T; N]) -> [T; N] {
        std::mem::replace(&mut self.pages[at], page)
    }

    #[handler(boxed)]
    fn swap(&mut self, at: usize, page: [T; N]) -> Option<[T; N]> {
        self.pages.get_mut(at).map(|old| std::mem::replace(old, page))
    }

    #[cfg(all())]
    #[handler(boxed)]
    fn find(&self, is_it: fn(&[T; N]) -> bool) -> Option<usize> {
        self.pages.iter().position(is_it)
    }
}

pub fn main() {
    let system = System::builder().cores(1).start().unwrap();
    let pages = system.spawn::<Pages<u64, 64>>(([0; 64], 2)).wait().unwrap();
    assert_eq!(pages.write(0, [1; 64]).wait().unwrap(), [0; 64]);
    assert_eq!(pages.swap(0, [2; 64]).wait().unwrap(), Some([1; 64]));
    assert_eq!(pages.find(|page| page[0] == 2).wait().unwrap(), Some(0));
}
