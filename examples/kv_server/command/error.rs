//! What can be wrong with a command before anybody executes it.

use bytes::Bytes;
use std::fmt::{self, Write as _};

/// As much of a name, or of the arguments behind it, as an error repeats.
const QUOTE_MAX_BYTES: usize = 128;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum CommandError {
    Unknown { name: String, args: String },
    Arity { name: String },
    UnknownSubcommand { name: String, of: &'static str },
    Syntax,
    NotAnInteger,
    DecrementOverflow,
    InvalidExpire { of: &'static str },
    UnsupportedOption { option: String },
    DbIndex,
    InvalidCursor,
    HelloVersion,
    HelloProtocol,
    HelloOption { option: String },
    NoPassword,
    ClientName,
    ClientInfo { option: String },
}

impl CommandError {
    pub(crate) fn unknown(name: &[u8], args: &[Bytes]) -> Self {
        let mut quoted = String::new();
        for arg in args {
            let Some(room @ 1..) = QUOTE_MAX_BYTES.checked_sub(quoted.len()) else { break };
            let _ = write!(quoted, "'{}' ", lossy(&arg[..arg.len().min(room)]));
        }
        Self::Unknown { name: lossy(&name[..name.len().min(QUOTE_MAX_BYTES)]), args: quoted }
    }

    pub(crate) fn arity(name: &[u8]) -> Self {
        Self::Arity { name: lossy(name).to_ascii_lowercase() }
    }

    pub(crate) fn subcommand(name: &[u8], of: &'static str) -> Self {
        Self::UnknownSubcommand { name: lossy(&name[..name.len().min(QUOTE_MAX_BYTES)]), of }
    }
}

pub(super) fn lossy(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

impl fmt::Display for CommandError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = match self {
            Self::Unknown { name, args } => {
                return write!(f, "ERR unknown command '{name}', with args beginning with: {args}");
            }
            Self::Arity { name } => {
                return write!(f, "ERR wrong number of arguments for '{name}' command");
            }
            Self::UnknownSubcommand { name, of } => {
                return write!(f, "ERR unknown subcommand '{name}'. Try {of} HELP.");
            }
            Self::InvalidExpire { of } => {
                return write!(f, "ERR invalid expire time in '{of}' command");
            }
            Self::UnsupportedOption { option } => {
                return write!(f, "ERR Unsupported option {option}");
            }
            Self::HelloOption { option } => {
                return write!(f, "ERR Syntax error in HELLO option '{option}'");
            }
            Self::ClientInfo { option } => return write!(f, "ERR Unrecognized option '{option}'"),
            Self::Syntax => "ERR syntax error",
            Self::NotAnInteger => "ERR value is not an integer or out of range",
            Self::DecrementOverflow => "ERR decrement would overflow",
            Self::DbIndex => "ERR DB index is out of range",
            Self::InvalidCursor => "ERR invalid cursor",
            Self::HelloVersion => "ERR Protocol version is not an integer or out of range",
            Self::HelloProtocol => "NOPROTO unsupported protocol version",
            Self::NoPassword => {
                "ERR AUTH <password> called without any password configured for the default user. \
                 Are you sure your configuration is correct?"
            }
            Self::ClientName => {
                "ERR Client names cannot contain spaces, newlines or special characters."
            }
        };
        f.write_str(text)
    }
}

impl std::error::Error for CommandError {}
