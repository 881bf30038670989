//! The leases there are, the keys attached to them, and the order in which they run out.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec::Vec;

use super::attached::{Attached, AttachedKey};
use crate::log::{Entry, Record};
use crate::store::{Attachments, Lesson};

/// A lease counts as saved well enough while the log's figure is off by no more than this part of
/// its time-to-live, or by a second.
const SAVE_FRACTION: i64 = 10;
const SAVE_AT_LEAST_MS: i64 = 1_000;

/// What the log believes of a lease of which it could not be told.
const NOT_LOGGED: i64 = i64::MIN;

#[derive(Clone, Debug)]
struct Lease {
    ttl_ms: i64,
    /// On the lessor's own clock.
    expires_ms: i64,
    /// How long the log believes that it has left.
    logged_remaining_ms: i64,
    /// The numbers of the attached keys, in any order.
    keys: Vec<usize>,
}

/// All leases. Its clock starts at 0 when the store is opened.
#[derive(Clone, Debug)]
pub(crate) struct Lessor {
    leases: BTreeMap<i64, Lease>,
    attached: Attached,
    seed: u64,
    /// By time of expiry, then by id, so that the order in which leases run out is always the same.
    queue: BTreeSet<(i64, i64)>,
    clock_ms: i64,
    /// The host's time at the lessor's time 0, once the host has told it.
    host_start_ms: Option<i64>,
}

impl Lessor {
    /// No leases; `seed` keeps chosen keys from flooding the hash.
    pub(crate) fn with_seed(seed: u64) -> Self {
        Self {
            leases: BTreeMap::new(),
            attached: Attached::with_seed(seed),
            seed,
            queue: BTreeSet::new(),
            clock_ms: 0,
            host_start_ms: None,
        }
    }

    /// Takes over the host's time. Time never runs backwards, whatever the host says.
    pub(crate) fn advance(&mut self, host_now_ms: i64) {
        let start = *self.host_start_ms.get_or_insert(host_now_ms);
        self.clock_ms = self.clock_ms.max(host_now_ms.saturating_sub(start));
    }

    /// Learns from the log when it is read back. All that was learned so is what [`Self::say_all`]
    /// has to say.
    pub(crate) fn take(&mut self, lesson: &Lesson<'_>) {
        match lesson {
            Lesson::Entry(entry) => self.replay(entry),
            Lesson::Nothing => *self = Self::with_seed(self.seed),
        }
    }

