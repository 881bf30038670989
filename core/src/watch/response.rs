//! What a stream answers when it is polled.

use super::events::Events;

/// The `watch_id` of progress that was asked for, which is of a whole stream.
pub const PROGRESS_OF_STREAM: i64 = -1;

/// The next thing that a stream has to say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WatchResponse {
    /// A watcher was registered.
    Created {
        /// Which one.
        watch_id: i64,
        /// The store's revision at that moment.
        revision: i64,
    },
    /// Changes, whole revisions at a time unless they are marked as a fragment.
    Events {
        /// The watcher that they are for.
        watch_id: i64,
        /// The store's revision when they were queued, or read from history.
        revision: i64,
        /// In order of revision; never empty.
        events: Events,
        /// The next response of this watcher goes on with the revision of the last event here. Only
        /// for who asked for fragments.
        fragment: bool,
    },
    /// Nothing is to come that is not newer than this revision.
    Progress {
        /// The watcher that is told by interval; -1 if it was asked for, for all of the stream.
        watch_id: i64,
        /// Everything up to and including this revision was told.
        revision: i64,
    },
    /// A watcher was canceled by request. Nothing more comes from it.
    Canceled {
        /// Which one.
        watch_id: i64,
    },
    /// Compaction took history that a watcher had yet to see. Nothing more comes from it.
    Compacted {
        /// Which one.
        watch_id: i64,
        /// Where history begins now.
        compact_revision: i64,
    },
    /// A crash lost the revision that a watcher wanted to go on from, or a failed sync what it may
    /// have been told early. Nothing more comes from it.
    Rewound {
        /// Which one.
        watch_id: i64,
        /// The last revision of that watcher's past that still stands.
        revision: i64,
    },
    /// Nothing now.
    Idle,
}
