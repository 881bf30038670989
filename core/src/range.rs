//! Ranges of keys, as a type.

use alloc::vec::Vec;

/// A set of adjacent keys in bytewise order.
///
/// etcd says ranges with the pair `key`, `range_end` and its special values; here they are
/// converted once, at the boundary, by [`KeyRange::from_etcd`].
///
/// ```
/// use revwatch::KeyRange;
///
/// assert_eq!(KeyRange::from_etcd(b"a", b""), KeyRange::One(b"a".to_vec()));
/// assert_eq!(KeyRange::from_etcd(b"a", b"\0"), KeyRange::From(b"a".to_vec()));
/// assert_eq!(KeyRange::from_etcd(b"\0", b"\0"), KeyRange::All);
/// assert!(KeyRange::prefix(b"/task/").contains(b"/task/1"));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum KeyRange {
    /// Exactly this key.
    One(Vec<u8>),
    /// Keys from `start` up to, but without, `end`. Empty if `end <= start`.
    Span {
        /// The first key that belongs to the range.
        start: Vec<u8>,
        /// The first key that no longer does.
        end: Vec<u8>,
    },
    /// This key and all that come after it.
    From(Vec<u8>),
    /// All keys that begin with these bytes.
    Prefix(Vec<u8>),
    /// Every key.
    All,
}

impl KeyRange {
    /// Exactly `key`.
    pub fn one(key: &[u8]) -> Self {
        Self::One(key.to_vec())
    }

    /// All keys that begin with `prefix`; all keys if it is empty.
    pub fn prefix(prefix: &[u8]) -> Self {
        if prefix.is_empty() {
            Self::All
        } else {
            Self::Prefix(prefix.to_vec())
        }
    }

    /// Keys from `start` up to, but without, `end`.
    pub fn span(start: &[u8], end: &[u8]) -> Self {
        Self::Span {
            start: start.to_vec(),
            end: end.to_vec(),
        }
    }

    /// `key` and all keys after it.
    pub fn from_key(key: &[u8]) -> Self {
        if key == b"\0" {
            Self::All
        } else {
            Self::From(key.to_vec())
        }
    }

    /// Reads etcd's convention: an empty `range_end` means one key, a single zero byte means all
    /// keys from `key` on, anything else is an exclusive end.
    pub fn from_etcd(key: &[u8], range_end: &[u8]) -> Self {
        match range_end {
            b"" => Self::one(key),
            b"\0" => Self::from_key(key),
            end => Self::span(key, end),
        }
    }

    /// The pair `key`, `range_end` by which etcd says the range. Ranges of the same keys give the same
    /// pair, but for a single key said as a span.
    ///
    /// ```
    /// use revwatch::KeyRange;
    ///
    /// assert_eq!(KeyRange::prefix(b"a").to_etcd(), (b"a".to_vec(), b"b".to_vec()));
    /// assert_eq!(KeyRange::All.to_etcd(), (b"\0".to_vec(), b"\0".to_vec()));
    /// ```
    pub fn to_etcd(&self) -> (Vec<u8>, Vec<u8>) {
        match self {
            Self::One(key) => (key.clone(), Vec::new()),
            Self::All => (b"\0".to_vec(), b"\0".to_vec()),
            range => {
                let end = range.end().unwrap_or_else(|| b"\0".to_vec());
                (range.start().to_vec(), end)
            }
        }
    }

    /// The first key that the range can hold.
    pub fn start(&self) -> &[u8] {
        match self {
            Self::One(key) | Self::From(key) | Self::Prefix(key) => key,
            Self::Span { start, .. } => start,
            Self::All => &[],
        }
    }

    /// The first key after the range, or `None` if it has no end.
    ///
    /// ```
    /// use revwatch::KeyRange;
    ///
    /// assert_eq!(KeyRange::prefix(b"a\xff").end(), Some(b"b".to_vec()));
    /// assert_eq!(KeyRange::prefix(b"\xff").end(), None);
    /// ```
    pub fn end(&self) -> Option<Vec<u8>> {
        match self {
            Self::One(key) => {
                let mut end = key.clone();
                end.push(0);
                Some(end)
            }
            Self::Span { end, .. } => Some(end.clone()),
            Self::Prefix(prefix) => prefix_end(prefix),
            Self::From(_) | Self::All => None,
        }
    }

