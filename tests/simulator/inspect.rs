//! Comparing a store with its history.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::RangeInclusive;

use revwatch::page::PageStore;
use revwatch::{ErrorCode, Event, FollowResponse, KeyRange, KeyValue, RangeRequest, Store};

use crate::cursors::{Acked, acked};
use crate::history::History;
use crate::tape::Token;

const PLENTY: usize = usize::MAX;

/// All that a store says of its present.
struct Picture {
    revision: i64,
    compact_revision: i64,
    leases: BTreeMap<i64, i64>,
    acked: Acked,
    keys: Vec<KeyValue>,
    events: Vec<Event>,
}

impl Picture {
    fn of<P: PageStore>(store: &Store<P>) -> Self {
        let status = store.status();
        let time_to_live = |id| (id, store.lease_time_to_live(id, false).granted_ttl_ms);
        let keys = store.range(&RangeRequest::new(KeyRange::All)).unwrap();
        assert_eq!(keys.revision, status.revision);
        assert!(keys.count as u64 == status.keys || status.poisoned);
        let history = store.history(&KeyRange::All, 0, PLENTY).unwrap();
        assert_eq!(history.next_revision, None);
        Self {
            revision: status.revision,
            compact_revision: status.compact_revision,
            leases: store.leases().into_iter().map(time_to_live).collect(),
            acked: acked(store),
            keys: keys.kvs,
            events: history.events,
        }
    }

    /// The picture that a store at a moment of its history gives, to be shown beside the real one.
    fn expected(history: &History, index: usize, published: i64) -> Self {
        let moment = history.moment(index);
        let keys = history.keys_at(index, moment.revision).into_iter();
        let events = history
            .events_from(index, moment.compact_revision.max(1))
            .iter()
            .take_while(|event| event.kv.mod_revision <= published);
        Self {
            revision: moment.revision,
            compact_revision: moment.compact_revision,
            leases: moment.leases.as_ref().clone(),
            acked: moment.acked.as_ref().clone(),
            keys: keys.cloned().collect(),
            events: events.map(|event| event.as_ref().clone()).collect(),
        }
    }

    /// Whether this is what a moment of the history looks like. Events beyond `published` are not
    /// shown yet.
    fn is(&self, history: &History, index: usize, published: i64) -> bool {
        let moment = history.moment(index);
        let oldest = moment.compact_revision.max(1);
        let shown = history
            .events_from(index, oldest)
            .iter()
            .take_while(|event| event.kv.mod_revision <= published);
        self.revision == moment.revision
            && self.compact_revision == moment.compact_revision
            && self.leases == *moment.leases
            && is_not_behind(&self.acked, &moment.acked)
            && self.keys.iter().eq(history.keys_at(index, moment.revision))
            && self.events.iter().eq(shown.map(AsRef::as_ref))
    }
}

impl fmt::Debug for Picture {
    /// One line for a key or event, with the beginning of its value.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let brief = |kv: &KeyValue| {
            let value = &kv.value[..kv.value.len().min(4)];
            format!(
                "{} = {value:?}... ({} bytes), created {}, modified {}, version {}, lease {}",
                kv.key.escape_ascii(),
                kv.value.len(),
                kv.create_revision,
                kv.mod_revision,
                kv.version,
                kv.lease
            )
        };
        let Self {
            revision,
            compact_revision,
            leases,
            acked,
            keys,
            events,
        } = self;
        writeln!(
            f,
            "  revision {revision}, compacted {compact_revision}, leases {leases:?}, \
             acknowledged {acked:?}"
        )?;
        for kv in keys {
            writeln!(f, "  key {}", brief(kv))?;
        }
        for event in events {
            writeln!(f, "  {:?} {}", event.kind, brief(&event.kv))?;
        }
        Ok(())
    }
}

/// Whether these are the same cursors, and none has acknowledged less.
fn is_not_behind(acked: &Acked, least: &Acked) -> bool {
    acked.keys().eq(least.keys()) && acked.iter().all(|(name, acked)| acked >= &least[name])
}

