//! Imports of snapshots, and the power going meanwhile: at every operation of the page store.
//!
//! A whole store comes with an import or does not come at all: what a crash leaves is as blank as the
//! place was, or says that an import into it is not complete, and takes another; or it is the store of
//! the snapshot. What happened since a revision comes transaction by transaction: what a crash leaves is
//! the copy as it was after one of them, not before the last that was acknowledged, and a snapshot since
//! there makes it what its origin is.

use std::rc::Rc;

use revwatch::page::PageStore;
use revwatch::page::fault::{FaultPages, Random};
use revwatch::{
    Durability, Error, ErrorCode, Import, KeyRange, RangeRequest, SnapshotUpdate, Store,
};

use crate::command::{Command, Commands};
use crate::explore::{Explorer, run_or_be_full};
use crate::inspect::find_moment;
use crate::power::BATCH;
use crate::session::Session;
use crate::setup::Setup;
use crate::tally::{Tally, note};
use crate::tape::{Operation, Point, RecordedPages, Standing, Tape, recorded};

const CUT_IN_IMPORT: &str = "power cut in an import";
const CUT_IN_SECOND_IMPORT: &str = "and again in the one after it";
const CUT_IN_UPDATE: &str = "power cut while a copy takes what happened since";
const CUT_IN_SECOND_UPDATE: &str = "and again when it goes on";
/// What a crash left of an import: no points of their own.
const WAS_NOISE: &str = "a header was torn";
const WAS_BLANK: &str = "nothing was there";
const WAS_INCOMPLETE: &str = "an import was not complete";
const WAS_WHOLE: &str = "the whole store was there";

/// Outcomes of a crash that are tried at each operation.
const OUTCOMES: u64 = 4;

/// The store that snapshots are taken of.
struct Origin {
    session: Session,
    commands: Commands,
}

impl Origin {
    fn new(setup: &Setup, seed: u64) -> Self {
        Self {
            session: Session::create(setup),
            commands: Commands::new(seed, setup.page_size),
        }
    }

    /// Goes on for a while, and keeps all history behind `kept_from`.
    fn live(&mut self, commands: usize, kept_from: i64) {
        for _ in 0..commands {
            let command = self.commands.next(self.session.history());
            if matches!(command, Command::Compact { revision } if revision > kept_from) {
                continue;
            }
            run_or_be_full(&mut self.session, &command);
        }
        // A snapshot is of what is published.
        self.session.run(&Command::Flush).unwrap();
    }

    fn revision(&self) -> i64 {
        self.session.history().last().revision
    }

    fn chunks(&mut self, since: i64, max_bytes: usize) -> Vec<Vec<u8>> {
        let store = self.session.store();
        let mut snapshot = store.snapshot(since).unwrap();
        assert_eq!(
            snapshot.revision(),
            store.revision(),
            "all of it is published"
        );
        let mut chunks = Vec::new();
        loop {
            let chunk = store.next_snapshot_chunk(&mut snapshot, max_bytes).unwrap();
            if chunk.is_empty() {
                return chunks;
            }
            chunks.push(chunk);
        }
    }

    /// What is promised of a whole copy.
    fn standing_of_copy(&mut self) -> Standing {
        let epoch = self.session.store().status().epoch + 1;
        let history = self.session.history().clone();
        let newest = history.newest();
        Standing {
            floor: newest,
            floor_without_last_sync: newest,
            floor_without_last_two_syncs: newest,
            ceiling: newest,
            acked: Rc::clone(history.acked()),
            shown: history.last().revision,
            epoch,
            epoch_limit: epoch,
            is_closed: true,
            ..Standing::of_nothing(history)
        }
    }
}

fn import(pages: RecordedPages, setup: &Setup, chunks: &[Vec<u8>]) -> Result<(), Error> {
    let mut import = Import::begin(pages, setup.options())?;
    for chunk in chunks {
        import.feed(chunk)?;
    }
    import.finish().map(drop)
}

/// A device whose new pages are zero, such as a file: of noise nobody could say that it is blank.
fn blank_disk(setup: &Setup, pages: usize) -> FaultPages {
    let blank = vec![0; setup.page_size * pages];
    let disk = FaultPages::from_bytes(setup.page_size, setup.seed, &blank).unwrap();
    disk.gaining_zeros()
}

