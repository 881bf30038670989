//! The C ABI of revwatch: converts types, owns handles, catches panics. No logic.
//!
//! What a caller must and may do stands once, in `conventions.h`, which is the top of the generated
//! header. Each `unsafe` here relies on nothing but those conventions: that a pointer which is not
//! NULL points to as many bytes, or to such a structure, as the signature says.
//!
//! - [`status`], [`error`]: how functions answer, and the table of errors;
//! - [`handle`]: opaque handles as checked names, so that a stale one is an error and never a crash;
//! - [`input`], [`owned`]: what comes in through pointers, what goes out;
//! - one file for each C type, or for each family of functions on a store.
#![expect(
    non_camel_case_types,
    reason = "the names are those of the C header, so that one search finds both"
)]
#![allow(
    clippy::missing_safety_doc,
    reason = "the conventions at the top of the header are the safety contract of every function"
)]
#![allow(
    clippy::doc_markdown,
    reason = "the docs of what C sees become comments in the header, where names stand bare"
)]
#![warn(clippy::undocumented_unsafe_blocks)]

// How functions answer and what passes through them.
pub mod error;
pub mod handle;
pub mod input;
pub mod owned;
pub mod signal;
pub mod status;

// A store, opened, asked how it stands, and kept in order.
pub mod open;
pub mod page_store;
pub mod store;
pub mod store_status;

// What takes long, and how far it has come.
pub mod progress;

pub mod check;
pub mod maintenance;
pub mod opening;

// Keys, now and as they were.
pub mod event;
pub mod key_value;

pub mod put;

pub mod get;
pub mod range;
pub mod range_stream;

pub mod delete_range;
pub mod history;

pub mod txn;
pub mod txn_compare;
pub mod txn_result;

pub mod lease;

// Being told.
mod mark;
pub mod notify;
pub mod poll;
pub mod source;
pub mod stream;
pub mod watch;
pub mod watchers;

pub mod cursor;
pub mod cursor_list;
pub mod follow;

// From one store to another.
pub mod changes;
pub mod import;
pub mod snapshot;
