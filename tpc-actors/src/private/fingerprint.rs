//! A hash of texts that is known while compiling and never changes.

/// FNV-1a (Fowler, Noll, Vo), 64 bits, over texts that are each followed by a zero.
#[derive(Debug, Clone, Copy)]
pub struct Fingerprint(u64);

impl Fingerprint {
    /// Of nothing.
    #[must_use]
    #[expect(clippy::new_without_default, reason = "it is used in constants only")]
    pub const fn new() -> Self {
        Self(0xCBF2_9CE4_8422_2325)
    }

    /// With one more text.
    #[must_use]
    pub const fn with(self, text: &str) -> Self {
        let bytes = text.as_bytes();
        let (mut hash, mut at) = (self.0, 0);
        while at < bytes.len() {
            hash = Self::step(hash, bytes[at]);
            at += 1;
        }
        Self(Self::step(hash, 0))
    }

    const fn step(hash: u64, byte: u8) -> u64 {
        (hash ^ byte as u64).wrapping_mul(0x0000_0100_0000_01B3)
    }

    /// The number.
    pub const fn value(self) -> u64 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_values_and_boundaries() {
        // "foobar" has a published hash; the zero after it is one more step.
        let foobar = Fingerprint::step(0x8594_4171_F739_67E8, 0);
        assert_eq!(Fingerprint::new().with("foobar").value(), foobar);
        let split = Fingerprint::new().with("foo").with("bar").value();
        assert_ne!(split, foobar);
    }
}