    /// Says everything by which a lessor that learns it comes to know what this one does: each lease
    /// with what it has left as far as the log knows, and a put of each key that is attached.
    pub(crate) fn say_all(&self, say: &mut dyn FnMut(Record<'_>)) {
        for (&id, lease) in &self.leases {
            let ttl_ms = lease.ttl_ms as u64;
            let remaining_ms = lease.logged_remaining_ms as u64;
            say(Record::LeaseGrant { id, ttl_ms });
            say(Record::LeaseRemaining { id, remaining_ms });
            for key in self.sorted_keys(lease) {
                say(Record::Put {
                    key,
                    value: &[],
                    age: 0,
                    version: 1,
                    lease: id,
                });
            }
        }
    }

    /// Learns from an entry of the log.
    pub(crate) fn replay(&mut self, entry: &Entry<'_>) {
        match entry.record {
            Record::Put { key, lease, .. } => self.attach(key, lease),
            Record::Delete { key } => self.attach(key, 0),
            Record::LeaseGrant { id, ttl_ms } => {
                // No store grants what is there, but an image may say so.
                self.revoke(id);
                self.grant(id, ttl_ms as i64);
            }
            Record::LeaseRemaining { id, remaining_ms } => {
                self.set_remaining(id, remaining_ms as i64);
            }
            Record::LeaseRevoke { id } => self.revoke(id),
            _ => {}
        }
    }

    /// Learns what a transaction has attached and detached.
    pub(crate) fn learn(&mut self, attachments: &Attachments) {
        for (key, id) in attachments.iter() {
            self.attach(key, id);
        }
    }

    pub(crate) fn exists(&self, id: i64) -> bool {
        self.leases.contains_key(&id)
    }

    pub(crate) fn len(&self) -> usize {
        self.leases.len()
    }

    /// The first lease that the other has not, or with another time-to-live or other keys.
    pub(crate) fn first_difference(&self, other: &Self) -> Option<i64> {
        let ids = self.leases.keys().chain(other.leases.keys());
        let differs = |id: &&i64| self.granted_and_keys(**id) != other.granted_and_keys(**id);
        ids.filter(differs).min().copied()
    }

    /// All ids, ascending.
    pub(crate) fn ids(&self) -> Vec<i64> {
        self.leases.keys().copied().collect()
    }

    /// Adds a lease with its full time; one with this id must not be there.
    pub(crate) fn grant(&mut self, id: i64, ttl_ms: i64) {
        let expires_ms = self.clock_ms.saturating_add(ttl_ms);
        let lease = Lease {
            ttl_ms,
            expires_ms,
            logged_remaining_ms: ttl_ms,
            keys: Vec::new(),
        };
        self.queue.insert((expires_ms, id));
        self.leases.insert(id, lease);
    }

    /// Removes a lease, if it is there, and detaches its keys.
    pub(crate) fn revoke(&mut self, id: i64) {
        if let Some(lease) = self.leases.remove(&id) {
            self.queue.remove(&(lease.expires_ms, id));
            for number in lease.keys {
                self.attached.remove(number);
            }
        }
    }

    /// The keys attached to a lease, in bytewise order.
    pub(crate) fn keys(&self, id: i64) -> Option<Vec<Vec<u8>>> {
        let keys = self.sorted_keys(self.leases.get(&id)?);
        Some(keys.into_iter().map(<[u8]>::to_vec).collect())
    }

    fn sorted_keys(&self, lease: &Lease) -> Vec<&[u8]> {
        let numbers = lease.keys.iter();
        let mut keys: Vec<_> = numbers.map(|&number| self.attached.key(number)).collect();
        keys.sort_unstable();
        keys
    }

    fn granted_and_keys(&self, id: i64) -> Option<(i64, Vec<&[u8]>)> {
        let lease = self.leases.get(&id)?;
        Some((lease.ttl_ms, self.sorted_keys(lease)))
    }

    /// Attaches a key to a lease, or with 0 to none, and so detaches it from any other.
    pub(crate) fn attach(&mut self, key: &[u8], id: i64) {
        match self.attached.find(key) {
            Some((_, before)) if before == id => return,
            Some((number, _)) => self.detach(number),
            None => {}
        }
        if id == 0 {
            return;
        }
        if let Some(lease) = self.leases.get_mut(&id) {
            let key = AttachedKey {
                key: key.into(),
                lease: id,
                place: lease.keys.len(),
            };
            lease.keys.push(self.attached.add(key));
        }
    }

    fn detach(&mut self, number: usize) {
        let gone = self.attached.remove(number);
        let Some(lease) = self.leases.get_mut(&gone.lease) else {
            return;
        };
        // The last one takes its place.
        lease.keys.swap_remove(gone.place);
        if let Some(&moved) = lease.keys.get(gone.place) {
            self.attached.set_place(moved, gone.place);
        }
    }

    /// Gives a lease its full time again; answers that time, and whether the log must be told.
    /// A lease that is due can no longer be saved.
    pub(crate) fn keep_alive(&mut self, id: i64) -> Option<(i64, bool)> {
        let lease = self.leases.get(&id)?;
        if lease.expires_ms <= self.clock_ms {
            return None;
        }
        let ttl_ms = lease.ttl_ms;
        let log_is_behind = lease.logged_remaining_ms < ttl_ms;
        self.set_remaining(id, ttl_ms);
        Some((ttl_ms, log_is_behind))
    }

    /// What a lease has left, 0 when it is due, and what it was granted.
    pub(crate) fn time_to_live(&self, id: i64) -> Option<(i64, i64)> {
        let lease = self.leases.get(&id)?;
        Some((self.remaining(lease), lease.ttl_ms))
    }

    /// Up to `limit` leases whose time is over, the longest overdue first.
    pub(crate) fn due(&self, limit: usize) -> Vec<i64> {
        let expired = self
            .queue
            .iter()
            .take_while(|(expires_ms, _)| *expires_ms <= self.clock_ms);
        expired.map(|(_, id)| *id).take(limit).collect()
    }

    /// Milliseconds until the next lease is due.
    pub(crate) fn next_due_in_ms(&self) -> Option<i64> {
        let (expires_ms, _) = self.queue.first()?;
        Some((expires_ms - self.clock_ms).max(0))
    }

    /// Up to `limit` leases of which the log no longer knows well enough how long they have left,
    /// each with that time; the log is taken to know it from now on.
    pub(crate) fn take_unsaved(&mut self, limit: usize) -> Vec<(i64, i64)> {
        self.take_off_by_more_than(|ttl_ms| SAVE_AT_LEAST_MS.max(ttl_ms / SAVE_FRACTION), limit)
    }

    /// All leases of which the log does not know exactly how long they have left.
    pub(crate) fn take_inexact(&mut self) -> Vec<(i64, i64)> {
        self.take_off_by_more_than(|_| 0, usize::MAX)
    }

    /// The log could not be told after all.
    pub(crate) fn was_not_saved(&mut self, id: i64) {
        if let Some(lease) = self.leases.get_mut(&id) {
            lease.logged_remaining_ms = NOT_LOGGED;
        }
    }

    fn take_off_by_more_than(
        &mut self,
        tolerated_ms: impl Fn(i64) -> i64,
        limit: usize,
    ) -> Vec<(i64, i64)> {
        let clock_ms = self.clock_ms;
        let mut unsaved = Vec::new();
        for (id, lease) in &mut self.leases {
            let remaining = (lease.expires_ms - clock_ms).max(0);
            let off_by = lease.logged_remaining_ms.saturating_sub(remaining);
            if off_by > tolerated_ms(lease.ttl_ms) || lease.logged_remaining_ms == NOT_LOGGED {
                lease.logged_remaining_ms = remaining;
                unsaved.push((*id, remaining));
            }
            if unsaved.len() == limit {
                break;
            }
        }
        unsaved
    }

    fn remaining(&self, lease: &Lease) -> i64 {
        (lease.expires_ms - self.clock_ms).max(0)
    }

    fn set_remaining(&mut self, id: i64, remaining_ms: i64) {
        let Some(lease) = self.leases.get_mut(&id) else {
            return;
        };
        self.queue.remove(&(lease.expires_ms, id));
        lease.expires_ms = self.clock_ms.saturating_add(remaining_ms);
        lease.logged_remaining_ms = remaining_ms;
        self.queue.insert((lease.expires_ms, id));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;

    fn lessor_at(now_ms: i64) -> Lessor {
        let mut lessor = Lessor::with_seed(0);
        lessor.advance(now_ms);
        lessor
    }

    #[test]
    fn leases_fall_due_in_order_of_time_then_id() {
        let mut lessor = lessor_at(1_000_000);
        for (id, ttl_ms) in [(3, 200), (1, 200), (2, 100), (4, 300)] {
            lessor.grant(id, ttl_ms);
        }
        assert_eq!(lessor.next_due_in_ms(), Some(100));
        lessor.advance(1_000_200);
        assert_eq!(lessor.due(9), vec![2, 1, 3]);
        assert_eq!(lessor.due(2), vec![2, 1]);
        assert_eq!(lessor.next_due_in_ms(), Some(0));
    }

    #[test]
    fn a_key_belongs_to_the_lease_of_its_last_put() {
        let mut lessor = lessor_at(0);
        lessor.grant(1, 100);
        lessor.grant(2, 100);
        lessor.attach(b"k", 1);
        lessor.attach(b"k", 2);
        assert_eq!(lessor.keys(1), Some(vec![]));
        assert_eq!(lessor.keys(2), Some(vec![b"k".to_vec()]));
        lessor.attach(b"k", 0);
        assert_eq!(lessor.keys(2), Some(vec![]));
        lessor.revoke(2);
        assert_eq!(lessor.keys(2), None);
    }

    #[test]
    fn leases_have_the_keys_that_a_plain_map_says_whatever_is_attached_and_revoked() {
        let mut lessor = lessor_at(0);
        let mut expected: BTreeMap<Vec<u8>, i64> = BTreeMap::new();
        let mut random = 1_u64;
        let mut next = |below: u64| {
            random = random.wrapping_mul(6_364_136_223_846_793_005) + 1;
            (random >> 33) % below
        };
        for round in 0..20_000 {
            let id = next(8) as i64;
            if round % 50 == 0 {
                lessor.revoke(id);
                expected.retain(|_, lease| *lease != id);
            } else if id > 0 && lessor.keys(id).is_none() {
                lessor.grant(id, 100);
            }
            let key = next(60).to_be_bytes().to_vec();
            lessor.attach(&key, id);
            expected.remove(&key);
            if lessor.exists(id) {
                expected.insert(key, id);
            }
            let id = next(8) as i64;
            let keys = expected.iter().filter(|(_, lease)| **lease == id);
            let keys: Vec<_> = keys.map(|(key, _)| key.clone()).collect();
            assert_eq!(lessor.keys(id).unwrap_or_default(), keys);
        }
        assert!(expected.len() > 20);
    }

    #[test]
    fn a_lease_that_is_due_cannot_be_kept_alive() {
        let mut lessor = lessor_at(0);
        lessor.grant(1, 100);
        lessor.advance(99);
        assert_eq!(lessor.keep_alive(1), Some((100, false)));
        assert_eq!(lessor.time_to_live(1), Some((100, 100)));
        lessor.advance(199);
        assert_eq!(lessor.keep_alive(1), None);
        assert_eq!(lessor.time_to_live(1), Some((0, 100)));
    }

    #[test]
    fn time_never_runs_backwards() {
        let mut lessor = lessor_at(500);
        lessor.grant(1, 100);
        lessor.advance(560);
        lessor.advance(100);
        assert_eq!(lessor.time_to_live(1), Some((40, 100)));
    }

    #[test]
    fn remaining_times_are_saved_when_the_log_is_far_off() {
        let mut lessor = lessor_at(0);
        lessor.grant(1, 100_000);
        lessor.advance(10_000);
        assert_eq!(lessor.take_unsaved(9), vec![]);
        lessor.advance(10_001);
        assert_eq!(lessor.take_unsaved(9), vec![(1, 89_999)]);
        assert_eq!(lessor.take_unsaved(9), vec![]);
        lessor.advance(10_002);
        assert_eq!(lessor.take_unsaved(9), vec![]);
        assert_eq!(lessor.take_inexact(), vec![(1, 89_998)]);
        assert_eq!(lessor.keep_alive(1), Some((100_000, true)));
    }
}
