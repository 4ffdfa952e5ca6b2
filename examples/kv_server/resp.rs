//! The Redis serialization protocol: requests come in through [`Decoder`], replies go out through
//! [`Output`].
//!
//! Nothing here touches a socket. The decoder lends out room for bytes and is asked for commands; the
//! output collects bytes that somebody else writes.

mod decode;
mod encode;
mod inline;

pub(crate) use decode::{BIG_BYTES, COMMAND_MAX_BYTES, Decoder};
pub(crate) use encode::{Output, Protocol, Reply};
