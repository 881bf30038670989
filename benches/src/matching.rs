//! Which watchers a key has: the matcher by itself, without a store around it.

use std::ops::Range;

use iset::IntervalMap;
use revwatch::{KeyRange, MeasuredMatcher};

use crate::data::{MATCH_COUNTS, MATCH_NESTED, MATCH_QUERIES, Random, Seed};
use crate::measure::{Run, Work};

/// Ranges that lie in some way: the range with a number among so many, and a key in it.
struct Family {
    name: &'static str,
    counts: &'static [u32],
    /// So many are measured even where growth is not followed as far.
    always: u32,
    range: fn(u32, u32) -> KeyRange,
    key: fn(u32) -> Vec<u8>,
    queries: u32,
}

const FAMILIES: [Family; 6] = [
    Family {
        name: "keys",
        counts: &MATCH_COUNTS,
        always: MATCH_COUNTS[1],
        range: |number, _| KeyRange::One(numbered("/registry/pods/", 10 * number, "")),
        key: |number| numbered("/registry/pods/", 10 * number, ""),
        queries: MATCH_QUERIES,
    },
    Family {
        name: "prefixes",
        counts: &MATCH_COUNTS,
        always: MATCH_COUNTS[1],
        range: |number, _| KeyRange::Prefix(numbered("/registry/pods/", number, "/")),
        key: |number| numbered("/registry/pods/", number, "/a-pod"),
        queries: MATCH_QUERIES,
    },
    Family {
        name: "prefixes of 20 lengths",
        counts: &MATCH_COUNTS,
        always: MATCH_COUNTS[0],
        range: |number, _| KeyRange::Prefix(named(number, "/")),
        key: |number| named(number, "/profile"),
        queries: MATCH_QUERIES,
    },
    Family {
        name: "disjoint spans",
        counts: &MATCH_COUNTS,
        always: MATCH_COUNTS[1],
        range: |number, _| span(10 * number, 10 * number + 8),
        key: |number| numbered("/registry/pods/", 10 * number + number % 10, ""),
        queries: MATCH_QUERIES,
    },
    Family {
        name: "spans, 4.5 at each key",
        counts: &MATCH_COUNTS,
        always: MATCH_COUNTS[0],
        range: |number, _| span(10 * number, 10 * number + 45),
        key: |number| numbered("/registry/pods/", 10 * number + number % 10, ""),
        queries: MATCH_QUERIES,
    },
    Family {
        name: "spans with one end",
        counts: &[MATCH_NESTED],
        always: MATCH_NESTED,
        range: |number, count| span(10 * number, 10 * count),
        key: |number| numbered("/registry/pods/", 10 * (number % 10), ""),
        queries: MATCH_QUERIES,
    },
];

fn span(start: u32, end: u32) -> KeyRange {
    KeyRange::Span {
        start: numbered("/registry/pods/", start, ""),
        end: numbered("/registry/pods/", end, ""),
    }
}

fn numbered(before: &str, number: u32, after: &str) -> Vec<u8> {
    format!("{before}{number:010}{after}").into_bytes()
}

/// A user's keys: names of 8 to 27 letters, no two alike.
fn named(number: u32, after: &str) -> Vec<u8> {
    let letters = "abcdefghijklmnopqrst";
    format!(
        "/users/{number:08}{}{after}",
        &letters[..number as usize % 20]
    )
    .into_bytes()
}

