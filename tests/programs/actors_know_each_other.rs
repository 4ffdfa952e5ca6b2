//! Clients in states, arguments and answers.
#![deny(warnings)]

use tpc_actors::prelude::*;

#[core_actor]
pub struct Leaf(u8);

#[core_actor]
impl Leaf {
    #[init]
    fn new(value: u8) -> Self {
        Self(value)
    }

    #[handler]
    fn get(&self) -> u8 {
        self.0
    }
}

#[core_actor]
pub struct Tree {
    leaves: Vec<LeafClient>,
}

#[core_actor]
impl Tree {
    #[init]
    fn new() -> Self {
        Self { leaves: Vec::new() }
    }

    #[handler]
    fn add(&mut self, leaf: LeafClient) -> usize {
        self.leaves.push(leaf);
        self.leaves.len()
    }

    #[handler]
    fn find(&self, at: usize) -> Option<LeafClient> {
        self.leaves.get(at).cloned()
    }

    #[handler]
    fn ask(&self, cx: &mut Ctx<Self>, at: usize, reply: Reply<Result<u8, String>>) {
        let Some(leaf) = self.leaves.get(at) else { return reply.send(Err("none".to_owned())) };
        cx.ask(leaf.get(), |_, _, value| reply.send(value.map_err(|error| error.to_string())));
    }
}

pub fn main() {
    let system = System::builder().cores(2).start().unwrap();
    let tree = system.spawn::<Tree>(()).wait().unwrap();
    for value in 0..3 {
        let leaf = system.spawn::<Leaf>(value).wait().unwrap();
        tree.add(leaf).wait().unwrap();
    }
    assert_eq!(tree.find(2).wait().unwrap().unwrap().get().wait().unwrap(), 2);
    assert_eq!(tree.ask(1).wait().unwrap(), 1);
    assert!(matches!(tree.ask(9).wait(), Err(AskError::Handler(_))));
}
