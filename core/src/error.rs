//! The one table of errors, from which C codes, Python exceptions and JS errors are made.
//!
//! Numbers are banded by layer and never used again for something else: 1xx what was asked, 2xx
//! revisions, 3xx leases, 4xx watches, 5xx the log, 6xx the page store, 7xx the boundaries.

use alloc::boxed::Box;
use alloc::string::String;
use core::fmt;

use crate::page::PageError;

/// What every fallible operation of this crate returns.
pub type Result<T, E = Error> = core::result::Result<T, E>;

macro_rules! error_codes {
    ($($(#[doc = $doc:literal])+ $name:ident = $number:literal,)+) => {
        /// The number of each error, the same in every language.
        ///
        /// ```
        /// use revwatch::{ErrorCode, Options, Store};
        ///
        /// let error = Store::in_memory(Options::default()).put(b"", b"value").unwrap_err();
        /// assert_eq!(error.code(), ErrorCode::EmptyKey);
        /// assert_eq!(error.code() as i32, 100);
        /// ```
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[repr(i32)]
        pub enum ErrorCode {
            $($(#[doc = $doc])+ $name = $number,)+
        }

        impl ErrorCode {
            /// Every code, in the order of its number.
            pub const ALL: &'static [Self] = &[$(Self::$name,)+];

            /// The name, as in this table.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$name => stringify!($name),)+ }
            }

            /// What it means, in a sentence or two.
            pub const fn meaning(self) -> &'static str {
                match self { $(Self::$name => concat!($($doc,)+).trim_ascii(),)+ }
            }
        }
    };
}

error_codes! {
    /// A key is empty; give at least one byte.
    EmptyKey = 100,
    /// The keys and values of a request together exceed the store's limit.
    RequestTooLarge = 101,
    /// `ignore_value` or `ignore_lease` was asked for a key that does not exist.
    KeyNotFound = 102,
    /// A value was given together with `ignore_value`.
    ValueProvided = 103,
    /// A lease was given together with `ignore_lease`.
    LeaseProvided = 104,
    /// A transaction would change the same key twice in one branch.
    DuplicateKey = 105,
    /// A transaction has more comparisons or operations than the store's limit.
    TooManyOps = 106,
    /// A sort order or sort target is not one of those that exist.
    InvalidSortOption = 107,
    /// An option has a value that it cannot have.
    InvalidOption = 108,
    /// The revision asked for has not happened yet.
    FutureRevision = 200,
    /// The revision asked for was compacted away.
    Compacted = 201,
    /// The revision asked for was lost in a crash before it was durable.
    Rewound = 202,
    /// The bytes are not whole chunks of changes, or are damaged.
    InvalidChanges = 210,
    /// The store does not stand at the revision that the changes begin after.
    ChangesOutOfPlace = 211,
    /// The store came to where the changes begin by another history.
    ChangesDiverge = 212,
    /// The bytes are not a snapshot, are damaged, or not all of one.
    InvalidSnapshot = 220,
    /// The store does not stand at the revision that the snapshot begins after.
    SnapshotOutOfPlace = 221,
    /// What a snapshot had yet to read was reclaimed meanwhile.
    SnapshotOvertaken = 222,
    /// There is no lease with this id: never granted, revoked or expired.
    LeaseNotFound = 300,
    /// A lease with this id is there already.
    LeaseExists = 301,
    /// The time-to-live exceeds the store's limit.
    LeaseTtlTooLarge = 302,
    /// The range to watch ends before it starts.
    EmptyWatchRange = 400,
    /// The stream has a watcher with this id already.
    DuplicateWatchId = 401,
    /// There is no such watch stream: never opened, or closed.
    StreamNotFound = 402,
    /// There is no such cursor: never made, deleted, closed, or opened anew since.
    CursorNotFound = 410,
    /// A cursor of this name is there already, for another range.
    CursorExists = 411,
    /// The store has as many cursors as its limit allows.
    TooManyCursors = 412,
    /// The revision to acknowledge was not delivered yet.
    AckNotDelivered = 413,
    /// A cursor with `hold` has yet to see what compaction would take.
    HeldByCursor = 414,
    /// The image is damaged; the message names the page.
    Corrupt = 500,
    /// The image was not written by revwatch.
    NotAStore = 501,
    /// The image was written in a format that this version cannot read.
    UnsupportedFormat = 502,
    /// An earlier write or sync failed; reading goes on, reopen the store to write again.
    Poisoned = 503,
    /// A sync that was begun is not finished yet; finish it, then try again.
    SyncPending = 504,
    /// An import into this image was begun and is not complete.
    ImportIncomplete = 505,
    /// The page store failed; the message carries its own error.
    Io = 600,
    /// The page store cannot grow; deletes and compaction still work.
    NoSpace = 601,
    /// Another process has the store open for writing.
    Locked = 602,
    /// The store is open for reading only.
    ReadOnly = 603,
    /// There is no store at this path.
    StoreNotFound = 604,
    /// The system does not permit access to the store's file or folder.
    PermissionDenied = 605,
    /// There is a store already where a new one is to be.
    StoreExists = 606,
    /// A pointer that must not be NULL was NULL.
    NullPointer = 700,
    /// The handle was closed, or never was one.
    Closed = 701,
    /// An argument has a length, encoding or value that the function cannot take.
    InvalidArgument = 702,
    /// A defect in revwatch itself; the store is left as the last committed operation made it.
    Internal = 703,
}

/// Why an operation was refused or failed.
///
/// Each message says what was asked, what was wrong and what to do. Nothing that fails changes the
/// revision or the data.
#[derive(Debug)]
#[non_exhaustive]
#[expect(missing_docs, reason = "the codes above say what each variant means")]
pub enum Error {
    EmptyKey,
    RequestTooLarge {
        bytes: usize,
        limit: usize,
    },
    KeyNotFound,
    ValueProvided,
    LeaseProvided,
    DuplicateKey {
        key: Box<[u8]>,
    },
    TooManyOps {
        limit: usize,
    },
    InvalidSortOption,
    InvalidOption(String),
    FutureRevision {
        requested: i64,
        current: i64,
    },
    Compacted {
        requested: i64,
        compact_revision: i64,
    },
    Rewound {
        requested: i64,
        revision: i64,
    },
    InvalidChanges {
        at: usize,
        what: String,
    },
    ChangesOutOfPlace {
        from: i64,
        current: i64,
    },
    ChangesDiverge {
        revision: i64,
        what: String,
    },
    InvalidSnapshot {
        at: u64,
        what: String,
    },
    SnapshotOutOfPlace {
        since: i64,
        current: i64,
    },
    SnapshotOvertaken {
        revision: i64,
    },
    LeaseNotFound {
        id: i64,
    },
    LeaseExists {
        id: i64,
    },
    LeaseTtlTooLarge {
        ttl_ms: i64,
        limit_ms: i64,
    },
    EmptyWatchRange,
    DuplicateWatchId {
        id: i64,
    },
    StreamNotFound,
    CursorNotFound,
    CursorExists {
        name: Box<[u8]>,
    },
    TooManyCursors {
        limit: usize,
    },
    AckNotDelivered {
        requested: i64,
        delivered: i64,
    },
    HeldByCursor {
        name: Box<[u8]>,
        acked_revision: i64,
        requested: i64,
        held_from: i64,
    },
    Corrupt {
        page: u32,
        what: String,
    },
    NotAStore,
    UnsupportedFormat {
        version: u32,
    },
    Poisoned,
    SyncPending,
    ImportIncomplete,
    StoreExists,
    Page(PageError),
}

impl Error {
    /// The number of this error in the table that all languages share.
    pub fn code(&self) -> ErrorCode {
        match self {
            Self::EmptyKey => ErrorCode::EmptyKey,
            Self::RequestTooLarge { .. } => ErrorCode::RequestTooLarge,
            Self::KeyNotFound => ErrorCode::KeyNotFound,
            Self::ValueProvided => ErrorCode::ValueProvided,
            Self::LeaseProvided => ErrorCode::LeaseProvided,
            Self::DuplicateKey { .. } => ErrorCode::DuplicateKey,
            Self::TooManyOps { .. } => ErrorCode::TooManyOps,
            Self::InvalidSortOption => ErrorCode::InvalidSortOption,
            Self::InvalidOption(_) => ErrorCode::InvalidOption,
            Self::FutureRevision { .. } => ErrorCode::FutureRevision,
            Self::Compacted { .. } => ErrorCode::Compacted,
            Self::Rewound { .. } => ErrorCode::Rewound,
            Self::InvalidChanges { .. } => ErrorCode::InvalidChanges,
            Self::ChangesOutOfPlace { .. } => ErrorCode::ChangesOutOfPlace,
            Self::ChangesDiverge { .. } => ErrorCode::ChangesDiverge,
            Self::InvalidSnapshot { .. } => ErrorCode::InvalidSnapshot,
            Self::SnapshotOutOfPlace { .. } => ErrorCode::SnapshotOutOfPlace,
            Self::SnapshotOvertaken { .. } => ErrorCode::SnapshotOvertaken,
            Self::LeaseNotFound { .. } => ErrorCode::LeaseNotFound,
            Self::LeaseExists { .. } => ErrorCode::LeaseExists,
            Self::LeaseTtlTooLarge { .. } => ErrorCode::LeaseTtlTooLarge,
            Self::EmptyWatchRange => ErrorCode::EmptyWatchRange,
            Self::DuplicateWatchId { .. } => ErrorCode::DuplicateWatchId,
            Self::StreamNotFound => ErrorCode::StreamNotFound,
            Self::CursorNotFound => ErrorCode::CursorNotFound,
            Self::CursorExists { .. } => ErrorCode::CursorExists,
            Self::TooManyCursors { .. } => ErrorCode::TooManyCursors,
            Self::AckNotDelivered { .. } => ErrorCode::AckNotDelivered,
            Self::HeldByCursor { .. } => ErrorCode::HeldByCursor,
            Self::Corrupt { .. } => ErrorCode::Corrupt,
            Self::NotAStore => ErrorCode::NotAStore,
            Self::UnsupportedFormat { .. } => ErrorCode::UnsupportedFormat,
            Self::Poisoned => ErrorCode::Poisoned,
            Self::SyncPending => ErrorCode::SyncPending,
            Self::ImportIncomplete => ErrorCode::ImportIncomplete,
            Self::StoreExists => ErrorCode::StoreExists,
            Self::Page(error) => error.code(),
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::EmptyKey => f.write_str("the key is empty: give a key of at least one byte"),
            Self::RequestTooLarge { bytes, limit } => {
                write!(f, "the request holds {bytes} bytes of keys and values, the limit is {limit}: split it or raise `request_bytes`")
            }
            Self::KeyNotFound => f.write_str("the key does not exist, so its value or lease cannot be kept: put it without `ignore_value` and `ignore_lease` first"),
            Self::ValueProvided => f.write_str("a value was given together with `ignore_value`: leave one of them out"),
            Self::LeaseProvided => f.write_str("a lease was given together with `ignore_lease`: leave one of them out"),
            Self::DuplicateKey { key } => {
                write!(f, "the transaction changes the key \"{}\" twice in one branch: keep one of the changes", key.escape_ascii())
            }
            Self::TooManyOps { limit } => write!(f, "the transaction has more than {limit} comparisons or operations in a list: split it or raise `txn_ops`"),
            Self::InvalidSortOption => f.write_str("the sort order or sort target is none of those that exist"),
            Self::InvalidOption(what) => f.write_str(what),
            Self::FutureRevision { requested, current } => {
                write!(f, "revision {requested} has not happened yet, the store is at {current}: ask for {current} or an earlier one")
            }
            Self::Compacted { requested, compact_revision } => {
                write!(f, "revision {requested} was compacted, history begins at {compact_revision}: read the current state and go on from its revision")
            }
            Self::Rewound { requested, revision } => {
                write!(f, "revision {requested} was lost in a crash, its epoch ended at {revision}: read the current state and go on from its revision")
            }
            Self::InvalidChanges { at, what } => {
                write!(f, "the changes cannot be applied, the chunk at byte {at} is not one: {what}; nothing was changed, get them again from their store")
            }
            Self::ChangesOutOfPlace { from, current } => {
                write!(f, "the changes begin after revision {from}, the store is at {current}: ask their store for the changes from {current}")
            }
            Self::ChangesDiverge { revision, what } => {
                write!(f, "the changes do not fit this store, whose history is another one by revision {revision}: {what}; begin again with a copy of their store")
            }
            Self::InvalidSnapshot { at, what } => {
                write!(f, "the snapshot cannot be taken in, the chunk at byte {at} is not one of it: {what}; get it again from its store")
            }
            Self::SnapshotOutOfPlace { since: 0, current } => {
                write!(f, "the snapshot is a whole store, the one here is at {current}: restore it to a new place, or take one since {current}")
            }
            Self::SnapshotOutOfPlace { since, current } => {
                write!(f, "the snapshot holds what happened after revision {since}, the store here is at {current}: apply it to a copy that is at {since}, or take one that begins at {current}")
            }
            Self::SnapshotOvertaken { revision } => {
                write!(f, "the snapshot of revision {revision} cannot go on, history that it had yet to read was reclaimed meanwhile: take it again, or raise `snapshot_hold_bytes`")
            }
            Self::LeaseNotFound { id } => write!(f, "there is no lease {id:x}: it was never granted, was revoked or has expired; grant a new one"),
            Self::LeaseExists { id } => write!(f, "lease {id:x} exists already: choose another id, or 0 for a free one"),
            Self::LeaseTtlTooLarge { ttl_ms, limit_ms } => write!(f, "a time-to-live of {ttl_ms} ms exceeds the limit of {limit_ms} ms"),
            Self::EmptyWatchRange => f.write_str("the range to watch ends before it starts, so it could never match: give an end after the start"),
            Self::DuplicateWatchId { id } => write!(f, "the stream has a watcher {id} already: cancel it first, or let the stream choose an id"),
            Self::StreamNotFound => f.write_str("there is no such watch stream: it was closed, or belongs to another store"),
            Self::CursorNotFound => f.write_str("there is no such cursor: it was never made, was deleted, or was closed or opened anew since; open it by its name"),
            Self::CursorExists { name } => write!(f, "the cursor \"{}\" is there already for another range: open it with that range, delete it first, or choose another name", name.escape_ascii()),
            Self::TooManyCursors { limit } => write!(f, "there are {limit} cursors already, which is the limit: delete one or raise `cursors`"),
            Self::AckNotDelivered { requested, delivered } => {
                write!(f, "revision {requested} cannot be acknowledged, delivery has come to {delivered}: poll up to it first")
            }
            Self::HeldByCursor { name, acked_revision, requested, held_from } => {
                write!(f, "history cannot be compacted at {requested}, the cursor \"{}\" has acknowledged {acked_revision} only: compact at {held_from} at most, let it catch up, or delete it", name.escape_ascii())
            }
            Self::Corrupt { page, what } => {
                write!(f, "the store is damaged at page {page}: {what}; restore it from a copy")
            }
            Self::NotAStore => f.write_str("this is not a revwatch store: another program wrote it, or its first two pages are damaged; nothing was changed"),
            Self::UnsupportedFormat { version } => write!(f, "the store has format version {version}, which this revwatch cannot read: use a newer revwatch"),
            Self::Poisoned => f.write_str("an earlier write or sync failed, so nothing more can be written: reopen the store to recover what was durable"),
            Self::SyncPending => f.write_str("a sync of the page store was begun and is not finished, so what needs another cannot be done: finish it with its outcome, then try again"),
            Self::ImportIncomplete => f.write_str("an import into this place was begun and is not complete, so there is no store yet: import the snapshot again, from its first chunk"),
            Self::StoreExists => f.write_str("there is a store at this place already, and nothing was changed: import to a new place, or remove it first"),
            Self::Page(error) => error.fmt(f),
        }
    }
}

impl core::error::Error for Error {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match self {
            Self::Page(error) => error.source(),
            _ => None,
        }
    }
}

impl From<PageError> for Error {
    fn from(error: PageError) -> Self {
        Self::Page(error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    #[test]
    fn numbers_rise_within_their_band_and_names_are_unique() {
        assert!(
            ErrorCode::ALL
                .windows(2)
                .all(|pair| (pair[0] as i32) < pair[1] as i32)
        );
        for (i, code) in ErrorCode::ALL.iter().enumerate() {
            assert!((100..800).contains(&(*code as i32)));
            assert!(
                ErrorCode::ALL[..i]
                    .iter()
                    .all(|other| other.name() != code.name())
            );
            assert!(!code.meaning().is_empty());
        }
    }

    #[test]
    fn messages_name_the_numbers_that_were_asked_for() {
        let text = Error::FutureRevision {
            requested: 9,
            current: 5,
        }
        .to_string();
        assert!(text.contains('9') && text.contains('5'), "{text}");
    }
}
