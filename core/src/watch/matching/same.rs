//! Comparing bytes.

/// Whether these are the same bytes, eight at a time.
///
/// The keys that are looked up are those of events, which were written a moment ago. A processor hands out what it has not
/// stored yet only to loads that are not wider than the store was; the wider ones of `memcmp` wait until
/// all stores before it are done, which took a quarter of a put's time.
#[inline]
pub(super) fn is_same(one: &[u8], other: &[u8]) -> bool {
    let (words, rest) = one.as_chunks::<8>();
    let (other_words, other_rest) = other.as_chunks::<8>();
    let is_word_same =
        |(a, b): (&[u8; 8], &[u8; 8])| u64::from_le_bytes(*a) == u64::from_le_bytes(*b);
    one.len() == other.len()
        && words.iter().zip(other_words).all(is_word_same)
        && rest.iter().zip(other_rest).all(|(a, b)| a == b)
}

#[cfg(test)]
mod tests {
    use super::is_same;

    #[test]
    fn bytes_are_the_same_if_none_differs_and_none_is_missing() {
        let bytes: [u8; 40] = core::array::from_fn(|at| at as u8);
        for length in 0..bytes.len() {
            let one = &bytes[..length];
            assert!(is_same(one, &bytes.map(|byte| byte)[..length]));
            assert!(!is_same(one, &bytes[..=length]));
            assert!(!is_same(&bytes[..=length], one));
            for at in 0..length {
                let mut other = bytes;
                other[at] ^= 0x80;
                assert!(!is_same(one, &other[..length]), "{at} of {length}");
            }
        }
    }
}
