//! A field of an argument chooses the shard, so that batches of records and single keys meet in one actor.
#![deny(warnings)]

use std::collections::HashMap;

use tpc_actors::prelude::*;

pub struct Record {
    id: u64,
    text: String,
}

#[core_actor]
pub struct Store {
    shard: usize,
    texts: HashMap<u64, String>,
}

#[core_actor]
impl Store {
    #[init]
    fn new(cx: &mut Ctx<Self>) -> Self {
        Self { shard: cx.shard(), texts: HashMap::new() }
    }

    #[handler(batch = 16)]
    fn put(&mut self, #[key(id: u64)] records: Batch<Record, Reply<usize>>) {
        for (Record { id, text }, reply) in records {
            self.texts.insert(id, text);
            reply.send(self.shard);
        }
    }

    #[handler(tell, batch = 16)]
    fn touch(&mut self, #[key(0: u64)] touched: Batch<(u64, char)>) {
        for (id, mark) in touched {
            self.texts.entry(id).or_default().push(mark);
        }
    }

    #[handler(boxed)]
    fn swap(&mut self, #[key(id: u64)] record: Record) -> Option<String> {
        self.texts.insert(record.id, record.text)
    }

    #[handler]
    fn get(&self, #[key] id: u64) -> (usize, Option<String>) {
        (self.shard, self.texts.get(&id).cloned())
    }
}

/// Only a field is a key, and it is generic.
#[core_actor]
pub struct Journal<K> {
    ids: Vec<K>,
}

#[core_actor]
impl<K: std::hash::Hash + Send + Clone> Journal<K> {
    #[init]
    fn new() -> Self {
        Self { ids: Vec::new() }
    }

    #[handler(tell)]
    fn note(&mut self, #[key(r#type: K)] entry: Entry<K>) {
        self.ids.push(entry.r#type);
    }

    #[handler(all)]
    fn ids(&self) -> Vec<K> {
        self.ids.clone()
    }
}

pub struct Entry<K> {
    r#type: K,
}

pub fn main() -> Result<(), Box<dyn std::error::Error>> {
    let system = System::builder().cores(2).start()?;
    let store = system.spawn_sharded::<Store>(2, |_| ()).wait()?;
    let record = |id, text: &str| Record { id, text: text.to_owned() };
    for id in 0..10 {
        let shard = store.shard_of(&id);
        assert_eq!(store.put(record(id, "a")).wait()?, shard);
        store.touch((id, 'b')).wait()?;
        assert_eq!(store.get(id).wait()?, (shard, Some("ab".to_owned())));
        assert_eq!(store.swap(record(id, "c")).wait()?.as_deref(), Some("ab"));
    }

    let journal = system.spawn_sharded::<Journal<char>>(2, |_| ()).wait()?;
    for id in 'a'..='h' {
        journal.note(Entry { r#type: id }).wait()?;
    }
    let ids = journal.ids().wait()?;
    for (shard, ids) in ids.iter().enumerate() {
        assert!(ids.iter().all(|id| journal.shard_of(id) == shard));
    }
    assert_eq!(ids.concat().len(), 8);
    Ok(())
}
