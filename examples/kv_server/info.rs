//! The text of `INFO`.

use crate::store::Figures;
use bytes::Bytes;
use std::fmt::Write as _;
use std::time::Duration;

/// What the system knows about the actor of one shard.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct ShardStatus {
    pub(crate) shard: usize,
    pub(crate) core: usize,
    pub(crate) queue_depth: usize,
    pub(crate) restarts: u64,
    pub(crate) panics: u64,
}

/// Everything that the sections tell.
#[derive(Clone, Debug)]
pub(crate) struct Facts {
    pub(crate) port: u16,
    pub(crate) uptime: Duration,
    pub(crate) connected: usize,
    pub(crate) accepted: u64,
    pub(crate) statuses: Vec<ShardStatus>,
    /// In shard order, or why the shards did not tell.
    pub(crate) figures: Result<Vec<Figures>, String>,
}

type Section = (&'static str, fn(&Facts, &mut String));

const SECTIONS: [Section; 5] = [
    ("Server", server),
    ("Clients", clients),
    ("Stats", stats),
    ("Shards", shards),
    ("Keyspace", keyspace),
];

/// The sections in `wanted`, or all of them if it names none.
pub(crate) fn render(facts: &Facts, wanted: &[Bytes]) -> String {
    let all = wanted.is_empty() || ["all", "everything", "default"].iter().any(|&n| has(wanted, n));
    let mut text = String::new();
    for (name, write) in SECTIONS {
        if all || has(wanted, name) {
            let gap = if text.is_empty() { "" } else { "\r\n" };
            let _ = write!(text, "{gap}# {name}\r\n");
            write(facts, &mut text);
        }
    }
    text
}

fn has(wanted: &[Bytes], name: &str) -> bool {
    wanted.iter().any(|section| section.eq_ignore_ascii_case(name.as_bytes()))
}

/// Clients choose what they use by `redis_version`; this is the one whose commands are followed.
pub(crate) const REDIS_VERSION: &str = "7.2.0";

fn server(facts: &Facts, text: &mut String) {
    line(text, "redis_version", REDIS_VERSION);
    line(text, "redis_mode", "standalone");
    line(text, "server_name", "kv_server");
    line(text, "process_id", std::process::id());
    line(text, "tcp_port", facts.port);
    line(text, "uptime_in_seconds", facts.uptime.as_secs());
}

fn clients(facts: &Facts, text: &mut String) {
    line(text, "connected_clients", facts.connected);
}

fn stats(facts: &Facts, text: &mut String) {
    line(text, "total_connections_received", facts.accepted);
    let Ok(figures) = &facts.figures else { return };
    line(text, "keyspace_hits", figures.iter().map(|shard| shard.hits).sum::<u64>());
    line(text, "keyspace_misses", figures.iter().map(|shard| shard.misses).sum::<u64>());
    line(text, "expired_keys", figures.iter().map(|shard| shard.expired).sum::<u64>());
}

/// A shard that does not answer still has a core, a queue and a history, so those are told anyway.
fn shards(facts: &Facts, text: &mut String) {
    if let Err(reason) = &facts.figures {
        line(text, "shards_unavailable", reason);
    }
    let figures = facts.figures.as_deref().unwrap_or_default();
    for status in &facts.statuses {
        let _ = write!(text, "shard{}:core={}", status.shard, status.core);
        if let Some(shard) = figures.get(status.shard) {
            let Figures { keys, expiring, hits, misses, expired } = shard;
            let _ = write!(text, ",keys={keys},expires={expiring},hits={hits},misses={misses}");
            let _ = write!(text, ",expired={expired}");
        }
        let ShardStatus { queue_depth, restarts, panics, .. } = status;
        let _ = write!(text, ",queue_depth={queue_depth},restarts={restarts},panics={panics}\r\n");
    }
}

fn keyspace(facts: &Facts, text: &mut String) {
    let Ok(figures) = &facts.figures else { return };
    let keys: usize = figures.iter().map(|shard| shard.keys).sum();
    let expires: usize = figures.iter().map(|shard| shard.expiring).sum();
    // Redis leaves an empty database out.
    if keys > 0 {
        line(text, "db0", format_args!("keys={keys},expires={expires},avg_ttl=0"));
    }
}

fn line(text: &mut String, name: &str, value: impl std::fmt::Display) {
    let _ = write!(text, "{name}:{value}\r\n");
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts() -> Facts {
        let figures = Figures { keys: 3, expiring: 1, hits: 7, misses: 2, expired: 4 };
        Facts {
            port: 6399,
            uptime: Duration::from_secs(5),
            connected: 1,
            accepted: 9,
            statuses: vec![ShardStatus {
                core: 2,
                queue_depth: 6,
                restarts: 1,
                ..Default::default()
            }],
            figures: Ok(vec![figures]),
        }
    }

    #[test]
    fn every_shard_has_its_line() {
        let text = render(&facts(), &[]);
        let shard = "shard0:core=2,keys=3,expires=1,hits=7,misses=2,expired=4,\
            queue_depth=6,restarts=1,panics=0\r\n";
        assert!(text.contains(shard), "{text}");
        assert!(text.contains("\r\n\r\n# Keyspace\r\ndb0:keys=3,expires=1,avg_ttl=0\r\n"));
        assert_eq!(render(&facts(), &[Bytes::from_static(b"ALL")]), text);
    }

    #[test]
    fn sections_can_be_chosen() {
        let text = render(&facts(), &[Bytes::from_static(b"clients")]);
        assert_eq!(text, "# Clients\r\nconnected_clients:1\r\n");
        assert_eq!(render(&facts(), &[Bytes::from_static(b"nothing")]), "");
    }

    #[test]
    fn silent_shards_are_still_listed() {
        let facts = Facts { figures: Err("degraded".into()), ..facts() };
        let text = render(&facts, &[Bytes::from_static(b"shards")]);
        let expected = "# Shards\r\nshards_unavailable:degraded\r\n\
            shard0:core=2,queue_depth=6,restarts=1,panics=0\r\n";
        assert_eq!(text, expected);
    }
}
