//! Generic code over a generic actor: clients in structs, functions and other actors.
#![deny(warnings)]

use tpc_actors::prelude::*;

#[core_actor]
pub struct Cell<T> {
    value: T,
}

#[core_actor]
impl<T: Clone + Send> Cell<T> {
    #[init]
    fn new(value: T) -> Self {
        Self { value }
    }

    #[handler]
    fn get(&self) -> T {
        self.value.clone()
    }

    #[handler]
    fn set(&mut self, value: T) -> T {
        std::mem::replace(&mut self.value, value)
    }
}

#[derive(Clone, Debug)]
pub struct Swapper<T: Clone + Send + 'static> {
    left: CellClient<T>,
    right: CellClient<T>,
}

impl<T: Clone + Send + 'static> Swapper<T> {
    fn swap(&self) -> Result<(), AskError> {
        let left = self.left.get().wait()?;
        let right = self.right.set(left).wait()?;
        self.left.set(right).wait().map(drop)
    }
}

/// An actor with a client of another one.
#[core_actor]
pub struct Doubler<T: Clone + Send + 'static> {
    cell: CellClient<T>,
}

#[core_actor]
impl<T: std::ops::Add<Output = T> + Clone + Send> Doubler<T> {
    #[init]
    fn new(cell: CellClient<T>) -> Self {
        Self { cell }
    }

    #[handler]
    fn double(&self, cx: &mut Ctx<Self>, reply: Reply<Option<T>>) {
        cx.ask(self.cell.get(), move |_, _, value| {
            reply.send(value.ok().map(|value| value.clone() + value));
        });
    }
}

fn spawned<T: Clone + Send + 'static>(system: &System, value: T) -> CellClient<T> {
    system.spawn::<Cell<T>>(value).wait().unwrap()
}

pub fn main() {
    let system = System::builder().cores(1).start().unwrap();
    let swapper = Swapper { left: spawned(&system, 1), right: spawned(&system, 2) };
    swapper.clone().swap().unwrap();
    assert_eq!(swapper.left.get().wait().unwrap(), 2);
    let doubler = system.spawn::<Doubler<i32>>(swapper.left).wait().unwrap();
    assert_eq!(doubler.double().wait().unwrap(), Some(4));
}
