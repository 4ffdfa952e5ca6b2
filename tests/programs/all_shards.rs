//! `#[handler(all)]` with arguments, answering, deferred, fallible and telling.
#![deny(warnings)]

use tpc_actors::prelude::*;

#[core_actor]
struct Shard {
    index: usize,
    words: Vec<String>,
}

#[core_actor]
impl Shard {
    #[init]
    fn new(index: usize) -> Self {
        Self { index, words: Vec::new() }
    }

    #[handler]
    fn home(&self, #[key] _key: String) -> usize {
        self.index
    }

    #[handler(all)]
    fn find(&self, word: String, from: usize) -> Option<usize> {
        self.words.iter().skip(from).position(|known| *known == word)
    }

    #[handler(all)]
    fn later(&self, word: String, reply: Reply<(usize, String)>) {
        reply.send((self.index, word));
    }

    #[handler(all)]
    fn odd(&self, limit: usize) -> Result<usize, String> {
        if self.index < limit { Ok(self.index) } else { Err(format!("shard {}", self.index)) }
    }

    #[handler(all, tell)]
    fn learn(&mut self, word: String) {
        self.words.push(word);
    }
}

pub fn main() {
    let system = System::builder().cores(2).start().unwrap();
    let shards = system.spawn_sharded::<Shard>(3, |shard| shard).wait().unwrap();
    assert_eq!(shards.shards(), 3);
    let home = shards.shard_of(&"k".to_owned());
    assert_eq!(shards.home("k".to_owned()).wait().unwrap(), home);
    shards.learn("a".to_owned()).wait().unwrap();
    assert_eq!(shards.find("a".to_owned(), 0).wait().unwrap(), [Some(0); 3]);
    let later = shards.later("b".to_owned()).wait().unwrap();
    assert_eq!(later.into_iter().map(|(index, _)| index).collect::<Vec<_>>(), [0, 1, 2]);
    assert_eq!(shards.odd(3).wait().unwrap(), [0, 1, 2]);
    let refused = shards.odd(2).wait();
    assert!(matches!(refused, Err(AskError::Handler(shard)) if shard == "shard 2"));
}
