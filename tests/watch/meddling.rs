//! Everything that can happen between the moment when a poll finds out what history it needs and the
//! moment when it hands that out, and the judge.
//!
//! A shared store is polled with nothing locked while pages are read. So the page store itself can do
//! what other threads would: in the middle of a poll it writes, compacts, steps, polls, cancels and
//! watches. All of it follows from the seed.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::rc::{Rc, Weak};

use revwatch::page::fault::{Call, Hook, HookedPages};
use revwatch::page::{MemoryPages, PageError};
use revwatch::{
    DeleteRangeRequest, Durability, KeyRange, Limits, Op, Options, PutRequest, SharedStore,
    StreamId, TxnRequest, WatchRequest, WatchResponse,
};
use revwatch_model::Random;

use crate::judge::{Broken, judge};
use crate::record::{Ask, Entry, Record, Told, WRITER, Watch, WatcherNo, WriteOp};

const HISTORIES: u64 = 1_000;
const STEPS: usize = 250;
const STREAMS: usize = 3;
const MAX_EVENTS: usize = 30;
/// A poll reads so many pages at least, if it reads any.
const READS: usize = 6;

/// Pages in memory that something else is done to the store at.
type MeddledPages = HookedPages<MemoryPages, Rc<Meddler>>;

#[derive(Default)]
struct Meddler {
    /// After how many reads from now something is done, if anything.
    after_reads: Cell<Option<usize>>,
    world: RefCell<Weak<World>>,
}

impl Meddler {
    fn see_a_read(&self) {
        let Some(left) = self.after_reads.take() else {
            return;
        };
        if left > 0 {
            self.after_reads.set(Some(left - 1));
        } else if let Some(world) = self.world.borrow().upgrade() {
            world.meddle();
        }
    }
}

impl Hook for Meddler {
    fn before(&self, call: Call<'_>) -> Result<(), PageError> {
        if matches!(call, Call::Read { .. }) {
            self.see_a_read();
        }
        Ok(())
    }
}

/// What was done in the middle of a poll, and how often.
#[derive(Clone, Copy, Debug, Default)]
struct Tally {
    writes: u64,
    compactions: u64,
    cancels: u64,
    watches: u64,
    polls: u64,
    steps: u64,
}

impl Tally {
    fn counts(&self) -> [u64; 6] {
        [
            self.writes,
            self.compactions,
            self.cancels,
            self.watches,
            self.polls,
            self.steps,
        ]
    }

    fn add(&mut self, other: &Self) {
        self.writes += other.writes;
        self.compactions += other.compactions;
        self.cancels += other.cancels;
        self.watches += other.watches;
        self.polls += other.polls;
        self.steps += other.steps;
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "in the middle of polls: {self:?}")
    }
}

struct World {
    store: SharedStore<MeddledPages>,
    streams: Vec<StreamId>,
    meddler: Rc<Meddler>,
    random: RefCell<Random>,
    record: RefCell<Record>,
    /// Those that have not ended: their stream and their number.
    watchers: RefCell<Vec<(usize, WatcherNo)>>,
    watched: Cell<usize>,
    now_ms: Cell<i64>,
    is_meddling: Cell<bool>,
    tally: Cell<Tally>,
}

impl World {
    fn new(seed: u64) -> Rc<Self> {
        let meddler = Rc::new(Meddler::default());
        let pages = HookedPages::new(MemoryPages::new(512), Rc::clone(&meddler));
        let options = Options {
            durability: Durability::Never,
            cache_bytes: 0,
            limits: Limits {
                catch_up_revisions: 20,
                stream_queue_responses: 2,
                ..Limits::default()
            },
            ..Options::default()
        };
        let store = SharedStore::open(pages, options).expect("a new store opens");
        let world = Rc::new(Self {
            streams: (0..STREAMS).map(|_| store.watch_stream()).collect(),
            store,
            random: RefCell::new(Random::new(seed)),
            record: RefCell::default(),
            watchers: RefCell::default(),
            watched: Cell::new(0),
            now_ms: Cell::new(0),
            is_meddling: Cell::new(false),
            tally: Cell::default(),
            meddler,
        });
        *world.meddler.world.borrow_mut() = Rc::downgrade(&world);
        world.note(Entry::Open {
            epoch: 1,
            revision: 1,
            compact_revision: -1,
        });
        world
    }

