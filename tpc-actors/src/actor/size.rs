//! TPC006: the size of a request, looked at while compiling.

use super::Actor;

/// What the arguments of one handler take in a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Variant {
    name: &'static str,
    bytes: usize,
}

impl Variant {
    /// The variant `name` with fields of these sizes, in bytes.
    pub const fn new(name: &'static str, fields: &[usize]) -> Self {
        let (mut bytes, mut at) = (0, 0);
        while at < fields.len() {
            bytes += fields[at];
            at += 1;
        }
        Self { name, bytes }
    }

    /// The variant's name.
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// Bytes of its fields together, without padding.
    pub const fn bytes(&self) -> usize {
        self.bytes
    }
}

/// Does not compile unless the actor's requests keep to its `max_request_bytes`.
///
/// # Panics
///
/// While compiling, which is the message.
#[doc(hidden)]
#[track_caller]
pub const fn request_fits<A: Actor>() {
    let (found, limit) = (size_of::<A::Request>(), A::POLICY.request_limit());
    if found <= limit {
        return;
    }
    let widest = widest(A::VARIANTS);
    let text = Text::new()
        .text("TPC006: a request to `")
        .text(A::NAME)
        .text("` takes ")
        .number(found)
        .text(" bytes, more than `max_request_bytes = ")
        .number(limit)
        .text("`; the widest variant is `")
        .text(widest.name)
        .text("` with ")
        .number(widest.bytes)
        .text(" bytes: write `#[boxed]` on a large argument of it, or `#[handler(boxed)]`");
    panic!("{}", text.as_str());
}

const fn widest(variants: &[Variant]) -> Variant {
    let mut widest = Variant::new("none", &[]);
    let mut at = 0;
    while at < variants.len() {
        if variants[at].bytes >= widest.bytes {
            widest = variants[at];
        }
        at += 1;
    }
    widest
}

/// A text that grows while compiling, where there is no allocation and no formatting.
struct Text {
    bytes: [u8; Self::ROOM],
    len: usize,
}

impl Text {
    /// Enough for the sentence with two long names; what is beyond it is cut off.
    const ROOM: usize = 512;

    const fn new() -> Self {
        Self { bytes: [b' '; Self::ROOM], len: 0 }
    }

    const fn text(mut self, text: &str) -> Self {
        let text = text.as_bytes();
        // A name that would not fit is left out as a whole: half a letter is not a text.
        if self.len + text.len() > Self::ROOM {
            return self;
        }
        let mut at = 0;
        while at < text.len() {
            self.bytes[self.len] = text[at];
            self.len += 1;
            at += 1;
        }
        self
    }

    const fn number(self, number: usize) -> Self {
        let before = if number >= 10 { self.number(number / 10) } else { self };
        let digits = ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"];
        before.text(digits[number % 10])
    }

    const fn as_str(&self) -> &str {
        match str::from_utf8(self.bytes.split_at(self.len).0) {
            Ok(text) => text,
            Err(_) => "TPC006: a request is larger than `max_request_bytes`",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_and_numbers() {
        const TEXT: Text = Text::new().text("a ").number(0).text(" ö ").number(1_020_300);
        assert_eq!(TEXT.as_str(), "a 0 ö 1020300");
    }

    #[test]
    fn what_does_not_fit_is_left_out() {
        let long = "x".repeat(Text::ROOM - 1);
        assert_eq!(Text::new().text("a").text(&long).as_str().len(), Text::ROOM);
        assert_eq!(Text::new().text("ab").text(&long).as_str(), "ab");
    }

    #[test]
    fn the_last_of_the_widest_is_named() {
        let all = [Variant::new("A", &[1]), Variant::new("B", &[1, 2]), Variant::new("C", &[3])];
        assert_eq!(widest(&all).name(), "C");
        assert_eq!(widest(&all[..2]).bytes(), 3);
        assert_eq!(widest(&[]).bytes(), 0);
    }
}
