//! What snapshots are promised to be: the store of one revision, whatever happens meanwhile, and all
//! of it or nothing where they are imported.

use crate::common::changes::change;
use crate::common::snapshots::{Portrait, chunks_since, happen};
use crate::common::{PLENTY, Rng, drain, events, watch_from};
use revwatch::page::fault::{Fault, FaultPages, Random};
use revwatch::page::{MemoryPages, PageStore};
use revwatch::{
    DeleteRangeRequest, Durability, ErrorCode, FollowResponse, Import, KeyRange, Limits, Options,
    PutRequest, ResumeToken, SharedStore, Snapshot, SnapshotUpdate, Store,
};

fn options(store_id: u8) -> Options {
    Options {
        store_id: [store_id; 16],
        ..Options::default()
    }
}

fn restored(chunks: &[Vec<u8>]) -> Store {
    Store::restore(MemoryPages::new(512), options(2), chunks).unwrap()
}

/// A store with a past, that goes on in `pages`.
fn lived_in(pages: MemoryPages, rng: &mut Rng, steps: u64) -> (Store, i64) {
    let mut store = Store::open(pages, options(1)).unwrap();
    let mut now_ms = 0;
    store.step(0, 0).unwrap();
    for _ in 0..steps {
        happen(&mut store, rng, &mut now_ms);
    }
    (store, now_ms)
}

#[test]
fn a_store_that_was_restored_is_the_same_store() {
    for seed in 0..60 {
        let mut rng = Rng::new(seed);
        let pages = MemoryPages::new(512);
        let steps = rng.below(200);
        let (mut store, _) = lived_in(pages.clone(), &mut rng, steps);
        if rng.below(3) == 0 {
            // A crash, which begins an epoch.
            drop(store);
            store = Store::open(pages, options(1)).unwrap();
        }
        let before = Portrait::of(&store);
        let max_bytes = rng.below(3_000) as usize;
        let chunks = chunks_since(&mut store, 0, max_bytes);
        assert_eq!(
            Portrait::of(&store),
            before,
            "seed {seed}: it changes nothing"
        );

        let pages = MemoryPages::new(1024);
        let copy = Store::restore(pages.clone(), options(2), &chunks).unwrap();
        assert_eq!(Portrait::of(&copy), before, "seed {seed}");
        copy.check().unwrap();
        drop(copy);
        let copy = Store::open(pages, options(2)).unwrap();
        assert_eq!(Portrait::of(&copy), before, "seed {seed}, opened again");
    }
}

#[test]
fn a_snapshot_is_of_one_revision_whatever_is_written_meanwhile() {
    for seed in 0..40 {
        let mut rng = Rng::new(1_000 + seed);
        let (mut store, mut now_ms) = lived_in(MemoryPages::new(512), &mut rng, 150);
        let before = Portrait::of(&store);
        let mut snapshot = store.snapshot(0).unwrap();
        let mut chunks = Vec::new();
        loop {
            let chunk = store.next_snapshot_chunk(&mut snapshot, 700).unwrap();
            if chunk.is_empty() {
                break;
            }
            chunks.push(chunk);
            for _ in 0..rng.below(8) {
                happen(&mut store, &mut rng, &mut now_ms);
            }
            // All that is written is dead at once, as far as no cursor forbids it.
            let _ = store.compact(store.revision());
            now_ms += 1_000;
            store.step(now_ms, PLENTY).unwrap();
        }
        assert_eq!(Portrait::of(&restored(&chunks)), before, "seed {seed}");
    }
}

#[test]
fn copies_that_take_what_happened_since_stay_the_same_store() {
    for seed in 0..40 {
        let mut rng = Rng::new(2_000 + seed);
        let (mut store, mut now_ms) = lived_in(MemoryPages::new(512), &mut rng, 60);
        let mut copy = restored(&chunks_since(&mut store, 0, 900));
        for _ in 0..6 {
            for _ in 0..rng.below(25) {
                happen(&mut store, &mut rng, &mut now_ms);
            }
            if store.status().compact_revision > copy.revision() {
                let error = store.snapshot(copy.revision()).unwrap_err();
                assert_eq!(error.code(), ErrorCode::Compacted);
                break;
            }
            let mut update = SnapshotUpdate::default();
            for chunk in chunks_since(&mut store, copy.revision(), 600) {
                assert!(!update.is_complete());
                copy.apply_snapshot(&mut update, &chunk).unwrap();
            }
            assert!(update.is_complete());
            assert_eq!(Portrait::of(&copy), Portrait::of(&store), "seed {seed}");
            copy.check().unwrap();
        }
    }
}

