//! What is kept when pages cannot be read or written, and when a writer's crash is seen from outside.

use crate::common::{PLENTY, drain, events, outline, watch_from};
use revwatch::page::fault::{Fault, FaultDisk, FaultPages, Random};
use revwatch::page::{MemoryPages, PageStore};
use revwatch::{
    DeleteRangeRequest, Durability, ErrorCode, FollowResponse, KeyRange, Op, Options, PutRequest,
    RangeRequest, ResumeToken, Store, TxnRequest, WatchRequest, WatchResponse,
};

fn new_disk() -> FaultDisk {
    FaultDisk::new(FaultPages::new(512, 1))
}

fn open_writer(disk: &FaultDisk, durability: Durability) -> Store<FaultDisk> {
    let options = Options {
        durability,
        ..Options::default()
    };
    Store::open(disk.clone(), options).unwrap()
}

fn open_reader(disk: &FaultDisk) -> Store<FaultDisk> {
    let options = Options {
        read_only: true,
        ..Options::default()
    };
    Store::open(disk.clone(), options).unwrap()
}

/// The power goes, in one of the ways that lead back to what is wanted.
fn crash_to(disk: &FaultDisk, wanted: impl Fn(&Store<FaultPages>) -> bool) {
    let read_only = Options {
        read_only: true,
        ..Options::default()
    };
    let survivor = (0..1_000)
        .map(|seed| disk.now().crash(&mut Random::new(seed)))
        .find(|survivor| {
            Store::open(survivor.fork(), read_only.clone()).is_ok_and(|store| wanted(&store))
        });
    disk.replace(survivor.expect("the power can take what was not synced"));
}

/// Puts enough to move older pages out of the tail.
fn fill<P: PageStore>(store: &mut Store<P>) {
    for number in 0..50 {
        store
            .put(format!("fill{number}").as_bytes(), &[7; 400])
            .unwrap();
    }
}

/// A writer at revision 2 durably, and beyond it for who looks before the power goes.
fn writer_with_more_to_lose(disk: &FaultDisk) -> Store<FaultDisk> {
    let mut writer = open_writer(disk, Durability::Never);
    writer.put(b"k", b"durable").unwrap();
    writer.flush().unwrap();
    for now_ms in [0, 200, 400, 600] {
        writer.put(b"k", b"lost").unwrap();
        writer.step(now_ms, PLENTY).unwrap();
    }
    writer
}

/// A reader looks often enough to notice whatever happened.
fn look(reader: &mut Store<FaultDisk>) {
    for _ in 0..20 {
        reader.step(0, PLENTY).unwrap();
    }
}

fn revisions(responses: &[WatchResponse]) -> Vec<i64> {
    outline(&events(responses))
        .into_iter()
        .map(|(revision, _)| revision)
        .collect()
}

fn uncached() -> Options {
    Options {
        cache_bytes: 0,
        ..Options::default()
    }
}

#[test]
fn a_transaction_that_fails_half_way_is_never_seen_and_the_store_opens_without_it() {
    let pages = FaultPages::new(512, 1);
    let mut store = Store::open(pages.clone(), uncached()).unwrap();
    store.put(b"b", b"old").unwrap();
    fill(&mut store);
    let before = store.revision();
    pages.fail_after(0, Fault::BitFlipOnRead);
    let txn = TxnRequest {
        success: vec![
            Op::Put(PutRequest::new(b"a", b"1")),
            Op::Put(PutRequest {
                prev_kv: true,
                ..PutRequest::new(b"b", b"2")
            }),
        ],
        ..TxnRequest::default()
    };
    assert_eq!(store.txn(&txn).unwrap_err().code(), ErrorCode::Corrupt);
    pages.forget_faults();
    assert_eq!((store.revision(), store.get(b"a").unwrap()), (before, None));
    assert_eq!(
        store.put(b"c", b"3").unwrap_err().code(),
        ErrorCode::Poisoned
    );
    drop(store);
    let mut store = Store::open(pages, Options::default()).unwrap();
    assert_eq!((store.revision(), store.get(b"a").unwrap()), (before, None));
    assert_eq!(store.put(b"c", b"3").unwrap().revision, before + 1);
}

