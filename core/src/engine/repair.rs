//! Repair: what a damaged store still has, as a new store, and a list of what it lacks.
//!
//! A log that has lost pages from its middle no longer says what became of keys there. What is whole
//! behind the last such place is kept as history. Of what lies before it only each key's newest known
//! state is kept, and the new store is compacted there, so that no revision can be asked for at which
//! something is missing. A change that is known to have been followed by another that was lost is not
//! kept; a key of which that is not known is kept, and listed as uncertain. Nothing is made up: every
//! key with its value and numbers is one that the damaged store has had.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec::Vec;

use super::options::Options;
use super::store::Store;
use crate::cursor::Cursors;
use crate::error::Result;
use crate::lease::Lessor;
use crate::log::{Entry, LogOptions, Record, Salvage, SalvageFound, append_frame, take_frame};
use crate::page::PageStore;
use crate::revision::Revision;
use crate::store::Builder;

/// What [`Store::repair`] saved, and what it could not.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RepairReport {
    /// The revision that the new store is at.
    pub revision: i64,
    /// The new store has no history before this; -1 if it has all.
    pub compact_revision: i64,
    /// Slots of the damaged image, and how many of them held a valid page of the log.
    pub pages: u32,
    /// See `pages`.
    pub valid_pages: u32,
    /// The slots that hold something else: damage, or a write that was cut short.
    pub damaged_pages: Vec<u32>,
    /// Between these revisions, neither of them included, changes are missing: all, or some. Keys that
    /// were last changed there are missing too, whatever their names are.
    pub lost_between: Vec<(i64, i64)>,
    /// Changes after `revision` are missing. How many is not known.
    pub lost_the_newest: bool,
    /// Keys that may have been changed or deleted in what was lost: they are in the new store as they
    /// were last known.
    pub uncertain_keys: Vec<Vec<u8>>,
    /// Keys of which a change was lost that is known to have been: they are in the new store as they
    /// were after it.
    pub affected_keys: Vec<Vec<u8>>,
    /// Leases that are in the new store, and may have been revoked or renewed in what was lost.
    pub uncertain_leases: Vec<i64>,
    /// Changes of keys that were saved.
    pub saved_changes: u64,
}

impl RepairReport {
    /// Whether nothing is missing that is known to have been there.
    pub fn is_whole(&self) -> bool {
        self.lost_between.is_empty() && !self.lost_the_newest
    }
}

/// What the first walk over a damaged log learned.
#[derive(Debug, Default)]
struct Plan {
    lost_between: Vec<(i64, i64)>,
    /// Changes above this are all there, if anything is missing below.
    floor: i64,
    /// Records that make no revision may be missing.
    lost_state: bool,
    compact_revision: i64,
    /// The newest transaction that is whole.
    revision: i64,
    lost_the_newest: bool,
}

impl<P: PageStore> Store<P> {
    /// Saves what can be saved of a damaged image into a new store, in pages that are blank or hold an
    /// import that was cut off. The image is only read. The new store has its own id, from the
    /// options, and begins a new epoch.
    ///
    /// Fails with `NotAStore` if neither copy of the image's header is whole, and otherwise as
    /// [`Import`](crate::Import) does. Reads the image several times; costs memory by its keys.
    ///
    /// ```
    /// use revwatch::page::MemoryPages;
    /// use revwatch::{Options, Store};
    ///
    /// let pages = MemoryPages::new(512);
    /// let mut store = Store::open(pages.clone(), Options::default())?;
    /// for i in 0..100_u8 {
    ///     store.put(&[i], &[i; 20])?;
    /// }
    /// store.close()?;
    ///
    /// let mut image = pages.to_bytes();
    /// image[5 * 512 + 200] ^= 1; // in the middle of page 5
    /// let damaged = MemoryPages::from_bytes(512, &image)?;
    /// let (saved, report) = Store::repair(&damaged, MemoryPages::new(512), Options::default())?;
    /// assert!(!report.is_whole() && saved.status().keys < 100);
    /// assert_eq!(report.damaged_pages, [5]);
    /// assert_eq!(saved.get(&[99])?.unwrap().value, [99; 20]);
    /// # Ok::<(), revwatch::Error>(())
    /// ```
    pub fn repair<D: PageStore>(
        damaged: &D,
        pages: P,
        options: Options,
    ) -> Result<(Self, RepairReport)> {
        let salvage = Salvage::take(damaged)?;
        let plan = Plan::of(&salvage)?;
        let log_options = LogOptions {
            read_only: options.read_only,
            store_id: options.store_id,
            cache_bytes: 0,
        };
        let builder = Builder::begin(pages, log_options, options.seed)?;
        let mut report = RepairReport::default();
        (report.pages, report.valid_pages) = salvage.page_counts();
        report.damaged_pages = salvage.damaged_slots();
        let mut rebuild = Rebuild {
            builder,
            plan: &plan,
            base: Base::of(&salvage, &plan, &mut report)?,
            lessor: Lessor::with_seed(options.seed),
            cursors: Cursors::default(),
            saved_changes: 0,
        };
        rebuild.add_all(&salvage)?;
        if plan.lost_state {
            report.uncertain_leases = rebuild.lessor.ids();
        }
        report.saved_changes = rebuild.saved_changes;
        let pages = rebuild.finish(salvage.newest_epoch())?;
        report.lost_between = plan.lost_between;
        report.lost_the_newest = plan.lost_the_newest;
        let store = Self::open(pages, options)?;
        report.revision = store.revision();
        report.compact_revision = store.status().compact_revision;
        Ok((store, report))
    }
}