#[test]
fn leases_go_on_with_the_time_that_they_had_left() {
    let mut store = Store::in_memory(Options::default());
    store.step(0, 0).unwrap();
    store.lease_grant(7, 60_000).unwrap();
    let put = PutRequest {
        lease: 7,
        ..PutRequest::new(b"alive", b"")
    };
    store.put_with(&put).unwrap();
    store.step(12_345, 0).unwrap();
    let mut copy = restored(&chunks_since(&mut store, 0, PLENTY));
    assert_eq!(
        copy.lease_time_to_live(7, true),
        store.lease_time_to_live(7, true)
    );
    copy.step(1_000_000, 0).unwrap();
    copy.step(1_000_000 + 60_000 - 12_345, 0).unwrap();
    assert_eq!(copy.get(b"alive").unwrap(), None);
}

#[test]
fn a_token_of_revisions_that_the_snapshot_lacks_is_told_so() {
    let mut store = Store::in_memory(Options::default());
    store.put(b"k", b"1").unwrap();
    let known = store.resume_token();
    let chunks = chunks_since(&mut store, 0, PLENTY);
    store.put(b"k", b"2").unwrap();
    let later = store.resume_token();

    let mut copy = restored(&chunks);
    copy.put(b"k", b"another 2").unwrap();
    assert!(copy.resume_token().epoch > later.epoch);
    let told = |copy: &mut Store, token: ResumeToken| {
        let follow = copy.follow(KeyRange::All, Some(token)).unwrap();
        copy.poll_follow(follow, PLENTY, PLENTY).unwrap()
    };
    let goes_on = told(&mut copy, known);
    assert!(
        matches!(goes_on, FollowResponse::Events { .. }),
        "{goes_on:?}"
    );
    assert_eq!(
        told(&mut copy, later),
        FollowResponse::Reset { revision: 3 }
    );
}

#[test]
fn watchers_of_a_copy_see_what_is_applied_to_it() {
    let mut store = Store::in_memory(Options::default());
    let mut copy = Store::in_memory(Options::default());
    let stream = watch_from(&mut copy, KeyRange::All, 0);
    let mut rng = Rng::new(5);
    for _ in 0..30 {
        change(&mut store, &mut rng);
    }
    let mut update = SnapshotUpdate::default();
    for chunk in chunks_since(&mut store, 1, 512) {
        copy.apply_snapshot(&mut update, &chunk).unwrap();
    }
    let all = store.history(&KeyRange::All, 0, PLENTY).unwrap().events;
    assert_eq!(events(&drain(&mut copy, stream)), all);
}

#[test]
fn an_increment_applies_only_where_it_begins() {
    let mut store = Store::in_memory(Options::default());
    for i in 0..5_u8 {
        store.put(b"k", &[i]).unwrap();
    }
    let since = |store: &mut Store, since| chunks_since(store, since, PLENTY).concat();
    let mut copy = restored(&chunks_since(&mut store, 0, PLENTY));
    let code = |copy: &mut Store, bytes: &[u8]| {
        let before = Portrait::of(copy);
        let error = copy
            .apply_snapshot(&mut SnapshotUpdate::default(), bytes)
            .unwrap_err();
        assert_eq!(Portrait::of(copy), before);
        error.code()
    };
    assert_eq!(
        code(&mut copy, &since(&mut store, 3)),
        ErrorCode::SnapshotOutOfPlace
    );
    assert_eq!(
        code(&mut copy, &since(&mut store, 0)),
        ErrorCode::SnapshotOutOfPlace
    );
    let increment = since(&mut store, 3);
    let error = Store::restore(MemoryPages::new(512), options(3), [increment])
        .err()
        .unwrap();
    assert_eq!(error.code(), ErrorCode::SnapshotOutOfPlace);
    // Another history of the same length.
    let mut stranger = Store::in_memory(Options::default());
    for i in 0..5_u8 {
        stranger.put(b"k", &[i + 1]).unwrap();
    }
    stranger.put(b"k", b"6").unwrap();
    assert_eq!(
        code(&mut copy, &since(&mut stranger, 6)),
        ErrorCode::ChangesDiverge
    );
    assert_eq!(
        store.snapshot(7).unwrap_err().code(),
        ErrorCode::FutureRevision
    );
    assert_eq!(
        store.snapshot(-1).unwrap_err().code(),
        ErrorCode::InvalidOption
    );
    store.compact(4).unwrap();
    assert_eq!(store.snapshot(3).unwrap_err().code(), ErrorCode::Compacted);
    drop(store.snapshot(4).unwrap());
}

