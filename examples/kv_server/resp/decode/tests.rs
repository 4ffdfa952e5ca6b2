//! The decoder against every way of cutting its input, and against every limit.

use super::*;

/// Copies as much as the decoder makes room for, as a socket would.
fn feed(decoder: &mut Decoder, bytes: &mut &[u8]) {
    let mut room = decoder.room();
    let count = room.remaining_mut().min(bytes.len());
    room.put_slice(&bytes[..count]);
    bytes.advance(count);
}

fn collect(decoder: &mut Decoder, into: &mut Vec<Vec<Bytes>>) -> Result<(), ProtocolError> {
    while let Some(args) = decoder.decode()? {
        into.push(args.clone());
    }
    Ok(())
}

fn decode_pieces(pieces: &[&[u8]]) -> Result<Vec<Vec<Bytes>>, ProtocolError> {
    let mut decoder = Decoder::default();
    let mut commands = Vec::new();
    for piece in pieces {
        let mut rest = *piece;
        while !rest.is_empty() {
            feed(&mut decoder, &mut rest);
            collect(&mut decoder, &mut commands)?;
        }
    }
    Ok(commands)
}

fn refusal(input: &[u8]) -> String {
    let whole = decode_pieces(&[input]).expect_err("a refusal").to_string();
    let single: Vec<&[u8]> = input.chunks(1).collect();
    assert_eq!(decode_pieces(&single).expect_err("a refusal").to_string(), whole);
    whole
}

#[test]
fn every_cut_gives_the_same_commands() {
    let input = b"*2\r\n$3\r\nGET\r\n$1\r\na\r\nPING\r\n*0\r\n\r\n*-1\r\n\
        *3\r\n$3\r\nSET\r\n$0\r\n\r\n$6\r\n\r\n\x00*1$\r\nset \"a b\" 'c'\n";
    let whole = decode_pieces(&[input]).expect("valid");
    assert_eq!(whole.len(), 4);
    assert_eq!(whole[0], ["GET", "a"]);
    assert_eq!(whole[1], ["PING"]);
    assert_eq!(whole[2], [&b"SET"[..], b"", b"\r\n\x00*1$"]);
    assert_eq!(whole[3], ["set", "a b", "c"]);
    for cut in 0..input.len() {
        let (left, right) = input.split_at(cut);
        assert_eq!(decode_pieces(&[left, right]).expect("valid"), whole, "cut at {cut}");
    }
    let single: Vec<&[u8]> = input.chunks(1).collect();
    assert_eq!(decode_pieces(&single).expect("valid"), whole);
}

#[test]
fn big_values_survive_every_cut_near_their_edges() {
    let value: Vec<u8> = (0..251).cycle().take(BIG_BYTES + 3).collect();
    let mut input = format!("*3\r\n$3\r\nSET\r\n$1\r\nk\r\n${}\r\n", value.len()).into_bytes();
    let start = input.len();
    input.extend_from_slice(&value);
    let end = input.len();
    input.extend_from_slice(b"\r\n*1\r\n$4\r\nPING\r\n");
    for cut in (0..start + 4).chain(end - 4..input.len()) {
        let (left, right) = input.split_at(cut);
        let commands = decode_pieces(&[left, right]).expect("valid");
        assert_eq!(commands.len(), 2, "cut at {cut}");
        assert_eq!(commands[0][2], value);
    }
}

#[test]
fn a_slow_large_value_takes_linear_time_and_exactly_its_memory() {
    let len = 16 << 20;
    let mut decoder = Decoder::default();
    let mut commands = Vec::new();
    let header = format!("*2\r\n$4\r\nECHO\r\n${len}\r\n");
    feed(&mut decoder, &mut header.as_bytes());
    let piece = [7u8; 100];
    let mut sent = 0;
    while sent < len {
        let mut rest = &piece[..piece.len().min(len - sent)];
        sent += rest.len();
        while !rest.is_empty() {
            feed(&mut decoder, &mut rest);
            collect(&mut decoder, &mut commands).expect("valid");
        }
        if let State::Big { filled, .. } = &decoder.state {
            assert!(filled.capacity() <= (2 * sent + READ_BYTES).min(len));
        }
    }
    feed(&mut decoder, &mut &b"\r\n"[..]);
    collect(&mut decoder, &mut commands).expect("valid");
    assert_eq!(commands[0][1].len(), len);
    assert!(commands[0][1].iter().all(|&byte| byte == 7));
}

#[test]
fn announced_sizes_are_not_allocated() {
    let mut decoder = Decoder::default();
    let mut rest: &[u8] = b"*1000000\r\n$536870912\r\nabc";
    feed(&mut decoder, &mut rest);
    assert_eq!(decoder.decode(), Ok(None));
    assert!(decoder.args.capacity() < 64);
    let State::Big { filled, .. } = &decoder.state else { panic!("a big value has begun") };
    assert!(filled.capacity() < 64);
    let _ = decoder.room();
    let State::Big { filled, .. } = &decoder.state else { panic!("a big value has begun") };
    assert!(filled.capacity() <= READ_BYTES + 64);
}

#[test]
fn what_is_not_the_protocol_is_refused_in_redis_words() {
    for (input, text) in [
        (&b"*abc\r\n"[..], "invalid multibulk length"),
        (b"*1048577\r\n", "invalid multibulk length"),
        (b"*99999999999999999999\r\n", "invalid multibulk length"),
        (b"*1\rx", "invalid multibulk length"),
        (b"*1\r\n:1\r\n", "expected '$', got ':'"),
        (b"*2\r\n$3\r\nGET\r\nx", "expected '$', got 'x'"),
        (b"*1\r\n*1\r\n*1\r\n", "expected '$', got '*'"),
        (b"*1\r\n\x00", r"expected '$', got '\x00'"),
        (b"*1\r\n$-1\r\n", "invalid bulk length"),
        (b"*1\r\n$x\r\n", "invalid bulk length"),
        (b"*1\r\n$536870913\r\n", "invalid bulk length"),
        (b"*1\r\n$3\r\nabcde", "expected CRLF after bulk"),
        (b"GET \"a\r\n", "unbalanced quotes in request"),
    ] {
        assert_eq!(refusal(input), format!("Protocol error: {text}"), "{}", input.escape_ascii());
    }
}

#[test]
fn endless_lines_are_refused() {
    let long = vec![b'1'; LINE_MAX_BYTES + 1];
    assert_eq!(refusal(&long), "Protocol error: too big inline request");
    let count = [b"*", &long[..]].concat();
    assert_eq!(refusal(&count), "Protocol error: too big mbulk count string");
    let bulk = [b"*1\r\n$", &long[..]].concat();
    assert_eq!(refusal(&bulk), "Protocol error: too big bulk count string");
}

#[test]
fn the_arguments_of_one_command_are_limited_together() {
    let size = COMMAND_MAX_BYTES - 10;
    let mut decoder = Decoder { size, missing: 2, state: State::Header, ..Decoder::default() };
    feed(&mut decoder, &mut &b"$10\r\n0123456789\r\n$1\r\n"[..]);
    assert_eq!(decoder.decode(), Err(ProtocolError::CommandSize));
}

#[test]
fn a_fresh_command_starts_a_fresh_account() {
    let mut decoder = Decoder::default();
    for _ in 0..3 {
        feed(&mut decoder, &mut &b"*1\r\n$4\r\nPING\r\n"[..]);
        assert!(matches!(decoder.decode(), Ok(Some(args)) if args == &["PING"]));
        assert_eq!(decoder.decode(), Ok(None));
        assert_eq!((decoder.size, decoder.args.len()), (0, 0));
    }
}
