//! Commands that a connection answers by itself.

#![allow(clippy::unnecessary_wraps, reason = "all parsers share one signature")]

use super::{Args, Command, CommandError, error::lossy, is, take};
use crate::number::parse_i64;
use crate::resp::Protocol;
use bytes::Bytes;

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Session {
    Ping {
        message: Option<Bytes>,
    },
    Echo {
        message: Bytes,
    },
    /// Only the database that exists can be selected, so there is nothing left to do.
    Select,
    Hello(Hello),
    Client(ClientCommand),
    ConfigGet {
        patterns: Vec<Bytes>,
    },
    Commands,
    Quit,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Hello {
    pub(crate) protocol: Option<Protocol>,
    pub(crate) name: Option<Bytes>,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum ClientCommand {
    SetName { name: Bytes },
    GetName,
    SetInfo,
    Id,
    Info,
}

type Parsed = Result<Command, CommandError>;

pub(super) fn ping(args: &mut Args<'_>) -> Parsed {
    Ok(Command::Session(Session::Ping { message: args.next() }))
}

pub(super) fn echo(args: &mut Args<'_>) -> Parsed {
    Ok(Command::Session(Session::Echo { message: take(args)? }))
}

pub(super) fn select(args: &mut Args<'_>) -> Parsed {
    match parse_i64(&take(args)?) {
        Some(0) => Ok(Command::Session(Session::Select)),
        Some(_) => Err(CommandError::DbIndex),
        None => Err(CommandError::NotAnInteger),
    }
}

pub(super) fn hello(args: &mut Args<'_>) -> Parsed {
    let mut hello = Hello::default();
    if let Some(version) = args.next() {
        hello.protocol = Some(match parse_i64(&version).ok_or(CommandError::HelloVersion)? {
            2 => Protocol::Resp2,
            3 => Protocol::Resp3,
            _ => return Err(CommandError::HelloProtocol),
        });
    }
    while let Some(option) = args.next() {
        if is(&option, "AUTH") && args.len() >= 2 {
            return Err(CommandError::NoPassword);
        }
        match args.next().filter(|_| is(&option, "SETNAME")) {
            Some(name) => hello.name = Some(client_name(name)?),
            None => return Err(CommandError::HelloOption { option: lossy(&option) }),
        }
    }
    Ok(Command::Session(Session::Hello(hello)))
}

pub(super) fn client(args: &mut Args<'_>) -> Parsed {
    let name = take(args)?;
    let given = args.len();
    let exactly = |wanted: usize, name: &str| {
        if given == wanted {
            return Ok(());
        }
        Err(CommandError::Arity { name: format!("client|{name}") })
    };
    let command = if is(&name, "SETNAME") {
        exactly(1, "setname")?;
        ClientCommand::SetName { name: client_name(take(args)?)? }
    } else if is(&name, "GETNAME") {
        exactly(0, "getname")?;
        ClientCommand::GetName
    } else if is(&name, "SETINFO") {
        exactly(2, "setinfo")?;
        let option = take(args)?;
        if !is(&option, "LIB-NAME") && !is(&option, "LIB-VER") {
            return Err(CommandError::ClientInfo { option: lossy(&option) });
        }
        ClientCommand::SetInfo
    } else if is(&name, "ID") {
        exactly(0, "id")?;
        ClientCommand::Id
    } else if is(&name, "INFO") {
        exactly(0, "info")?;
        ClientCommand::Info
    } else {
        return Err(CommandError::subcommand(&name, "CLIENT"));
    };
    Ok(Command::Session(Session::Client(command)))
}

pub(super) fn config(args: &mut Args<'_>) -> Parsed {
    let name = take(args)?;
    if !is(&name, "GET") {
        return Err(CommandError::subcommand(&name, "CONFIG"));
    }
    if args.len() == 0 {
        return Err(CommandError::Arity { name: "config|get".into() });
    }
    Ok(Command::Session(Session::ConfigGet { patterns: args.collect() }))
}

/// Clients ask for the list to offer completion; none is offered.
pub(super) fn command(_: &mut Args<'_>) -> Parsed {
    Ok(Command::Session(Session::Commands))
}

pub(super) fn quit(_: &mut Args<'_>) -> Parsed {
    Ok(Command::Session(Session::Quit))
}

/// Names appear in lists that are read line by line and word by word.
fn client_name(name: Bytes) -> Result<Bytes, CommandError> {
    if name.iter().all(|byte| (b'!'..=b'~').contains(byte)) {
        return Ok(name);
    }
    Err(CommandError::ClientName)
}