#[test]
fn an_increment_that_was_cut_off_is_gone_on_with_from_where_it_came_to() {
    let mut rng = Rng::new(77);
    let mut store = Store::in_memory(Options::default());
    let mut copy = Store::in_memory(Options::default());
    for _ in 0..60 {
        change(&mut store, &mut rng);
    }
    let chunks = chunks_since(&mut store, 1, 512);
    let mut update = SnapshotUpdate::default();
    for chunk in &chunks[..chunks.len() / 2] {
        copy.apply_snapshot(&mut update, chunk).unwrap();
    }
    assert!(1 < copy.revision() && copy.revision() < store.revision());
    let mut update = SnapshotUpdate::default();
    for chunk in chunks_since(&mut store, copy.revision(), 512) {
        copy.apply_snapshot(&mut update, &chunk).unwrap();
    }
    assert_eq!(Portrait::of(&copy), Portrait::of(&store));
}

#[test]
fn an_import_that_a_crash_cuts_off_is_no_store_and_can_begin_anew() {
    let mut rng = Rng::new(9);
    let (mut store, _) = lived_in(MemoryPages::new(512), &mut rng, 80);
    let whole = Portrait::of(&store);
    let chunks = chunks_since(&mut store, 0, 1_500);
    // Two pages of zeros: where a page store grows by noise, a crash may leave noise and nothing else.
    let blank_disk = |seed| FaultPages::from_bytes(1024, seed, &[0; 2048]).unwrap();
    let clean = blank_disk(1);
    Store::restore(clean.clone(), options(2), &chunks).unwrap();
    let counts = clean.counts();
    let operations = counts.writes + counts.syncs + counts.reads + counts.set_lens;
    let (mut blank, mut incomplete, mut complete) = (0, 0, 0);
    for after in 0..operations {
        for draw in 0..3 {
            let disk = blank_disk(after);
            disk.fail_after(after, Fault::PowerCut);
            let _ = Store::restore(disk.clone(), options(2), &chunks);
            let survivor = disk.crash(&mut Random::new(after * 8 + draw));
            match Store::open(survivor.fork(), options(2)) {
                Ok(store) if store.revision() == 1 => {
                    // Nothing of it is there: an image that is blank becomes a new store.
                    assert_eq!(store.status().keys, 0);
                    assert!(after < 10 && complete == 0, "after {after}");
                    blank += 1;
                    continue;
                }
                Ok(store) => {
                    assert_eq!(Portrait::of(&store), whole, "after {after}");
                    complete += 1;
                    continue;
                }
                Err(error) => {
                    assert_eq!(
                        error.code(),
                        ErrorCode::ImportIncomplete,
                        "{after}: {error}"
                    );
                    incomplete += 1;
                }
            }
            let read_only = Options {
                read_only: true,
                ..options(2)
            };
            let error = Store::open(survivor.fork(), read_only).err().unwrap();
            assert_eq!(error.code(), ErrorCode::ImportIncomplete);
            let copy = Store::restore(survivor.fork(), options(2), &chunks).unwrap();
            assert_eq!(Portrait::of(&copy), whole, "after {after}, again");
        }
    }
    assert!(
        blank > 0 && incomplete > 50 && complete > 0,
        "{blank} {incomplete} {complete}"
    );
}

