//! Arguments and answers in all forms: `mut`, underscores, tuples, `Self`, function types.
#![deny(warnings)]

use std::collections::BTreeMap;

use tpc_actors::prelude::*;

pub trait Visit<'a> {
    fn visit(&self, text: &'a str) -> &'a str;
}

struct Trim;

impl<'a> Visit<'a> for Trim {
    fn visit(&self, text: &'a str) -> &'a str {
        text.trim()
    }
}

#[core_actor]
#[derive(Clone, Debug, PartialEq)]
pub struct Forms {
    value: u64,
}

#[core_actor]
impl Forms {
    const SIZE: usize = 2;

    #[init]
    fn new() -> Self {
        Self { value: 1 }
    }

    #[handler]
    fn mutable(&mut self, mut by: u64, mut list: Vec<u64>) -> Vec<u64> {
        by += self.value;
        list.push(by);
        list
    }

    #[handler]
    fn unused(&self, _by: u64, _: u64, __deep: u64, _1: u8) -> () {}

    #[handler]
    fn pair(&self) -> (u64, (String, Option<u8>)) {
        (self.value, ("a".to_owned(), None))
    }

    #[handler]
    fn copy(&self, with: Option<Self>) -> (Self, [u8; Self::SIZE]) {
        (with.unwrap_or(self.clone()), [0; Self::SIZE])
    }

    #[handler]
    fn call(&self, f: fn(&str) -> &str, g: Box<dyn Fn(&str) -> usize + Send>) -> usize {
        g(f(" ab "))
    }

    #[handler]
    fn higher(&self, visit: Box<dyn for<'a> Visit<'a> + Send>, on: &'static str) -> String {
        visit.visit(on).to_owned()
    }

    #[handler]
    fn highest(&self, f: Box<dyn for<'message> Fn(&'message u8) -> &'message u8 + Send>) -> u8 {
        *f(&3)
    }

    #[handler]
    fn nested(&self, map: BTreeMap<String, Vec<Option<u8>>>) -> Result<Option<u8>, (u8, String)> {
        map.into_values().next().ok_or((1, "empty".to_owned())).map(|list| list[0])
    }

    /// Names that the expansion uses itself.
    #[handler]
    fn request(&self, request: u8, response: u8, answer: u8, f: u8, this: u8) -> u8 {
        request + response + answer + f + this
    }

    #[handler]
    fn later(&self, cx: &mut Ctx<Self>, a: u8, reply: Reply<(u8, bool)>, b: u8) {
        reply.send((a + b, cx.core() == 0));
    }

    #[handler]
    fn now(&self, shard: u8, krate: u8, inner: u8, decode: u8) -> u8 {
        shard + krate + inner + decode
    }
}

pub fn main() {
    let system = System::builder().cores(1).start().unwrap();
    let forms = system.spawn::<Forms>(()).wait().unwrap();
    assert_eq!(forms.mutable(1, vec![]).wait().unwrap(), [2]);
    forms.unused(1, 2, 3, 4).wait().unwrap();
    assert_eq!(forms.pair().wait().unwrap(), (1, ("a".to_owned(), None)));
    let other = Forms { value: 9 };
    assert_eq!(forms.copy(Some(other.clone())).wait().unwrap(), (other, [0, 0]));
    assert_eq!(forms.call(str::trim, Box::new(str::len)).wait().unwrap(), 2);
    assert_eq!(forms.higher(Box::new(Trim), " a ").wait().unwrap(), "a");
    assert_eq!(forms.highest(Box::new(|n| n)).wait().unwrap(), 3);
    let refused = forms.nested(BTreeMap::new()).wait();
    assert!(matches!(refused, Err(AskError::Handler((1, _)))));
    assert_eq!(forms.request(1, 2, 3, 4, 5).wait().unwrap(), 15);
    assert_eq!(forms.later(1, 2).wait().unwrap(), (3, true));
    assert_eq!(forms.now(1, 2, 3, 4).wait().unwrap(), 10);
}