/// Imports to a disk, and answers all moments at which the power could have gone meanwhile.
fn record_import(
    disk: &FaultPages,
    setup: &Setup,
    chunks: &[Vec<u8>],
    promised: &Rc<Standing>,
) -> Vec<Point> {
    let tape = Rc::new(Tape::default());
    tape.promise(Rc::clone(promised));
    let pages = recorded(disk.clone(), Rc::clone(&tape));
    import(pages, setup, chunks).unwrap();
    tape.take_points()
}

/// What a crash has left of an import, in a place that was blank.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Left {
    /// What the header was to be is torn, and has noise in it: nobody can say what the place holds.
    Noise,
    Blank,
    Incomplete,
    Whole,
}

impl Left {
    fn on(disk: &FaultPages, setup: &Setup) -> Self {
        match Store::open(disk.fork(), setup.options()) {
            Ok(store) if store.revision() == 1 => {
                let status = store.status();
                assert_eq!((status.keys, status.leases), (0, 0), "half a store");
                Self::Blank
            }
            Ok(_) => Self::Whole,
            Err(error) if error.code() == ErrorCode::NotAStore => Self::Noise,
            Err(error) => {
                assert_eq!(error.code(), ErrorCode::ImportIncomplete, "{error}");
                Self::Incomplete
            }
        }
    }

    /// Whether all that was synced is there: that an import began.
    fn is_marked(self) -> bool {
        matches!(self, Self::Incomplete | Self::Whole)
    }

    fn name(self) -> &'static str {
        match self {
            Self::Noise => WAS_NOISE,
            Self::Blank => WAS_BLANK,
            Self::Incomplete => WAS_INCOMPLETE,
            Self::Whole => WAS_WHOLE,
        }
    }
}

/// Every stop of an import of a whole store, and of one more after it.
pub fn interrupt_import(tally: &mut Tally, seed: u64) {
    let mut random = Random::new(seed);
    let setup = Setup {
        // Odd: see `blank_disk`.
        seed: 2 * seed + 1,
        durability: Durability::Commit,
        page_size: 512 << random.below(3),
        capacity: u32::MAX,
    };
    let mut origin = Origin::new(&setup, random.next_u64());
    origin.live(4 + random.below(20), i64::MAX);
    if origin.revision() == 1 {
        return;
    }
    let chunks = origin.chunks(0, 512 << random.below(5));
    let promised = Rc::new(origin.standing_of_copy());
    let disk = blank_disk(&setup, random.below(4));
    let points = record_import(&disk, &setup, &chunks, &promised);
    let first_sync = points
        .iter()
        .position(|point| point.operation == Operation::Sync);
    let mut explorer = Explorer {
        setup: &setup,
        random,
        tally,
    };
    for (position, point) in points.iter().enumerate() {
        let _position = note(position);
        for crash in explorer.outcomes(point, OUTCOMES) {
            let _crash = note(&crash);
            explorer.tally.count(CUT_IN_IMPORT);
            let disk = point.disk.crash_as(&crash);
            let left = Left::on(&disk, &setup);
            explorer.tally.observe(left.name());
            let nothing_was_synced = first_sync.is_none_or(|first| position <= first);
            assert!(left.is_marked() || nothing_was_synced, "{left:?}");
            if left == Left::Noise {
                continue;
            }
            if left != Left::Whole {
                import_again(&mut explorer, &disk, &chunks, &promised);
            }
            explorer.recover_and_close(disk, &promised);
        }
    }
}

/// Where an import was cut off another one begins, and can be cut off too.
fn import_again(
    explorer: &mut Explorer<'_>,
    disk: &FaultPages,
    chunks: &[Vec<u8>],
    promised: &Rc<Standing>,
) {
    let was_marked = Left::on(disk, explorer.setup).is_marked();
    let points = record_import(disk, explorer.setup, chunks, promised);
    let point = &points[explorer.random.below(points.len())];
    explorer.tally.count(CUT_IN_SECOND_IMPORT);
    let disk = point.disk.crash(&mut explorer.random);
    let left = Left::on(&disk, explorer.setup);
    assert!(left.is_marked() || !was_marked, "{left:?}");
    if left == Left::Whole {
        explorer.recover_and_close(disk, promised);
    }
}

#[test]
fn an_interrupted_import_is_whole_or_no_store() {
    let kinds = [CUT_IN_IMPORT, CUT_IN_SECOND_IMPORT];
    let tally = Tally::new("an_interrupted_import", &kinds)
        .expect(WAS_BLANK)
        .expect(WAS_INCOMPLETE)
        .expect(WAS_WHOLE);
    tally.run(interrupt_import);
}

