//! An incremental decoder of requests: bytes in, argument lists out.
//!
//! Everything it learned from earlier bytes is kept, so a value that arrives in a thousand pieces is
//! looked at once. Small arguments are slices of the read buffer; an argument of [`BIG_BYTES`] or
//! more is read into an allocation of its own, which grows by doubling as its bytes arrive and ends
//! at exactly its length. What a client merely announces is never allocated.

use super::inline::split_words;
use crate::number::parse_i64;
use bytes::buf::Limit;
use bytes::{Buf, BufMut, Bytes, BytesMut};
use std::fmt;
use std::mem;

#[cfg(test)]
mod tests;

/// The largest single argument, and the largest sum of the arguments of one command.
pub(crate) const COMMAND_MAX_BYTES: usize = 512 << 20;
/// Arguments from this size on own their memory; the store relies on it when it decides to copy.
pub(crate) const BIG_BYTES: usize = 32 << 10;
const LINE_MAX_BYTES: usize = 64 << 10;
const ARGS_MAX: i64 = 1 << 20;
const READ_BYTES: usize = 16 << 10;
const READ_MIN_BYTES: usize = 2 << 10;
/// An argument list that had to grow beyond this is given back after its command.
const KEEP_ARGS: usize = 1024;

/// Why a connection cannot be understood any further.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ProtocolError {
    MultibulkLength,
    MultibulkLine,
    ExpectedBulk { got: u8 },
    BulkLength,
    BulkLine,
    BulkEnd,
    CommandSize,
    InlineSize,
    UnbalancedQuotes,
}

impl fmt::Display for ProtocolError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Protocol error: ")?;
        match self {
            Self::MultibulkLength => f.write_str("invalid multibulk length"),
            Self::MultibulkLine => f.write_str("too big mbulk count string"),
            Self::ExpectedBulk { got } if got.is_ascii_graphic() => {
                write!(f, "expected '$', got '{}'", char::from(*got))
            }
            Self::ExpectedBulk { got } => write!(f, "expected '$', got '{}'", got.escape_ascii()),
            Self::BulkLength => f.write_str("invalid bulk length"),
            Self::BulkLine => f.write_str("too big bulk count string"),
            Self::BulkEnd => f.write_str("expected CRLF after bulk"),
            Self::CommandSize => f.write_str("too big command"),
            Self::InlineSize => f.write_str("too big inline request"),
            Self::UnbalancedQuotes => f.write_str("unbalanced quotes in request"),
        }
    }
}

impl std::error::Error for ProtocolError {}

/// What the next byte belongs to.
#[derive(Debug)]
enum State {
    /// The first byte of a command.
    Start,
    /// The header of an argument.
    Header,
    /// An argument that will be a slice of the buffer.
    Small { len: usize },
    /// An argument with memory of its own.
    Big { len: usize, filled: Vec<u8> },
    /// The whole command; its arguments are with the caller.
    Done,
}

impl State {
    /// The value that the next bytes belong to, and the length that it will have.
    fn unfilled(&mut self) -> Option<(usize, &mut Vec<u8>)> {
        match self {
            Self::Big { len, filled } if filled.len() < *len => Some((*len, filled)),
            _ => None,
        }
    }
}

#[derive(Debug)]
pub(crate) struct Decoder {
    buffer: BytesMut,
    /// The first bytes of the buffer that are known to hold no line end.
    searched: usize,
    state: State,
    args: Vec<Bytes>,
    /// The arguments of the current command that are still to come.
    missing: usize,
    /// The bytes that the arguments of the current command announced so far.
    size: usize,
}

impl Default for Decoder {
    fn default() -> Self {
        Self {
            buffer: BytesMut::new(),
            searched: 0,
            state: State::Start,
            args: Vec::new(),
            missing: 0,
            size: 0,
        }
    }
}

impl Decoder {
    /// Room for the next bytes from the wire; whoever fills it calls [`Decoder::decode`] next.
    pub(crate) fn room(&mut self) -> Limit<&mut (dyn BufMut + Send)> {
        if let Some((len, filled)) = self.state.unfilled() {
            let missing = len - filled.len();
            if filled.len() == filled.capacity() {
                filled.reserve_exact(missing.min(filled.len().max(READ_BYTES)));
            }
            let room = missing.min(filled.capacity() - filled.len());
            return (filled as &mut (dyn BufMut + Send)).limit(room);
        }
        if self.buffer.capacity() - self.buffer.len() < READ_MIN_BYTES {
            self.buffer.reserve(READ_BYTES);
        }
        let room = self.buffer.capacity() - self.buffer.len();
        (&mut self.buffer as &mut (dyn BufMut + Send)).limit(room)
    }