#[test]
fn where_there_is_something_nothing_is_imported() {
    let mut store = Store::in_memory(Options::default());
    store.put(b"k", b"v").unwrap();
    let chunks = chunks_since(&mut store, 0, PLENTY);
    let pages = MemoryPages::new(512);
    drop(Store::open(pages.clone(), options(3)).unwrap());
    let before = pages.to_bytes();
    let error = Import::begin(pages.clone(), options(2)).err().unwrap();
    assert_eq!(error.code(), ErrorCode::StoreExists);
    assert_eq!(pages.to_bytes(), before);

    let text = MemoryPages::from_bytes(512, &[b'x'; 2048]).unwrap();
    let error = Import::begin(text.clone(), options(2)).err().unwrap();
    assert_eq!(error.code(), ErrorCode::NotAStore);
    assert_eq!(text.to_bytes(), [b'x'; 2048]);

    let full = MemoryPages::new(512).with_capacity_limit(12);
    let error = Store::restore(full.clone(), options(2), &chunks)
        .err()
        .unwrap();
    assert_eq!(error.code(), ErrorCode::NoSpace);
    let error = Store::open(full, options(2)).err().unwrap();
    assert_eq!(error.code(), ErrorCode::ImportIncomplete);
}

#[test]
fn a_snapshot_holds_space_until_it_is_dropped_and_no_longer() {
    let filled = |limits: Limits| {
        let options = Options {
            limits,
            ..options(1)
        };
        let mut store = Store::open(MemoryPages::new(512), options).unwrap();
        for i in 0..200_u8 {
            store.put(b"key", &[i; 100]).unwrap();
        }
        store
    };
    let compact = |store: &mut Store, now_ms| {
        let _ = store.compact(store.revision());
        for _ in 0..200 {
            store.step(now_ms, PLENTY).unwrap();
        }
    };
    let mut store = filled(Limits::default());
    let full = store.status().size_in_use;
    let snapshot = store.snapshot(0).unwrap();
    compact(&mut store, 0);
    assert!(store.status().size_in_use >= full && store.status().compacting);
    drop(snapshot);
    compact(&mut store, 1);
    assert!(store.status().size_in_use < full / 4);

    let mut store = filled(Limits {
        snapshot_hold_bytes: 5_000,
        ..Limits::default()
    });
    let mut snapshot = store.snapshot(0).unwrap();
    store.next_snapshot_chunk(&mut snapshot, 512).unwrap();
    for i in 0..100_u8 {
        store.put(b"key", &[i; 100]).unwrap();
    }
    compact(&mut store, 0);
    assert!(store.status().size_in_use < full / 4);
    let error = store.next_snapshot_chunk(&mut snapshot, 512).unwrap_err();
    assert_eq!(error.code(), ErrorCode::SnapshotOvertaken);
}

#[test]
fn a_full_page_store_is_emptied_though_a_snapshot_is_being_taken() {
    let pages = MemoryPages::new(512).with_capacity_limit(200);
    let mut store = Store::open(pages, options(1)).unwrap();
    let mut snapshot: Option<Snapshot> = None;
    let mut refused = 0;
    for i in 0..3_000_u32 {
        match store.put(&[b'k', (i % 7) as u8], &[i as u8; 90]) {
            Ok(_) => {}
            Err(error) => {
                assert_eq!(error.code(), ErrorCode::NoSpace);
                refused += 1;
                assert!(refused < 1_000);
            }
        }
        if i % 100 == 0 {
            snapshot = Some(store.snapshot(0).unwrap());
        }
        let _ = store.compact(store.revision());
        store.step(i64::from(i), 20_000).unwrap();
    }
    assert!(store.revision() > 2_000, "{}", store.revision());
    drop(snapshot);
}

