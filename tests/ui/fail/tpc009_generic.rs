//! A type parameter that need not be `Send`.
use tpc_actors::prelude::*;

#[core_actor]
struct Cell<T>(T);

#[core_actor]
impl<T: Clone> Cell<T> {
    #[init]
    fn new() -> Result<Self, String> {
        Err(String::new())
    }
    #[handler]
    fn get(&self) -> Vec<T> {
        vec![self.0.clone()]
    }
}

fn main() {}
