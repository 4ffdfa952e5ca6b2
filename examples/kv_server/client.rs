//! What a connection knows about its client, and the commands that need nothing else.

use crate::command::{ClientCommand, Hello, Session};
use crate::glob;
use crate::info::REDIS_VERSION;
use crate::resp::{Protocol, Reply};
use bytes::Bytes;
use std::net::SocketAddr;
use std::time::Instant;

pub(crate) struct Client {
    id: u64,
    address: Option<SocketAddr>,
    since: Instant,
    name: Bytes,
    protocol: Protocol,
}

impl Client {
    pub(crate) fn new(id: u64, address: Option<SocketAddr>) -> Self {
        let since = Instant::now();
        Self { id, address, since, name: Bytes::new(), protocol: Protocol::default() }
    }

    pub(crate) fn protocol(&self) -> Protocol {
        self.protocol
    }

    pub(crate) fn answer(&mut self, command: Session) -> Reply {
        match command {
            Session::Ping { message: None } => Reply::Status("PONG"),
            Session::Ping { message: Some(message) } | Session::Echo { message } => {
                Reply::Bulk(message)
            }
            Session::Select | Session::Quit => Reply::OK,
            Session::Hello(hello) => self.hello(hello),
            Session::Client(command) => self.client(command),
            Session::ConfigGet { patterns } => config(&patterns),
            Session::Commands => Reply::Array(Vec::new()),
        }
    }

    fn hello(&mut self, hello: Hello) -> Reply {
        self.protocol = hello.protocol.unwrap_or(self.protocol);
        if let Some(name) = hello.name {
            self.rename(&name);
        }
        let version = match self.protocol {
            Protocol::Resp2 => 2,
            Protocol::Resp3 => 3,
        };
        Reply::Map(vec![
            (Reply::text("server"), Reply::text("redis")),
            (Reply::text("version"), Reply::text(REDIS_VERSION)),
            (Reply::text("proto"), Reply::Integer(version)),
            (Reply::text("id"), self.id_reply()),
            (Reply::text("mode"), Reply::text("standalone")),
            (Reply::text("role"), Reply::text("master")),
            (Reply::text("modules"), Reply::Array(Vec::new())),
        ])
    }

    fn client(&mut self, command: ClientCommand) -> Reply {
        match command {
            ClientCommand::SetName { name } => {
                self.rename(&name);
                Reply::OK
            }
            ClientCommand::GetName if self.name.is_empty() => Reply::Null,
            ClientCommand::GetName => Reply::Bulk(self.name.clone()),
            ClientCommand::SetInfo => Reply::OK,
            ClientCommand::Id => self.id_reply(),
            ClientCommand::Info => Reply::text(self.describe()),
        }
    }

    /// Copied, because the argument is a slice of a buffer that the name would keep alive.
    fn rename(&mut self, name: &[u8]) {
        self.name = Bytes::copy_from_slice(name);
    }

    fn id_reply(&self) -> Reply {
        Reply::Integer(i64::try_from(self.id).unwrap_or(i64::MAX))
    }

    fn describe(&self) -> String {
        let address = self.address.map(|address| address.to_string()).unwrap_or_default();
        let name = String::from_utf8_lossy(&self.name);
        let age = self.since.elapsed().as_secs();
        let resp = if self.protocol == Protocol::Resp3 { 3 } else { 2 };
        format!("id={} addr={address} name={name} age={age} db=0 resp={resp}\n", self.id)
    }
}

/// What Redis can be asked for and is true here too; nothing can be configured while this runs.
const CONFIG: [(&str, &str); 3] = [("appendonly", "no"), ("maxmemory", "0"), ("save", "")];

fn config(patterns: &[Bytes]) -> Reply {
    let patterns: Vec<_> = patterns.iter().map(|pattern| pattern.to_ascii_lowercase()).collect();
    let asked = |name: &str| patterns.iter().any(|pattern| glob::matches(pattern, name.as_bytes()));
    let pairs = CONFIG.into_iter().filter(|(name, _)| asked(name));
    Reply::Map(pairs.map(|(name, value)| (Reply::text(name), Reply::text(value))).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hello_switches_the_version_and_tells_it() {
        let mut client = Client::new(7, None);
        let mut proto = |protocol| {
            let reply = client.answer(Session::Hello(Hello { protocol, name: None }));
            let Reply::Map(pairs) = reply else { panic!("a map") };
            assert_eq!(pairs[3], (Reply::text("id"), Reply::Integer(7)));
            pairs[2].1.clone()
        };
        assert_eq!(proto(None), Reply::Integer(2));
        assert_eq!(proto(Some(Protocol::Resp3)), Reply::Integer(3));
        assert_eq!(proto(None), Reply::Integer(3));
        assert_eq!(proto(Some(Protocol::Resp2)), Reply::Integer(2));
    }

    #[test]
    fn names_are_remembered() {
        let mut client = Client::new(1, None);
        assert_eq!(client.answer(Session::Client(ClientCommand::GetName)), Reply::Null);
        let name = Bytes::from_static(b"me");
        let set = Session::Client(ClientCommand::SetName { name: name.clone() });
        assert_eq!(client.answer(set), Reply::OK);
        assert_eq!(client.answer(Session::Client(ClientCommand::GetName)), Reply::Bulk(name));
    }

    #[test]
    fn settings_are_found_by_name_or_pattern() {
        let names = |patterns: &[&'static str]| {
            let patterns = patterns.iter().map(|&pattern| Bytes::from(pattern)).collect();
            let reply = Client::new(1, None).answer(Session::ConfigGet { patterns });
            let Reply::Map(pairs) = reply else { panic!("a map") };
            pairs.into_iter().map(|(name, _)| name).collect::<Vec<_>>()
        };
        assert_eq!(names(&["SAVE"]), [Reply::text("save")]);
        assert_eq!(names(&["save", "s*"]), [Reply::text("save")]);
        assert_eq!(names(&["*"]).len(), CONFIG.len());
        assert_eq!(names(&["unknown"]), []);
    }
}
