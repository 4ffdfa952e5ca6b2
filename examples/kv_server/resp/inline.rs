//! Inline commands: a line of words, as typed into `telnet`, with shell-like quotes.

use bytes::Bytes;

/// The words of a line, or `None` if a quote is not closed or is followed by more than a blank.
pub(crate) fn split_words(line: &[u8]) -> Option<Vec<Bytes>> {
    let mut words = Vec::new();
    let mut rest = line.trim_ascii_start();
    while !rest.is_empty() {
        let (word, after) = read_word(rest)?;
        words.push(Bytes::from(word));
        rest = after.trim_ascii_start();
    }
    Some(words)
}

fn read_word(mut rest: &[u8]) -> Option<(Vec<u8>, &[u8])> {
    let mut word = Vec::new();
    loop {
        match *rest {
            [] => return Some((word, rest)),
            [blank, ..] if blank.is_ascii_whitespace() => return Some((word, rest)),
            [quote @ (b'"' | b'\''), ..] => {
                rest = read_quoted(&rest[1..], quote, &mut word)?;
                // Redis takes `"a"b` for a typing mistake, not for the word `ab`.
                if rest.first().is_some_and(|byte| !byte.is_ascii_whitespace()) {
                    return None;
                }
            }
            [byte, ..] => {
                word.push(byte);
                rest = &rest[1..];
            }
        }
    }
}

/// Reads up to the closing `quote`; only double quotes know escapes beyond the quote itself.
fn read_quoted<'a>(mut rest: &'a [u8], quote: u8, word: &mut Vec<u8>) -> Option<&'a [u8]> {
    loop {
        let (byte, used) = match *rest {
            [] => return None,
            [byte, ..] if byte == quote => return Some(&rest[1..]),
            [b'\\', b'\'', ..] if quote == b'\'' => (b'\'', 2),
            [b'\\', b'x', high, low, ..] if quote == b'"' && is_hex(high) && is_hex(low) => {
                (hex(high) << 4 | hex(low), 4)
            }
            [b'\\', escaped, ..] if quote == b'"' => (unescape(escaped), 2),
            [byte, ..] => (byte, 1),
        };
        word.push(byte);
        rest = &rest[used..];
    }
}

fn is_hex(byte: u8) -> bool {
    byte.is_ascii_hexdigit()
}

fn hex(digit: u8) -> u8 {
    match digit {
        b'0'..=b'9' => digit - b'0',
        _ => (digit | 0x20) - b'a' + 10,
    }
}

fn unescape(escaped: u8) -> u8 {
    match escaped {
        b'n' => b'\n',
        b'r' => b'\r',
        b't' => b'\t',
        b'b' => 0x08,
        b'a' => 0x07,
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::split_words;

    fn words(line: &str) -> Option<Vec<Vec<u8>>> {
        Some(split_words(line.as_bytes())?.iter().map(|word| word.to_vec()).collect())
    }

    #[test]
    fn words_are_separated_by_blanks() {
        assert_eq!(words("  SET  a\tb "), Some(vec![b"SET".into(), b"a".into(), b"b".into()]));
        assert_eq!(words("   "), Some(vec![]));
    }

    #[test]
    fn quotes_keep_blanks_and_know_escapes() {
        assert_eq!(words(r#""a b" 'c d'"#), Some(vec![b"a b".into(), b"c d".into()]));
        assert_eq!(words(r#""\x41\n\"\q""#), Some(vec![b"A\n\"q".into()]));
        assert_eq!(words(r"'it\'s' '\n'"), Some(vec![b"it's".into(), br"\n".into()]));
        assert_eq!(words(r#"pre"fix""#), Some(vec![b"prefix".into()]));
        assert_eq!(words(r#""" ''"#), Some(vec![vec![], vec![]]));
        assert_eq!(words(r#""\x4""#), Some(vec![b"x4".into()]));
    }

    #[test]
    fn unbalanced_quotes_are_refused() {
        for line in [r#"GET "a"#, "GET 'a", r#""a"b"#, r#"GET "a\""#, r"'a\'"] {
            assert_eq!(words(line), None, "{line}");
        }
    }
}
