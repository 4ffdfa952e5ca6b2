//! Helpers, constants, other impl blocks and traits of an actor.
#![deny(warnings)]

use std::sync::mpsc::{Sender, channel};

use tpc_actors::prelude::*;

trait Area {
    const SIDES: u32;
    fn area(&self) -> u32;
}

#[core_actor]
struct Square {
    side: u32,
    gone: Sender<u32>,
}

impl Square {
    const MOST: u32 = 100;

    fn clamp(side: u32) -> u32 {
        side.min(Self::MOST)
    }
}

impl Area for Square {
    const SIDES: u32 = 4;

    fn area(&self) -> u32 {
        self.side * self.side
    }
}

impl Drop for Square {
    fn drop(&mut self) {
        let _gone = self.gone.send(self.side);
    }
}

#[core_actor]
impl Square {
    pub const NAME: &'static str = "square";

    #[init]
    fn new(side: u32, gone: Sender<u32>) -> Self {
        Self { side: Self::clamp(side), gone }
    }

    #[handler]
    pub fn area_and_sides(&self) -> (u32, u32) {
        (self.area(), Self::SIDES)
    }

    #[handler(tell)]
    pub(crate) fn grow(&mut self, by: u32) {
        self.side = Self::clamp(self.side + by);
        self.shrink_a_little();
    }

    fn shrink_a_little(&mut self) {
        self.side -= 1;
    }
}

pub fn main() {
    let (gone, went) = channel();
    let system = System::builder().cores(1).start().unwrap();
    let square = system.spawn::<Square>((2, gone)).wait().unwrap();
    assert_eq!(square.area_and_sides().wait().unwrap(), (4, 4));
    square.grow(2).wait().unwrap();
    assert_eq!((square.area_and_sides().wait().unwrap().0, Square::NAME), (9, "square"));
    drop(system);
    assert_eq!(went.recv().unwrap(), 3);
}