    fn note(&self, entry: Entry) {
        self.record.borrow_mut().entries.push(entry);
    }

    fn below(&self, end: usize) -> usize {
        self.random.borrow_mut().below(end)
    }

    fn count(&self, count: impl Fn(&mut Tally)) {
        if self.is_meddling.get() {
            let mut tally = self.tally.get();
            count(&mut tally);
            self.tally.set(tally);
        }
    }

    /// Does a few things in the middle of a poll.
    fn meddle(&self) {
        self.is_meddling.set(true);
        for _ in 0..=self.below(6) {
            self.do_something();
        }
        self.is_meddling.set(false);
    }

    fn do_something(&self) {
        match self.below(20) {
            0..7 => self.write(),
            7..9 => self.compact(),
            9..11 => self.watch(),
            11..13 => self.cancel(),
            13..15 => {
                self.count(|tally| tally.steps += 1);
                self.now_ms.set(self.now_ms.get() + 1);
                self.store.step(self.now_ms.get(), 1 << 12).unwrap();
            }
            _ => self.poll(self.below(STREAMS)),
        }
    }

    fn key(&self) -> [u8; 1] {
        [b'a' + self.below(5) as u8]
    }

    fn put(&self) -> (Op, WriteOp) {
        let (key, value) = (self.key(), vec![b'v'; self.below(150)]);
        let op = Op::Put(PutRequest::new(&key, &value));
        let (key, lease) = (key.to_vec(), 0);
        (op, WriteOp::Put { key, value, lease })
    }

    fn delete(&self) -> (Op, WriteOp) {
        let range = KeyRange::one(&self.key());
        let op = Op::DeleteRange(DeleteRangeRequest::new(range.clone()));
        (op, WriteOp::Delete { range })
    }

    /// A transaction, or a few one after the other; some change a key twice.
    fn write(&self) {
        self.count(|tally| tally.writes += 1);
        for _ in 0..=self.below(8) {
            let pairs = match self.below(6) {
                0 => vec![self.delete()],
                1 => vec![self.put(), self.delete()],
                _ => vec![self.put()],
            };
            let (ops, noted): (Vec<Op>, Vec<WriteOp>) = pairs.into_iter().unzip();
            let alone = |op| {
                Op::Txn(TxnRequest {
                    success: vec![op],
                    ..TxnRequest::default()
                })
            };
            let txn = TxnRequest {
                success: ops.into_iter().map(alone).collect(),
                ..TxnRequest::default()
            };
            self.store.txn(&txn).unwrap();
            self.note(Entry::Write { ops: noted });
        }
    }

    fn compact(&self) {
        let status = self.store.status();
        let oldest = status.compact_revision.max(1) + 1;
        let newer = status.revision - oldest;
        if newer < 40 {
            return;
        }
        self.count(|tally| tally.compactions += 1);
        let revision = oldest + self.below(newer as usize / 2) as i64;
        self.store.compact(revision).unwrap();
        self.note(Entry::Compact { revision });
    }

    fn watch(&self) {
        self.count(|tally| tally.watches += 1);
        let status = self.store.status();
        let oldest = status.compact_revision.max(1);
        let range = match self.below(3) {
            0 => KeyRange::All,
            1 => KeyRange::span(b"b", b"d"),
            _ => KeyRange::one(&self.key()),
        };
        let ask = Ask {
            start_revision: oldest + self.below((status.revision - oldest + 1) as usize) as i64,
            prev_kv: self.below(3) == 0,
            no_delete: self.below(5) == 0,
            conflate: self.below(5) == 0,
            ..Ask::new(range)
        };
        let (place, watcher) = (self.below(STREAMS), self.watched.get());
        self.watched.set(watcher + 1);
        let request = WatchRequest {
            start_revision: ask.start_revision,
            watch_id: 1 + watcher as i64,
            prev_kv: ask.prev_kv,
            no_delete: ask.no_delete,
            conflate: ask.conflate,
            ..WatchRequest::of_ranges(ask.ranges.clone())
        };
        self.store.watch(self.streams[place], &request).unwrap();
        self.watchers.borrow_mut().push((place, watcher));
        self.note(Entry::Watch(Watch {
            watcher,
            stream: place,
            early: false,
            place: WRITER,
            revision: status.revision,
            epoch: 1,
            ask,
            resumes: None,
        }));
    }