/// Shows whole transactions, in order, and with each whether something is missing before it.
fn transactions<D: PageStore>(
    salvage: &Salvage<'_, D>,
    visit: &mut dyn FnMut(&[Entry<'_>], bool) -> Result<()>,
) -> Result<bool> {
    let mut open: Vec<u8> = Vec::new();
    let mut newest: Option<Revision> = None;
    let mut is_broken = false;
    let goes_on = salvage.walk(&mut |found| {
        let (entry, is_joined) = match found {
            SalvageFound::Gap => {
                open.clear();
                is_broken = true;
                return Ok(());
            }
            SalvageFound::Entry(entry, is_joined) => (entry, is_joined),
        };
        if !is_joined && !open.is_empty() {
            open.clear();
            is_broken = true;
        }
        if newest.is_some_and(|newest| newest >= entry.revision)
            || !crate::store::is_possible(&entry)
        {
            // Not of this history.
            open.clear();
            is_broken = true;
            return Ok(());
        }
        append_frame(&entry, &mut open)?;
        if entry.last {
            let entries: Vec<Entry<'_>> = frames(&open).collect();
            let is_one = entries
                .iter()
                .all(|it| it.revision.main == entry.revision.main);
            if is_one {
                newest = Some(entry.revision);
                visit(&entries, core::mem::take(&mut is_broken))?;
            } else {
                is_broken = true;
            }
            open.clear();
        }
        Ok(())
    })?;
    Ok(goes_on || is_broken || !open.is_empty())
}

fn frames(mut bytes: &[u8]) -> impl Iterator<Item = Entry<'_>> {
    core::iter::from_fn(move || {
        let (entry, rest) = take_frame(bytes)?;
        bytes = rest;
        Some(entry)
    })
}

fn is_change(entry: &Entry<'_>) -> bool {
    matches!(entry.record, Record::Put { .. } | Record::Delete { .. })
}

impl Plan {
    fn of<D: PageStore>(salvage: &Salvage<'_, D>) -> Result<Self> {
        let mut plan = Self {
            compact_revision: -1,
            revision: 1,
            ..Self::default()
        };
        transactions(salvage, &mut |entries, _| {
            for entry in entries {
                if let Record::Compact { revision } = entry.record {
                    let revision = i64::try_from(revision).unwrap_or(i64::MAX);
                    plan.compact_revision = plan.compact_revision.max(revision);
                }
            }
            Ok(())
        })?;
        let mut before = 1;
        plan.lost_the_newest = transactions(salvage, &mut |entries, is_broken| {
            let main = entries[0].revision.main;
            let changes = entries.iter().filter(|entry| is_change(entry));
            let mut subs = changes.map(|entry| entry.revision.sub);
            let is_new = main > before;
            let from = entries[0].revision.sub;
            let has_all = !is_new
                || (from == 0 && (from..).zip(&mut subs).all(|(wanted, sub)| wanted == sub));
            let follows = main <= before.max(plan.compact_revision) + 1;
            let is_kept_whole = main > plan.compact_revision;
            plan.lost_state |= is_broken;
            let lost_changes = is_new && (is_broken || (is_kept_whole && !(has_all && follows)));
            if lost_changes {
                plan.lost_between.push((before, main + i64::from(!has_all)));
                let floor = if has_all { main - 1 } else { main };
                plan.floor = floor.max(plan.compact_revision);
            }
            before = before.max(main);
            Ok(())
        })?;
        plan.revision = before;
        Ok(plan)
    }

    /// The new store has no history before this.
    fn compacted(&self) -> i64 {
        if self.lost_between.is_empty() {
            self.compact_revision
        } else {
            self.floor
        }
    }
}

/// The changes up to the floor that are kept: the newest known of each key.
#[derive(Debug, Default)]
struct Base(BTreeSet<Revision>);

/// What is known of a key up to the floor.
#[derive(Clone, Copy, Debug)]
struct Known {
    revision: Revision,
    create_revision: i64,
    version: u64,
    is_put: bool,
}

impl Base {
    fn of<D: PageStore>(
        salvage: &Salvage<'_, D>,
        plan: &Plan,
        report: &mut RepairReport,
    ) -> Result<Self> {
        if plan.lost_between.is_empty() {
            return Ok(Self::default());
        }
        let mut known: BTreeMap<Vec<u8>, Known> = BTreeMap::new();
        let mut touched: BTreeSet<Vec<u8>> = BTreeSet::new();
        let mut affected: BTreeSet<Vec<u8>> = BTreeSet::new();
        transactions(salvage, &mut |entries, _| {
            for entry in entries {
                let main = entry.revision.main;
                let (key, now) = match entry.record {
                    Record::Put {
                        key, age, version, ..
                    } => (key, Some((main.saturating_sub_unsigned(age), version))),
                    Record::Delete { key } => (key, None),
                    _ => continue,
                };
                if main <= plan.floor {
                    let (create_revision, version) = now.unwrap_or((0, 0));
                    let state = Known {
                        revision: entry.revision,
                        create_revision,
                        version,
                        is_put: now.is_some(),
                    };
                    known.insert(key.to_vec(), state);
                } else if touched.insert(key.to_vec()) {
                    let before = known.get(key).filter(|known| known.is_put);
                    let fits = match (now, before) {
                        (Some((_, 1)), None) => true,
                        (Some((created, version)), Some(before)) => {
                            created == before.create_revision
                                && Some(version) == before.version.checked_add(1)
                        }
                        (None, _) | (Some(_), None) => false,
                    };
                    if !fits {
                        known.remove(key);
                        affected.insert(key.to_vec());
                    }
                }
            }
            Ok(())
        })?;
        // A delete at the compact revision may still be watched from.
        let is_kept = |known: &Known| known.is_put || known.revision.main == plan.floor;
        let base = known.values().filter(|known| is_kept(known));
        let base = base.map(|known| known.revision).collect();
        let puts = known.iter().filter(|(_, known)| known.is_put);
        let uncertain = puts.filter(|(key, _)| !touched.contains(*key));
        report.uncertain_keys = uncertain.map(|(key, _)| key.clone()).collect();
        report.affected_keys = affected.into_iter().collect();
        Ok(Self(base))
    }
}

struct Rebuild<'p, P: PageStore> {
    builder: Builder<P>,
    plan: &'p Plan,
    base: Base,
    lessor: Lessor,
    cursors: Cursors,
    saved_changes: u64,
}

