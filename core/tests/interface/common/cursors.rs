//! What the tests of durable cursors share.

use revwatch::page::PageStore;
use revwatch::{CursorId, CursorRequest, CursorResponse, Durability, KeyRange, Options, Store};

use super::PLENTY;

pub(crate) fn options(durability: Durability) -> Options {
    Options {
        durability,
        ..Options::default()
    }
}

pub(crate) fn from_start(name: &[u8]) -> CursorRequest {
    CursorRequest {
        start_revision: 1,
        ..CursorRequest::new(name, KeyRange::All)
    }
}

pub(crate) fn holding(name: &[u8]) -> CursorRequest {
    CursorRequest {
        hold: true,
        ..from_start(name)
    }
}

pub(crate) fn poll<P: PageStore>(store: &mut Store<P>, cursor: CursorId) -> CursorResponse {
    store.poll_cursor(cursor, PLENTY, PLENTY).unwrap()
}

/// The revisions of the events that are there now, and how far delivery has come with them.
pub(crate) fn drain<P: PageStore>(store: &mut Store<P>, cursor: CursorId) -> (Vec<i64>, i64) {
    let mut revisions = Vec::new();
    loop {
        match store.poll_cursor(cursor, 3, PLENTY).unwrap() {
            CursorResponse::Events { events, .. } => {
                revisions.extend(events.iter().map(|event| event.kv.mod_revision));
            }
            CursorResponse::Idle { revision } => return (revisions, revision),
            told => panic!("nothing was lost: {told:?}"),
        }
    }
}

pub(crate) fn acked<P: PageStore>(store: &Store<P>, name: &[u8]) -> i64 {
    let reports = store.cursors().into_iter();
    let mut found = reports.filter(|report| report.name == name);
    found.next().expect("the cursor is there").acked_revision
}

pub(crate) fn puts<P: PageStore>(store: &mut Store<P>, count: usize) {
    for _ in 0..count {
        store.put(b"key", b"value").unwrap();
    }
}