    fn cancel(&self) {
        let count = self.watchers.borrow().len();
        if count == 0 {
            return;
        }
        self.count(|tally| tally.cancels += 1);
        let (place, watcher) = self.watchers.borrow_mut().swap_remove(self.below(count));
        let id = 1 + watcher as i64;
        self.store.cancel_watch(self.streams[place], id).unwrap();
        self.note(Entry::Cancel { watcher });
    }

    /// Polls a stream; if that is not in the middle of another poll, perhaps with something done in
    /// the middle of it.
    fn poll(&self, place: usize) {
        self.count(|tally| tally.polls += 1);
        if !self.is_meddling.get() {
            self.meddler.after_reads.set(Some(self.below(READS)));
        }
        let response = self.store.poll(self.streams[place], MAX_EVENTS, usize::MAX);
        if !self.is_meddling.get() {
            self.meddler.after_reads.set(None);
        }
        let (watch_id, told) = match response.unwrap() {
            WatchResponse::Idle => return,
            WatchResponse::Created { watch_id, revision } => (watch_id, Told::Created { revision }),
            WatchResponse::Events {
                watch_id,
                revision,
                events,
                fragment,
            } => {
                let events = events.iter().map(|event| event.to_owned()).collect();
                let told = Told::Events {
                    revision,
                    events,
                    fragment,
                    max_events: MAX_EVENTS,
                };
                (watch_id, told)
            }
            WatchResponse::Canceled { watch_id } => (watch_id, Told::Canceled),
            WatchResponse::Compacted {
                watch_id,
                compact_revision,
            } => (watch_id, Told::Compacted { compact_revision }),
            other => panic!("nobody asked for {other:?}"),
        };
        let watcher = watch_id as usize - 1;
        if matches!(told, Told::Compacted { .. }) {
            self.watchers
                .borrow_mut()
                .retain(|&(_, other)| other != watcher);
        }
        self.note(Entry::Told { watcher, told });
    }

    /// Polls all streams until they have nothing more to say.
    fn drain(&self) {
        for (place, &stream) in self.streams.iter().enumerate() {
            while self.store.has_response(stream).unwrap() {
                self.poll(place);
            }
            let published = self.store.status().published_revision;
            self.note(Entry::Drained {
                stream: place,
                published,
            });
        }
    }
}

/// Plays a history and has it judged.
fn play(seed: u64) -> (Result<(), Broken>, Record, Tally) {
    let world = World::new(seed);
    for _ in 0..20 {
        world.write();
    }
    for _ in 0..STEPS {
        world.do_something();
    }
    // The last polls meddle too, so that there is more to say again.
    for _ in 0..3 {
        world.drain();
    }
    world.is_meddling.set(true);
    world.drain();
    let record = world.record.take();
    (judge(&record), record, world.tally.get())
}

#[test]
fn whatever_happens_in_the_middle_of_a_poll_no_promise_is_broken() {
    let mut tally = Tally::default();
    for seed in 1..=HISTORIES {
        let (verdict, record, of_history) = play(seed);
        if let Err(broken) = verdict {
            let story = record.story(broken.watcher, broken.entry);
            panic!("{story}seed {seed}: {broken}");
        }
        tally.add(&of_history);
    }
    println!("{tally}");
    for count in tally.counts() {
        assert!(count > HISTORIES / 2, "{tally}");
    }
}

#[cfg(feature = "seeded-bugs")]
#[test]
fn what_was_overtaken_while_it_was_read_is_noticed_if_it_is_handed_out() {
    use revwatch::SeededBug;

    for bug in [
        SeededBug::OvertakenPartIsTaken,
        SeededBug::FormerHolderIsServed,
    ] {
        SeededBug::choose(Some(bug));
        let found = (1..=HISTORIES).find_map(|seed| Some((seed, play(seed).0.err()?)));
        SeededBug::choose(None);
        let (seed, broken) = found.unwrap_or_else(|| panic!("{bug:?} is not found"));
        println!("{bug:?}: seed {seed}, {broken}");
    }
}
