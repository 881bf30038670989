//! What happened, in the order in which it happened: all that the judge is told.

use std::fmt;

use revwatch::{Event, KeyRange, KeyValue, ResumeToken};

/// Names a watcher within a record. One that is resumed is another one.
pub type WatcherNo = usize;
/// Names a stream within a record.
pub type StreamNo = usize;
/// Names a follower within a record.
pub type FollowerNo = usize;
/// Names a process that has the store open: the writer, or one of its readers.
pub type Place = usize;

/// The process that writes.
pub const WRITER: Place = 0;

/// Everything that was asked and told, from outside.
#[derive(Clone, Debug, Default)]
pub struct Record {
    /// Whether what the writer's watchers were shown must outlive every crash, if not early.
    pub shown_is_durable: bool,
    /// In order of time.
    pub entries: Vec<Entry>,
}

/// One thing that happened.
#[derive(Clone, Debug)]
pub enum Entry {
    /// The writer opened the store: first of all, then after each crash and each close. Histories
    /// that it had written beyond `revision` are lost.
    Open {
        epoch: i64,
        revision: i64,
        compact_revision: i64,
    },
    /// A transaction, which may have changed nothing. One that failed may still be found by the
    /// next opening.
    Write { ops: Vec<WriteOp> },
    /// History before `revision` was given up.
    Compact { revision: i64 },
    /// A sync has failed in the writer's process: what is newer than `revision` has gone out of sight.
    /// The next opening may still find it.
    Hidden { revision: i64 },
    /// A reader saw that the writer has begun another epoch.
    Refresh { place: Place, epoch: i64 },
    /// A watcher was registered.
    Watch(Watch),
    /// A stream has refused a watcher, though what was asked for is in order.
    Refused { stream: StreamNo, error: String },
    /// A watcher that had not ended was to be canceled.
    Cancel { watcher: WatcherNo },
    /// A stream answered a poll with something about one watcher.
    Told { watcher: WatcherNo, told: Told },
    /// A stream was asked how far it is, and has promised to say so.
    AskProgress { stream: StreamNo },
    /// A stream said that all its watchers have been told everything up to `revision`.
    Progress { stream: StreamNo, revision: i64 },
    /// A stream had nothing more to say at a moment when it could be told of `published`.
    Drained { stream: StreamNo, published: i64 },
    /// A stream that had something to say did not come to an end of it.
    Starved { stream: StreamNo },
    /// A stream is no longer polled: it was closed, or its process has ended.
    Closed { stream: StreamNo },
    /// A follower began.
    Follow(Follow),
    /// A follower was told something.
    FollowTold {
        follower: FollowerNo,
        told: FollowTold,
    },
    /// A follower had nothing more to say at a moment when `published` was to be seen.
    FollowDrained {
        follower: FollowerNo,
        published: i64,
    },
    /// A follower that had something to say did not come to an end of it.
    FollowStarved { follower: FollowerNo },
    /// A follower is no longer polled.
    FollowClosed { follower: FollowerNo },
}

/// One operation of a transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WriteOp {
    Put {
        key: Vec<u8>,
        value: Vec<u8>,
        lease: i64,
    },
    Delete {
        range: KeyRange,
    },
    /// A lease ends, by request or because its time is over: its keys go.
    Revoke {
        lease: i64,
    },
}

/// What a watcher has asked for.
#[derive(Clone, Debug)]
pub struct Watch {
    pub watcher: WatcherNo,
    pub stream: StreamNo,
    pub place: Place,
    /// Whether the stream is told of what is applied, before it is durable.
    pub early: bool,
    /// The revision of the process at that moment, and the epoch that it is in.
    pub revision: i64,
    pub epoch: i64,
    pub ask: Ask,
    /// The watcher that it goes on for.
    pub resumes: Option<WatcherNo>,
}

/// The part of a watch that is the watcher's to choose.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "as in the request itself")]
pub struct Ask {
    pub ranges: Vec<KeyRange>,
    pub start_revision: i64,
    /// The epoch in which the revision before the start was seen; 0 if none was.
    pub epoch: i64,
    pub prev_kv: bool,
    pub no_put: bool,
    pub no_delete: bool,
    pub keys_only: bool,
    /// Whether a revision may come in parts.
    pub fragment: bool,
    pub progress_notify: bool,
    /// Whether changes may be left out that another one has overtaken.
    pub conflate: bool,
}

impl Ask {
    /// Every change of `range` from the next one on.
    pub fn new(range: KeyRange) -> Self {
        Self {
            ranges: vec![range],
            start_revision: 0,
            epoch: 0,
            prev_kv: false,
            no_put: false,
            no_delete: false,
            keys_only: false,
            fragment: false,
            progress_notify: false,
            conflate: false,
        }
    }
}

