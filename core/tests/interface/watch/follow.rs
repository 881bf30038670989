//! What followers are promised.

use std::collections::BTreeMap;

use crate::common::{PLENTY, Rng, store_with_queue};
use revwatch::page::MemoryPages;
use revwatch::{
    DeleteRangeRequest, ErrorCode, EventKind, FollowId, FollowResponse, KeyRange, Options,
    RangeRequest, ResumeToken, Store,
};

/// What a follower makes of what it is told: a copy of the range.
#[derive(Default)]
struct Copy {
    state: BTreeMap<Vec<u8>, Vec<u8>>,
    revision: i64,
    resets: usize,
}

impl Copy {
    fn apply(&mut self, response: &FollowResponse) {
        match response {
            FollowResponse::State { kvs } => {
                for kv in kvs {
                    self.state.insert(kv.key.clone(), kv.value.clone());
                }
            }
            FollowResponse::Synced { revision } => self.revision = *revision,
            FollowResponse::Events { events, .. } => {
                for event in events.iter() {
                    assert!(
                        event.kv.mod_revision >= self.revision,
                        "time does not run backwards"
                    );
                    self.revision = event.kv.mod_revision;
                    match event.kind {
                        EventKind::Put => self
                            .state
                            .insert(event.kv.key.to_vec(), event.kv.value.to_vec()),
                        EventKind::Delete => self.state.remove(event.kv.key),
                    };
                }
            }
            FollowResponse::Reset { .. } => {
                *self = Self {
                    resets: self.resets + 1,
                    ..Self::default()
                };
            }
            FollowResponse::Idle => {}
        }
    }

    fn drain(&mut self, store: &mut Store, follow: FollowId) {
        loop {
            match store.poll_follow(follow, 2, PLENTY).unwrap() {
                FollowResponse::Idle => return,
                response => self.apply(&response),
            }
        }
    }
}

fn contents(store: &Store, range: &KeyRange) -> BTreeMap<Vec<u8>, Vec<u8>> {
    let response = store.range(&RangeRequest::new(range.clone())).unwrap();
    response
        .kvs
        .into_iter()
        .map(|kv| (kv.key, kv.value))
        .collect()
}

#[test]
fn a_follower_that_has_been_told_everything_has_the_range() {
    let mut resets = 0;
    for seed in 0..60 {
        let mut rng = Rng::new(seed);
        let mut store = store_with_queue(2);
        let range = KeyRange::prefix(b"k");
        let mut follow = None;
        let mut copy = Copy::default();
        for step in 0..150_u32 {
            let key = [b'j' + rng.below(3) as u8, b'0' + rng.below(5) as u8];
            match rng.below(10) {
                0..5 => drop(store.put(&key, &step.to_le_bytes()).unwrap()),
                5 => {
                    let doomed = DeleteRangeRequest::new(KeyRange::one(&key));
                    store.delete_range(&doomed).unwrap();
                }
                6 if rng.below(4) == 0 => drop(store.compact(store.revision())),
                7 if follow.is_none() => follow = Some(store.follow(range.clone(), None).unwrap()),
                _ => {
                    if let Some(follow) = follow {
                        copy.apply(&store.poll_follow(follow, 2, PLENTY).unwrap());
                    }
                }
            }
        }
        let follow = follow.unwrap_or_else(|| store.follow(range.clone(), None).unwrap());
        copy.drain(&mut store, follow);
        assert_eq!(copy.state, contents(&store, &range), "seed {seed}");
        resets += copy.resets;
    }
    assert!(
        resets > 10,
        "compaction overtook followers only {resets} times"
    );
}

#[test]
fn a_follower_resumes_after_what_it_has_seen() {
    let mut store = store_with_queue(8);
    store.put(b"a", b"1").unwrap();
    let token = store.resume_token();
    store.put(b"a", b"2").unwrap();
    let follow = store.follow(KeyRange::All, Some(token)).unwrap();
    let FollowResponse::Events { events, .. } = store.poll_follow(follow, 9, PLENTY).unwrap()
    else {
        panic!("the state is known already");
    };
    assert_eq!(
        events
            .iter()
            .map(|event| event.kv.value)
            .collect::<Vec<_>>(),
        [b"2"]
    );
}

#[test]
fn each_part_of_a_long_history_can_be_resumed_after() {
    let mut store = store_with_queue(8);
    for _ in 0..5 {
        store.put(b"k", b"v").unwrap();
    }
    let token = ResumeToken {
        revision: 1,
        ..store.resume_token()
    };
    let mut resume = token;
    let mut seen = Vec::new();
    while seen.len() < 5 {
        let follow = store.follow(KeyRange::All, Some(resume)).unwrap();
        let response = store.poll_follow(follow, 2, PLENTY).unwrap();
        let FollowResponse::Events { revision, events } = response else {
            panic!("{response:?} after {seen:?}");
        };
        seen.extend(events.iter().map(|event| event.kv.mod_revision));
        resume = store.follow_resume_token(follow).unwrap().unwrap();
        assert_eq!((resume.revision, resume.epoch), (revision, token.epoch));
        store.close_follow(follow);
    }
    assert_eq!(seen, [2, 3, 4, 5, 6]);
}

#[test]
fn a_token_from_revisions_that_a_crash_took_is_answered_with_a_reset() {
    let pages = MemoryPages::new(4096);
    let durability = revwatch::Durability::Never;
    let mut store = Store::open(
        pages.clone(),
        Options {
            durability,
            ..Options::default()
        },
    )
    .unwrap();
    store.put(b"a", b"durable").unwrap();
    store.flush().unwrap();
    let kept = store.resume_token();
    store.put(b"a", b"lost").unwrap();
    let lost = store.resume_token();
    drop(store);

    let mut store = Store::open(pages, Options::default()).unwrap();
    assert_eq!(store.revision(), kept.revision);
    store.put(b"a", b"another").unwrap();
    let follow = store.follow(KeyRange::All, Some(lost)).unwrap();
    let response = store.poll_follow(follow, 9, PLENTY).unwrap();
    assert_eq!(response, FollowResponse::Reset { revision: 3 });
    let follow = store.follow(KeyRange::All, Some(kept)).unwrap();
    let response = store.poll_follow(follow, 9, PLENTY).unwrap();
    assert!(
        matches!(response, FollowResponse::Events { revision: 3, .. }),
        "{response:?}"
    );
}

#[test]
fn ranges_that_hold_nothing_cannot_be_followed() {
    let mut store = store_with_queue(8);
    let empty = store.follow(KeyRange::span(b"b", b"a"), None).unwrap_err();
    assert_eq!(empty.code(), ErrorCode::EmptyWatchRange);
    let no_key = store.follow(KeyRange::one(b""), None).unwrap_err();
    assert_eq!(no_key.code(), ErrorCode::EmptyKey);
}

#[test]
fn a_closed_follower_leaves_nothing_behind() {
    let mut store = store_with_queue(8);
    let follow = store.follow(KeyRange::All, None).unwrap();
    store.poll_follow(follow, 9, PLENTY).unwrap();
    assert_eq!(store.status().watchers, 1);
    store.close_follow(follow);
    assert_eq!(
        (store.status().watchers, store.status().watch_streams),
        (0, 0)
    );
    let gone = store.poll_follow(follow, 9, PLENTY).unwrap_err();
    assert_eq!(gone.code(), ErrorCode::StreamNotFound);
}
