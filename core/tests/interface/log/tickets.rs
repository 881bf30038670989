//! Syncs that are begun, carried out by the host, and finished.

use crate::common::{PLENTY, Rng, drain, watch_from};
use revwatch::page::PageError;
use revwatch::page::fault::{Fault, FaultPages, Random, SyncBegun};
use revwatch::{Durability, ErrorCode, KeyRange, Options, Store, SyncTicket};

fn open(pages: &FaultPages) -> Store<FaultPages> {
    let options = Options {
        durability: Durability::ETCD,
        ..Options::default()
    };
    Store::open(pages.clone(), options).unwrap()
}

/// A store that has written before, and its pages.
fn store() -> (Store<FaultPages>, FaultPages) {
    let pages = FaultPages::new(512, 1);
    let mut store = open(&pages);
    store.step(0, PLENTY).unwrap();
    store.put(b"k", b"old").unwrap();
    store.flush().unwrap();
    (store, pages)
}

fn refused<T>(outcome: revwatch::Result<T>) {
    let Err(error) = outcome else {
        panic!("it was not refused")
    };
    assert_eq!(error.code(), ErrorCode::SyncPending, "{error}");
}

#[test]
fn a_sync_counts_for_what_came_before_it_began_and_not_for_what_came_after() {
    let (mut store, pages) = store();
    let stream = watch_from(&mut store, KeyRange::All, 0);
    assert!(store.begin_sync().unwrap().is_none(), "all is durable");
    store.put(b"k", b"before").unwrap();
    let ticket = store.begin_sync().unwrap().unwrap();
    assert_eq!(ticket.revision(), 3);
    let begun = pages.begin_sync().unwrap();
    store.put(b"k", b"after").unwrap();
    assert_eq!(store.get(b"k").unwrap().unwrap().value, b"after");
    assert_eq!(drain(&mut store, stream), []);
    let outcome = begun.end();
    store.finish_sync(ticket, outcome).unwrap();
    let status = store.status();
    assert_eq!((status.published_revision, status.revision), (3, 4));
    assert_eq!(drain(&mut store, stream).len(), 1);
    store.step(100, PLENTY).unwrap();
    assert_eq!(store.status().published_revision, 4);
}

#[test]
fn what_needs_a_sync_of_its_own_is_refused_meanwhile_and_changes_nothing() {
    let (mut store, _) = store();
    store.put(b"k", b"before").unwrap();
    let ticket = store.begin_sync().unwrap().unwrap();
    let before = (store.status(), store.hash_kv(0).unwrap());
    refused(store.begin_sync());
    refused(store.flush());
    refused(store.close());
    refused(store.with_durability(Durability::Commit).put(b"k", b"v"));
    refused(
        store
            .with_durability(Durability::Commit)
            .lease_grant(0, 5_000),
    );
    refused(store.compact(3));
    refused(store.put(b"k", &vec![1; 200_000]));
    assert_eq!((store.status(), store.hash_kv(0).unwrap()), before);
    // What happens by itself is put off, and said to be due.
    store.put(b"k", b"later").unwrap();
    let step = store.step(1_000, PLENTY).unwrap();
    assert_eq!(step.next_ms, Some(1_000));
    assert_eq!(store.status().published_revision, 2);

    let outcome = ticket.sync();
    store.finish_sync(ticket, outcome).unwrap();
    store.step(1_001, PLENTY).unwrap();
    assert_eq!(store.status().published_revision, 4);
    assert!(
        store
            .with_durability(Durability::Commit)
            .put(b"k", b"v")
            .unwrap()
            .durable
    );
    store.put(b"k", &vec![1; 200_000]).unwrap();
    store.close().unwrap();
}

#[test]
fn a_batch_that_is_full_waits_for_the_sync_that_runs() {
    let (mut store, _) = store();
    let batch = Durability::Batch {
        max_ms: 100,
        max_writes: 1,
    };
    store.put(b"k", b"before").unwrap();
    let ticket = store.begin_sync().unwrap().unwrap();
    let full = store.with_durability(batch).put(b"k", b"later").unwrap();
    assert!(!full.durable);
    let outcome = ticket.sync();
    store.finish_sync(ticket, outcome).unwrap();
    assert!(
        store
            .with_durability(batch)
            .put(b"k", b"last")
            .unwrap()
            .durable
    );
    assert_eq!(store.status().published_revision, 5);
}

#[test]
fn a_sync_that_failed_or_whose_ticket_was_dropped_ends_writing() {
    for is_dropped in [false, true] {
        let (mut store, pages) = store();
        store.put(b"k", b"new").unwrap();
        let ticket = store.begin_sync().unwrap().unwrap();
        if is_dropped {
            drop(ticket);
        } else {
            pages.fail_after(0, Fault::SyncFails);
            let outcome = ticket.sync();
            let error = store.finish_sync(ticket, outcome).unwrap_err();
            assert_eq!(error.code(), ErrorCode::Io, "{error}");
        }
        let error = store.flush().unwrap_err();
        assert_eq!(error.code(), ErrorCode::Poisoned);
        let status = store.status();
        assert!(status.poisoned);
        assert_eq!((status.published_revision, status.revision), (2, 3));
        assert_eq!(
            store.get(b"k").unwrap().unwrap().value,
            b"new",
            "it was answered"
        );
        assert_eq!(store.close().unwrap_err().code(), ErrorCode::Poisoned);
    }
}