/// What a watcher is told.
#[derive(Clone, Debug)]
pub enum Told {
    Created {
        revision: i64,
    },
    Events {
        revision: i64,
        events: Vec<Event>,
        /// Whether the rest of the last revision is to come in another response.
        fragment: bool,
        /// How many events the poll has asked for at most.
        max_events: usize,
    },
    Progress {
        revision: i64,
    },
    Canceled,
    Compacted {
        compact_revision: i64,
    },
    Rewound {
        revision: i64,
    },
}

/// What a follower has asked for.
#[derive(Clone, Debug)]
pub struct Follow {
    pub follower: FollowerNo,
    pub place: Place,
    pub range: KeyRange,
    /// From where to go on, and the state that the one who goes on has in his hands.
    pub resume: Option<(ResumeToken, Vec<KeyValue>)>,
}

/// What a follower is told.
#[derive(Clone, Debug)]
pub enum FollowTold {
    State { kvs: Vec<KeyValue> },
    Synced { revision: i64 },
    Events { revision: i64, events: Vec<Event> },
    Reset { revision: i64 },
}

impl Record {
    /// What concerns a watcher, or all if there is none, up to the entry `last`: for people to read.
    pub fn story(&self, watcher: Option<WatcherNo>, last: usize) -> String {
        let stream = self.entries.iter().find_map(|entry| match entry {
            Entry::Watch(watch) if Some(watch.watcher) == watcher => Some(watch.stream),
            _ => None,
        });
        let entries = self.entries.iter().enumerate().take(last + 1);
        let told = entries.filter(|(_, entry)| entry.concerns(watcher, stream));
        let lines = told.map(|(number, entry)| format!("{number:>5} {entry}"));
        lines.collect::<Vec<String>>().join("\n") + "\n"
    }
}

impl Entry {
    fn concerns(&self, watcher: Option<WatcherNo>, its_stream: Option<StreamNo>) -> bool {
        match self {
            Self::Watch(watch) => Some(watch.watcher) == watcher,
            Self::Cancel { watcher: other } | Self::Told { watcher: other, .. } => {
                Some(*other) == watcher
            }
            Self::Refused { stream, .. }
            | Self::AskProgress { stream }
            | Self::Progress { stream, .. }
            | Self::Drained { stream, .. }
            | Self::Starved { stream }
            | Self::Closed { stream } => Some(*stream) == its_stream,
            Self::Follow(_)
            | Self::FollowTold { .. }
            | Self::FollowDrained { .. }
            | Self::FollowStarved { .. }
            | Self::FollowClosed { .. } => watcher.is_none(),
            Self::Open { .. }
            | Self::Write { .. }
            | Self::Compact { .. }
            | Self::Hidden { .. }
            | Self::Refresh { .. } => true,
        }
    }
}

impl fmt::Display for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Told { watcher, told } => write!(f, "watcher {watcher} <- {}", Brief(told)),
            Self::FollowTold { follower, told } => {
                write!(f, "follower {follower} <- {}", BriefFollow(told))
            }
            Self::Write { ops } => {
                f.write_str("write")?;
                ops.iter().try_for_each(|op| write!(f, " {op}"))
            }
            other => write!(f, "{other:?}"),
        }
    }
}

impl fmt::Display for WriteOp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Put { key, value, lease } => {
                let short = &value[..value.len().min(8)];
                let (key, value) = (key.escape_ascii(), short.escape_ascii());
                write!(f, "put {key}={value} of lease {lease},")
            }
            Self::Delete { range } => write!(f, "delete {range:?},"),
            Self::Revoke { lease } => write!(f, "revoke {lease},"),
        }
    }
}

/// Events by kind, key and revision alone.
struct Brief<'a>(&'a Told);

impl fmt::Display for Brief<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Told::Events {
                revision,
                events,
                fragment,
                ..
            } => {
                write!(f, "at {revision}:{}", Briefly(events))?;
                f.write_str(if *fragment { " (more)" } else { "" })
            }
            other => write!(f, "{other:?}"),
        }
    }
}

struct BriefFollow<'a>(&'a FollowTold);

impl fmt::Display for BriefFollow<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            FollowTold::Events { revision, events } => {
                write!(f, "up to {revision}:{}", Briefly(events))
            }
            other => write!(f, "{other:?}"),
        }
    }
}

struct Briefly<'a>(&'a [Event]);

impl fmt::Display for Briefly<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for event in self.0 {
            let key = event.kv.key.escape_ascii();
            write!(f, " {:?} {key}@{}", event.kind, event.kv.mod_revision)?;
            if let Some(before) = &event.prev_kv {
                write!(f, " (was @{})", before.mod_revision)?;
            }
        }
        Ok(())
    }
}
