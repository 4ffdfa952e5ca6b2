//! An actor that nobody talks to.
#![deny(warnings)]

use std::sync::mpsc::{Sender, channel};

use tpc_actors::prelude::*;

#[core_actor]
struct Clock {
    to: Sender<()>,
}

#[core_actor]
impl Clock {
    #[init]
    fn new(to: Sender<()>) -> Self {
        Self { to }
    }

    #[every("1ms")]
    fn tick(&mut self) {
        let _gone = self.to.send(());
    }
}

pub fn main() {
    let (to, from) = channel();
    let system = System::builder().cores(1).start().unwrap();
    let _clock: ClockClient = system.spawn::<Clock>(to).wait().unwrap();
    from.recv().unwrap();
}
