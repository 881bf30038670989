//! Nothing that fails changes the revision or the data: each error that an operation on an open store
//! can have, each way that leads to it.

use std::collections::BTreeSet;

use crate::common::PLENTY;
use revwatch::ErrorCode as Code;
use revwatch::page::MemoryPages;
use revwatch::{
    Compare, CompareOp, CompareTarget, DeleteRangeRequest, Error, KeyRange, KeyValue, Limits, Op,
    Options, PutRequest, RangeRequest, ResumeToken, Status, Store, StreamId, TxnRequest,
    WatchRequest,
};

/// Errors that no operation on a store that is open and can be written answers, with where they are
/// tested.
const ELSEWHERE: &[(Code, &str)] = &[
    (Code::InvalidSortOption, "types rule it out here; bindings"),
    (
        Code::InvalidOption,
        "of opening: header.rs; of resuming: follow.rs",
    ),
    (
        Code::Rewound,
        "told by a watch, not answered: durability.rs",
    ),
    (Code::InvalidChanges, "changes_bytes.rs"),
    (Code::ChangesOutOfPlace, "changes.rs"),
    (Code::ChangesDiverge, "changes.rs"),
    (Code::InvalidSnapshot, "snapshot/bytes.rs"),
    (Code::SnapshotOutOfPlace, "snapshot/export.rs"),
    (Code::SnapshotOvertaken, "snapshot/export.rs"),
    (Code::CursorNotFound, "cursor.rs"),
    (Code::CursorExists, "cursor.rs"),
    (Code::TooManyCursors, "cursor.rs"),
    (Code::AckNotDelivered, "cursor.rs"),
    (Code::HeldByCursor, "cursor_hold.rs"),
    (Code::SyncPending, "tickets.rs"),
    (Code::ImportIncomplete, "snapshot/export.rs"),
    (Code::Corrupt, "log/tests/damage.rs"),
    (Code::NotAStore, "log/tests/damage.rs"),
    (Code::UnsupportedFormat, "log/tests/damage.rs"),
    (Code::Poisoned, "failures.rs"),
    (Code::Io, "failures.rs"),
    (Code::Locked, "page/file/tests"),
    (Code::ReadOnly, "below, on a reader"),
    (Code::StoreNotFound, "page/file/tests"),
    (Code::StoreExists, "snapshot/export.rs"),
    (Code::PermissionDenied, "page/file/tests"),
    (Code::NullPointer, "bindings"),
    (Code::Closed, "bindings"),
    (Code::InvalidArgument, "bindings"),
    (Code::Internal, "bindings"),
];

const QUOTA_BYTES: u64 = 64 * 1024;

/// A store at revision 6, compacted at 4, with a lease 7 that holds "leased", and a watcher 5.
fn store(pages: &MemoryPages) -> (Store<MemoryPages>, StreamId) {
    let options = Options {
        limits: Limits {
            request_bytes: 1000,
            txn_ops: 4,
            quota_bytes: QUOTA_BYTES,
            ..Limits::default()
        },
        ..Options::default()
    };
    let mut store = Store::open(pages.clone(), options).unwrap();
    store.step(0, PLENTY).unwrap();
    store.lease_grant(7, 60_000).unwrap();
    for (key, value) in [(b"a", b"2"), (b"b", b"3"), (b"a", b"4"), (b"c", b"5")] {
        store.put(key, value).unwrap();
    }
    let leased = PutRequest {
        lease: 7,
        ..PutRequest::new(b"leased", b"6")
    };
    store.put_with(&leased).unwrap();
    store.compact(4).unwrap();
    let stream = store.watch_stream();
    let watch = WatchRequest {
        watch_id: 5,
        ..WatchRequest::new(KeyRange::All)
    };
    store.watch(stream, &watch).unwrap();
    (store, stream)
}

/// All that a failure might have changed.
fn picture(store: &Store<MemoryPages>) -> (Status, Vec<KeyValue>, u32, Vec<i64>, usize) {
    let kvs = store.range(&RangeRequest::new(KeyRange::All)).unwrap().kvs;
    let history = store.history(&KeyRange::All, 0, usize::MAX).unwrap();
    let hash = store.hash_kv(0).unwrap().hash;
    let lease = store.lease_time_to_live(7, true).keys.len();
    (
        store.status(),
        kvs,
        hash,
        store.leases(),
        history.events.len() + lease,
    )
}

type Attempt = Box<dyn Fn(&mut Store<MemoryPages>, StreamId) -> Option<Error>>;

fn attempt<T>(
    work: impl Fn(&mut Store<MemoryPages>, StreamId) -> revwatch::Result<T> + 'static,
) -> Attempt {
    Box::new(move |store, stream| work(store, stream).err())
}

