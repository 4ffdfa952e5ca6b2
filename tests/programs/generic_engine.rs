//! A storage engine over its storage, as a database would have it.
#![deny(warnings)]

use std::collections::BTreeMap;
use std::fmt::Debug;

use tpc_actors::prelude::*;

pub trait Storage: Sized + 'static {
    type Key: Ord + Clone + Send + std::hash::Hash + 'static;
    type Error: Debug + Send + 'static;
    const NAME: &'static str;

    fn open(path: &str) -> Result<Self, Self::Error>;
    fn read(&self, key: &Self::Key) -> Result<Option<Vec<u8>>, Self::Error>;
    fn write(&mut self, key: Self::Key, value: Vec<u8>) -> Result<(), Self::Error>;
}

pub struct Memory(BTreeMap<u64, Vec<u8>>);

#[derive(Debug, PartialEq)]
pub struct TooLong;

impl Storage for Memory {
    type Key = u64;
    type Error = TooLong;
    const NAME: &'static str = "memory";

    fn open(_path: &str) -> Result<Self, TooLong> {
        Ok(Self(BTreeMap::new()))
    }

    fn read(&self, key: &u64) -> Result<Option<Vec<u8>>, TooLong> {
        Ok(self.0.get(key).cloned())
    }

    fn write(&mut self, key: u64, value: Vec<u8>) -> Result<(), TooLong> {
        if value.len() > 4 { Err(TooLong) } else { Ok(drop(self.0.insert(key, value))) }
    }
}

#[core_actor]
pub struct Engine<S: Storage> {
    storage: S,
}

#[core_actor]
impl<S: Storage> Engine<S> {
    #[init]
    fn open(path: String) -> Result<Self, String> {
        S::open(&path).map(|storage| Self { storage }).map_err(|error| format!("{error:?}"))
    }

    #[handler]
    fn read(&self, #[key] key: S::Key) -> Result<Option<Vec<u8>>, <S as Storage>::Error> {
        self.storage.read(&key)
    }

    #[handler]
    fn write(&mut self, #[key] key: S::Key, value: Vec<u8>) -> Result<(), S::Error> {
        self.storage.write(key, value)
    }

    #[handler(all)]
    fn kind(&self) -> &'static str {
        S::NAME
    }
}

pub fn main() {
    let system = System::builder().cores(2).start().unwrap();
    let engine: EngineClient<Memory> =
        system.spawn_sharded::<Engine<Memory>>(2, |shard| shard.to_string()).wait().unwrap();
    engine.write(1, vec![1]).wait().unwrap();
    assert_eq!(engine.read(1).wait().unwrap(), Some(vec![1]));
    assert!(matches!(engine.write(1, vec![1; 5]).wait(), Err(AskError::Handler(TooLong))));
    assert_eq!(engine.kind().wait().unwrap(), ["memory"; 2]);
}
