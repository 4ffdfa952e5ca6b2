//! What commands mean, and what is said about those that mean nothing.

use super::*;
use crate::resp::Protocol;
use crate::store::{Lifetime, Only};
use std::time::Duration;

fn parse(line: &str) -> Result<Command, CommandError> {
    let mut args = line.split(' ').map(|word| Bytes::copy_from_slice(word.as_bytes())).collect();
    Command::parse(&mut args)
}

fn refusal(line: &str) -> String {
    parse(line).expect_err(line).to_string()
}

fn key() -> Bytes {
    Bytes::from_static(b"k")
}

#[test]
fn names_are_read_in_any_case() {
    let get = Ok(Command::Keyed(Keyed::Get { key: key() }));
    assert_eq!(parse("get k"), get);
    assert_eq!(parse("GeT k"), get);
}

#[test]
fn the_options_of_set() {
    let value = Bytes::from_static(b"v");
    let set = |only, lifetime| {
        Ok(Command::Keyed(Keyed::Set { key: key(), value: value.clone(), only, lifetime }))
    };
    assert_eq!(parse("SET k v"), set(Only::Always, Lifetime::Forever));
    let second = Lifetime::For(Duration::from_secs(1));
    assert_eq!(parse("SET k v ex 1 nx"), set(Only::IfMissing, second));
    assert_eq!(parse("SET k v XX PX 1000"), set(Only::IfPresent, second));
    assert_eq!(parse("SET k v KEEPTTL"), set(Only::Always, Lifetime::Keep));
    assert!(matches!(parse("SET k v GET NX"), Ok(Command::Keyed(Keyed::Swap { .. }))));
    for line in [
        "SET k v NX XX",
        "SET k v EX",
        "SET k v EX 1 PX 1",
        "SET k v EX 1 KEEPTTL",
        "SET k v what",
        "SET k v EX x what",
    ] {
        assert_eq!(refusal(line), "ERR syntax error", "{line}");
    }
    assert_eq!(refusal("SET k v EX x"), "ERR value is not an integer or out of range");
    for number in ["0", "-1", "9223372036854775807"] {
        let text = "ERR invalid expire time in 'set' command";
        assert_eq!(refusal(&format!("SET k v EX {number}")), text);
        assert_eq!(refusal(&format!("SET k v PX {number}")), text);
    }
}

#[test]
fn lifetimes_of_expire() {
    let after = |line| match parse(line) {
        Ok(Command::Keyed(Keyed::Expire { after, .. })) => after,
        other => panic!("{line}: {other:?}"),
    };
    assert_eq!(after("EXPIRE k 2"), Duration::from_secs(2));
    assert_eq!(after("PEXPIRE k 2"), Duration::from_millis(2));
    assert_eq!(after("EXPIRE k -5"), Duration::ZERO);
    for (line, name) in [
        ("EXPIRE k 9223372036854775807", "expire"),
        ("EXPIRE k -9223372036854775808", "expire"),
        ("PEXPIRE k 9223372036854775807", "pexpire"),
    ] {
        assert_eq!(refusal(line), format!("ERR invalid expire time in '{name}' command"));
    }
    assert_eq!(refusal("EXPIRE k soon"), "ERR value is not an integer or out of range");
    assert_eq!(refusal("EXPIRE k 1 ZZ"), "ERR Unsupported option ZZ");
}

#[test]
fn counters() {
    let by = |by| Ok(Command::Keyed(Keyed::IncrBy { key: key(), by }));
    assert_eq!((parse("INCR k"), parse("DECR k")), (by(1), by(-1)));
    assert_eq!((parse("INCRBY k -4"), parse("DECRBY k 4")), (by(-4), by(-4)));
    assert_eq!(refusal("INCRBY k 1.5"), "ERR value is not an integer or out of range");
    assert_eq!(refusal("DECRBY k -9223372036854775808"), "ERR decrement would overflow");
}

#[test]
fn one_key_needs_no_fan_out() {
    assert_eq!(parse("DEL k"), Ok(Command::Keyed(Keyed::Del { key: key() })));
    let keys = vec![key(), key()];
    assert_eq!(parse("DEL k k"), Ok(Command::Spread(Spread::Del { keys })));
}

