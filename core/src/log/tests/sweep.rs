//! Reclaiming: what is kept stays as it was, whatever happens on the way.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec::Vec;

use super::super::Sweep;
use super::*;
use crate::page::fault::{Fault, FaultPages, Random};

/// One change of one key: a value, or none for a delete.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Change {
    revision: Revision,
    key: u8,
    value: Option<Vec<u8>>,
}

/// What was appended at once.
#[derive(Clone, Debug)]
enum Step {
    Changes(Vec<Change>),
    Compact(i64),
}

/// All that may be asked of a history: what it was at the compact revision, deletes at exactly that
/// revision, and every change after it.
#[derive(Debug, PartialEq, Eq)]
struct Visible {
    compact_revision: i64,
    revision: i64,
    at_compact: Vec<Change>,
    later: Vec<Change>,
}

impl Visible {
    fn of(changes: &[Change], compact_revision: i64) -> Self {
        let mut newest: BTreeMap<u8, &Change> = BTreeMap::new();
        let mut later = Vec::new();
        for change in changes {
            if change.revision.main <= compact_revision {
                newest.insert(change.key, change);
            } else {
                later.push(change.clone());
            }
        }
        newest
            .retain(|_, change| change.value.is_some() || change.revision.main == compact_revision);
        Self {
            compact_revision,
            revision: changes.last().map_or(1, |last| last.revision.main),
            at_compact: newest.into_values().cloned().collect(),
            later,
        }
    }

    fn of_steps(steps: &[Step]) -> Self {
        let mut changes = Vec::new();
        let mut compact_revision = -1;
        for step in steps {
            match step {
                Step::Changes(some) => changes.extend_from_slice(some),
                Step::Compact(revision) => compact_revision = *revision,
            }
        }
        Self::of(&changes, compact_revision)
    }
}

/// A history with what may be dropped of it.
#[derive(Clone, Debug, Default)]
struct Model {
    steps: Vec<Step>,
    compact_revision: i64,
    /// The changes that a sweep must keep, up to the compact revision.
    kept: BTreeSet<Revision>,
}

impl Model {
    fn refresh(&mut self) {
        let visible = Visible::of_steps(&self.steps);
        self.compact_revision = visible.compact_revision;
        self.kept = visible
            .at_compact
            .iter()
            .map(|change| change.revision)
            .collect();
    }

    fn keeps(&self, entry: &Entry<'_>) -> bool {
        match entry.record {
            Record::Put { .. } | Record::Delete { .. } => {
                entry.revision.main > self.compact_revision || self.kept.contains(&entry.revision)
            }
            Record::Compact { revision } => revision as i64 == self.compact_revision,
            _ => true,
        }
    }
}

fn change_of(entry: &Entry<'_>) -> Option<Change> {
    let (key, value) = match entry.record {
        Record::Put { key, value, .. } => (key, Some(value.to_vec())),
        Record::Delete { key } => (key, None),
        _ => return None,
    };
    Some(Change {
        revision: entry.revision,
        key: key[0],
        value,
    })
}

/// Opens a log; says what can be seen of it.
fn open_visible(pages: &FaultPages) -> Result<(Log<FaultPages>, Visible)> {
    let mut changes = Vec::new();
    let mut compact_revision = -1;
    let mut newest = None;
    let mut open: Option<i64> = None;
    let (log, _) = Log::open(
        pages.clone(),
        options(false),
        &mut Each(|entry: &Entry<'_>| {
            assert!(newest < Some(entry.revision));
            newest = Some(entry.revision);
            let main = entry.revision.main;
            assert!(
                open.is_none_or(|open| open == main),
                "{main} goes on with {open:?}"
            );
            open = (!entry.last).then_some(main);
            changes.extend(change_of(entry));
            if let Record::Compact { revision } = entry.record {
                compact_revision = revision as i64;
            }
        }),
    )?;
    Ok((log, Visible::of(&changes, compact_revision)))
}