#[test]
fn a_ticket_of_another_store_is_refused() {
    let (mut one, _) = store();
    let (mut other, _) = store();
    one.put(b"k", b"v").unwrap();
    other.put(b"k", b"v").unwrap();
    let ticket = one.begin_sync().unwrap().unwrap();
    let others = other.begin_sync().unwrap().unwrap();
    let error = other.finish_sync(ticket, Ok(())).unwrap_err();
    assert_eq!(error.code(), ErrorCode::InvalidOption, "{error}");
    assert_eq!(other.status().published_revision, 2);
    let outcome = others.sync();
    other.finish_sync(others, outcome).unwrap();
    assert_eq!(other.status().published_revision, 3);
}

#[test]
fn what_was_handed_to_the_page_store_while_a_sync_ran_needs_another() {
    let pages = FaultPages::new(512, 1);
    let options = Options {
        durability: Durability::Never,
        ..Options::default()
    };
    let mut store = Store::open(pages, options).unwrap();
    store.step(0, PLENTY).unwrap();
    store.put(b"k", b"before").unwrap();
    let ticket = store.begin_sync().unwrap().unwrap();
    store.put(b"k", b"after").unwrap();
    let written = store.step(100, PLENTY).unwrap();
    assert_eq!(written.next_ms, None, "the page was written");
    let outcome = ticket.sync();
    store.finish_sync(ticket, outcome).unwrap();
    let another = store.begin_sync().unwrap().expect("what came after");
    assert_eq!(another.revision(), 3);
    let outcome = another.sync();
    store.finish_sync(another, outcome).unwrap();
    assert!(store.begin_sync().unwrap().is_none());
}

/// A host that syncs by tickets, with what was promised.
struct Host {
    store: Store<FaultPages>,
    pages: FaultPages,
    running: Option<(SyncTicket<FaultPages>, SyncBegun)>,
    /// The newest revision that is durable.
    floor: i64,
    now_ms: i64,
}

impl Host {
    /// Does something or other; what cannot be done before a sync has run is left undone.
    fn act(&mut self, rng: &mut Rng) {
        match rng.below(100) {
            0..50 => {
                let value = vec![7; rng.below(700) as usize];
                self.may_be_refused(|store, key| store.put(key, &value).map(drop), rng);
            }
            50..54 => {
                let revision = self.store.revision();
                self.may_be_refused(|store, _| store.compact(revision).map(drop), rng);
            }
            54..70 => {
                self.now_ms += 40;
                self.store.step(self.now_ms, 2_048).unwrap();
                // A step syncs by itself while no ticket is out.
                self.floor = self.floor.max(self.store.status().published_revision);
            }
            _ => match self.running.take() {
                None => {
                    self.running = self.store.begin_sync().unwrap().map(|ticket| {
                        let begun = self.pages.begin_sync().unwrap();
                        (ticket, begun)
                    });
                }
                Some((ticket, begun)) => {
                    let revision = ticket.revision();
                    let outcome: Result<(), PageError> = begun.end();
                    self.store.finish_sync(ticket, outcome).unwrap();
                    self.floor = self.floor.max(revision);
                    assert!(self.store.status().published_revision >= revision);
                }
            },
        }
    }

    fn may_be_refused(
        &mut self,
        change: impl FnOnce(&mut Store<FaultPages>, &[u8]) -> revwatch::Result<()>,
        rng: &mut Rng,
    ) {
        let key = [rng.below(5) as u8];
        let Err(error) = change(&mut self.store, &key) else {
            return;
        };
        let may_be = [ErrorCode::SyncPending, ErrorCode::Compacted];
        assert!(may_be.contains(&error.code()), "{error}");
    }
}

#[test]
fn whenever_the_power_goes_beside_a_running_sync_what_was_finished_is_there() {
    for seed in 0..60 {
        let (store, pages) = store();
        let mut host = Host {
            floor: store.revision(),
            store,
            pages,
            running: None,
            now_ms: 0,
        };
        let mut rng = Rng::new(seed + 1);
        for action in 0..120 {
            host.act(&mut rng);
            let survivor = host.pages.crash(&mut Random::new(seed * 1_000 + action));
            let reopened = open(&survivor);
            let found = reopened.revision();
            assert!(
                (host.floor..=host.store.revision()).contains(&found),
                "seed {seed}, action {action}: {found} instead of {} at least",
                host.floor
            );
            reopened.check().unwrap();
        }
        host.store.check().unwrap();
    }
}
