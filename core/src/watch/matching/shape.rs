//! One way to say each range.

use alloc::borrow::Cow;

use crate::range::KeyRange;

/// How a range is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Kind {
    /// By the hash of its only key.
    Key,
    /// By the hash of the prefix.
    Prefix,
    /// By a tree; it has an end.
    Span,
    /// By a tree; it has no end.
    From,
    /// Not at all: it ends at or before its start.
    Empty,
}

impl Kind {
    pub(super) fn from_byte(byte: u8) -> Self {
        match byte {
            0 => Self::Key,
            1 => Self::Prefix,
            2 => Self::Span,
            3 => Self::From,
            _ => Self::Empty,
        }
    }

    /// Whether there are bytes that say where it ends.
    pub(super) fn has_end(self) -> bool {
        matches!(self, Self::Span | Self::Empty)
    }

    /// Whether it is found by its hash.
    pub(super) fn is_looked_up(self) -> bool {
        matches!(self, Self::Key | Self::Prefix)
    }

    pub(super) fn is_in_tree(self) -> bool {
        matches!(self, Self::Span | Self::From)
    }
}

/// A range in the terms of this module. Ranges of equal keys have equal shapes, but for prefixes
/// that were said to be spans.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Shape<'a> {
    pub(super) kind: Kind,
    /// The only key, the prefix, or the first key.
    pub(super) start: &'a [u8],
    /// The first key after the range; empty if the kind has no end.
    pub(super) end: Cow<'a, [u8]>,
}

impl<'a> Shape<'a> {
    pub(super) fn of(range: &'a KeyRange) -> Self {
        let (kind, start) = match range {
            KeyRange::One(key) => (Kind::Key, key.as_slice()),
            KeyRange::Prefix(prefix) => (Kind::Prefix, prefix.as_slice()),
            KeyRange::From(start) if start.is_empty() => (Kind::Prefix, &[][..]),
            KeyRange::From(start) => (Kind::From, start.as_slice()),
            KeyRange::All => (Kind::Prefix, &[][..]),
            KeyRange::Span { start, end } => return Self::of_span(start, end),
        };
        let end = Cow::Borrowed(&[][..]);
        Self { kind, start, end }
    }

    fn of_span(start: &'a [u8], end: &'a [u8]) -> Self {
        let kind = if end <= start {
            Kind::Empty
        } else if end.strip_suffix(b"\0") == Some(start) {
            Kind::Key
        } else if ends_prefix(start, end) {
            Kind::Prefix
        } else {
            Kind::Span
        };
        let end = if kind.has_end() { end } else { &[] };
        let end = Cow::Borrowed(end);
        Self { kind, start, end }
    }

    /// The same keys for the tree, if this is a prefix.
    pub(super) fn of_prefix_in_tree(prefix: &'a [u8]) -> Self {
        let end = KeyRange::Prefix(prefix.to_vec()).end();
        Self {
            kind: end.as_ref().map_or(Kind::From, |_| Kind::Span),
            start: prefix,
            end: Cow::Owned(end.unwrap_or_default()),
        }
    }
}

/// Whether `end` is the first key after all that begin with `prefix`.
fn ends_prefix(prefix: &[u8], end: &[u8]) -> bool {
    let Some((&last, before)) = end.split_last() else {
        return false;
    };
    let Some((head, tail)) = prefix.split_at_checked(end.len()) else {
        return false;
    };
    head[..before.len()] == *before
        && head[before.len()].checked_add(1) == Some(last)
        && tail.iter().all(|&byte| byte == 0xff)
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;

    #[test]
    fn a_span_that_is_a_prefix_or_a_key_is_known_as_such() {
        let prefixes: [&[u8]; 5] = [b"a", b"/jobs/", b"a\xff", b"a\xff\xff", b"\xfe"];
        for prefix in prefixes {
            let end = KeyRange::prefix(prefix).end().expect("it has an end");
            let span = KeyRange::span(prefix, &end);
            assert_eq!(Shape::of(&span), Shape::of(&KeyRange::prefix(prefix)));
            let key = KeyRange::one(prefix);
            let span = KeyRange::span(prefix, &key.end().expect("a key has an end"));
            assert_eq!(Shape::of(&span), Shape::of(&key));
        }
    }

    #[test]
    fn every_shape_of_short_bounds_holds_the_keys_of_its_range() {
        let mut texts: Vec<Vec<u8>> = alloc::vec![Vec::new()];
        for length in 1..=3 {
            for number in 0..4_usize.pow(length) {
                let byte = |at| b"\0a\xfe\xff"[number / 4_usize.pow(at) % 4];
                texts.push((0..length).map(byte).collect());
            }
        }
        for start in &texts {
            for end in &texts {
                let span = KeyRange::span(start, end);
                let shape = Shape::of(&span);
                for key in &texts {
                    let held = match shape.kind {
                        Kind::Key => key == shape.start,
                        Kind::Prefix => key.starts_with(shape.start),
                        Kind::Span => shape.start <= key.as_slice() && key.as_slice() < &*shape.end,
                        Kind::From => shape.start <= key.as_slice(),
                        Kind::Empty => false,
                    };
                    assert_eq!(held, span.contains(key), "{key:?} in {span:?} as {shape:?}");
                }
            }
        }
    }
}