fn visible_by_scan(log: &Log<FaultPages>, compact_revision: i64) -> Visible {
    let mut changes = Vec::new();
    let mut scan = log.scan(Revision::first_of(0));
    while let Some((position, stored)) = scan.next(log).unwrap() {
        let read = log.read(position).unwrap();
        assert_eq!(read.entry(), stored.entry());
        changes.extend(change_of(&stored.entry()));
    }
    for window_bytes in [1, 2_000] {
        let mut in_windows = Vec::new();
        for seen in windowed(log, Revision::first_of(0), window_bytes) {
            in_windows.extend(seen.change.map(|(kind, kv)| Change {
                revision: seen.revision,
                key: kv.key[0],
                value: (kind == EventKind::Put).then_some(kv.value),
            }));
        }
        assert_eq!(in_windows, changes);
    }
    Visible::of(&changes, compact_revision)
}

fn append_changes(
    log: &mut Log<FaultPages>,
    model: &mut Model,
    items: &[(u8, Option<usize>)],
) -> Result<()> {
    let main = log.newest.map_or(1, |newest| newest.main) + 1;
    let changes = items
        .iter()
        .enumerate()
        .map(|(sub, &(key, length))| Change {
            revision: Revision {
                main,
                sub: sub as u32,
            },
            key,
            value: length.map(|length| vec![main as u8; length]),
        });
    let changes: Vec<Change> = changes.collect();
    log.reserve(changes.len() * 100 + items.iter().filter_map(|item| item.1).sum::<usize>())?;
    // Even if it fails, all of it may have been written.
    model.steps.push(Step::Changes(changes.clone()));
    let mut outcome = Ok(());
    for (nth, change) in changes.iter().enumerate() {
        let key = &[change.key];
        let record = match &change.value {
            Some(value) => Record::Put {
                key,
                value,
                age: 0,
                version: 1,
                lease: 0,
            },
            None => Record::Delete { key },
        };
        outcome = outcome.and_then(|()| {
            let entry = Entry {
                revision: change.revision,
                last: nth + 1 == changes.len(),
                record,
            };
            log.append(&entry).map(drop)
        });
    }
    model.refresh();
    outcome
}

fn compact(log: &mut Log<FaultPages>, model: &mut Model, revision: i64) -> Result<()> {
    let newest = log.newest.unwrap();
    log.reserve_to_free(100)?;
    model.steps.push(Step::Compact(revision));
    model.refresh();
    let entry = Entry {
        revision: Revision {
            main: newest.main,
            sub: newest.sub + 1,
        },
        last: true,
        record: Record::Compact {
            revision: revision as u64,
        },
    };
    log.append(&entry).map(drop)
}

/// One slice, at the purge revision that `model` has.
fn sweep_slice(
    log: &mut Log<FaultPages>,
    sweep: &mut Sweep,
    model: &Model,
    budget: usize,
) -> Result<bool> {
    log.sweep(sweep, budget, &mut |entry| model.keeps(entry))
}

fn sweep_all(log: &mut Log<FaultPages>, model: &Model) -> Result<()> {
    let Some(mut sweep) = log.begin_sweep() else {
        return Ok(());
    };
    while !sweep_slice(log, &mut sweep, model, 2000)? {
        log.sync()?;
    }
    log.sync()
}

fn some_items(random: &mut Random) -> Vec<(u8, Option<usize>)> {
    let count = [1, 1, 1, 2, 5][random.below(5)];
    let mut items: Vec<(u8, Option<usize>)> = Vec::new();
    for _ in 0..count {
        let length = match random.below(24) {
            0 => Some(400 + random.below(1600)),
            1..8 => None,
            8..12 => Some(random.below(300)),
            _ => Some(random.below(30)),
        };
        items.push((random.below(6) as u8, length));
    }
    items
}

/// A store, its model, and how much of it must still be known after a crash.
struct Trial {
    pages: FaultPages,
    random: Random,
    model: Model,
    durable: usize,
}

impl Trial {
    fn new(seed: u64) -> Self {
        let pages = fault_pages(512, seed);
        drop(open(pages.clone()).unwrap());
        let mut model = Model::default();
        model.refresh();
        Self {
            pages,
            random: Random::new(seed),
            model,
            durable: 0,
        }
    }

