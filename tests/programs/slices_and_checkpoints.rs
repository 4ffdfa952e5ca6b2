//! Maintenance in slices and a checkpoint, with and without context.
#![deny(warnings)]

use std::io;

use tpc_actors::prelude::*;

#[core_actor]
struct Journal {
    left: u8,
    saved: u8,
}

#[core_actor]
impl Journal {
    #[init]
    fn new() -> Self {
        Self { left: 3, saved: 0 }
    }

    #[maintenance(every = "1ms", budget = "1ms")]
    fn compact(&mut self, _cx: &mut Ctx<Self>) -> Work {
        self.left = self.left.saturating_sub(1);
        if self.left > 0 { Work::More } else { Work::Done }
    }

    #[checkpoint]
    fn save(&mut self) -> io::Result<()> {
        self.saved += 1;
        Ok(())
    }

    #[handler]
    fn left(&self) -> u8 {
        self.left
    }
}

pub fn main() {
    let system = System::builder().cores(1).start().unwrap();
    let journal = system.spawn::<Journal>(()).wait().unwrap();
    while journal.left().wait().unwrap() > 0 {}
}