impl<P: PageStore> Rebuild<'_, P> {
    fn add_all<D: PageStore>(&mut self, salvage: &Salvage<'_, D>) -> Result<()> {
        let mut newest_epoch = 1;
        transactions(salvage, &mut |entries, _| {
            let mut kept: Vec<Entry<'_>> = Vec::new();
            for entry in entries {
                let is_kept = match entry.record {
                    Record::Put { .. } | Record::Delete { .. } => {
                        self.plan.lost_between.is_empty()
                            || entry.revision.main > self.plan.floor
                            || self.base.0.contains(&entry.revision)
                    }
                    Record::LeaseGrant { .. } | Record::LeaseRevoke { .. } => true,
                    Record::Epoch { epoch, .. } => epoch > newest_epoch,
                    // They are said once and for all at the end.
                    _ => false,
                };
                if let Record::Epoch { epoch, .. } = entry.record {
                    newest_epoch = newest_epoch.max(epoch);
                }
                self.lessor.replay(entry);
                self.cursors.replay(entry);
                if is_kept {
                    kept.push(Entry {
                        last: false,
                        ..*entry
                    });
                }
            }
            if let Some(last) = kept.last_mut() {
                last.last = true;
            }
            self.saved_changes += kept.iter().filter(|entry| is_change(entry)).count() as u64;
            for entry in kept {
                self.builder.add(&entry, self.plan.compacted())?;
            }
            Ok(())
        })?;
        Ok(())
    }

    fn finish(mut self, epoch: i64) -> Result<P> {
        let main = self.builder.revision().max(self.plan.revision);
        let compacted = self.plan.compacted().min(main);
        if let Ok(revision) = u64::try_from(compacted) {
            self.state(main, Record::Compact { revision })?;
        }
        for id in self.lessor.ids() {
            let Some((remaining_ms, _)) = self.lessor.time_to_live(id) else {
                continue;
            };
            let remaining_ms = remaining_ms.unsigned_abs();
            self.state(main, Record::LeaseRemaining { id, remaining_ms })?;
        }
        for (name, cursor) in core::mem::take(&mut self.cursors).iter() {
            let (key, range_end) = cursor.range.to_etcd();
            let record = Record::Cursor {
                id: cursor.id,
                name,
                key: &key,
                range_end: &range_end,
                lag: main.abs_diff(cursor.acked_revision.min(main)),
                hold: cursor.hold,
            };
            self.state(main, record)?;
        }
        self.builder.finish(epoch)
    }

    fn state(&mut self, main: i64, record: Record<'_>) -> Result<()> {
        let revision = self.builder.next_state_revision(main);
        let entry = Entry {
            revision,
            last: true,
            record,
        };
        self.builder.add(&entry, self.plan.compacted())
    }
}
