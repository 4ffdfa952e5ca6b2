//! An actor that never answers.
#![deny(warnings)]

use std::sync::mpsc::{Sender, channel};

use tpc_actors::prelude::*;

#[core_actor]
struct Sink {
    to: Sender<u64>,
}

#[core_actor]
impl Sink {
    #[init]
    fn new(to: Sender<u64>) -> Self {
        Self { to }
    }

    #[handler(tell)]
    fn push(&mut self, value: u64) {
        self.to.send(value).unwrap();
    }
}

pub fn main() {
    let (to, from) = channel();
    let system = System::builder().cores(1).start().unwrap();
    let sink = system.spawn::<Sink>(to).wait().unwrap();
    sink.push(1).wait().unwrap();
    sink.push(2).now().unwrap();
    assert_eq!([from.recv().unwrap(), from.recv().unwrap()], [1, 2]);
    assert!(size_of::<SinkResponse>() == 0);
}
