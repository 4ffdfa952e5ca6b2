//! Types in signatures that are long, nested or computed.
#![deny(warnings)]

use std::collections::{BTreeMap, HashSet};
use std::marker::PhantomData;
use std::ops::{ControlFlow, Range};

use tpc_actors::prelude::*;

const SIZE: usize = 4;

#[core_actor]
struct Types;

#[core_actor]
impl Types {
    #[init]
    fn new() -> Self {
        Self
    }

    #[handler]
    fn nested(
        &self,
        map: BTreeMap<(u8, [u16; SIZE * 2]), Option<Box<[Vec<HashSet<String>>]>>>,
    ) -> Option<Box<dyn Iterator<Item = Result<u8, std::num::ParseIntError>> + Send>> {
        let _ = map;
        Some(Box::new(["1", "x"].into_iter().map(str::parse)))
    }

    #[handler]
    fn functions(
        &self,
        once: Box<dyn FnOnce(&str) -> usize + Send + 'static>,
        marker: PhantomData<fn(&u8) -> &u8>,
    ) -> (usize, PhantomData<fn(&u8) -> &u8>) {
        (once("abc"), marker)
    }

    #[handler]
    fn flow(&self, range: Range<u64>) -> ControlFlow<u64, (u64, ())> {
        range.into_iter().try_fold((0, ()), |(sum, ()), n| {
            if n > 3 { ControlFlow::Break(n) } else { ControlFlow::Continue((sum + n, ())) }
        })
    }

    /// What a constant computes may borrow, and leave types out.
    #[handler]
    fn constants(
        &self,
        bytes: [u8; {
            let all: [_; 3] = [1, 2, 3];
            let some: &[u8] = &all;
            some.len()
        }],
    ) -> u8 {
        bytes.iter().sum()
    }

    #[handler]
    fn projected(&self, item: <Vec<u8> as IntoIterator>::Item) -> <u8 as ToOwned>::Owned {
        item
    }
}

pub fn main() {
    let system = System::builder().cores(1).start().unwrap();
    let types = system.spawn::<Types>(()).wait().unwrap();
    let nested = types.nested(BTreeMap::new()).wait().unwrap().unwrap();
    assert_eq!(nested.map(|found| found.is_ok()).collect::<Vec<_>>(), [true, false]);
    assert_eq!(types.functions(Box::new(str::len), PhantomData).wait().unwrap().0, 3);
    assert_eq!(types.flow(0..9).wait().unwrap(), ControlFlow::Break(4));
    assert_eq!(types.constants([1, 2, 4]).wait().unwrap(), 7);
    assert_eq!(types.projected(7).wait().unwrap(), 7);
}