    /// Opens, through as many losses of power as there are, and finds which history it is.
    fn open(&mut self) -> Log<FaultPages> {
        loop {
            if self.random.percent(30) {
                let operations = self.random.below(12) as u64;
                self.pages.fail_after(operations, Fault::PowerCut);
            }
            match open_visible(&self.pages) {
                Ok((log, visible)) => {
                    self.pages.forget_faults();
                    let found = (self.durable..=self.model.steps.len())
                        .rev()
                        .find(|&steps| Visible::of_steps(&self.model.steps[..steps]) == visible);
                    let found = found.unwrap_or_else(|| {
                        panic!(
                            "no history since {}: {visible:?} {:?}",
                            self.durable, self.model.steps
                        )
                    });
                    self.model.steps.truncate(found);
                    self.model.refresh();
                    self.durable = found;
                    log.check().unwrap();
                    assert_eq!(visible_by_scan(&log, visible.compact_revision), visible);
                    return log;
                }
                Err(error) => {
                    assert_eq!(error.code(), crate::ErrorCode::Io, "{error}");
                    self.pages = self.pages.crash(&mut self.random);
                }
            }
        }
    }

    fn session(&mut self) -> Result<()> {
        let mut log = self.open();
        let fault = match self.random.below(10) {
            0..6 => Some((120, Fault::PowerCut)),
            6 => Some((30, Fault::SyncFails)),
            7 => Some((60, Fault::ShortWrite)),
            _ => None,
        };
        if let Some((within, fault)) = fault {
            self.pages
                .fail_after(self.random.below(within) as u64, fault);
        }
        let sync_percent = [5, 30, 100][self.random.below(3)];
        // A sweep keeps the purge revision that it began with.
        let mut sweep: Option<(Sweep, Model)> = None;
        let mut shrink = None;
        for _ in 0..self.random.below(80) {
            match self.random.below(20) {
                0..11 => {
                    let items = some_items(&mut self.random);
                    append_changes(&mut log, &mut self.model, &items)?;
                }
                11 => {
                    let newest = log.newest.map_or(1, |newest| newest.main);
                    let oldest = self.model.compact_revision.max(1) + 1;
                    if newest >= oldest {
                        let span = (newest - oldest + 1) as usize;
                        let revision = oldest + self.random.below(span) as i64;
                        compact(&mut log, &mut self.model, revision)?;
                    }
                }
                12..18 => {
                    if sweep.is_none() {
                        sweep = log.begin_sweep().map(|sweep| (sweep, self.model.clone()));
                    }
                    if let Some((state, model)) = &mut sweep
                        && sweep_slice(&mut log, state, model, self.random.below(3000))?
                    {
                        sweep = None;
                    }
                }
                18 => {
                    shrink = shrink
                        .or_else(|| log.shrink_target())
                        .or(Some(log.directory.pages().len() as u32 + 8));
                    if let Some(target) = shrink.filter(|&target| target < log.slots.length())
                        && log.shrink(target, self.random.below(3000))?
                    {
                        shrink = None;
                    }
                }
                _ => {
                    log.carry_mark()?;
                    self.durable = self.model.steps.len();
                }
            }
            if self.random.percent(sync_percent) {
                log.sync()?;
                self.durable = self.model.steps.len();
            }
        }
        if self.random.percent(30) {
            log.close(None)?;
            self.durable = self.model.steps.len();
        }
        Ok(())
    }
}

#[test]
fn after_any_crash_a_log_that_is_swept_and_shrunk_has_all_that_may_be_asked_for() {
    for seed in 0..200 {
        let mut trial = Trial::new(seed);
        for _ in 0..12 {
            let outcome = trial.session();
            let power_is_gone = trial.pages.len().is_err();
            trial.pages.forget_faults();
            if power_is_gone || (outcome.is_ok() && trial.random.percent(50)) {
                trial.pages = trial.pages.crash(&mut trial.random);
            }
        }
        trial.open();
    }
}

/// A store with a purge in the middle of some history: long entries, transactions of which parts go.
fn filled() -> (FaultPages, Log<FaultPages>, Model) {
    let pages = FaultPages::new(512, 1);
    drop(open(pages.clone()).unwrap());
    let (mut log, _) = open_visible(&pages).unwrap();
    let mut model = Model::default();
    let mut random = Random::new(9);
    for _ in 0..60 {
        append_changes(&mut log, &mut model, &some_items(&mut random)).unwrap();
    }
    compact(&mut log, &mut model, 45).unwrap();
    log.sync().unwrap();
    (pages, log, model)
}