fn txn(success: Vec<Op>) -> Attempt {
    attempt(move |store, _| {
        let success = success.clone();
        store.txn(&TxnRequest {
            success,
            ..TxnRequest::default()
        })
    })
}

/// The operation in a transaction, after others that could be done.
fn after_others(op: Op) -> Attempt {
    txn(vec![
        Op::Put(PutRequest::new(b"new", b"1")),
        Op::DeleteRange(DeleteRangeRequest::new(KeyRange::one(b"b"))),
        op,
    ])
}

fn put(change: impl Fn(&mut PutRequest)) -> Vec<Attempt> {
    let mut request = PutRequest::new(b"a", b"");
    change(&mut request);
    let alone = request.clone();
    vec![
        attempt(move |store, _| store.put_with(&alone)),
        after_others(Op::Put(request)),
    ]
}

fn range(key: KeyRange, revision: i64) -> Vec<Attempt> {
    let request = RangeRequest {
        revision,
        ..RangeRequest::new(key.clone())
    };
    let alone = request.clone();
    vec![
        attempt(move |store, _| store.range(&alone)),
        attempt(move |store, _| store.range_stream(key.clone(), revision)),
        after_others(Op::Range(request)),
    ]
}

fn requests() -> Vec<(Code, Vec<Attempt>)> {
    let delete = |key: KeyRange| Op::DeleteRange(DeleteRangeRequest::new(key));
    let empty = || KeyRange::one(b"");
    let compare = Compare {
        range: empty(),
        op: CompareOp::Equal,
        target: CompareTarget::Version(0),
    };
    let compared = TxnRequest {
        compare: vec![compare],
        success: vec![Op::Put(PutRequest::new(b"new", b"1"))],
        ..TxnRequest::default()
    };
    let mut empty_key = put(|put| put.key.clear());
    empty_key.extend(range(empty(), 0));
    empty_key.push(attempt(|store, _| store.get(b"")));
    empty_key.push(attempt(|store, _| {
        store.delete_range(&DeleteRangeRequest::new(KeyRange::one(b"")))
    }));
    empty_key.push(attempt(|store, _| store.follow(KeyRange::one(b""), None)));
    empty_key.push(after_others(delete(empty())));
    empty_key.push(attempt(move |store, _| store.txn(&compared)));
    let twice = vec![
        Op::Put(PutRequest::new(b"b", b"")),
        delete(KeyRange::prefix(b"b")),
    ];
    let five = vec![Op::Put(PutRequest::new(b"b", b"")); 5];
    vec![
        (Code::EmptyKey, empty_key),
        (Code::RequestTooLarge, put(|put| put.value = vec![0; 1000])),
        (Code::KeyNotFound, {
            let mut all = put(|put| (put.key, put.ignore_value) = (b"none".to_vec(), true));
            all.extend(put(|put| {
                (put.key, put.ignore_lease) = (b"none".to_vec(), true);
            }));
            all
        }),
        (
            Code::ValueProvided,
            put(|put| (put.value, put.ignore_value) = (b"v".to_vec(), true)),
        ),
        (
            Code::LeaseProvided,
            put(|put| (put.lease, put.ignore_lease) = (7, true)),
        ),
        (Code::DuplicateKey, vec![txn(twice)]),
        (Code::TooManyOps, vec![txn(five)]),
    ]
}

fn revisions() -> Vec<(Code, Vec<Attempt>)> {
    let mut future = range(KeyRange::one(b"a"), 7);
    future.push(attempt(|store, _| store.compact(7)));
    future.push(attempt(|store, _| store.hash_kv(7)));
    future.push(attempt(|store, _| store.history(&KeyRange::All, 7, 10)));
    let mut compacted = range(KeyRange::one(b"a"), 3);
    compacted.push(attempt(|store, _| store.compact(4)));
    compacted.push(attempt(|store, _| store.compact(-1)));
    compacted.push(attempt(|store, _| store.hash_kv(3)));
    compacted.push(attempt(|store, _| store.history(&KeyRange::All, 3, 10)));
    vec![(Code::FutureRevision, future), (Code::Compacted, compacted)]
}