/// Which of these moments of its history a store is at: the newest that looks like it.
///
/// Panics if it is at none of them.
pub fn find_moment<P: PageStore>(
    store: &Store<P>,
    history: &History,
    allowed: RangeInclusive<usize>,
) -> usize {
    let picture = Picture::of(store);
    let published = store.status().published_revision;
    let found = (0..=history.newest())
        .rev()
        .find(|&index| picture.is(history, index, published));
    match found {
        Some(index) if allowed.contains(&index) => index,
        Some(index) => panic!(
            "the store is at moment {index} of its history and not at one of {allowed:?}: {:?}",
            history.moment(index)
        ),
        None => {
            let nearest = (0..=history.newest())
                .rev()
                .find(|&index| history.moment(index).revision == picture.revision);
            panic!(
                "the store is at no moment of its history:\n{picture:?}\nit may be at {allowed:?}; \
                 the last one of its revision is {nearest:?}:\n{:?}",
                nearest.map(|index| Picture::expected(history, index, published))
            )
        }
    }
}

/// Whether a store is at one of these moments.
pub fn is_at_one_of<P: PageStore>(
    store: &Store<P>,
    history: &History,
    mut allowed: RangeInclusive<usize>,
) -> bool {
    let picture = Picture::of(store);
    let published = store.status().published_revision;
    allowed.any(|index| picture.is(history, index, published))
}

/// Reads the past, as far as it is not compacted.
pub fn check_past<P: PageStore>(store: &Store<P>, history: &History) {
    let index = history.newest();
    let now = history.last();
    let read = |revision| {
        store.range(&RangeRequest {
            revision,
            ..RangeRequest::new(KeyRange::All)
        })
    };
    let oldest = now.compact_revision.max(1);
    for revision in [oldest, i64::midpoint(oldest, now.revision), now.revision] {
        let keys = read(revision).unwrap().kvs;
        assert!(
            keys.iter().eq(history.keys_at(index, revision)),
            "the keys at revision {revision} are not what they were: {keys:#?}"
        );
    }
    if now.compact_revision > 1 {
        let refused = read(now.compact_revision - 1).unwrap_err();
        assert_eq!(
            refused.code(),
            ErrorCode::Compacted,
            "compacted history came back"
        );
    }
    let attached = history.keys_at(index, now.revision);
    for id in now.leases.keys() {
        let lease = store.lease_time_to_live(*id, true);
        let keys = attached
            .iter()
            .filter(|kv| kv.lease == *id)
            .map(|kv| &kv.key);
        assert!(
            lease.keys.iter().eq(keys),
            "lease {id} has other keys: {:?}",
            lease.keys
        );
        assert!(
            lease.ttl_ms <= lease.granted_ttl_ms,
            "lease {id} has more time than it was ever given"
        );
    }
}

/// Goes on from a token: to every change since, or to be told that this is not possible.
pub fn check_token<P: PageStore>(store: &mut Store<P>, history: &History, token: &Token) {
    let after = token.token.revision + 1;
    let reset = token.lost || after < history.last().compact_revision;
    let follow = store.follow(KeyRange::All, Some(token.token)).unwrap();
    let mut events = Vec::new();
    let mut idle = false;
    loop {
        match store.poll_follow(follow, PLENTY, PLENTY).unwrap() {
            FollowResponse::Reset { .. } => {
                assert!(reset, "a token that still stands was refused: {token:?}");
                break;
            }
            FollowResponse::Events { events: more, .. } => {
                events.extend(more.iter().map(|event| event.to_owned()));
                idle = false;
            }
            FollowResponse::Idle if !idle => {
                store.step(history.now_ms(), PLENTY).unwrap();
                idle = true;
            }
            FollowResponse::Idle => {
                assert!(
                    !reset,
                    "a token of lost history was taken for a good one: {token:?}"
                );
                let published = store.status().published_revision;
                let expected = history.events_from(history.newest(), after).iter();
                let expected = expected.take_while(|event| event.kv.mod_revision <= published);
                assert!(
                    events.iter().eq(expected.map(AsRef::as_ref)),
                    "what follows {token:?} is not what happened: {events:#?}"
                );
                break;
            }
            told => panic!("who goes on is told the state: {told:?}"),
        }
    }
    store.close_follow(follow);
}