/// What finds the watchers of a key.
trait Finder<'a> {
    /// What is kept of a range for it.
    type Range: 'a;

    fn register(&mut self, range: &'a Self::Range, watcher: u32);
    fn find(&self, key: &'a [u8], visit: impl FnMut(usize));
    fn cancel(&mut self, range: &'a Self::Range, watcher: u32);
}

impl<'a> Finder<'a> for MeasuredMatcher {
    type Range = KeyRange;

    fn register(&mut self, range: &'a KeyRange, _: u32) {
        self.register(range); // numbers them itself, in the same way
    }

    fn find(&self, key: &'a [u8], visit: impl FnMut(usize)) {
        self.matching(key, visit);
    }

    fn cancel(&mut self, _: &'a KeyRange, watcher: u32) {
        self.cancel(watcher as usize);
    }
}

/// A well-kept crate: a binary tree, whose keys must be such as can be copied, and so are borrowed.
impl<'a> Finder<'a> for IntervalMap<&'a [u8], u32> {
    type Range = Range<Vec<u8>>;

    fn register(&mut self, range: &'a Self::Range, watcher: u32) {
        self.insert(&range.start[..]..&range.end[..], watcher);
    }

    fn find(&self, key: &'a [u8], mut visit: impl FnMut(usize)) {
        for &watcher in self.values_overlap(key) {
            visit(watcher as usize);
        }
    }

    fn cancel(&mut self, range: &'a Self::Range, _: u32) {
        self.remove(&range.start[..]..&range.end[..]);
    }
}

/// Registers the watchers in any order, asks for those of some keys, cancels them in another order.
pub(crate) fn matching(run: &Run) {
    for_each(run, |family, count| {
        let drawn = Drawn::new(run, family, count, |range| range);
        measure(run, &drawn, MeasuredMatcher::new(u64::from(run.round)));
    });
}

/// The same with the interval crate, as far as it is about intervals.
pub(crate) fn matching_by_crate(run: &Run) {
    for_each(run, |family, count| {
        if !matches!((family.range)(0, count), KeyRange::One(_)) {
            let drawn = Drawn::new(run, family, count, bounds);
            measure(run, &drawn, IntervalMap::new());
        }
    });
}

fn for_each(run: &Run, measure: impl Fn(&Family, u32)) {
    for family in &FAMILIES {
        let most = run.largest.max(family.always);
        for &count in family.counts.iter().filter(|&&count| count <= most) {
            measure(family, count);
        }
    }
}

/// The keys of a range from the first to the first behind it.
fn bounds(range: KeyRange) -> Range<Vec<u8>> {
    match range {
        KeyRange::Span { start, end } => start..end,
        KeyRange::Prefix(prefix) => {
            let mut end = prefix.clone();
            *end.last_mut().expect("no prefix is empty here") += 1; // a letter: there is no carry
            prefix..end
        }
        other => panic!("no family has {other:?}"),
    }
}

/// What is drawn before any clock runs.
struct Drawn<R> {
    name: String,
    ranges: Vec<R>,
    keys: Vec<Vec<u8>>,
    cancelled: Vec<u32>,
}

impl<R> Drawn<R> {
    fn new(run: &Run, family: &Family, count: u32, keep: impl Fn(KeyRange) -> R) -> Self {
        let mut random = Random::new(Seed::Match, run.round);
        let order = random.shuffled(count).into_iter();
        Self {
            name: format!("match, {count} {}", family.name),
            ranges: order
                .map(|number| keep((family.range)(number, count)))
                .collect(),
            keys: (0..family.queries)
                .map(|_| (family.key)(random.below(count)))
                .collect(),
            cancelled: random.shuffled(count),
        }
    }
}

fn measure<'a, F: Finder<'a>>(run: &Run, drawn: &'a Drawn<F::Range>, mut finder: F) {
    let (count, queries) = (drawn.ranges.len() as u32, drawn.keys.len() as u32);
    let name = |what| format!("{}: {what}", drawn.name);
    run.measure(&name("register"), "watchers/s", || {
        for (watcher, range) in (0..).zip(&drawn.ranges) {
            finder.register(range, watcher);
        }
        Work::of(count, 0)
    });
    run.measure(&name("find"), "keys/s", || {
        let (mut found, mut sum) = (0_u64, 0_u64);
        for key in &drawn.keys {
            finder.find(key, |watcher| {
                found += 1;
                sum = sum.wrapping_add(watcher as u64);
            });
        }
        Work::of(queries, found << 48 ^ sum)
    });
    run.measure(&name("cancel"), "watchers/s", || {
        for &watcher in &drawn.cancelled {
            finder.cancel(&drawn.ranges[watcher as usize], watcher);
        }
        Work::of(count, 0)
    });
}