fn leases_and_watches() -> Vec<(Code, Vec<Attempt>)> {
    let mut no_lease = put(|put| put.lease = 8);
    no_lease.push(attempt(|store, _| store.lease_revoke(8)));
    let too_large = Limits::default().lease_max_ttl_ms + 1;
    let empty = || KeyRange::span(b"b", b"a");
    let watch = |store: &mut Store<MemoryPages>, stream, range: KeyRange, watch_id| {
        let request = WatchRequest {
            watch_id,
            ..WatchRequest::new(range)
        };
        store.watch(stream, &request)
    };
    // A stream that was closed, of another store, and so of no store here.
    let closed = |store: &mut Store<MemoryPages>| {
        let stream = store.watch_stream();
        store.close_stream(stream);
        stream
    };
    vec![
        (Code::LeaseNotFound, no_lease),
        (
            Code::LeaseExists,
            vec![attempt(|store, _| store.lease_grant(7, 5000))],
        ),
        (
            Code::LeaseTtlTooLarge,
            vec![attempt(move |store, _| store.lease_grant(9, too_large))],
        ),
        (
            Code::EmptyWatchRange,
            vec![
                attempt(move |store, stream| watch(store, stream, empty(), 0)),
                attempt(move |store, _| store.follow(empty(), None)),
            ],
        ),
        (
            Code::DuplicateWatchId,
            vec![attempt(move |store, stream| {
                watch(store, stream, KeyRange::All, 5)
            })],
        ),
        (
            Code::StreamNotFound,
            vec![
                attempt(move |store, _| {
                    let stream = closed(store);
                    watch(store, stream, KeyRange::All, 0)
                }),
                attempt(move |store, _| {
                    let stream = closed(store);
                    store.poll(stream, 1, 1)
                }),
                attempt(move |store, _| {
                    let stream = closed(store);
                    store.cancel_watch(stream, 5)
                }),
            ],
        ),
    ]
}

fn refused(store: &mut Store<MemoryPages>, stream: StreamId, code: Code, attempts: &[Attempt]) {
    for (number, attempt) in attempts.iter().enumerate() {
        let before = picture(store);
        let error = attempt(store, stream);
        let what = format!("{}, attempt {number}: {error:?}", code.name());
        assert_eq!(error.map(|error| error.code()), Some(code), "{what}");
        assert_eq!(picture(store), before, "{what}");
    }
}

#[test]
fn nothing_that_fails_changes_the_revision_or_the_data() {
    let pages = MemoryPages::new(512);
    let (mut store, stream) = store(&pages);
    let mut met: BTreeSet<i32> = ELSEWHERE.iter().map(|&(code, _)| code as i32).collect();
    for (code, attempts) in [requests(), revisions(), leases_and_watches()].concat_all() {
        refused(&mut store, stream, code, &attempts);
        assert!(met.insert(code as i32), "{} has two rows", code.name());
    }
    while store.put(b"filler", &[0; 400]).is_ok() {}
    let many = [put(|put| put.value = vec![0; 400]), put(|_| ())].concat_all();
    refused(&mut store, stream, Code::NoSpace, &many);
    met.insert(Code::NoSpace as i32);
    let missing: Vec<&str> = Code::ALL
        .iter()
        .filter(|&&code| !met.contains(&(code as i32)))
        .map(|code| code.name())
        .collect();
    assert_eq!(missing, Vec::<&str>::new(), "these are tested nowhere");

    let before = picture(&store);
    store.close().unwrap();
    let store = Store::open(pages, Options::default()).unwrap();
    let after = picture(&store);
    assert_eq!((after.1, after.2, after.3), (before.1, before.2, before.3));
}

trait ConcatAll<T> {
    fn concat_all(self) -> Vec<T>;
}

impl<T, const N: usize> ConcatAll<T> for [Vec<T>; N] {
    fn concat_all(self) -> Vec<T> {
        self.into_iter().flatten().collect()
    }
}

#[test]
fn a_reader_is_refused_every_write_and_changes_nothing() {
    let pages = MemoryPages::new(512);
    let (original, _) = store(&pages);
    let options = Options {
        read_only: true,
        ..Options::default()
    };
    let mut reader = Store::open(pages, options).unwrap();
    let before = picture(&reader);
    let writes: Vec<Attempt> = vec![
        attempt(|store, _| store.put(b"a", b"")),
        attempt(|store, _| store.delete_range(&DeleteRangeRequest::new(KeyRange::All))),
        txn(vec![Op::Put(PutRequest::new(b"a", b""))]),
        attempt(|store, _| store.compact(5)),
        attempt(|store, _| store.lease_grant(9, 5000)),
        attempt(|store, _| store.lease_revoke(7)),
        attempt(|store, _| store.lease_keep_alive(7)),
    ];
    let stream = reader.watch_stream();
    reader.close_stream(stream);
    refused(&mut reader, stream, Code::ReadOnly, &writes);
    assert_eq!(picture(&reader), before);
    assert_eq!(picture(&original).1, before.1);
}

#[test]
fn tokens_of_no_history_change_nothing() {
    let pages = MemoryPages::new(512);
    let (mut store, _) = store(&pages);
    let before = picture(&store);
    for token in [(1, 99), (9, 3), (0, 0), (-1, -1), (i64::MAX, i64::MAX)] {
        let token = ResumeToken {
            epoch: token.0,
            revision: token.1,
        };
        if let Ok(follow) = store.follow(KeyRange::All, Some(token)) {
            store.poll_follow(follow, 10, PLENTY).unwrap();
            store.close_follow(follow);
        }
    }
    assert_eq!(picture(&store), before);
}
