//! Which shard owns a key: a fixed hash, spread by multiplication.

use std::hash::{Hash, Hasher};

use crate::random::mix;

/// The shard of `key` among `shards`. No division, and no seed: the answer never changes.
pub(crate) fn shard_of<K: Hash + ?Sized>(key: &K, shards: usize) -> usize {
    let mut hasher = ShardHasher(0xCBF2_9CE4_8422_2325);
    key.hash(&mut hasher);
    let spread = u128::from(hasher.finish()) * shards as u128;
    usize::try_from(spread >> 64).unwrap_or(0)
}

/// FNV-1a (Fowler, Noll, Vo) over words of eight little-endian bytes, finished with `SplitMix64`'s mixer,
/// because the multiplication above looks at the high bits only.
///
/// Numbers hash by value and not by the machine's byte order or word size.
struct ShardHasher(u64);

impl ShardHasher {
    fn word(&mut self, word: u64) {
        self.0 = (self.0 ^ word).wrapping_mul(0x0000_0100_0000_01B3).rotate_left(29);
    }
}

impl Hasher for ShardHasher {
    fn finish(&self) -> u64 {
        mix(self.0)
    }

    fn write(&mut self, bytes: &[u8]) {
        let mut chunks = bytes.chunks_exact(8);
        for chunk in &mut chunks {
            let mut word = [0; 8];
            word.copy_from_slice(chunk);
            self.word(u64::from_le_bytes(word));
        }
        let rest = chunks.remainder();
        if !rest.is_empty() {
            let mut word = [0; 8];
            word[..rest.len()].copy_from_slice(rest);
            // The length tells a short tail from one that ends in zeros.
            self.word(u64::from_le_bytes(word) ^ (rest.len() as u64) << 56);
        }
    }

    fn write_u8(&mut self, number: u8) {
        self.word(number.into());
    }
    fn write_u16(&mut self, number: u16) {
        self.word(number.into());
    }
    fn write_u32(&mut self, number: u32) {
        self.word(number.into());
    }
    fn write_u64(&mut self, number: u64) {
        self.word(number);
    }
    fn write_u128(&mut self, number: u128) {
        self.write(&number.to_le_bytes());
    }
    fn write_usize(&mut self, number: usize) {
        self.word(number as u64);
    }
    fn write_i8(&mut self, number: i8) {
        self.word(i64::from(number).cast_unsigned());
    }
    fn write_i16(&mut self, number: i16) {
        self.word(i64::from(number).cast_unsigned());
    }
    fn write_i32(&mut self, number: i32) {
        self.word(i64::from(number).cast_unsigned());
    }
    fn write_i64(&mut self, number: i64) {
        self.word(number.cast_unsigned());
    }
    fn write_i128(&mut self, number: i128) {
        self.write(&number.to_le_bytes());
    }
    fn write_isize(&mut self, number: isize) {
        self.word((number as i64).cast_unsigned());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_shard_owns_everything_and_no_shard_is_out_of_range() {
        for n in 0..1000u64 {
            assert_eq!(shard_of(&n, 1), 0);
            for shards in [2, 3, 7, 64] {
                assert!(shard_of(&n, shards) < shards);
            }
        }
    }

    #[test]
    fn the_shard_of_a_key_is_fixed_for_good() {
        // Data on disk may depend on these; a change here is a breaking change.
        assert_eq!(shard_of("user:7", 1024), shard_of(&"user:7".to_owned(), 1024));
        let fixed: Vec<_> = ["", "a", "user:7", "user:8", "a longer key than one word"]
            .map(|k| shard_of(k, 1024))
            .into();
        assert_eq!(fixed, FIXED);
        let numbers: Vec<_> = [0u64, 1, 2, u64::MAX].map(|k| shard_of(&k, 1024)).into();
        assert_eq!(numbers, FIXED_NUMBERS);
    }

    const FIXED: [usize; 5] = [510, 488, 827, 544, 90];
    const FIXED_NUMBERS: [usize; 4] = [287, 847, 390, 486];

    #[test]
    fn keys_spread_evenly() {
        for shards in [2, 3, 16] {
            let mut hits = vec![0u32; shards];
            for n in 0..30_000 {
                hits[shard_of(&format!("key:{n}"), shards)] += 1;
            }
            let even = 30_000 / u32::try_from(shards).unwrap();
            assert!(hits.iter().all(|&hit| hit.abs_diff(even) < even / 8), "{hits:?}");
        }
    }
}
