//! What holds whatever bytes come through the boundary.

use revwatch::ErrorCode;

use crate::error::error_table;
use crate::store::{RawStore, open};
use crate::wire::{Reader, Writer};

/// Every option is one number, for which zero means the default.
const OPTIONS_BYTES: usize = 15 * 8;

fn store() -> RawStore {
    open(&[0; OPTIONS_BYTES], &[])
        .take()
        .expect("an empty store opens")
}

/// The number that an answer begins with.
fn status(answer: &[u8]) -> i32 {
    Reader::new(answer)
        .length()
        .expect("every answer has a status")
        .cast_signed()
}

fn put_request() -> Vec<u8> {
    let mut put = Writer::default();
    put.bytes(b"key")
        .bytes(b"value")
        .int(0)
        .flag(true)
        .flag(false)
        .flag(false);
    put.into_bytes()
}

/// If "key" has version 0, then put it, else delete all keys.
fn txn_request() -> Vec<u8> {
    let mut txn = Writer::default();
    txn.length(1)
        .byte(0)
        .bytes(b"key")
        .bytes(b"")
        .byte(0)
        .byte(1)
        .int(0);
    let mut bytes = txn.into_bytes();
    bytes.extend([1, 0, 0, 0, 0]);
    bytes.extend(put_request());
    bytes.extend([1, 0, 0, 0, 2, 1, 0, 0, 0, 0, 0]);
    bytes
}

#[test]
fn a_request_cut_anywhere_is_refused_and_changes_nothing() {
    type Call = fn(&mut RawStore, &[u8]) -> Vec<u8>;
    let calls: [(Vec<u8>, Call); 2] = [
        (put_request(), |store, request| store.put(request)),
        (txn_request(), |store, request| store.txn(request)),
    ];
    for (request, call) in calls {
        let mut store = store();
        for end in 0..request.len() {
            let answer = call(&mut store, &request[..end]);
            assert_eq!(status(&answer), ErrorCode::Internal as i32, "cut at {end}");
        }
        assert_eq!(store.revision(), 1);
        assert_eq!(status(&call(&mut store, &request)), 0);
        assert_eq!(store.revision(), 2);
    }
}

#[test]
fn a_tag_that_no_choice_has_is_refused() {
    let mut store = store();
    for tag in 3..=u8::MAX {
        assert_eq!(
            status(&store.range(&[tag; 128])),
            ErrorCode::Internal as i32
        );
    }
    assert_eq!(status(&store.txn(&[0; 12])), 0);
}

#[test]
fn a_refusal_carries_its_number_and_its_message() {
    let answer = store().get(b"");
    assert_eq!(status(&answer), ErrorCode::EmptyKey as i32);
    let mut reader = Reader::new(&answer[4..]);
    let message = String::from_utf8(reader.bytes().unwrap().to_vec()).unwrap();
    assert!(message.contains("empty"), "{message}");
}

#[test]
fn numbers_of_streams_and_followers_that_are_gone_are_closed() {
    let mut store = store();
    let stream = store.open_stream();
    store.close_stream(stream);
    store.close_stream(stream);
    assert_eq!(status(&store.poll(stream, 1, 1)), ErrorCode::Closed as i32);
    assert_eq!(
        status(&store.poll_follow(7, 1, 1)),
        ErrorCode::Closed as i32
    );
}

#[test]
fn the_table_of_errors_has_a_line_for_each() {
    let table = error_table();
    assert_eq!(table.lines().count(), ErrorCode::ALL.len());
    assert!(
        table.lines().all(|line| line.split('\t').count() == 3),
        "{table}"
    );
}
