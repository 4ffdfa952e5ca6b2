//! Batches in every form: with and without the context, tells, boxed, keyed, generic, fallible.
use tpc_actors::prelude::*;

#[core_actor(capacity = 64)]
struct Log<T> {
    rows: Vec<T>,
}

#[core_actor]
impl<T: Send + Clone + std::hash::Hash> Log<T> {
    #[init]
    fn new() -> Self {
        Self { rows: Vec::new() }
    }

    #[handler(batch = 64)]
    fn append(&mut self, _cx: &mut Ctx<Self>, rows: Batch<T, Reply<Result<usize, String>>>) {
        for (row, reply) in rows {
            self.rows.push(row);
            reply.send(if self.rows.len() > 3 { Err("full".into()) } else { Ok(self.rows.len()) });
        }
    }

    #[handler(tell, batch = 8, boxed)]
    fn note(&mut self, mut rows: Batch<T>) {
        self.rows.extend(rows.drain());
        assert!(rows.is_empty());
    }

    #[handler(batch = 1)]
    fn len(&self, mut asks: Batch<(), Reply<usize>>) {
        assert_eq!(asks.len(), 1);
        for ((), reply) in asks.drain() {
            reply.send(self.rows.len());
        }
    }
}

#[core_actor]
struct Index(Vec<u64>);

#[core_actor]
impl Index {
    #[init]
    fn new() -> Self {
        Self(Vec::new())
    }

    #[handler(batch = 16)]
    fn insert(&mut self, #[key] keys: Batch<u64, Reply<()>>) {
        self.0.extend(keys.iter());
        keys.into_iter().for_each(|(_, reply)| reply.send(()));
    }

    #[handler(all)]
    fn all(&self) -> Vec<u64> {
        self.0.clone()
    }
}

pub fn main() -> Result<(), Box<dyn std::error::Error>> {
    let system = System::builder().cores(1).start()?;
    let log = system.spawn::<Log<String>>(()).wait()?;
    assert_eq!(log.append("a".into()).wait()?, 1);
    log.note("b".into()).wait()?;
    assert_eq!(log.len(()).wait()?, 2);
    assert_eq!(log.append("c".into()).wait()?, 3);
    let full = log.append("d".into()).wait();
    assert!(matches!(full, Err(AskError::Handler(text)) if text == "full"));

    let index = system.spawn_sharded::<Index>(2, |_| ()).wait()?;
    for key in 0..10 {
        index.insert(key).wait()?;
    }
    let mut keys = index.all().wait()?.concat();
    keys.sort_unstable();
    assert_eq!(keys, (0..10).collect::<Vec<_>>());
    Ok(())
}
