//! Data sets that are not uniform: keys picked by Zipf's law, and objects as a Kubernetes cluster keeps
//! them. All of it is integers, so that its twin in `etcd_mvcc/objects.go` makes the very same.

use crate::data::{Random, Seed};

/// How often rank r is picked is in proportion to 1/r: Zipf's law with the exponent 1.
const ZIPF_ONE: u64 = 1 << 40;

impl Random {
    /// Draws numbers below `bound` by Zipf's law; which of them are frequent is drawn as well.
    pub(crate) fn picks_by_zipf(mut self, count: u32, bound: u32) -> Vec<u32> {
        let by_rank = self.shuffled(bound);
        let mut total = 0;
        let ends: Vec<u64> = (1..=u64::from(bound))
            .map(|rank| {
                total += ZIPF_ONE / rank;
                total
            })
            .collect();
        (0..count)
            .map(|_| {
                let at = self.next() % total;
                by_rank[ends.partition_point(|&end| end <= at)]
            })
            .collect()
    }
}

/// A kind of object: its share of all objects and of all updates, in thousandths, and the least and
/// the most bytes that one has. A size is the lesser of two uniform draws.
struct Kind {
    resource: &'static str,
    objects: u32,
    updates: u32,
    bytes: (u32, u32),
}

const fn kind(resource: &'static str, objects: u32, updates: u32, bytes: (u32, u32)) -> Kind {
    Kind {
        resource,
        objects,
        updates,
        bytes,
    }
}

const KINDS: [Kind; 10] = [
    kind("pods", 300, 300, (2_048, 8_192)),
    kind("events", 300, 150, (512, 1_024)),
    kind("secrets", 100, 5, (1_024, 8_192)),
    kind("configmaps", 80, 10, (256, 16_384)),
    kind("replicasets", 80, 40, (1_536, 3_072)),
    kind("serviceaccounts", 40, 0, (192, 384)),
    kind("endpointslices", 40, 60, (512, 4_096)),
    kind("deployments", 30, 30, (1_536, 4_096)),
    kind("leases", 20, 350, (320, 512)),
    kind("minions", 10, 55, (4_096, 16_384)),
];
const THOUSAND: u32 = 1_000;
pub(crate) const NAMESPACES: u32 = 200;
/// Random bytes of which each value is a part.
const POOL_BYTES: usize = 1 << 16;

/// The objects of a cluster.
pub(crate) struct Cluster {
    pub(crate) keys: Vec<Vec<u8>>,
    /// The first object of each kind, and the end.
    firsts: Vec<u32>,
    pool: Vec<u8>,
    random: Random,
}

/// Which object is put, and a place and a length in the pool.
#[derive(Clone, Copy)]
pub(crate) struct Update {
    pub(crate) object: u32,
    at: u32,
    bytes: u32,
}

impl Cluster {
    /// So many objects, kind after kind.
    pub(crate) fn of(objects: u32, round: u32) -> Self {
        let mut random = Random::new(Seed::Kubernetes, round);
        let (mut keys, mut firsts) = (Vec::new(), vec![0]);
        for kind in &KINDS {
            for number in 0..objects / THOUSAND * kind.objects {
                let namespace = random.below(NAMESPACES);
                let hash = random.next();
                let name = format!(
                    "/registry/{}/team-{namespace:03}/app-{number:05}-{:010x}-{:05x}",
                    kind.resource,
                    hash >> 24,
                    hash & 0xF_FFFF
                );
                keys.push(name.into_bytes());
            }
            firsts.push(keys.len() as u32);
        }
        let pool = (0..POOL_BYTES / 8)
            .flat_map(|_| random.next().to_le_bytes())
            .collect();
        Self {
            keys,
            firsts,
            pool,
            random,
        }
    }

    /// Every object once.
    pub(crate) fn creations(&mut self) -> Vec<Update> {
        (0..KINDS.len())
            .flat_map(|kind| (self.firsts[kind]..self.firsts[kind + 1]).map(move |at| (kind, at)))
            .collect::<Vec<_>>()
            .into_iter()
            .map(|(kind, object)| self.update_of(kind, object))
            .collect()
    }

    /// Updates: which kind by its share, and any object of it.
    pub(crate) fn updates(&mut self, count: u32) -> Vec<Update> {
        (0..count)
            .map(|_| {
                let mut share = self.random.below(THOUSAND);
                let mut kind = 0;
                while share >= KINDS[kind].updates {
                    share -= KINDS[kind].updates;
                    kind += 1;
                }
                let (first, end) = (self.firsts[kind], self.firsts[kind + 1]);
                let object = first + self.random.below(end - first);
                self.update_of(kind, object)
            })
            .collect()
    }

    fn update_of(&mut self, kind: usize, object: u32) -> Update {
        let (least, most) = KINDS[kind].bytes;
        let mut draw = || self.random.below(most - least + 1);
        let bytes = least + draw().min(draw());
        let at = self.random.below(POOL_BYTES as u32 - bytes);
        Update { object, at, bytes }
    }

    /// The key and the value of an update.
    pub(crate) fn pair(&self, update: Update) -> (&[u8], &[u8]) {
        let (at, bytes) = (update.at as usize, update.bytes as usize);
        (
            &self.keys[update.object as usize],
            &self.pool[at..at + bytes],
        )
    }

    /// Draws objects of any kind.
    pub(crate) fn picks(&mut self, count: u32) -> Vec<u32> {
        let objects = self.keys.len() as u32;
        (0..count).map(|_| self.random.below(objects)).collect()
    }

    /// Draws prefixes of the pods of a namespace.
    pub(crate) fn lists(&mut self, count: u32) -> Vec<Vec<u8>> {
        (0..count)
            .map(|_| {
                let namespace = self.random.below(NAMESPACES);
                format!("/registry/pods/team-{namespace:03}/").into_bytes()
            })
            .collect()
    }

    /// A prefix for each kind, which is what its controllers watch.
    pub(crate) fn watched() -> impl Iterator<Item = Vec<u8>> {
        KINDS
            .iter()
            .map(|kind| format!("/registry/{}/", kind.resource).into_bytes())
    }
}