/// All that a loss of power can leave at each operation of a sweep and a shrink, and then at some of
/// the recovery and of the sweep that is begun again.
#[test]
fn a_crash_at_every_write_of_a_sweep_and_a_shrink_changes_nothing_that_can_be_seen() {
    let (base, log, model) = filled();
    drop(log);
    let expected = Visible::of_steps(&model.steps);
    let reclaim = |pages: &FaultPages, slice: usize, syncs: bool| -> Result<()> {
        let (mut log, visible) = open_visible(pages)?;
        assert_eq!(visible, expected);
        let mut sweep = log.begin_sweep().unwrap();
        while !sweep_slice(&mut log, &mut sweep, &model, slice)? {
            if syncs {
                log.sync()?;
            }
        }
        let target = log.directory.pages().len() as u32 + 12;
        while !log.shrink(target, slice)? {}
        log.check()?;
        assert_eq!(visible_by_scan(&log, 45), expected);
        log.close(None)
    };
    for (cut, syncs) in (0..).flat_map(|cut| [(cut, false), (cut, true)]) {
        let pages = base.fork();
        pages.fail_after(cut, Fault::PowerCut);
        let done = reclaim(&pages, 1500, syncs).is_ok();
        let mut random = Random::new(cut);
        let drawn: Vec<_> = (0..12).map(|_| pages.draw_crash(&mut random)).collect();
        for crash in pages.every_crash().take(12).chain(drawn) {
            let survivor = pages.crash_as(&crash);
            let again = survivor.fork();
            again.fail_after(random.below(40) as u64, Fault::PowerCut);
            if reclaim(&again, 700, syncs).is_err() {
                let (_, visible) = open_visible(&again.crash(&mut random)).unwrap();
                assert_eq!(visible, expected, "{crash:?}");
            }
            reclaim(&survivor, 4000, syncs).unwrap();
        }
        if done && !syncs {
            break;
        }
    }
}

#[test]
fn what_is_kept_is_packed_and_pages_without_dead_entries_stay_where_they_are() {
    let (_, mut log, model) = filled();
    let before = log.directory.pages().len();
    let untouched = log.directory.pages()[before - 2].number;
    sweep_all(&mut log, &model).unwrap();
    let after = log.directory.pages();
    assert!(after.len() < before, "{before} became {}", after.len());
    assert!(after.iter().any(|page| page.number == untouched));
    // A second sweep at the same revision finds nothing to do.
    let writes = log.pages.counts().writes;
    sweep_all(&mut log, &model).unwrap();
    assert_eq!(log.pages.counts().writes, writes);
}

#[test]
fn a_scan_goes_on_through_a_sweep_of_what_it_has_read_and_will_read() {
    let (_, log, _) = filled();
    let entries = scanned(&log, Revision::first_of(0)).len();
    drop(log);
    for stop in 0..entries {
        let (_, mut log, model) = filled();
        let mut scan = log.scan(Revision::first_of(0));
        let mut read = Vec::new();
        for _ in 0..stop {
            let (_, stored) = scan.next(&log).unwrap().unwrap();
            read.extend(change_of(&stored.entry()));
        }
        sweep_all(&mut log, &model).unwrap();
        while let Some((_, stored)) = scan.next(&log).unwrap() {
            read.extend(change_of(&stored.entry()));
        }
        // Of what was compacted it may have read a put and not the delete.
        let later = Visible::of(&read, 45).later;
        assert_eq!(later, Visible::of_steps(&model.steps).later);
        let from = Revision::first_of(50);
        let later = scanned(&log, from).into_iter();
        let later = later
            .filter(|(position, _)| change_of(&log.read(*position).unwrap().entry()).is_some());
        let expected = read.iter().filter(|change| change.revision >= from).count();
        assert_eq!(later.count(), expected);
    }
}

#[test]
fn nothing_is_swept_within_a_transaction() {
    let (pages, mut log, model) = filled();
    let mut sweep = log.begin_sweep().unwrap();
    let newest = log.newest.unwrap();
    let entry = Entry {
        revision: Revision::first_of(newest.main + 1),
        last: false,
        record: Record::Delete { key: &[1] },
    };
    log.append(&entry).unwrap();
    let writes = pages.counts().writes;
    assert!(!sweep_slice(&mut log, &mut sweep, &model, 4000).unwrap());
    assert_eq!(pages.counts().writes, writes);
}