#[test]
fn an_event_whose_past_cannot_be_read_is_told_later_not_left_out() {
    let pages = FaultPages::new(512, 1);
    let mut store = Store::open(pages.clone(), uncached()).unwrap();
    store.put(b"b", b"old").unwrap();
    fill(&mut store);
    let stream = store.watch_stream();
    store
        .watch(
            stream,
            &WatchRequest {
                prev_kv: true,
                ..WatchRequest::new(KeyRange::All)
            },
        )
        .unwrap();
    pages.fail_after(0, Fault::BitFlipOnRead);
    let revision = store.put(b"b", b"new").unwrap().revision;
    pages.forget_faults();
    store.put(b"c", b"1").unwrap();
    assert_eq!(
        revisions(&drain(&mut store, stream)),
        [revision, revision + 1]
    );
}

#[test]
fn a_reader_that_could_not_read_misses_nothing_once_it_can() {
    for wants_prev_kv in [false, true] {
        let disk = new_disk();
        let mut writer = open_writer(&disk, Durability::Commit);
        writer.put(b"b", b"old").unwrap();
        fill(&mut writer);
        let mut reader = Store::open(
            disk.clone(),
            Options {
                read_only: true,
                ..uncached()
            },
        )
        .unwrap();
        let stream = reader.watch_stream();
        let request = WatchRequest {
            prev_kv: wants_prev_kv,
            ..WatchRequest::new(KeyRange::All)
        };
        reader.watch(stream, &request).unwrap();
        for after in 0..40 {
            let from = writer.revision() + 1;
            writer.put(b"b", &[7; 300]).unwrap();
            writer.put(b"b", &[8; 300]).unwrap();
            disk.now().fail_after(after, Fault::BitFlipOnRead);
            let _ = reader.step(0, PLENTY);
            disk.now().forget_faults();
            look(&mut reader);
            assert_eq!(
                revisions(&drain(&mut reader, stream)),
                [from, from + 1],
                "{after}"
            );
        }
    }
}

#[test]
fn two_crashes_between_two_looks_are_told_by_the_first_of_them() {
    let disk = new_disk();
    let writer = writer_with_more_to_lose(&disk);
    let mut reader = open_reader(&disk);
    let stream = watch_from(&mut reader, KeyRange::All, 1);
    let follow = reader.follow(KeyRange::All, None).unwrap();
    assert_eq!(revisions(&drain(&mut reader, stream)), [2, 3, 4, 5, 6]);
    while reader.poll_follow(follow, PLENTY, PLENTY).unwrap() != FollowResponse::Idle {}
    let seen = reader.follow_resume_token(follow).unwrap().unwrap();
    drop(writer);
    crash_to(&disk, |store| store.revision() == 2);
    let mut writer = open_writer(&disk, Durability::Commit);
    for _ in 0..20 {
        writer.put(b"k", b"new").unwrap();
    }
    drop(writer);
    open_writer(&disk, Durability::Commit)
        .put(b"k", b"newer")
        .unwrap();

    look(&mut reader);
    let told = WatchResponse::Rewound {
        watch_id: 0,
        revision: 2,
    };
    assert_eq!(drain(&mut reader, stream), [told]);
    // What was recorded before the crash is not mixed with the epoch after it.
    let recorded = reader.follow_resume_token(follow).unwrap().unwrap();
    assert_eq!(recorded, seen);
    let again = reader.follow(KeyRange::All, Some(recorded)).unwrap();
    for follow in [follow, again] {
        let response = reader.poll_follow(follow, PLENTY, PLENTY).unwrap();
        assert!(
            matches!(response, FollowResponse::Reset { .. }),
            "{response:?}"
        );
    }
}

