//! Which partition a message goes to: Kafka's own choice, so that a topic filled here and one filled by another client
//! agree.

use crate::share::Share;

/// The partition for a key, as Kafka's default partitioner chooses it (`toPositive(murmur2(key)) % partitions`) among those of the
/// producer's share; without a key, messages are dealt in turn by their row's ordinal.
///
/// Kafka itself deals messages without a key by filling a batch at a time, which gives another partition on each run.
/// A share without partitions is taken for one with a single partition.
#[must_use]
pub fn partition(key: Option<&[u8]>, ordinal: u64, partitions: u32, share: Share) -> u32 {
    let partitions = share.size(partitions).max(1);
    share.nth(match key {
        Some(key) => (murmur2(key) & 0x7fff_ffff) % partitions,
        // The remainder is less than a u32.
        None => u32::try_from(ordinal % u64::from(partitions)).unwrap_or_default(),
    })
}

/// Murmur2 with 32 bits, as in Kafka's `org.apache.kafka.common.utils.Utils.murmur2`.
fn murmur2(data: &[u8]) -> u32 {
    const SEED: u32 = 0x9747_b28c;
    const M: u32 = 0x5bd1_e995;
    const R: u32 = 24;
    // A key of 4 GiB or more cannot be sent; the hash takes the length modulo 2^32 like Kafka's int.
    #[expect(clippy::cast_possible_truncation, reason = "the length is taken modulo 2^32 by definition")]
    let mut hash = SEED ^ data.len() as u32;
    let (words, tail) = data.as_chunks::<4>();
    for word in words {
        let mut mixed = u32::from_le_bytes(*word).wrapping_mul(M);
        mixed ^= mixed >> R;
        hash = hash.wrapping_mul(M) ^ mixed.wrapping_mul(M);
    }
    if !tail.is_empty() {
        let last = tail.iter().rev().fold(0, |bits, byte| bits << 8 | u32::from(*byte));
        hash = (hash ^ last).wrapping_mul(M);
    }
    hash ^= hash >> 13;
    hash = hash.wrapping_mul(M);
    hash ^ hash >> 15
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_producer_keeps_to_the_partitions_of_its_share(
            key in any::<Option<[u8; 2]>>(), ordinal in 0_u64..100, partitions in 1_u32..20, producers in 1_u32..20,
        ) {
            for share in Share::all(producers.min(partitions)) {
                let chosen = partition(key.as_ref().map(<[u8; 2]>::as_slice), ordinal, partitions, share);
                prop_assert!(chosen < partitions && share.owns(chosen));
            }
        }
    }

    /// The cases of Kafka's own `UtilsTest.testMurmur2`, and one for each length of the tail, made with Kafka's `Utils`.
    #[test]
    fn murmur2_gives_what_kafkas_tests_want() {
        let cases: [(&str, i32); 10] = [
            ("21", -973_932_308),
            ("foobar", -790_332_482),
            ("a-little-bit-long-string", -985_981_536),
            ("a-little-bit-longer-string", -1_486_304_829),
            ("lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58_897_971),
            ("abc", 479_470_107),
            ("1", -1_993_445_489),
            ("12", 126_087_238),
            ("123", -267_702_483),
            ("1234", -1_614_185_708),
        ];
        for (text, hash) in cases {
            assert_eq!(murmur2(text.as_bytes()).cast_signed(), hash, "{text:?}");
        }
    }

    #[test]
    fn a_key_always_goes_to_the_same_partition() {
        let partition = |key, ordinal, partitions| partition(Some(key), ordinal, partitions, Share::WHOLE);
        assert_eq!(partition(b"21", 0, 3), partition(b"21", 17, 3));
        assert_eq!(
            partition(b"foobar", 0, 1_000),
            (0x7fff_ffff & (-790_332_482_i32).cast_unsigned()) % 1_000
        );
    }

    #[test]
    fn rows_without_a_key_are_dealt_in_turn() {
        let dealt: Vec<u32> = (0..5).map(|ordinal| partition(None, ordinal, 3, Share::WHOLE)).collect();
        assert_eq!(dealt, [0, 1, 2, 0, 1]);
    }
}
