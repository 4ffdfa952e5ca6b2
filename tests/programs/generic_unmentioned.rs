//! Parameters that no message mentions.
#![deny(warnings)]

use std::marker::PhantomData;

use tpc_actors::prelude::*;

/// How to count.
pub trait Step {
    const BY: u64;
}

pub struct One;
pub struct Ten;

impl Step for One {
    const BY: u64 = 1;
}

impl Step for Ten {
    const BY: u64 = 10;
}

#[core_actor]
pub struct Counter<S: ?Sized, X = ()> {
    count: u64,
    step: PhantomData<(PhantomData<S>, X)>,
}

#[core_actor]
impl<S: Step + ?Sized, X> Counter<S, X> {
    #[init]
    fn new() -> Self {
        Self { count: 0, step: PhantomData }
    }

    #[handler]
    fn next(&mut self) -> u64 {
        self.count += S::BY;
        self.count
    }
}

#[core_actor]
pub struct Silent<T>(PhantomData<T>);

#[core_actor]
impl<T> Silent<T> {
    #[init]
    fn new() -> Self {
        Self(PhantomData)
    }

    #[handler(tell)]
    fn poke(&self) {}
}

/// Callers need not know about parameters in order to take a request apart.
fn name(request: CounterRequest<One, ()>) -> &'static str {
    match request {
        CounterRequest::Next => "next",
    }
}

pub fn main() {
    let system = System::builder().cores(1).start().unwrap();
    let ones = system.spawn::<Counter<One>>(()).wait().unwrap();
    let tens = system.spawn::<Counter<Ten, String>>(()).wait().unwrap();
    assert_eq!((ones.next().wait().unwrap(), tens.next().wait().unwrap()), (1, 10));
    system.spawn::<Silent<str_like::Text>>(()).wait().unwrap().poke().wait().unwrap();
    assert_eq!(name(CounterRequest::Next), "next");
    assert_eq!(format!("{:?}", CounterRequest::<One, ()>::Next), "Next");
    assert_eq!(size_of::<CounterRequest<One, ()>>(), 0);
}

mod str_like {
    pub struct Text;
}
