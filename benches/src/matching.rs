//! Which watchers a key has: the matcher by itself, without a store around it.

use revwatch::{KeyRange, MeasuredMatcher};

use crate::data::{MATCH_COUNTS, MATCH_NESTED, MATCH_QUERIES, Random, Seed};
use crate::measure::{Run, Work};

/// Ranges that lie in some way: the range with a number among so many, and a key in it.
struct Family {
    name: &'static str,
    counts: &'static [u32],
    range: fn(u32, u32) -> KeyRange,
    key: fn(u32) -> Vec<u8>,
    queries: u32,
}

const FAMILIES: [Family; 6] = [
    Family {
        name: "keys",
        counts: &MATCH_COUNTS,
        range: |number, _| KeyRange::One(numbered("/registry/pods/", 10 * number, "")),
        key: |number| numbered("/registry/pods/", 10 * number, ""),
        queries: MATCH_QUERIES,
    },
    Family {
        name: "prefixes",
        counts: &MATCH_COUNTS,
        range: |number, _| KeyRange::Prefix(numbered("/registry/pods/", number, "/")),
        key: |number| numbered("/registry/pods/", number, "/a-pod"),
        queries: MATCH_QUERIES,
    },
    Family {
        name: "prefixes of 20 lengths",
        counts: &MATCH_COUNTS,
        range: |number, _| KeyRange::Prefix(named(number, "/")),
        key: |number| named(number, "/profile"),
        queries: MATCH_QUERIES,
    },
    Family {
        name: "disjoint spans",
        counts: &MATCH_COUNTS,
        range: |number, _| span(10 * number, 10 * number + 8),
        key: |number| numbered("/registry/pods/", 10 * number + number % 10, ""),
        queries: MATCH_QUERIES,
    },
    Family {
        name: "spans, 4.5 at each key",
        counts: &MATCH_COUNTS,
        range: |number, _| span(10 * number, 10 * number + 45),
        key: |number| numbered("/registry/pods/", 10 * number + number % 10, ""),
        queries: MATCH_QUERIES,
    },
    Family {
        name: "spans with one end",
        counts: &[MATCH_NESTED],
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

/// Registers the watchers in any order, asks for those of some keys, cancels them in another order.
pub(crate) fn matching(run: &Run) {
    for family in &FAMILIES {
        for &count in family.counts {
            measure(run, family, count);
        }
    }
}

fn measure(run: &Run, family: &Family, count: u32) {
    let mut random = Random::new(Seed::Match, run.round);
    let range = |number| (family.range)(number, count);
    let order = random.shuffled(count);
    let ranges: Vec<KeyRange> = order.iter().map(|&number| range(number)).collect();
    let keys: Vec<Vec<u8>> = (0..family.queries)
        .map(|_| (family.key)(random.below(count)))
        .collect();
    let cancelled = random.shuffled(count);

    let mut matcher = MeasuredMatcher::new(random.next());
    let name = |what| format!("match, {count} {}: {what}", family.name);
    let done = Work { count, digest: 0 };
    run.measure(&name("register"), "watchers/s", || {
        for range in &ranges {
            matcher.register(range);
        }
        done
    });
    drop(ranges);
    run.measure(&name("find"), "keys/s", || {
        let (mut found, mut sum) = (0_u64, 0_u64);
        for key in &keys {
            matcher.matching(key, |watcher| {
                found += 1;
                sum = sum.wrapping_add(watcher as u64);
            });
        }
        Work {
            count: family.queries,
            digest: found << 48 ^ sum,
        }
    });
    run.measure(&name("cancel"), "watchers/s", || {
        for &watcher in &cancelled {
            matcher.cancel(watcher as usize);
        }
        done
    });
}