    /// The arguments of the next whole command, for the caller to take; `None` asks for more bytes.
    /// After an error the stream has no meaning any more.
    pub(crate) fn decode(&mut self) -> Result<Option<&mut Vec<Bytes>>, ProtocolError> {
        loop {
            let progressed = match &mut self.state {
                State::Start => self.start()?,
                State::Header => self.header()?,
                State::Small { len } => {
                    let len = *len;
                    self.small(len)?
                }
                State::Big { len, filled } => {
                    // What the buffer holds beyond the value belongs to the next argument.
                    let ready = filled.len() == *len && self.buffer.len() >= 2;
                    if ready {
                        let value = Bytes::from(mem::take(filled));
                        self.finish(value)?;
                    }
                    ready
                }
                State::Done => {
                    self.reset();
                    true
                }
            };
            if matches!(self.state, State::Done) {
                return Ok(Some(&mut self.args));
            }
            if !progressed {
                return Ok(None);
            }
        }
    }

    fn start(&mut self) -> Result<bool, ProtocolError> {
        match self.buffer.first() {
            None => Ok(false),
            Some(b'*') => {
                let Some(end) = self.line_end(ProtocolError::MultibulkLine)? else {
                    return Ok(false);
                };
                let count = self.number(end, ProtocolError::MultibulkLength)?;
                if count > ARGS_MAX {
                    return Err(ProtocolError::MultibulkLength);
                }
                // An empty or null array is no command and gets no answer.
                if let Ok(count @ 1..) = usize::try_from(count) {
                    self.missing = count;
                    self.state = State::Header;
                }
                Ok(true)
            }
            Some(_) => self.inline(),
        }
    }

    fn inline(&mut self) -> Result<bool, ProtocolError> {
        let Some(end) = self.find(b'\n', ProtocolError::InlineSize)? else { return Ok(false) };
        let line = self.buffer.split_to(end + 1);
        self.searched = 0;
        self.args = split_words(&line).ok_or(ProtocolError::UnbalancedQuotes)?;
        if !self.args.is_empty() {
            self.state = State::Done;
        }
        Ok(true)
    }

    fn header(&mut self) -> Result<bool, ProtocolError> {
        match self.buffer.first() {
            None => return Ok(false),
            Some(b'$') => {}
            // Nested arrays end here too: there is nothing to descend into.
            Some(&got) => return Err(ProtocolError::ExpectedBulk { got }),
        }
        let Some(end) = self.line_end(ProtocolError::BulkLine)? else { return Ok(false) };
        let len = self.number(end, ProtocolError::BulkLength)?;
        let len = usize::try_from(len).map_err(|_| ProtocolError::BulkLength)?;
        if len > COMMAND_MAX_BYTES {
            return Err(ProtocolError::BulkLength);
        }
        self.size += len;
        if self.size > COMMAND_MAX_BYTES {
            return Err(ProtocolError::CommandSize);
        }
        self.state = if len < BIG_BYTES {
            State::Small { len }
        } else {
            let here = self.buffer.len().min(len);
            let filled = self.buffer[..here].to_vec();
            self.buffer.advance(here);
            State::Big { len, filled }
        };
        Ok(true)
    }

    fn small(&mut self, len: usize) -> Result<bool, ProtocolError> {
        if self.buffer.len() < len + 2 {
            return Ok(false);
        }
        let value = self.buffer.split_to(len).freeze();
        self.finish(value)?;
        Ok(true)
    }

    /// Takes the line end behind an argument; the buffer is known to hold two bytes.
    fn finish(&mut self, value: Bytes) -> Result<(), ProtocolError> {
        if &self.buffer[..2] != b"\r\n" {
            return Err(ProtocolError::BulkEnd);
        }
        self.buffer.advance(2);
        self.args.push(value);
        self.missing -= 1;
        self.state = if self.missing == 0 { State::Done } else { State::Header };
        Ok(())
    }

    fn reset(&mut self) {
        self.args.clear();
        self.args.shrink_to(KEEP_ARGS);
        self.size = 0;
        self.state = State::Start;
    }

    /// The position of the `\r` that ends the header line at the front of the buffer.
    fn line_end(&mut self, too_long: ProtocolError) -> Result<Option<usize>, ProtocolError> {
        let end = self.find(b'\r', too_long)?;
        // The line feed may still be on its way.
        Ok(end.filter(|end| end + 1 < self.buffer.len()))
    }

    fn find(&mut self, byte: u8, too_long: ProtocolError) -> Result<Option<usize>, ProtocolError> {
        let found = self.buffer[self.searched..].iter().position(|&here| here == byte);
        // A line that was found but is not whole yet is looked for again, and found at once.
        self.searched = found.map_or(self.buffer.len(), |offset| self.searched + offset);
        if self.searched > LINE_MAX_BYTES {
            return Err(too_long);
        }
        Ok(found.map(|_| self.searched))
    }

    /// Consumes the header line that ends at `end` and reads the number behind its first byte.
    fn number(&mut self, end: usize, invalid: ProtocolError) -> Result<i64, ProtocolError> {
        let number = parse_i64(&self.buffer[1..end]).filter(|_| self.buffer[end + 1] == b'\n');
        self.buffer.advance(end + 2);
        self.searched = 0;
        number.ok_or(invalid)
    }
}
