//! A `Result` by any name is a fallible answer, as long as the name ends in `Result`.
#![deny(warnings)]

use std::io;

use tpc_actors::prelude::*;

#[derive(Debug, PartialEq)]
pub struct Error;

pub type Result<T> = core::result::Result<T, Error>;

type Outcome = core::result::Result<u8, Error>;

#[core_actor]
pub struct Files;

#[core_actor]
impl Files {
    #[init]
    fn new() -> Result<Self> {
        Ok(Self)
    }

    #[handler]
    fn missing(&self) -> io::Result<u8> {
        Err(io::ErrorKind::NotFound.into())
    }

    #[handler]
    fn own(&self, fail: bool) -> Result<u8> {
        if fail { Err(Error) } else { Ok(1) }
    }

    #[handler]
    fn spelled_out(&self) -> std::result::Result<u8, String> {
        Ok(2)
    }

    #[handler]
    fn later(&self, reply: Reply<Result<u8>>) {
        reply.send(Err(Error));
    }

    /// Not to be told from any other type by its name.
    #[handler]
    fn by_another_name(&self) -> Outcome {
        Err(Error)
    }
}

impl std::fmt::Display for Error {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("an error")
    }
}

impl std::error::Error for Error {}

pub fn main() {
    let system = System::builder().start().unwrap();
    let files = system.spawn::<Files>(()).wait().unwrap();
    let missing: core::result::Result<u8, AskError<io::Error>> = files.missing().wait();
    assert!(matches!(missing, Err(AskError::Handler(e)) if e.kind() == io::ErrorKind::NotFound));
    assert_eq!(files.own(false).wait().unwrap(), 1);
    assert!(matches!(files.own(true).wait(), Err(AskError::Handler(Error))));
    assert_eq!(files.spelled_out().wait().unwrap(), 2);
    assert!(matches!(files.later().wait(), Err(AskError::Handler(Error))));
    assert_eq!(files.by_another_name().wait().unwrap(), Err(Error));
}
