//! Durable cursors in the simulator: who consumes, and what they must find after a crash.

use std::collections::BTreeMap;
use std::rc::Rc;

use revwatch::page::PageStore;
use revwatch::{CursorId, CursorRequest, CursorResponse, Error, Event, KeyRange, Store};

use crate::history::History;

/// The cursors of the simulator, and whether they hold back compaction.
pub const CURSORS: [(&str, bool); 2] = [("free", false), ("holding", true)];

/// Up to where each cursor has acknowledged.
pub type Acked = BTreeMap<&'static str, i64>;

fn request(name: &str) -> CursorRequest {
    CursorRequest {
        hold: CURSORS.contains(&(name, true)),
        ..CursorRequest::new(name.as_bytes(), KeyRange::All)
    }
}

/// Opens a cursor, and makes it if there is none.
pub fn open<P: PageStore>(store: &mut Store<P>, name: &str) -> Result<CursorId, Error> {
    store.cursor(&request(name))
}

/// Takes a few revisions from a cursor, and acknowledges them.
pub fn consume<P: PageStore>(store: &mut Store<P>, name: &str, most: usize) -> Result<(), Error> {
    let cursor = open(store, name)?;
    for _ in 0..most {
        match store.poll_cursor(cursor, 1, 1)? {
            CursorResponse::Events { revision, .. } | CursorResponse::Idle { revision } => {
                store.ack_cursor(cursor, revision)?;
            }
            CursorResponse::Compacted { .. } => {}
            told @ CursorResponse::Rewound { .. } => {
                panic!("no consumer has seen what was lost: {told:?}")
            }
        }
    }
    store.close_cursor(cursor);
    Ok(())
}

/// What the store says of its cursors.
pub fn acked<P: PageStore>(store: &Store<P>) -> Acked {
    let reports = store.cursors().into_iter().map(|report| {
        let (name, hold) = CURSORS
            .into_iter()
            .find(|(name, _)| name.as_bytes() == report.name)
            .expect("only these are made");
        assert_eq!((report.hold, report.range), (hold, KeyRange::All));
        assert!((0..=store.revision()).contains(&report.acked_revision));
        (name, report.acked_revision)
    });
    reports.collect()
}

/// From where each cursor stands, every event comes that the store has kept and published.
pub fn check_delivery<P: PageStore>(store: &mut Store<P>, history: &History) {
    let published = store.status().published_revision;
    let compacted = history.last().compact_revision;
    for (name, acked) in acked(store) {
        let cursor = open(store, name).expect("opening what is there writes nothing");
        let mut events: Vec<Event> = Vec::new();
        let mut from = acked + 1;
        loop {
            match store.poll_cursor(cursor, 2, 100).unwrap() {
                CursorResponse::Events { events: more, .. } => {
                    events.extend(more.iter().map(|event| event.to_owned()));
                }
                CursorResponse::Compacted { compact_revision } => {
                    assert!(compact_revision == compacted && from < compacted);
                    assert_ne!(name, "holding", "history was compacted that a cursor held");
                    from = compacted;
                }
                CursorResponse::Idle { revision } => {
                    assert!(revision >= published);
                    break;
                }
                told @ CursorResponse::Rewound { .. } => panic!("{told:?}"),
            }
        }
        store.close_cursor(cursor);
        let expected = history.events_from(history.newest(), from).iter();
        let expected = expected.take_while(|event| event.kv.mod_revision <= published);
        assert!(
            events.iter().eq(expected.map(Rc::as_ref)),
            "the cursor {name} at {acked} was told {events:#?}"
        );
    }
}