    /// Whether there are keys after the range.
    pub(crate) fn has_end(&self) -> bool {
        match self {
            Self::From(_) | Self::All => false,
            Self::Prefix(prefix) => prefix.iter().any(|&byte| byte != 0xff),
            Self::One(_) | Self::Span { .. } => true,
        }
    }

    /// The part of the range that comes after `key`.
    pub(crate) fn after(&self, key: &[u8]) -> Self {
        let mut start = key.to_vec();
        start.push(0);
        match self.end() {
            Some(end) => Self::Span { start, end },
            None => Self::From(start),
        }
    }

    /// Whether no key can be in the range: it ends at or before its start.
    pub fn is_empty(&self) -> bool {
        matches!(self, Self::Span { start, end } if end <= start)
    }

    /// Whether the range begins with the empty key, which no key can be.
    pub(crate) fn lacks_key(&self) -> bool {
        !matches!(self, Self::All) && self.start().is_empty()
    }

    /// Whether `key` is in the range.
    pub fn contains(&self, key: &[u8]) -> bool {
        match self {
            Self::One(one) => one == key,
            Self::Span { start, end } => start.as_slice() <= key && key < end.as_slice(),
            Self::From(start) => start.as_slice() <= key,
            Self::Prefix(prefix) => key.starts_with(prefix),
            Self::All => true,
        }
    }
}

/// The least byte string that is greater than every string beginning with `prefix`.
fn prefix_end(prefix: &[u8]) -> Option<Vec<u8>> {
    let last = prefix.iter().rposition(|&byte| byte != 0xff)?;
    let mut end = prefix[..=last].to_vec();
    end[last] += 1;
    Some(end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn etcds_convention_is_read_case_by_case() {
        assert_eq!(KeyRange::from_etcd(b"k", b""), KeyRange::one(b"k"));
        assert_eq!(
            KeyRange::from_etcd(b"k", b"\0"),
            KeyRange::From(b"k".to_vec())
        );
        assert_eq!(KeyRange::from_etcd(b"\0", b"\0"), KeyRange::All);
        assert_eq!(KeyRange::from_etcd(b"", b"\0"), KeyRange::From(Vec::new()));
        assert_eq!(
            KeyRange::from_etcd(b"k", b"\0\0"),
            KeyRange::span(b"k", b"\0\0")
        );
    }

    #[test]
    fn a_range_said_in_etcds_way_is_the_same_range() {
        let ranges = [
            KeyRange::one(b"k"),
            KeyRange::span(b"a", b"b"),
            KeyRange::from_key(b"k"),
            KeyRange::prefix(b"k"),
            KeyRange::prefix(b"\xff"),
            KeyRange::All,
        ];
        for range in ranges {
            let (key, range_end) = range.to_etcd();
            let again = KeyRange::from_etcd(&key, &range_end);
            assert_eq!(again.end(), range.end(), "{range:?}");
            for key in [&b"a"[..], b"k", b"k\0", b"\xff"] {
                assert_eq!(again.contains(key), range.contains(key), "{range:?}");
            }
        }
    }

    #[test]
    fn a_range_that_ends_before_it_starts_is_empty() {
        for (start, end) in [(&b"b"[..], &b"a"[..]), (b"b", b"b"), (b"k", b"\0\0")] {
            let range = KeyRange::span(start, end);
            assert!(range.is_empty());
            assert!(!range.contains(start));
        }
    }

    #[test]
    fn membership_agrees_with_start_and_end() {
        let keys: [&[u8]; 7] = [
            b"a",
            b"a\0",
            b"ab",
            b"a\xff",
            b"a\xff\xff",
            b"b",
            b"\xff\xff",
        ];
        let ranges = [
            KeyRange::one(b"a"),
            KeyRange::prefix(b"a"),
            KeyRange::prefix(b"a\xff"),
            KeyRange::prefix(b"\xff"),
            KeyRange::from_key(b"ab"),
            KeyRange::span(b"a\0", b"b"),
            KeyRange::All,
        ];
        for range in &ranges {
            for key in keys {
                let inside =
                    range.start() <= key && range.end().is_none_or(|end| key < end.as_slice());
                assert_eq!(range.contains(key), inside, "{range:?} {key:?}");
            }
        }
    }
}