/// Applies chunks to a copy. What has been acknowledged is promised from then on.
fn update<P: PageStore>(
    copy: &mut Store<P>,
    chunks: &[Vec<u8>],
    mut acknowledged: impl FnMut(i64),
) -> Result<(), Error> {
    let mut update = SnapshotUpdate::default();
    for chunk in chunks {
        copy.apply_snapshot(&mut update, chunk)?;
        acknowledged(copy.status().published_revision);
    }
    assert!(update.is_complete());
    Ok(())
}

/// Opens a copy that a crash has left: it is its origin as that was at some revision.
fn recover_copy(
    origin: &Origin,
    disk: &FaultPages,
    setup: &Setup,
    oldest: i64,
) -> Store<FaultPages> {
    let copy = Store::open(disk.clone(), setup.options()).unwrap();
    copy.check().unwrap();
    let revision = copy.revision();
    assert!(
        (oldest..=origin.revision()).contains(&revision),
        "a copy fell back to {revision}, and {oldest} was acknowledged"
    );
    let history = origin.session.history();
    let keys = copy.range(&RangeRequest::new(KeyRange::All)).unwrap().kvs;
    let expected = history.keys_at(history.newest(), revision);
    assert!(
        keys.iter().eq(expected),
        "the copy is not what its origin was at {revision}: {keys:#?}"
    );
    copy
}

/// The copy goes on from where it came to, and is then what its origin is.
fn go_on(origin: &mut Origin, mut copy: Store<FaultPages>, max_bytes: usize) {
    let chunks = origin.chunks(copy.revision(), max_bytes);
    update(&mut copy, &chunks, |_| ()).unwrap();
    copy.flush().unwrap();
    let history = origin.session.history();
    let newest = history.newest();
    find_moment(&copy, history, newest..=newest);
    copy.close().unwrap();
    copy.check().unwrap();
}

/// Every stop of a copy that takes what happened since.
pub fn interrupt_update(tally: &mut Tally, seed: u64) {
    let mut random = Random::new(seed);
    let setup = Setup {
        seed: 2 * seed + 1,
        durability: [Durability::Commit, BATCH][random.below(2)],
        page_size: 512 << random.below(3),
        capacity: u32::MAX,
    };
    let mut origin = Origin::new(&setup, random.next_u64());
    origin.live(2 + random.below(12), i64::MAX);
    let disk = blank_disk(&setup, 0);
    let whole = origin.chunks(0, 4096);
    let promised = Rc::new(origin.standing_of_copy());
    record_import(&disk, &setup, &whole, &promised);
    let begun_at = origin.revision();
    origin.live(2 + random.below(12), begun_at);

    let max_bytes = 512 << random.below(5);
    let chunks = origin.chunks(begun_at, max_bytes);
    let tape = Rc::new(Tape::default());
    let promise = |revision| {
        tape.promise(Rc::new(Standing {
            shown: revision,
            ..promised.as_ref().clone()
        }));
    };
    promise(begun_at);
    let pages = recorded(disk, Rc::clone(&tape));
    let mut copy = Store::open(pages, setup.options()).unwrap();
    update(&mut copy, &chunks, promise).unwrap();
    drop(copy);
    for (position, point) in tape.take_points().iter().enumerate() {
        let _position = note(position);
        let mut explorer = Explorer {
            setup: &setup,
            random: Random::new(random.next_u64()),
            tally: &mut *tally,
        };
        for crash in explorer.outcomes(point, OUTCOMES) {
            let _crash = note(&crash);
            explorer.tally.count(CUT_IN_UPDATE);
            let left = point.disk.crash_as(&crash);
            let oldest = point.standing.shown;
            let copy = recover_copy(&origin, &left, &setup, oldest);
            let reached = copy.revision();
            // What was recovered is not lost by the next crash.
            explorer.tally.count(CUT_IN_SECOND_UPDATE);
            let again = left.crash(&mut explorer.random);
            drop(recover_copy(&origin, &again, &setup, reached));
            go_on(&mut origin, copy, max_bytes);
        }
    }
}

#[test]
fn an_interrupted_update_leaves_the_copy_at_a_revision_of_its_origin() {
    let kinds = [CUT_IN_UPDATE, CUT_IN_SECOND_UPDATE];
    let tally = Tally::new("an_interrupted_update", &kinds);
    tally.run(interrupt_update);
}
