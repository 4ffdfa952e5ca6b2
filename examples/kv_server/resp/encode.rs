//! Replies, and the bytes they become in either version of the protocol.

use crate::number::push_i64;
use bytes::Bytes;
use std::fmt;
use std::mem;

/// A value of this size or more is sent from where it lies instead of being copied behind the others.
const COPY_MAX_BYTES: usize = 16 << 10;
/// An emptied buffer that had to grow beyond this is given back.
const KEEP_MAX_BYTES: usize = 256 << 10;

/// The version that a connection speaks; `HELLO` switches it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Protocol {
    #[default]
    Resp2,
    Resp3,
}

/// An answer, not yet bound to a version of the protocol.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Reply {
    Status(&'static str),
    /// The whole text with its code in front, such as `ERR syntax error`.
    Error(String),
    Integer(i64),
    Bulk(Bytes),
    Null,
    Array(Vec<Reply>),
    Map(Vec<(Reply, Reply)>),
}

impl Reply {
    pub(crate) const OK: Self = Self::Status("OK");

    pub(crate) fn error(error: impl fmt::Display) -> Self {
        Self::Error(error.to_string())
    }

    pub(crate) fn text(text: impl Into<Bytes>) -> Self {
        Self::Bulk(text.into())
    }

    pub(crate) fn bulk_or_null(value: Option<Bytes>) -> Self {
        value.map_or(Self::Null, Self::Bulk)
    }

    /// Counts fit an `i64` on every machine that exists.
    pub(crate) fn count(count: usize) -> Self {
        Self::Integer(i64::try_from(count).unwrap_or(i64::MAX))
    }

    pub(crate) fn flag(yes: bool) -> Self {
        Self::Integer(i64::from(yes))
    }
}

/// Encoded replies that wait to be written: whole segments first, then the open tail.
#[derive(Debug, Default)]
pub(crate) struct Output {
    protocol: Protocol,
    segments: Vec<Bytes>,
    tail: Vec<u8>,
    copied: usize,
}

impl Output {
    /// Replies pushed from now on use `protocol`.
    pub(crate) fn speak(&mut self, protocol: Protocol) {
        self.protocol = protocol;
    }

    /// The bytes held here alone; large values are shared with the store and do not count.
    pub(crate) fn copied_bytes(&self) -> usize {
        self.copied + self.tail.len()
    }

    /// Everything encoded so far, in order; the output is empty afterwards.
    pub(crate) fn take(&mut self) -> Vec<Bytes> {
        self.close_tail();
        self.copied = 0;
        mem::take(&mut self.segments)
    }

    /// The tail, if it is all there is: the common case, written without giving the buffer away.
    pub(crate) fn only_tail(&self) -> Option<&[u8]> {
        self.segments.is_empty().then_some(&self.tail)
    }

    /// Forgets what [`Output::only_tail`] lent out.
    pub(crate) fn clear(&mut self) {
        self.tail.clear();
        self.copied = 0;
        if self.tail.capacity() > KEEP_MAX_BYTES {
            self.tail = Vec::new();
        }
    }

    pub(crate) fn push(&mut self, reply: Reply) {
        match reply {
            Reply::Status(text) => self.line(b'+', text.as_bytes()),
            Reply::Error(text) => self.error(&text),
            Reply::Integer(number) => self.header(b':', number),
            Reply::Bulk(value) => self.bulk(value),
            Reply::Null => self.tail.extend_from_slice(match self.protocol {
                Protocol::Resp2 => b"$-1\r\n",
                Protocol::Resp3 => b"_\r\n",
            }),
            Reply::Array(items) => {
                self.array_header(items.len());
                for item in items {
                    self.push(item);
                }
            }
            Reply::Map(pairs) => {
                self.map_header(pairs.len());
                for (key, value) in pairs {
                    self.push(key);
                    self.push(value);
                }
            }
        }
    }

    /// Announces an array whose items are pushed one by one.
    pub(crate) fn array_header(&mut self, len: usize) {
        self.length(b'*', len);
    }

