//! A where-clause that reaches into associated types.
#![deny(warnings)]

use std::fmt::Debug;
use std::iter::{Peekable, Sum};

use tpc_actors::prelude::*;

#[core_actor]
pub struct Feed<I>
where
    I: Iterator,
{
    items: Peekable<I>,
}

#[core_actor]
impl<I> Feed<I>
where
    I: Iterator + Send,
    I::Item: Sum<I::Item> + Clone + Send + Debug + 'static,
    Option<I::Item>: PartialEq,
{
    #[init]
    fn new(items: I) -> Self {
        Self { items: items.peekable() }
    }

    #[handler]
    fn peek(&mut self) -> Option<I::Item> {
        self.items.peek().cloned()
    }

    #[handler]
    fn sum(&mut self, count: usize) -> I::Item {
        self.items.by_ref().take(count).sum()
    }

    #[handler]
    fn is_next(&mut self, item: Option<I::Item>) -> bool {
        self.items.peek().cloned() == item
    }
}

pub fn main() {
    let system = System::builder().cores(1).start().unwrap();
    let feed = system.spawn::<Feed<std::ops::Range<u32>>>(1..10).wait().unwrap();
    assert_eq!(feed.peek().wait().unwrap(), Some(1));
    assert_eq!(feed.sum(3).wait().unwrap(), 6);
    assert!(feed.is_next(Some(4)).wait().unwrap());
}