#[test]
fn scans() {
    let scan = |line| match parse(line) {
        Ok(Command::Spread(Spread::Scan(scan))) => scan,
        other => panic!("{line}: {other:?}"),
    };
    assert_eq!(scan("SCAN 0").count, SCAN_DEFAULT);
    let full = scan("SCAN 18446744073709551615 match k* count 7 type hash");
    assert_eq!((full.cursor, full.count, full.other_type), (u64::MAX, 7, true));
    assert!(!scan("SCAN 0 TYPE STRING").other_type);
    assert_eq!(refusal("SCAN x"), "ERR invalid cursor");
    assert_eq!(refusal("SCAN 0 COUNT 0"), "ERR syntax error");
    assert_eq!(refusal("SCAN 0 COUNT x"), "ERR value is not an integer or out of range");
    assert_eq!(refusal("SCAN 0 MATCH"), "ERR syntax error");
}

const SCAN_DEFAULT: usize = 10;

#[test]
fn hello_and_its_options() {
    let hello = |line| match parse(line) {
        Ok(Command::Session(Session::Hello(hello))) => hello,
        other => panic!("{line}: {other:?}"),
    };
    assert_eq!(hello("HELLO"), Hello::default());
    assert_eq!(hello("HELLO 3").protocol, Some(Protocol::Resp3));
    assert_eq!(hello("HELLO 2 SETNAME me").name, Some(Bytes::from_static(b"me")));
    assert_eq!(refusal("HELLO 4"), "NOPROTO unsupported protocol version");
    let version = "ERR Protocol version is not an integer or out of range";
    assert_eq!(refusal("HELLO x"), version);
    assert!(refusal("HELLO 3 AUTH me pw").starts_with("ERR AUTH <password> called without any"));
    assert_eq!(refusal("HELLO 3 AUTH me"), "ERR Syntax error in HELLO option 'AUTH'");
    assert_eq!(refusal("HELLO 3 what"), "ERR Syntax error in HELLO option 'what'");
}

#[test]
fn commands_of_the_connection() {
    assert_eq!(refusal("SELECT 1"), "ERR DB index is out of range");
    assert_eq!(refusal("SELECT x"), "ERR value is not an integer or out of range");
    assert_eq!(refusal("CLIENT KILL x"), "ERR unknown subcommand 'KILL'. Try CLIENT HELP.");
    assert_eq!(refusal("CONFIG SET a b"), "ERR unknown subcommand 'SET'. Try CONFIG HELP.");
    let arity = "ERR wrong number of arguments for 'client|setname' command";
    assert_eq!(refusal("CLIENT SETNAME"), arity);
    let name = "ERR Client names cannot contain spaces, newlines or special characters.";
    assert_eq!(refusal("CLIENT SETNAME a\nb"), name);
    assert_eq!(refusal("CLIENT SETINFO x y"), "ERR Unrecognized option 'x'");
}

#[test]
fn arity_is_checked_before_anything_else() {
    for (line, name) in [
        ("GET", "get"),
        ("Get a b", "get"),
        ("SET a", "set"),
        ("MSET a 1 b", "mset"),
        ("DBSIZE x", "dbsize"),
        ("INCRBY a", "incrby"),
        ("PING a b", "ping"),
        ("CLIENT", "client"),
        ("CONFIG GET", "config|get"),
    ] {
        assert_eq!(
            refusal(line),
            format!("ERR wrong number of arguments for '{name}' command"),
            "{line}"
        );
    }
}

#[test]
fn unknown_commands_are_repeated_within_limits() {
    let text = "ERR unknown command 'foo', with args beginning with: 'a' 'b' ";
    assert_eq!(refusal("foo a b"), text);
    assert_eq!(refusal("foo"), "ERR unknown command 'foo', with args beginning with: ");
    let long = refusal(&format!("{} {}", "n".repeat(500), "a ".repeat(500)));
    assert!(long.len() < 400, "{long}");
}