    fn map_header(&mut self, pairs: usize) {
        match self.protocol {
            Protocol::Resp2 => self.length(b'*', pairs * 2),
            Protocol::Resp3 => self.length(b'%', pairs),
        }
    }

    fn bulk(&mut self, value: Bytes) {
        self.length(b'$', value.len());
        if value.len() < COPY_MAX_BYTES {
            self.tail.extend_from_slice(&value);
        } else {
            self.close_tail();
            self.segments.push(value);
        }
        self.tail.extend_from_slice(b"\r\n");
    }

    /// Errors quote what clients sent; a line break in there would forge a second reply.
    fn error(&mut self, text: &str) {
        self.tail.push(b'-');
        self.tail.extend(text.bytes().map(|byte| match byte {
            b'\r' | b'\n' => b' ',
            other => other,
        }));
        self.tail.extend_from_slice(b"\r\n");
    }

    fn line(&mut self, kind: u8, text: &[u8]) {
        self.tail.push(kind);
        self.tail.extend_from_slice(text);
        self.tail.extend_from_slice(b"\r\n");
    }

    fn length(&mut self, kind: u8, len: usize) {
        self.header(kind, i64::try_from(len).unwrap_or(i64::MAX));
    }

    fn header(&mut self, kind: u8, number: i64) {
        self.tail.push(kind);
        push_i64(&mut self.tail, number);
        self.tail.extend_from_slice(b"\r\n");
    }

    fn close_tail(&mut self) {
        if !self.tail.is_empty() {
            self.copied += self.tail.len();
            self.segments.push(Bytes::from(mem::take(&mut self.tail)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encoded(protocol: Protocol, reply: Reply) -> String {
        let mut output = Output::default();
        output.speak(protocol);
        output.push(reply);
        String::from_utf8(output.take().concat()).expect("the replies here are text")
    }

    #[test]
    fn both_versions_share_most_forms() {
        for protocol in [Protocol::Resp2, Protocol::Resp3] {
            assert_eq!(encoded(protocol, Reply::OK), "+OK\r\n");
            assert_eq!(encoded(protocol, Reply::Integer(-3)), ":-3\r\n");
            assert_eq!(encoded(protocol, Reply::text("hey")), "$3\r\nhey\r\n");
            assert_eq!(encoded(protocol, Reply::text("")), "$0\r\n\r\n");
            assert_eq!(encoded(protocol, Reply::Array(vec![])), "*0\r\n");
        }
    }

    #[test]
    fn nulls_and_maps_differ() {
        let map = Reply::Map(vec![(Reply::text("a"), Reply::Null)]);
        assert_eq!(encoded(Protocol::Resp2, map.clone()), "*2\r\n$1\r\na\r\n$-1\r\n");
        assert_eq!(encoded(Protocol::Resp3, map), "%1\r\n$1\r\na\r\n_\r\n");
    }

    #[test]
    fn an_error_stays_on_one_line() {
        let reply = Reply::error("ERR unknown command 'a\r\n+OK'");
        assert_eq!(encoded(Protocol::Resp2, reply), "-ERR unknown command 'a  +OK'\r\n");
    }

    #[test]
    fn large_values_are_shared_and_keep_their_place() {
        let value = Bytes::from(vec![b'x'; COPY_MAX_BYTES]);
        let mut output = Output::default();
        output.push(Reply::Integer(1));
        output.push(Reply::Bulk(value.clone()));
        output.push(Reply::Integer(2));
        assert!(output.only_tail().is_none() && output.copied_bytes() < 64);
        let segments = output.take();
        assert_eq!(segments[1].as_ptr(), value.as_ptr());
        let expected = [b":1\r\n$16384\r\n", &value[..], b"\r\n:2\r\n"].concat();
        assert_eq!(segments.concat(), expected);
        assert_eq!((output.only_tail(), output.copied_bytes()), (Some(&b""[..]), 0));
    }
}