#[test]
fn a_reader_takes_snapshots_of_what_another_process_writes() {
    let pages = MemoryPages::new(512);
    let mut writer = Store::open(pages.clone(), options(1)).unwrap();
    let mut rng = Rng::new(4);
    for _ in 0..80 {
        change(&mut writer, &mut rng);
    }
    let read_only = Options {
        read_only: true,
        ..options(1)
    };
    let mut reader = Store::open(pages, read_only).unwrap();
    let copy = restored(&chunks_since(&mut reader, 0, 800));
    assert_eq!(Portrait::of(&copy), Portrait::of(&reader));
    let error = reader
        .apply_snapshot(
            &mut SnapshotUpdate::default(),
            &chunks_since(&mut writer, 1, PLENTY)[0],
        )
        .unwrap_err();
    assert_eq!(error.code(), ErrorCode::ReadOnly);

    // The writer reclaims what the reader has yet to read.
    let mut snapshot = reader.snapshot(0).unwrap();
    writer
        .delete_range(&DeleteRangeRequest::new(KeyRange::All))
        .unwrap();
    writer.put(b"k", b"v").unwrap();
    writer.compact(writer.revision()).unwrap();
    for now_ms in 0..500 {
        writer.step(now_ms, PLENTY).unwrap();
        writer.put(b"k", &[7; 300]).unwrap();
    }
    reader.step(1_000, PLENTY).unwrap();
    let mut outcome = Ok(Vec::new());
    for _ in 0..100 {
        outcome = reader.next_snapshot_chunk(&mut snapshot, 512);
        if outcome.is_err() {
            break;
        }
    }
    assert_eq!(outcome.unwrap_err().code(), ErrorCode::SnapshotOvertaken);
    let copy = restored(&chunks_since(&mut reader, 0, 800));
    assert_eq!(Portrait::of(&copy), Portrait::of(&reader));
}

#[test]
fn a_snapshot_is_read_from_the_store_that_it_is_of() {
    let mut one = Store::in_memory(Options::default());
    let other = Store::in_memory(Options::default());
    let mut snapshot = one.snapshot(0).unwrap();
    let error = other
        .next_snapshot_chunk(&mut snapshot, PLENTY)
        .unwrap_err();
    assert_eq!(error.code(), ErrorCode::InvalidOption);
}

#[test]
fn progress_goes_from_nothing_to_all() {
    let mut rng = Rng::new(3);
    let (mut store, _) = lived_in(MemoryPages::new(512), &mut rng, 200);
    let mut snapshot = store.snapshot(0).unwrap();
    let mut import = Import::begin(MemoryPages::new(512), options(2)).unwrap();
    let (mut sent, mut taken) = (0, 0);
    loop {
        let chunk = store.next_snapshot_chunk(&mut snapshot, 700).unwrap();
        for (progress, before) in [
            (snapshot.progress(), &mut sent),
            (import.progress(), &mut taken),
        ] {
            assert!((*before..=progress.total).contains(&progress.done));
            *before = progress.done;
        }
        if chunk.is_empty() {
            break;
        }
        assert!(!import.is_complete());
        import.feed(&chunk).unwrap();
    }
    assert!(import.is_complete());
    for progress in [snapshot.progress(), import.progress()] {
        assert_eq!(progress.done, progress.total);
    }
    assert_eq!(import.finish().unwrap().revision(), store.revision());
}

#[test]
fn threads_write_while_a_snapshot_is_taken_and_applied() {
    let store = SharedStore::open(MemoryPages::new(4096), options(1)).unwrap();
    let copy = SharedStore::open(
        FaultPages::new(512, 3),
        Options {
            durability: Durability::Commit,
            ..options(2)
        },
    )
    .unwrap();
    let writer = store.clone();
    let thread = std::thread::spawn(move || {
        for i in 0..2_000_u32 {
            writer.put(&i.to_le_bytes()[..1], &[7; 50]).unwrap();
        }
    });
    for _ in 0..20 {
        let mut snapshot = store.snapshot(copy.revision()).unwrap();
        let mut update = SnapshotUpdate::default();
        while !update.is_complete() {
            let chunk = store.next_snapshot_chunk(&mut snapshot, 2_000).unwrap();
            copy.apply_snapshot(&mut update, &chunk).unwrap();
        }
        let at = snapshot.revision();
        assert_eq!(
            store.hash_kv(at).unwrap().hash,
            copy.hash_kv(at).unwrap().hash
        );
    }
    thread.join().unwrap();
}

#[test]
fn snapshots_go_between_page_stores_of_all_sizes() {
    let mut rng = Rng::new(8);
    let (mut store, _) = lived_in(MemoryPages::new(4096), &mut rng, 100);
    store.put(b"long", &vec![9; 150_000]).unwrap();
    let before = Portrait::of(&store);
    let chunks = chunks_since(&mut store, 0, 0);
    for page_size in [512, 1024, 65_536] {
        let pages = MemoryPages::new(page_size);
        let copy = Store::restore(pages.clone(), options(2), &chunks).unwrap();
        assert_eq!(Portrait::of(&copy), before);
        assert!(pages.len().unwrap() > 2);
    }
}