#[test]
fn a_loss_that_concerns_no_event_does_not_cost_a_watcher_any() {
    let disk = new_disk();
    let mut writer = open_writer(&disk, Durability::Never);
    writer.put(b"k", b"1").unwrap();
    writer.flush().unwrap();
    writer.step(0, PLENTY).unwrap();
    for id in 1..20 {
        writer.lease_grant(id, 60_000).unwrap();
    }
    for now_ms in [200, 400] {
        writer.step(now_ms, PLENTY).unwrap();
    }
    let mut reader = open_reader(&disk);
    assert_eq!(reader.leases().len(), 19);
    let stream = watch_from(&mut reader, KeyRange::All, 0);
    drop(writer);
    crash_to(&disk, |store| {
        store.leases().len() < 19 && store.revision() == 2
    });
    let mut writer = open_writer(&disk, Durability::Commit);
    for _ in 0..5 {
        writer.put(b"k", b"new").unwrap();
    }
    look(&mut reader);
    writer.put(b"k", b"more").unwrap();
    look(&mut reader);
    assert_eq!(revisions(&drain(&mut reader, stream)), [3, 4, 5, 6, 7, 8]);
}

#[test]
fn a_watcher_of_the_future_is_told_of_it_although_the_present_was_lost() {
    let disk = new_disk();
    let writer = writer_with_more_to_lose(&disk);
    let mut reader = open_reader(&disk);
    let stream = watch_from(&mut reader, KeyRange::All, 9);
    drop(writer);
    crash_to(&disk, |store| store.revision() == 2);
    let mut writer = open_writer(&disk, Durability::Commit);
    for _ in 0..9 {
        writer.put(b"k", b"new").unwrap();
    }
    look(&mut reader);
    assert_eq!(revisions(&drain(&mut reader, stream)), [9, 10, 11]);
}

#[test]
fn what_a_reader_saw_before_its_sync_belongs_to_an_epoch_of_its_own() {
    let disk = new_disk();
    let mut writer = open_writer(&disk, Durability::Commit);
    writer.put(b"k", b"1").unwrap();
    writer.close().unwrap();
    let mut writer = open_writer(&disk, Durability::Commit);
    writer.put(b"k", b"2").unwrap();
    writer.close().unwrap();
    let mut writer = open_writer(&disk, Durability::Never);
    writer.put(b"k", b"seen, and lost").unwrap();
    writer.step(0, PLENTY).unwrap();
    writer.put(b"k", b"seen, and lost").unwrap();
    writer.step(200, PLENTY).unwrap();
    let token = open_reader(&disk).resume_token();
    assert!(token.revision > 3, "{token:?}");
    drop(writer);
    crash_to(&disk, |store| store.revision() == 3);
    let mut writer = open_writer(&disk, Durability::Commit);
    for _ in 0..3 {
        writer.put(b"k", b"another").unwrap();
    }
    let follow = writer.follow(KeyRange::All, Some(token)).unwrap();
    let response = writer.poll_follow(follow, PLENTY, PLENTY).unwrap();
    assert!(
        matches!(response, FollowResponse::Reset { .. }),
        "{response:?}"
    );
}

#[test]
fn an_older_copy_of_a_store_does_not_pass_for_the_store() {
    let pages = MemoryPages::new(4096);
    let mut store = Store::open(pages.clone(), Options::default()).unwrap();
    store.put(b"a", b"").unwrap();
    store.close().unwrap();
    let copy = MemoryPages::from_bytes(4096, &pages.to_bytes()).unwrap();
    let mut store = Store::open(pages, Options::default()).unwrap();
    for _ in 0..10 {
        store.put(b"a", b"").unwrap();
    }
    let token = store.resume_token();
    let mut store = Store::open(copy, Options::default()).unwrap();
    let follow = store.follow(KeyRange::All, Some(token)).unwrap();
    let response = store.poll_follow(follow, PLENTY, PLENTY).unwrap();
    assert_eq!(response, FollowResponse::Reset { revision: 2 });
    let never_given = ResumeToken {
        epoch: 1,
        revision: -1,
    };
    let error = store.follow(KeyRange::All, Some(never_given)).unwrap_err();
    assert_eq!(error.code(), ErrorCode::InvalidOption);
}

#[test]
fn closing_says_so_when_an_answered_write_was_lost() {
    let pages = FaultPages::new(512, 1);
    let durability = Durability::ETCD;
    let mut store = Store::open(
        pages.clone(),
        Options {
            durability,
            ..Options::default()
        },
    )
    .unwrap();
    store.step(0, PLENTY).unwrap();
    store.put(b"a", b"").unwrap();
    pages.fail_after(0, Fault::SyncFails);
    store.step(100, PLENTY).unwrap_err();
    assert_eq!(
        store.step(200, PLENTY).unwrap().next_ms,
        None,
        "nothing more can be done"
    );
    assert_eq!(store.close().unwrap_err().code(), ErrorCode::Poisoned);
}

