//! Histories made by hand: good ones, and for each promise some that break it.

mod crashes;
mod followers;
mod promises;

use revwatch::{Event, KeyRange, KeyValue, ResumeToken};

use super::{Promise, judge};
use crate::ledger::Ledger;
use crate::record::{
    Ask, Entry, Follow, FollowTold, Place, Record, StreamNo, Told, WRITER, Watch, WatcherNo,
    WriteOp,
};

const STREAM: StreamNo = 0;
const WATCHER: WatcherNo = 0;
const READER: Place = 1;

/// A history that is being told.
struct Story {
    record: Record,
    ledger: Ledger,
    /// Whether its streams are told early.
    early: bool,
}

impl Story {
    /// A new store, whose watchers are shown only what is durable.
    fn new() -> Self {
        let mut story = Self {
            record: Record {
                shown_is_durable: true,
                entries: Vec::new(),
            },
            ledger: Ledger::default(),
            early: false,
        };
        story.open(1, 1);
        story
    }

    fn note(&mut self, entry: Entry) {
        self.record.entries.push(entry);
    }

    fn open(&mut self, epoch: i64, revision: i64) {
        let compact_revision = -1;
        self.ledger.open(epoch, revision, compact_revision);
        self.note(Entry::Open {
            epoch,
            revision,
            compact_revision,
        });
    }

    fn write(&mut self, ops: &[WriteOp]) {
        self.ledger.write(ops);
        let ops = ops.to_vec();
        self.note(Entry::Write { ops });
    }

    fn put(&mut self, key: &str, value: &str) {
        self.write(&[put(key, value)]);
    }

    fn compact(&mut self, revision: i64) {
        self.note(Entry::Compact { revision });
    }

    /// Registers the watcher of the writer, which is told so.
    fn watch(&mut self, ask: Ask) {
        self.watch_at(WRITER, WATCHER, 1, ask, None);
    }

    fn watch_at(
        &mut self,
        place: Place,
        watcher: WatcherNo,
        epoch: i64,
        ask: Ask,
        resumes: Option<WatcherNo>,
    ) {
        let revision = self.ledger.timeline(epoch).newest();
        self.note(Entry::Watch(Watch {
            watcher,
            stream: STREAM,
            place,
            early: self.early,
            revision,
            epoch,
            ask,
            resumes,
        }));
        self.tell_to(watcher, Told::Created { revision });
    }

    fn tell(&mut self, told: Told) {
        self.tell_to(WATCHER, told);
    }

    fn tell_to(&mut self, watcher: WatcherNo, told: Told) {
        self.note(Entry::Told { watcher, told });
    }

    /// Tells the first changes of these revisions in one response.
    fn tell_of(&mut self, revisions: &[i64]) {
        let events = revisions.iter().map(|&revision| self.event(revision, 0));
        let events = events.collect();
        self.tell(response(events));
    }

    fn drained(&mut self) {
        let published = self.ledger.newest();
        self.note(Entry::Drained {
            stream: STREAM,
            published,
        });
    }

    /// A change as it is told to who does not ask what was before.
    fn event(&self, revision: i64, sub: usize) -> Event {
        let change = &self.ledger.present().changes_at(revision)[sub];
        Event {
            kind: change.kind,
            kv: change.kv.clone(),
            prev_kv: None,
        }
    }

    fn follow(&mut self, resume: Option<(ResumeToken, Vec<KeyValue>)>) {
        self.note(Entry::Follow(Follow {
            follower: 0,
            place: WRITER,
            range: KeyRange::All,
            resume,
        }));
    }

    fn tell_follower(&mut self, told: FollowTold) {
        self.note(Entry::FollowTold { follower: 0, told });
    }

    fn state(&self, revision: i64) -> Vec<KeyValue> {
        let state = self.ledger.present().state_at(revision);
        state.into_values().collect()
    }

    fn is_good(&self) {
        assert_eq!(judge(&self.record), Ok(()));
    }

    /// The last thing that was told is what breaks the promise.
    fn breaks(&self, promise: Promise) {
        let broken = judge(&self.record).expect_err("the history is bad");
        let last = self.record.entries.len() - 1;
        assert_eq!((broken.promise, broken.entry), (promise, last), "{broken}");
    }
}

fn put(key: &str, value: &str) -> WriteOp {
    WriteOp::Put {
        key: key.into(),
        value: value.into(),
        lease: 0,
    }
}

fn delete(key: &str) -> WriteOp {
    let range = KeyRange::one(key.as_bytes());
    WriteOp::Delete { range }
}

fn response(events: Vec<Event>) -> Told {
    let last = events.last().map_or(0, |event| event.kv.mod_revision);
    Told::Events {
        revision: last,
        events,
        fragment: false,
        max_events: usize::MAX,
    }
}

fn everything() -> Ask {
    Ask::new(KeyRange::All)
}

fn everything_from(start_revision: i64) -> Ask {
    Ask {
        start_revision,
        ..everything()
    }
}

/// Revisions 2 to 5, watched by who asked for everything before there was anything.
fn four_puts() -> Story {
    four_puts_told(false)
}

/// The same, where the stream may be told early.
fn four_puts_told(early: bool) -> Story {
    let mut story = Story::new();
    story.early = early;
    story.watch(everything());
    for (key, value) in [("a", "1"), ("b", "2"), ("a", "3"), ("b", "4")] {
        story.put(key, value);
    }
    story
}
