//! Redis' glob patterns: `*`, `?`, `[a-z]`, `[^x]` and `\` for the next byte as it is.
//!
//! Only the last star is ever retried. Every other part of a pattern consumes exactly one byte, so
//! what an earlier star could take differently, the last one can too: the worst case is the product
//! of the two lengths, never exponential.

/// Whether the whole of `text` matches `pattern`.
pub(crate) fn matches(pattern: &[u8], text: &[u8]) -> bool {
    let (mut at, mut read) = (0, 0);
    let mut retry: Option<(usize, usize)> = None;
    while read < text.len() {
        if pattern.get(at) == Some(&b'*') {
            at += 1;
            retry = Some((at, read));
            continue;
        }
        if let Some(next) = step(pattern, at, text[read]) {
            at = next;
            read += 1;
            continue;
        }
        let Some((after_star, taken)) = retry else { return false };
        retry = Some((after_star, taken + 1));
        at = after_star;
        read = taken + 1;
    }
    pattern[at..].iter().all(|&byte| byte == b'*')
}

/// The position after the part at `at` if that part accepts `byte`.
fn step(pattern: &[u8], at: usize, byte: u8) -> Option<usize> {
    match *pattern.get(at)? {
        b'?' => Some(at + 1),
        b'[' => class(pattern, at + 1, byte),
        b'\\' if at + 1 < pattern.len() => (pattern[at + 1] == byte).then_some(at + 2),
        literal => (literal == byte).then_some(at + 1),
    }
}

/// Reads the class that starts at `at`; like Redis, one that is never closed ends with the pattern.
fn class(pattern: &[u8], mut at: usize, byte: u8) -> Option<usize> {
    let negated = pattern.get(at) == Some(&b'^');
    at += usize::from(negated);
    let mut found = false;
    loop {
        match pattern[at..] {
            [] => break,
            [b']', ..] => {
                at += 1;
                break;
            }
            [b'\\', escaped, ..] => {
                found |= escaped == byte;
                at += 2;
            }
            [from, b'-', to, ..] => {
                found |= (from.min(to)..=from.max(to)).contains(&byte);
                at += 3;
            }
            [literal, ..] => {
                found |= literal == byte;
                at += 1;
            }
        }
    }
    (found != negated).then_some(at)
}

#[cfg(test)]
mod tests {
    use super::matches;
    use std::time::{Duration, Instant};

    fn check(pattern: &str, text: &str) -> bool {
        matches(pattern.as_bytes(), text.as_bytes())
    }

    #[test]
    fn the_examples_of_the_manual() {
        assert!(check("h?llo", "hello") && check("h?llo", "hxllo") && !check("h?llo", "hllo"));
        assert!(check("h*llo", "hllo") && check("h*llo", "heeeello"));
        assert!(check("h[ae]llo", "hallo") && !check("h[ae]llo", "hillo"));
        assert!(check("h[^e]llo", "hallo") && !check("h[^e]llo", "hello"));
        assert!(check("h[a-b]llo", "hbllo") && !check("h[a-b]llo", "hcllo"));
    }

    #[test]
    fn stars_match_nothing_and_everything() {
        assert!(check("*", "") && check("**", "abc") && check("", "") && !check("", "a"));
        assert!(check("a*b*c", "a-b-b-c") && !check("a*b*c", "a-b-b"));
        assert!(check("*ab", "aab") && check("*user:*:x", "user:user:7:x"));
    }

    #[test]
    fn escapes_and_odd_classes() {
        assert!(check(r"a\*b", "a*b") && !check(r"a\*b", "axb"));
        assert!(check(r"end\", r"end\"));
        assert!(check(r"[\]]", "]") && check("[z-a]", "m"));
        assert!(check("[abc", "b") && !check("[abc", "d") && !check("[", "["));
        assert!(!check("[]", "x") && check("[^]", "x"));
    }

    #[test]
    fn bytes_need_not_be_text() {
        assert!(matches(b"\xff?\x00*", b"\xff\xfe\x00"));
    }

    #[test]
    fn many_stars_do_not_explode() {
        let pattern = "a*".repeat(40) + "b";
        let text = "a".repeat(2_000);
        let started = Instant::now();
        assert!(!check(&pattern, &text));
        assert!(started.elapsed() < Duration::from_secs(1));
    }
}