#[test]
fn one_chore_that_fails_keeps_no_other_from_its_turn() {
    let pages = FaultPages::new(512, 1);
    let durability = Durability::ETCD;
    let mut store = Store::open(
        pages.clone(),
        Options {
            durability,
            ..Options::default()
        },
    )
    .unwrap();
    store.step(0, PLENTY).unwrap();
    store.lease_grant(1, 2_000).unwrap();
    for number in 0..2_000 {
        let key = format!("{number:0100}");
        store
            .put_with(&PutRequest {
                lease: 1,
                ..PutRequest::new(key.as_bytes(), b"")
            })
            .unwrap();
    }
    store.flush().unwrap();
    pages.set_capacity_limit(pages.len().unwrap());
    store.step(1_990, PLENTY).unwrap();
    let answered = store.put(b"y", b"").unwrap().revision;
    for now_ms in [2_050, 2_100, 4_000] {
        let no_room_to_end_the_lease = store.step(now_ms, PLENTY).err();
        assert!(no_room_to_end_the_lease.is_none_or(|error| error.code() == ErrorCode::NoSpace));
    }
    assert_eq!(store.status().published_revision, answered);
}

#[test]
fn a_follower_overtaken_by_compaction_waits_for_the_state_to_be_published() {
    let options = Options {
        durability: Durability::ETCD,
        ..Options::default()
    };
    let mut store = Store::open(MemoryPages::new(4096), options).unwrap();
    store.put(b"z", b"").unwrap();
    store.flush().unwrap();
    let follow = store.follow(KeyRange::All, None).unwrap();
    for _ in 0..5 {
        store.put(b"a", b"1").unwrap();
    }
    store.compact(6).unwrap();
    let mut told = Vec::new();
    for _ in 0..2 {
        loop {
            match store.poll_follow(follow, PLENTY, PLENTY).unwrap() {
                FollowResponse::Idle => break,
                response => told.push(response),
            }
            assert!(told.len() < 9, "the state never comes");
        }
        store.flush().unwrap();
    }
    assert_eq!(told[0], FollowResponse::Reset { revision: 7 });
    assert_eq!(told[2], FollowResponse::Synced { revision: 7 });
}

#[test]
fn a_transaction_that_only_reads_writes_nothing_and_may_be_asked_of_a_reader() {
    let disk = new_disk();
    let mut writer = open_writer(&disk, Durability::Never);
    writer.put(b"k", b"1").unwrap();
    writer.close().unwrap();
    let only_reads = TxnRequest {
        success: vec![Op::Range(RangeRequest::new(KeyRange::All))],
        ..TxnRequest::default()
    };
    let durability = Durability::Never;
    let read_only = Options {
        read_only: true,
        durability,
        ..Options::default()
    };
    let mut reader = Store::open(disk.clone(), read_only).unwrap();
    assert!(reader.txn(&only_reads).unwrap().succeeded);
    let mut writer = open_writer(&disk, durability);
    let before = format!("{:?}", disk.now().counts());
    assert_eq!(writer.txn(&only_reads).unwrap().revision, 2);
    assert_eq!(format!("{:?}", disk.now().counts()), before);
}

#[test]
fn what_a_failed_sync_took_is_not_counted() {
    let pages = FaultPages::new(512, 1);
    let mut store = Store::open(pages.clone(), Options::default()).unwrap();
    store.put(b"a", b"").unwrap();
    let before = (
        store.revision(),
        store.status().keys,
        store.status().compact_revision,
    );
    pages.fail_after(0, Fault::SyncFails);
    store.put(b"b", b"").unwrap_err();
    store.compact(2).unwrap_err();
    store.lease_grant(1, 5_000).unwrap_err();
    store
        .delete_range(&DeleteRangeRequest::new(KeyRange::All))
        .unwrap_err();
    let after = (
        store.revision(),
        store.status().keys,
        store.status().compact_revision,
    );
    assert_eq!((after, store.leases().len()), (before, 0));
}
