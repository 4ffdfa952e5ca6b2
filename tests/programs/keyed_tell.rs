//! Tells find their shard by key; keys of any owned type, anywhere among the arguments.
#![deny(warnings)]

use tpc_actors::prelude::*;

#[derive(Clone, Hash)]
pub struct Key(pub u32);

#[core_actor(capacity = 8)]
pub struct Tally {
    shard: usize,
    seen: Vec<u32>,
}

#[core_actor]
impl Tally {
    #[init]
    fn new(cx: &mut Ctx<Self>) -> Self {
        Self { shard: cx.shard(), seen: Vec::new() }
    }

    #[handler(tell)]
    fn note(&mut self, times: usize, #[key] key: Key) {
        self.seen.extend(std::iter::repeat_n(key.0, times));
    }

    #[handler]
    fn seen(&self, #[key] _: Key) -> (usize, Vec<u32>) {
        (self.shard, self.seen.clone())
    }
}

pub fn main() {
    let system = System::builder().cores(2).start().unwrap();
    let tally = system.spawn_sharded::<Tally>(2, |_| ()).wait().unwrap();
    let key = Key(7);
    tally.note(2, key.clone()).wait().unwrap();
    let (shard, seen) = tally.seen(key.clone()).wait().unwrap();
    assert_eq!((shard, seen), (tally.shard_of(&key), vec![7, 7]));
}
