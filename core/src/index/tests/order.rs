//! The tree keeps its shape through every sequence of insertions and removals.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use super::Random;
use crate::index::change::Change;
use crate::index::heap::Address;
use crate::index::order::Order;
use crate::index::records::Records;
use crate::log::Position;
use crate::revision::Revision;

#[derive(Default)]
struct Keys {
    records: Records,
    order: Order,
    expected: BTreeMap<Vec<u8>, Address>,
}

impl Keys {
    fn insert(&mut self, key: &[u8]) {
        if !self.expected.contains_key(key) {
            let change = Change::delete(Revision::first_of(2), Position(0));
            let address = self.records.create(key, change);
            self.order.insert(address, &self.records);
            self.expected.insert(key.to_vec(), address);
        }
    }

    fn remove(&mut self, key: &[u8]) {
        if let Some(address) = self.expected.remove(key) {
            self.order.remove(address, &self.records);
            self.records.remove(address);
        }
    }

    /// Answers how many nodes there are.
    fn check(&self) -> usize {
        let nodes = self.order.check(&self.records);
        let keys = self.order.from(&[], &self.records);
        assert!(keys.eq(self.expected.values().copied()));
        nodes
    }

    fn check_starts(&self, key: &[u8]) {
        let found = self.order.from(key, &self.records).take(70);
        let expected = self
            .expected
            .range(key.to_vec()..)
            .map(|(_, &address)| address);
        assert!(found.eq(expected.take(70)), "{key:?}");
    }
}

fn number_key(prefix: &[u8], number: usize) -> Vec<u8> {
    let mut key = prefix.to_vec();
    key.extend((number as u32).to_be_bytes());
    key
}

#[test]
fn rising_falling_and_random_keys_come_in_order() {
    let count = 20_000;
    for prefix in [&b""[..], b"/a/prefix/of/twenty-odd/", &[b'x'; 300]] {
        let mut random = Random::new(1);
        let rising = (0..count).collect::<Vec<_>>();
        let falling = rising.iter().rev().copied().collect();
        let scattered = (0..count).map(|_| random.next_u64() as usize).collect();
        for numbers in [rising, falling, scattered] {
            let mut keys = Keys::default();
            for &number in &numbers {
                keys.insert(&number_key(prefix, number));
            }
            keys.check();
            for number in numbers.iter().step_by(97) {
                keys.check_starts(&number_key(prefix, *number));
                keys.check_starts(&number_key(prefix, number + 1));
            }
            for start in [&b""[..], b"/", b"/a/prefix/of/twenty-of", b"x", b"y"] {
                keys.check_starts(start);
            }
            for &number in &numbers {
                keys.remove(&number_key(prefix, number));
            }
            assert_eq!(keys.check(), 1);
        }
    }
}

#[test]
fn keys_that_rise_fill_their_nodes() {
    let mut keys = Keys::default();
    (0..64_000).for_each(|number| keys.insert(&number_key(b"", number)));
    assert!(keys.check() <= 1000 + 1000 / 60 + 2);
}

#[test]
fn nodes_become_one_when_most_keys_have_gone() {
    let mut keys = Keys::default();
    (0..64_000).for_each(|number| keys.insert(&number_key(b"", number)));
    let gone = (0..64_000).filter(|number| number % 16 != 5);
    gone.for_each(|number| keys.remove(&number_key(b"", number)));
    assert!(keys.check() <= 4000 / 24);
}

#[test]
fn keys_that_come_and_go_leave_a_sound_tree() {
    for seed in 0..5 {
        let mut random = Random::new(seed);
        let mut keys = Keys::default();
        for round in 0..60_000 {
            let prefix = [&b"/p/"[..], b"/p/long/prefix/", b"/q/"][random.below(3)];
            let key = number_key(prefix, random.below(3000) / 7 * 7);
            // Grows and shrinks in turn.
            if random.below(10) < if round / 5000 % 2 == 0 { 7 } else { 3 } {
                keys.insert(&key);
            } else {
                keys.remove(&key);
            }
            if round % 2500 == 0 {
                keys.check();
                keys.check_starts(&key);
            }
        }
    }
}

#[test]
fn a_key_unlike_the_others_shortens_what_a_node_skips() {
    let mut keys = Keys::default();
    (0..1000).for_each(|number| keys.insert(&number_key(b"/long/common/prefix/", number)));
    for odd in [
        "/long/common/prefi",
        "/long/common/prefiy",
        "/long",
        "0",
        "",
        "/long/common/q",
    ] {
        keys.insert(odd.as_bytes());
        keys.check();
        keys.check_starts(odd.as_bytes());
    }
}

#[test]
fn a_least_key_unlike_the_others_shortens_what_the_node_above_skips() {
    let mut keys = Keys::default();
    let alike = |number| number_key(b"/long/common/prefix/", number);
    (0..1000).for_each(|number| keys.insert(&alike(number)));
    keys.insert(b"/other");
    // The last leaf is left with one key, because its neighbour is full.
    (950..1000).for_each(|number| keys.remove(&alike(number)));
    keys.check();
    for key in [&b"/other"[..], b"/otheq", b"/long/common/prefix/z", b"/m"] {
        keys.check_starts(key);
    }
}

#[test]
fn an_order_made_at_once_is_that_of_the_keys_and_goes_on_like_any_other() {
    let mut random = Random::new(5);
    for count in [0, 1, 2, 63, 64, 65, 64 * 64, 64 * 64 + 1, 10_000] {
        for prefix in [&b""[..], b"/a/common/beginning/"] {
            let mut keys = Keys::default();
            while keys.expected.len() < count {
                keys.insert(&number_key(prefix, random.below(1 << 20)));
            }
            let sorted: Vec<Address> = keys.expected.values().copied().collect();
            keys.order = Order::of(&sorted, &keys.records);
            // All nodes are full but the last ones, of which there is one at each height at most.
            assert!(keys.check() <= count / 64 + count / (64 * 64) + 4);
            // Addresses are those of the order in which the keys came.
            let mut unsorted = sorted;
            unsorted.sort_unstable();
            keys.order = Order::of_unsorted(&unsorted, &keys.records);
            keys.check();
            for _ in 0..200 {
                keys.insert(&number_key(prefix, random.below(1 << 20)));
                keys.check_starts(&number_key(prefix, random.below(1 << 20)));
                let removed = keys.expected.keys().nth(random.below(count + 1)).cloned();
                if let Some(key) = removed {
                    keys.remove(&key);
                }
            }
            keys.check();
        }
    }
}

#[test]
fn keys_that_begin_alike_beyond_their_heads_are_put_in_order() {
    let mut keys = Keys::default();
    for key in ["", "a", "a\0", "abcdefgh", "abcdefghi", "abcdefgh\0", "b"] {
        keys.insert(key.as_bytes());
    }
    let mut addresses: Vec<Address> = keys.expected.values().copied().collect();
    addresses.reverse();
    keys.order = Order::of_unsorted(&addresses, &keys.records);
    keys.check();
}
