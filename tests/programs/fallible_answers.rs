//! Results in the places where they are answers, and in those where they are data.
#![deny(warnings)]

use std::convert::Infallible;
use std::io;

use tpc_actors::prelude::*;

/// As many crates have it.
mod app {
    #[derive(Debug, PartialEq)]
    pub struct Error(pub u8);
    pub type Result<T, E = Error> = core::result::Result<T, E>;
}

/// Like `anyhow::Result`.
mod boxed {
    pub type Result<T = ()> = core::result::Result<T, Box<dyn std::error::Error + Send + Sync>>;
}

#[core_actor]
struct Answers;

#[core_actor]
impl Answers {
    #[init]
    fn new() -> io::Result<Self> {
        Ok(Self)
    }

    #[handler]
    fn app(&self, fail: bool) -> app::Result<u8> {
        if fail { Err(app::Error(1)) } else { Ok(2) }
    }

    #[handler]
    fn boxed(&self, text: String) -> boxed::Result<u32> {
        Ok(text.parse()?)
    }

    #[handler]
    fn unit(&self) -> boxed::Result {
        Ok(())
    }

    #[handler]
    fn never(&self) -> Result<u8, Infallible> {
        Ok(3)
    }

    #[handler]
    fn data(&self) -> Option<Result<u8, u8>> {
        Some(Err(4))
    }

    #[handler]
    fn later(&self, reply: Reply<io::Result<u8>>) {
        reply.send(Err(io::ErrorKind::NotFound.into()));
    }
}

pub fn main() -> Result<(), Box<dyn std::error::Error>> {
    let system = System::builder().cores(1).start()?;
    let answers = system.spawn::<Answers>(()).wait()?;
    assert_eq!(answers.app(false).wait().unwrap(), 2);
    assert!(matches!(answers.app(true).wait(), Err(AskError::Handler(app::Error(1)))));
    assert!(matches!(answers.boxed("x".to_owned()).wait(), Err(AskError::Handler(_))));
    answers.unit().wait().unwrap();
    assert_eq!(answers.never().wait()?, 3);
    assert_eq!(answers.data().wait()?, Some(Err(4)));
    let late = answers.later().wait();
    assert!(
        matches!(late, Err(AskError::Handler(error)) if error.kind() == io::ErrorKind::NotFound)
    );
    Ok(())
}
