//! The data: what is put, which keys are picked, and a digest that tells whether two programs read
//! the same bytes. Everything here has its twin in `etcd_mvcc/data.go` and must stay equal to it.

/// A key of a letter and a number with leading zeros.
pub(crate) type Key = [u8; 16];
/// Random bytes.
pub(crate) type Value = [u8; 64];

pub(crate) const KEYS: u32 = 100_000;
pub(crate) const PUTS: u32 = 200_000;
pub(crate) const PUTS_PER_TXN: usize = 100;
pub(crate) const GETS: u32 = 200_000;
pub(crate) const RANGES: u32 = 500;
pub(crate) const KEYS_PER_RANGE: u32 = 1_000;
pub(crate) const PAIRS: u32 = 5_000;
pub(crate) const BURST: u32 = 9_000;
pub(crate) const WATCH_PUTS: u32 = 100_000;
pub(crate) const WATCH_STREAMS: usize = 64;
pub(crate) const PREFIX_WATCHERS: u32 = 1_000;
pub(crate) const PREFIX_PUTS: u32 = 2_000;
pub(crate) const PREFIX_KEYS: u32 = 1_000;
pub(crate) const COMPACTED_PUTS: u32 = 200_000;
pub(crate) const COMPACTED_KEYS: u32 = 10_000;
pub(crate) const CATCH_UP_PUTS: u32 = 20_000;
pub(crate) const CATCH_UP_KEYS: u32 = 1_000;
pub(crate) const CATCH_UP_WATCHERS: u32 = 1_000;
pub(crate) const FAR_PUTS: u32 = 200_000;
pub(crate) const MANY_WATCHERS: u32 = 100_000;
pub(crate) const MATCH_COUNTS: [u32; 2] = [100_000, 1_000_000];
pub(crate) const CROWDS: [u32; 2] = [1_000, 1_000_000];
pub(crate) const CROWD_PUTS: u32 = 100_000;
pub(crate) const GROWN: [u32; 7] = [
    10_000, 30_000, 100_000, 300_000, 1_000_000, 3_000_000, 10_000_000,
];
pub(crate) const GROWN_GETS: u32 = 100_000;
pub(crate) const GROWN_KEYS: u32 = 1_000;
pub(crate) const GROWN_WATCH_PUTS: u32 = 50_000;
pub(crate) const OBJECTS: u32 = 20_000;
pub(crate) const OBJECT_PUTS: u32 = 50_000;
pub(crate) const OBJECT_GETS: u32 = 50_000;
pub(crate) const OBJECT_LISTS: u32 = 1_000;
pub(crate) const LATENCY_PUTS: u32 = 200_000;
pub(crate) const SERVER_KEYS: u32 = 1_000;
pub(crate) const SERVER_PUTS: u32 = 1_000;
pub(crate) const SERVER_GETS: u32 = 5_000;
pub(crate) const CLIENTS: u32 = 64;
pub(crate) const CLIENT_KEYS: u32 = 100;
pub(crate) const CLIENT_PUTS: u32 = 300;
pub(crate) const CLIENT_GETS: u32 = 1_000;
pub(crate) const MATCH_NESTED: u32 = 10_000;
pub(crate) const MATCH_QUERIES: u32 = 200_000;
const VALUES: u32 = 256;

/// Each workload draws from a sequence of its own, so that adding one leaves the others alone.
#[derive(Clone, Copy)]
pub(crate) enum Seed {
    Values,
    Put,
    PutTxn,
    Fill,
    Get,
    Range,
    Pairs,
    Watch,
    Compaction,
    Match,
    Zipf,
    Kubernetes,
    Growth,
    Latency,
    Server,
    Clients,
}

const ODD: u64 = 0x9E37_79B9_7F4A_7C15;

/// splitmix64: a counter and three mixing steps, the same in every language.
pub(crate) struct Random {
    state: u64,
}

impl Random {
    pub(crate) fn new(seed: Seed, round: u32) -> Self {
        Self {
            state: (seed as u64) << 32 | u64::from(round),
        }
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(ODD);
        let mut mixed = self.state;
        mixed = (mixed ^ mixed >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ mixed >> 31
    }

    /// Biased by less than one in 2^44 for the counts used here.
    pub(crate) fn below(&mut self, bound: u32) -> u32 {
        (self.next() % u64::from(bound)) as u32
    }

    /// Draws `count` numbers below `bound`, before any clock runs.
    pub(crate) fn picks(mut self, count: u32, bound: u32) -> Vec<u32> {
        (0..count).map(|_| self.below(bound)).collect()
    }

    /// The numbers below `count`, each once, in any order.
    pub(crate) fn shuffled(&mut self, count: u32) -> Vec<u32> {
        let mut numbers = each(count);
        for last in (1..count).rev() {
            numbers.swap(last as usize, self.below(last + 1) as usize);
        }
        numbers
    }

    /// The same for transactions, which may change a key only once: a number that the transaction
    /// has already is drawn again.
    pub(crate) fn picks_for_txns(mut self, count: u32, bound: u32) -> Vec<u32> {
        let mut picked: Vec<u32> = Vec::new();
        while picked.len() < count as usize {
            let pick = self.below(bound);
            let begun = picked.len() % PUTS_PER_TXN;
            if !picked[picked.len() - begun..].contains(&pick) {
                picked.push(pick);
            }
        }
        picked
    }
}

/// The picks that take every key once, in order.
pub(crate) fn each(count: u32) -> Vec<u32> {
    (0..count).collect()
}

/// Keys numbered from 0.
pub(crate) fn numbered_keys(count: u32) -> Vec<Key> {
    let key = |number| {
        let text = format!("k{number:015}");
        text.as_bytes()
            .try_into()
            .expect("a letter and 15 digits are 16 bytes")
    };
    (0..count).map(key).collect()
}

/// The pool of values that the puts take in turn.
pub(crate) struct Values(Vec<Value>);

impl Values {
    pub(crate) fn new() -> Self {
        let mut from = Random::new(Seed::Values, 0);
        let value = |_| {
            let mut value = [0; size_of::<Value>()];
            for word in value.chunks_exact_mut(8) {
                word.copy_from_slice(&from.next().to_le_bytes());
            }
            value
        };
        Self((0..VALUES).map(value).collect())
    }

    /// The value of the put with this number.
    pub(crate) fn of(&self, put: usize) -> &Value {
        &self.0[put % self.0.len()]
    }
}

/// Adds the whole 8-byte words of some bytes: it reads each byte and costs a few nanoseconds. Sums
/// do not depend on the order in which concurrent readers come.
fn word_sum(bytes: &[u8]) -> u64 {
    let (words, _) = bytes.as_chunks();
    words
        .iter()
        .fold(0, |sum, word| sum.wrapping_add(u64::from_le_bytes(*word)))
}

/// The digest of a key and a value that were read.
pub(crate) fn kv_sum(key: &[u8], value: &[u8]) -> u64 {
    word_sum(key).wrapping_add(word_sum(value))
}

/// The digest of an event: with its revision, times an odd number so that revisions and bytes do
/// not cancel out.
pub(crate) fn event_sum(key: &[u8], value: &[u8], mod_revision: i64) -> u64 {
    kv_sum(key, value).wrapping_add((mod_revision as u64).wrapping_mul(ODD))
}
